"""A unit that lies: a virtual unit whose answers pass through the test's hands before they reach the host.

``tamper`` sees every control transfer with the honest answer and gives the one that is sent, or raises `Stall`,
`Gone` or `TimedOut`. ``lies`` changes what single control requests come to; ``before_boot`` may change who the
unit says it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drivers.clock import Clock
from drivers.virtual.application import Application
from drivers.virtual.boot import BootReport
from drivers.virtual.bus import Presence
from drivers.virtual.control_service import ControlService, Outcome
from drivers.virtual.factory import UnitSpec
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.world import World
from drivers.wire.usb import Setup

Tamper = Callable[[Setup, bytes], bytes]
Lie = Callable[[Outcome], Outcome]


def honest(_setup: Setup, reply: bytes) -> bytes:
    return reply


@dataclass
class Lies:
    """How a `HostileUnit` behaves; a test may change it while the unit runs."""

    tamper: Tamper = honest
    requests: dict[int, Lie] = field(default_factory=dict)  # request type -> what becomes of its outcome
    before_boot: Callable[[HostileUnit], None] = lambda unit: None
    console: bytes | None = None  # what the console says again and again, whatever it is asked
    printed: Callable[[bytes], bytes] = bytes  # what becomes of what the console honestly says


class _LyingThread:
    """The system thread with its outcomes exchanged."""

    def __init__(self, app: Application, requests: Mapping[int, Lie]) -> None:
        self._app, self._requests = app, requests

    def now(self) -> float:
        return self._app.now()

    def allocate(self) -> float | None:
        return self._app.allocate()

    def run(self, request_type: int, payload: bytes, done: Callable[[Outcome, float], None]) -> None:
        lie = self._requests.get(request_type, lambda outcome: outcome)
        self._app.run(request_type, payload, lambda outcome, at: done(lie(outcome), at))


class HostileUnit(VirtualUnit):
    """Plug it in like any other."""

    def __init__(self, spec: UnitSpec, clock: Clock, lies: Lies, world: World | None = None) -> None:
        super().__init__(spec, clock, world)
        self.lies = lies

    def _appear(self, report: BootReport) -> None:
        self.lies.before_boot(self)
        super()._appear(report)
        if isinstance(self._software, Application):
            self._software.service = ControlService(_LyingThread(self._software, self.lies.requests))

    def control(self, presence: Presence, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        return self.lies.tamper(setup, super().control(presence, setup, data, timeout_s))[: setup.length]

    def serial_read(self, presence: Presence, max_bytes: int, timeout_s: float | None) -> bytes:
        noise = self.lies.console
        if noise is None:
            data = super().serial_read(presence, max_bytes, timeout_s)
            return self.lies.printed(data) if data else data
        self.clock.sleep(0.0001 * max_bytes)
        self._check(presence)
        return (noise * (max_bytes // len(noise) + 1))[:max_bytes]

    def serial_pending(self, presence: Presence) -> int:
        return super().serial_pending(presence) if self.lies.console is None else 4096


def answering(outcome: Outcome) -> Lie:
    return lambda _honest: outcome


def on(match: Callable[[Setup], bool], reply: Callable[[], bytes]) -> Tamper:
    """Only transfers that ``match`` get another answer."""
    return lambda setup, true: reply() if match(setup) else true


def is_serial_string(setup: Setup) -> bool:
    return (setup.request_type, setup.request, setup.value) == (0x80, 6, 0x0303)


def is_service(number: int) -> Callable[[Setup], bool]:
    return lambda setup: (setup.request_type, setup.request) == (0xC0, number)


def is_dfu(number: int) -> Callable[[Setup], bool]:
    return lambda setup: (setup.request_type, setup.request) == (0xA1, number)


def corrupting(seed: object, share: float) -> Tamper:
    """Each answer is, with probability ``share``, flipped, cut, stretched or replaced."""
    dice = random.Random(f"{seed}")

    def tamper(setup: Setup, reply: bytes) -> bytes:
        if not setup.is_in or dice.random() >= share:
            return reply
        kind = dice.randrange(4)
        if kind == 0 and reply:
            at = dice.randrange(len(reply))
            return reply[:at] + bytes([reply[at] ^ (1 << dice.randrange(8))]) + reply[at + 1 :]
        if kind == 1:
            return reply[: dice.randrange(len(reply) + 1)]
        if kind == 2:
            return reply + dice.randbytes(dice.randrange(64))
        return dice.randbytes(dice.randrange(setup.length + 1))

    return tamper
