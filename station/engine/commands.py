"""What a person asks of the engine, as frozen values. The screen sends these and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Command:
    """Root of all commands."""


ScanField = Literal["", "find", "batch"]
"""Which field of the open screen takes scans first, if any."""


@dataclass(frozen=True, slots=True)
class Scan(Command):
    """Text of one scanner burst, without its ending Enter or Tab. May hold a mobile secret: repr hides it."""

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
    """Technician: run one step on the unit in this slot."""

    slot: int
    step: str


@dataclass(frozen=True, slots=True)
class SignalUnit(Command):
    """Let the unit's LED show the rainbow (or stop it)."""

    slot: int
    on: bool = True


@dataclass(frozen=True, slots=True)
class BindPort(Command):
    """The unit on ``port_path`` sits in this slot."""

    slot: int
    port_path: str


@dataclass(frozen=True, slots=True)
class SetOperator(Command):
    badge: str


@dataclass(frozen=True, slots=True)
class OpenBatch(Command):
    batch: str
    profile: str  # profile id
    target: int | None = None


@dataclass(frozen=True, slots=True)
class CloseBatch(Command):
    batch: str
