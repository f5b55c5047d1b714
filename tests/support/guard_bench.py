"""A write guard above a unit that believes everything: what guard tests share."""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.guard import WriteGuard
from drivers.platforms import platform
from drivers.wire.actions import Answer, Operation, T, Wait
from drivers.wire.dfu import transfers as dfu
from drivers.wire.image.host import Image, parse_image
from drivers.wire.usb import Setup

from .dfu_model import PAGE, DfuModel, Stall, make_module

ARGON = platform(12)


def image(function: int, index: int, start: int, size: int, **options: int) -> Image:
    return parse_image(make_module(function, index, start, size, **options), f"module {function}/{index}")


SYSTEM = image(4, 1, 0x30000, 2 * PAGE + 100, prefix_offset=0x200)
NEW_SYSTEM = image(4, 1, 0x28000, 10 * PAGE, prefix_offset=0x200, version=6200)
USER = image(5, 2, 0xB4000, PAGE + 10)
BIG_USER = image(5, 2, 0xB4000, 0x40000)
OLD_USER = image(5, 1, 0xD4000, PAGE + 10)
SOFTDEVICE = image(8, 0, 0x1000, PAGE + 24, flags=1)


class Lost(Exception):
    """A transfer failed on the way; the host cannot know how far it came."""


@dataclass
class Bench:
    """A guard above a sloppy unit. ``mishap`` says what becomes of the next transfers."""

    unit: DfuModel = field(default_factory=DfuModel)
    guard: WriteGuard = field(default_factory=lambda: WriteGuard(ARGON))
    mishap: str = ""  # "", "before" (never arrives), "after" (arrives, answer lost)

    def send(self, setup: Setup, data: bytes = b"") -> bytes:
        """What a guarded transport does: check, transfer, observe; raises `WriteRefused`, `Stall`, `Lost`."""
        self.guard.check(setup, data)
        mishap, self.mishap = self.mishap, ""
        if mishap == "before":
            raise Lost
        reply = self.unit.transfer(setup, data)
        if mishap == "after":
            raise Lost
        self.guard.observe(setup, reply)
        return reply

    def run(self, operation: Operation[T]) -> T:
        """Carry an operation out through the guard."""
        reply: bytes | Answer | None = None
        while True:
            try:
                step = next(operation) if reply is None else operation.send(reply)
            except StopIteration as end:
                return end.value
            if isinstance(step, Wait):
                reply = b""
                continue
            try:
                reply = self.send(step.setup, step.data)
            except Stall:
                reply = Answer.STALL

    def select(self, alternate: int) -> None:
        self.send(dfu.set_interface(alternate))

    def reopen(self, *, kernel_resets_alternate: bool = True) -> None:
        """A new process opens the unit, which has kept its state."""
        self.guard.forget()
        if kernel_resets_alternate:
            self.unit.alternate = 0
