"""A technician brings the unit in a slot into another mode: on record before the unit is told."""

from __future__ import annotations

from drivers.clock import CancelToken, Clock

from .commands import EnterMode
from .console_events import HandWorkBegun
from .events import CommandDone, Head
from .ports import JournalPort, Session
from .step import Emit
from .waiting import Waiting


def enter(
    command: EnterMode, session: Session, clock: Clock, cancel: CancelToken, journal: JournalPort, publish: Emit
) -> CommandDone:  # fmt: skip
    """Bring the unit into the mode; return that it is in it. Raises `Cancelled`, `DriverError` and `JournalError`."""
    device_id = command.device_id

    def head() -> Head:
        return {
            "at": clock.utc(), "slot": command.slot, "device_id": device_id or None, "attempt": command.attempt or None
        }  # fmt: skip

    def begins(found: str) -> None:
        nonlocal device_id
        device_id = found
        begun = HandWorkBegun(what=command.mode, **head())
        journal.record(begun)
        publish(begun)

    with journal.waiting_as(Waiting(publish, head, cancel=cancel)):
        session.enter(command.mode, device_id, begins)
    return CommandDone(at=clock.utc(), slot=command.slot, did="mode", what=command.mode)
