"""What other threads and timers tell the app."""

from __future__ import annotations

from textual.message import Message


class EventsWaiting(Message):
    """Events are queued. A message that is still unhandled covers all later ones."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, EventsWaiting)


class LeaveNow(Message):
    """The program requests that the screen be closed."""


class ScannerPaused(Message):
    """No key came for so long that what is held back was typed. Keys pressed before it are ahead of it in the queue."""
