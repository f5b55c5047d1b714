"""Reads units outside of any attempt, for ``identify`` and ``profile check``. Writes nothing anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from drivers.clock import Clock, Deadline
from drivers.devices import ParticleDevice
from drivers.hotplug import PortWatch
from drivers.identity import MobileSecret, Secret
from drivers.platforms import platform
from drivers.transport import SerialHost, UsbCandidate, UsbHost
from drivers.wire.usb import Mode

from ..engine.events import Event
from ..engine.step import NoScanner, StepContext
from ..model import IdentityFact, KnownUnit, SeenBefore
from ..steps.shared import reading
from ..steps.shared.knowledge import UnitKnowledge
from ..steps.shared.unit import Unit

LOOK_S = 90.0
APPEAR_S = 10.0


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


def wait_candidates(host: UsbHost, clock: Clock, count: int) -> list[UsbCandidate]:
    """Return what is plugged in, after waiting up to ten seconds for ``count`` units to appear."""
    deadline = Deadline.after(clock, APPEAR_S)
    while len(found := host.candidates()) < count and not deadline.expired:
        clock.sleep(0.25)
    return found


@contextmanager
def looked_at(candidate: UsbCandidate, serial_host: SerialHost, clock: Clock) -> Iterator[Unit]:
    """Open the unit behind ``candidate`` with its identities read as far as its mode allows. Raises `DriverError`."""
    port = PortWatch(candidate.port_path, clock)
    port.attached(candidate)
    device = ParticleDevice(port, serial_host, clock, clock.token())
    unit = Unit(UnitKnowledge(platform(candidate.usb_id.platform_id or 0)), device, _Stranger())
    try:
        _read(unit, clock)
        yield unit
    finally:
        device.close()


def _read(unit: Unit, clock: Clock) -> None:
    context = StepContext(
        step="identify", slot=0, attempt="", clock=clock, limit_s=LOOK_S, cancel=clock.token(),
        announce=_unheard, record=_unheard, desk=NoScanner(),
    )  # fmt: skip
    mode = unit.device.mode
    unit.known.facts.append(IdentityFact("mode", str(mode), "USB product id"))
    reading.identify_usb(unit, context)
    if mode is Mode.APPLICATION:
        reading.complete(unit, context)


def _unheard(event: Event) -> None:
    """Drop the event: the verb prints what was read."""
