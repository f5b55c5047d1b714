"""Virtual units that another process serves, as ``station virtual serve`` does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import child_process

SERVE = [sys.executable, "-m", "station", "virtual", "serve", "--json"]


@contextmanager
def served(*arguments: str) -> Iterator[dict[str, Any]]:
    """What a server says of itself; it is told to end as a service is."""
    server = child_process.start([*SERVE, "--usbip", "0", *arguments], stdout=subprocess.PIPE)
    with server:
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())
        finally:
            server.terminate()
    assert server.returncode == 0
