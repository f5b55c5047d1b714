"""Reads the terminal for the screen, and tells when nothing came from it for a time.

Whether a scanner typed a character is decided by the time until the next one. On a busy machine this program stands
still now and then, longer than a scanner between two characters, so that the time at which it reads one says little.
What the kernel tells is sure however late it is heard: a wait that ran out found the terminal empty to its end.
"""

from __future__ import annotations

import codecs
import os
import selectors

from textual._xterm_parser import XTermParser  # Textual's drivers have no public part that only parses
from textual.drivers.linux_driver import LinuxDriver

from .messages import Silence
from .scanner import GAP_S, LIKELY_S

SILENCES = (LIKELY_S, GAP_S)
"""Seconds since the last character after which the app is told, in order."""

LOOK_S = 0.1
"""Seconds between two looks whether to end, and whether an Escape was a key of its own."""

AT_ONCE = 4096
"""Bytes read at once."""


class TerminalDriver(LinuxDriver):
    """Textual's driver of a terminal, which in addition tells the app of each `Silence` between two characters."""

    def run_input_thread(self) -> None:
        """Read the terminal and tell the app of keys and silences, in order, until told to end or there is no more.

        Bytes that are no UTF-8 become U+FFFD. Raises `OSError` if the terminal went away.
        """
        parser = XTermParser()
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        silent, still_to_tell = 0.0, list[float]()
        terminal = selectors.SelectSelector()
        terminal.register(self.fileno, selectors.EVENT_READ)
        # the loop is closed at the latest when the app has ended, however the giving back of the terminal failed
        while not (self.exit_event.is_set() or self._loop.is_closed()):
            wait = still_to_tell[0] - silent if still_to_tell else LOOK_S
            if terminal.select(wait):
                data = os.read(self.fileno, AT_ONCE)
                if not data:  # the terminal went away; a thread that waited on would keep the program from ending
                    return
                if text := decode(data):  # none: a part of a character; to the parser that would be the end
                    for message in parser.feed(text):
                        self.process_message(message)
                silent, still_to_tell = 0.0, [*SILENCES]
            elif still_to_tell:
                silent = still_to_tell.pop(0)
                self.process_message(Silence(silent))
            for message in parser.tick():
                self.process_message(message)
