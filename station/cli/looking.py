"""Reads units outside of any attempt, for ``identify`` and ``profile check``. Writes nothing anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from drivers.clock import Clock
from drivers.devices import ParticleDevice
from drivers.hotplug import Attached, Enumerator, HotplugEvent, PortWatch
from drivers.identity import MobileSecret, PortPath, Secret
from drivers.platforms import platform
from drivers.transport import SerialHost, UsbCandidate, UsbHost
from drivers.wire.usb import Mode

from ..engine.events import Event
from ..engine.step import NoScanner, StepContext
from ..model import KnownUnit, SeenBefore
from ..steps.shared import reading
from ..steps.shared.knowledge import UnitKnowledge
from ..steps.shared.unit import Unit

LOOK_S = 90.0
APPEAR_S = 10.0
LOOK_ONCE_S = 1.0
"""How long a bus may be empty before it counts as empty: a first listing, and a unit that is just restarting."""


class _Stranger:
    """Memory without a journal: every unit is new."""

    def seen_before(self, device_id: str) -> SeenBefore | None:  # noqa: ARG002 - what `UnitMemory` asks
        return None

    def known_facts(self, device_id: str) -> dict[str, str]:  # noqa: ARG002
        return {}

    def whose(self, number: str, besides: str) -> KnownUnit | None:  # noqa: ARG002
        return None

    def knows_secret(self, device_id: str) -> bool:  # noqa: ARG002
        return False

    def keep_secret(self, device_id: str, secret: MobileSecret) -> None:
        """Keep nothing."""

    def wifi_digest(self, device_id: str) -> str | None:  # noqa: ARG002
        return None

    def digest(self, device_id: str, ssid: str, password: Secret | None) -> str:  # noqa: ARG002
        return ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where units are plugged in: this computer, or a bus of virtual units in simulated time."""

    usb_host: UsbHost
    serial_host: SerialHost
    clock: Clock


class Ports:
    """The ports of a place, watched by an enumerator of their own, so that a unit is followed through its restarts.

    ``arrived`` is called for each device that is plugged in, on the enumerator's thread.
    """

    def __init__(self, place: Place, arrived: Callable[[UsbCandidate], None] = lambda _: None) -> None:
        self.place = place
        self._arrived = arrived
        self._changed = place.clock.condition()
        self._watches: dict[PortPath, PortWatch] = {}
        self._enumerator = Enumerator(place.usb_host, place.clock, self._on_event)

    def __enter__(self) -> Ports:
        self._enumerator.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enumerator.stop()

    def _on_event(self, event: HotplugEvent) -> None:
        with self._changed:
            path = event.candidate.port_path if isinstance(event, Attached) else event.port_path
            watch = self._watches.setdefault(path, PortWatch(path, self.place.clock))
            self._changed.notify_all()
        if isinstance(event, Attached):
            watch.attached(event.candidate)
            self._arrived(event.candidate)
        else:
            watch.detached()

    def present(self) -> list[UsbCandidate]:
        """Return what is plugged in now, by port."""
        with self._changed:
            found = [watch.current for watch in self._watches.values()]
        return sorted((one for one in found if one is not None), key=lambda one: by_port(one.port_path))

    def wait(self, count: int) -> list[UsbCandidate]:
        """Return what is plugged in, after waiting up to `APPEAR_S` for ``count`` devices, and for a first look."""
        limit_s = APPEAR_S if count else LOOK_ONCE_S
        with self._changed:
            self._changed.wait_for(lambda: len(self._watches) >= max(count, 1), limit_s)
        return self.present()

    def watch(self, candidate: UsbCandidate) -> PortWatch:
        """Return the port on which ``candidate`` is."""
        with self._changed:
            return self._watches[candidate.port_path]


def by_port(path: PortPath) -> tuple[int, ...]:
    """Return what sorts ports as they are numbered: 1-2 before 1-10."""
    return tuple(int(number) for number in re.findall(r"\d+", path.value))


def make_unit(ports: Ports, candidate: UsbCandidate, trace: Callable[[str], None] | None = None) -> Unit:
    """Make the unit of a device that is plugged in; nothing is sent to it yet. Raises `UnknownPlatform`."""
    clock = ports.place.clock
    device = ParticleDevice(ports.watch(candidate), ports.place.serial_host, clock, clock.token(), trace)
    return Unit(UnitKnowledge(platform(candidate.usb_id.platform_id or 0)), device, _Stranger())


def context(
    clock: Clock, step: str, announce: Callable[[Event], None] = lambda _: None, limit_s: float = LOOK_S
) -> StepContext:
    """Make what a step works through, for its verbs outside of a walk: nothing is recorded."""
    return StepContext(
        step=step, slot=0, attempt="", clock=clock, limit_s=limit_s, cancel=clock.token(),
        announce=announce, record=announce, desk=NoScanner(),
    )  # fmt: skip


@contextmanager
def looked_at(
    ports: Ports, candidate: UsbCandidate, announce: Callable[[Event], None] = lambda _: None
) -> Iterator[Unit]:
    """Read all that the unit behind ``candidate`` tells in its mode, and yield it. Raises `DriverError`."""
    unit = make_unit(ports, candidate)
    try:
        look(unit, context(ports.place.clock, "identify", announce))
        yield unit
    finally:
        unit.device.close()


def look(unit: Unit, ctx: StepContext) -> None:
    """Read everything the unit tells in its mode; raises `DriverError`, and `UnitRejected` for sources that differ."""
    reading.identify_usb(unit, ctx)
    if unit.device.mode is Mode.DFU:
        unit.known.note("USB product id", mode=unit.device.mode)
        reading.read_dfu(unit, ctx)
    else:
        reading.read_running(unit, ctx, everything=True)
    reading.check_sku(unit)
