"""A bench of busy slots on the terminal it is started on, until its input ends; says each command sent on a pipe.

Called by ``bench_scans.py``: ``screen_once.py SLOTS PIPE``. The pipe gets ``ready`` and then one line of JSON a
command: what kind it is, its text, slot and field.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading

from support.busy_screen import answering, busy, busy_from
from support.screen_story import Story

from station.engine import commands as cmd


def main(slots: int, pipe: int) -> None:
    """Show ``slots`` slots, each telling of its progress 20 times a second."""
    story = Story(slots)

    def ready() -> None:
        gc.freeze()
        for event in (*story.opened(), *(one for n in range(1, slots + 1) for one in busy_from(story, n))):
            app.feed(event)
        threading.Thread(target=busy, args=(story, app.feed, threading.Event()), daemon=True).start()
        os.write(pipe, b"ready\n")

    app = story.app(is_animated=True, on_ready=ready, profiles=("boron-product",))
    answering(app)
    answer = app._send

    def send(command: cmd.Command) -> None:
        what = [type(command).__name__, *(str(getattr(command, name, "")) for name in ("text", "slot", "field"))]
        os.write(pipe, json.dumps(what).encode() + b"\n")
        answer(command)

    app._send = send
    app.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
