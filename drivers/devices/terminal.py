"""A person at a unit's console: what it prints as lines to show, what is typed as keys and lines to send."""

from __future__ import annotations

from ..errors import LocalProtocolError
from ..wire.console.display import Display, Shown
from .console import Console

MAX_TYPED = 255
"""Bytes of one line with its end; the unit's receive buffer has 256 (reference usb-and-serial 5.5)."""


def is_sendable(text: str) -> bool:
    """Return whether ``text`` is printable and short enough for a line; control characters start transfers (5.2)."""
    return text.isprintable() and len(text.encode()) < MAX_TYPED


class Terminal:
    """Binds a `Display` to an opened console. One owner thread; raises `LinkError` when the port is gone."""

    def __init__(self, console: Console) -> None:
        self._console, self._display = console, Display()

    def hear(self, timeout_s: float) -> tuple[Shown, ...]:
        """Return what the unit printed, as soon as there is some; a line it has not ended after a silence."""
        data = self._console.listen(timeout_s)
        if data:
            return self._display.feed(data)
        waiting = self._display.open_line()
        return () if waiting is None else (waiting,)

    def type(self, text: str) -> None:
        """Send a command, which is one character, or a line; at a prompt of the unit everything is a line.

        Raises `LocalProtocolError` for what is not `is_sendable`.
        """
        if not is_sendable(text):
            raise LocalProtocolError(f"the console takes printable lines of less than {MAX_TYPED} bytes")
        is_key = len(text) == 1 and not self._display.is_asking
        self._display.typed(text)
        self._console.type(text.encode() if is_key else f"{text}\n".encode())
