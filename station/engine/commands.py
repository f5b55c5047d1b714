"""Commands a person gives, as frozen values. The screen sends these and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Command:
    """Root of all commands."""


ScanField = Literal["", "find", "batch"]
"""Field of the open screen that takes scans first, if any."""


@dataclass(frozen=True, slots=True)
class Scan(Command):
    """Text of one scan, without the ending Enter or Tab. May hold a mobile secret: repr hides it."""

    text: str
    slot: int | None = None  # the slot it was typed for; a scanner names none
    field: ScanField = ""

    def __repr__(self) -> str:
        return "Scan(***)"


@dataclass(frozen=True, slots=True)
class RetrySlot(Command):
    """Walk the unit in this slot again, from the start."""

    slot: int


@dataclass(frozen=True, slots=True)
class StopSlot(Command):
    """End the running attempt of this slot as ABORTED."""

    slot: int


@dataclass(frozen=True, slots=True)
class RunStep(Command):
    """Technician: run one step on the unit in this slot, and those in ``then`` after it."""

    slot: int
    step: str
    then: tuple[str, ...] = ()


Mode = Literal["dfu", "listening", "safe", "reset"]


@dataclass(frozen=True, slots=True)
class EnterMode(Command):
    """Technician: bring the unit in this slot, which had this attempt, into a mode; "reset" restarts it."""

    slot: int
    mode: Mode
    attempt: str = ""
    device_id: str = ""


@dataclass(frozen=True, slots=True)
class OpenConsole(Command):
    """Technician: open the serial console of the unit in this slot, which had this attempt; "" for none."""

    slot: int
    attempt: str = ""
    device_id: str = ""


@dataclass(frozen=True, slots=True)
class TypeConsole(Command):
    """Technician: send a command of the console, which is one character, or a line. May be a secret: repr hides it."""

    slot: int
    text: str

    def __repr__(self) -> str:
        return f"TypeConsole({self.slot}, ***)"


@dataclass(frozen=True, slots=True)
class CloseConsole(Command):
    """Technician: close the console of the unit in this slot."""

    slot: int


@dataclass(frozen=True, slots=True)
class TellLight(Command):
    """Technician: keep on record what the light of the unit in this slot does."""

    slot: int
    attempt: str
    device_id: str
    light: str


@dataclass(frozen=True, slots=True)
class SaveReport(Command):
    """Technician: write the report of an attempt; ``trace`` has the wire as far as the screen kept it."""

    slot: int
    attempt: str
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SaveTrace(Command):
    """Technician: write the wire trace of an attempt to a file."""

    slot: int
    attempt: str
    trace: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignalUnit(Command):
    """Make the unit's LED cycle through the rainbow, or stop it."""

    slot: int
    on: bool = True


@dataclass(frozen=True, slots=True)
class PrintLabel(Command):
    """Print the label of the unit in this slot once more; None: of the unit that had its verdict last."""

    slot: int | None = None


@dataclass(frozen=True, slots=True)
class BindPort(Command):
    """Bind ``port_path`` to this slot, for good."""

    slot: int
    port_path: str


@dataclass(frozen=True, slots=True)
class TakeSlotOut(Command):
    """Put this slot out of service, from now on and after a restart too; ``why`` stands on the screen."""

    slot: int
    why: str


@dataclass(frozen=True, slots=True)
class PutSlotBack(Command):
    """Put this slot into service again."""

    slot: int


@dataclass(frozen=True, slots=True)
class SetOperator(Command):
    """Name the operator of the attempts that start from now on."""

    badge: str


@dataclass(frozen=True, slots=True)
class OpenBatch(Command):
    """Open a batch, or continue an open one."""

    batch: str
    profile: str  # profile id
    target: int | None = None


@dataclass(frozen=True, slots=True)
class CloseBatch(Command):
    """Close a batch for good."""

    batch: str


@dataclass(frozen=True, slots=True)
class RetryOwed(Command):
    """Try what is owed of these attempts now, as if it had never been tried; of none named: all that is owed."""

    attempts: tuple[str, ...] = ()
