"""What other threads and timers tell the app."""

from __future__ import annotations

from textual.message import Message


class EventsWaiting(Message):
    """Events are queued. A message that is still unhandled covers all later ones."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, EventsWaiting)


class LeaveNow(Message):
    """The program requests that the screen be closed."""


class Silence(Message):
    """Nothing came from the terminal for ``seconds`` after the last key. In order with the keys in the queue."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
