"""A bench in simulated time, for tests of drivers: virtual bus, enumerator, and one watched port per unit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from drivers.clock import CancelToken, Deadline, SimulatedClock
from drivers.devices import DfuDevice, ParticleDevice
from drivers.hotplug import Attached, Enumerator, HotplugEvent, PortWatch
from drivers.identity import PortPath
from drivers.transport import UsbCandidate
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual import synthetic
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import UnitSpec, make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import VirtualUnit
from drivers.wire.control.tables import RequestType
from drivers.wire.image.host import Image, parse_image
from drivers.wire.requests import Request


@dataclass
class DeviceBench:
    """What a station has of drivers, around a virtual bus."""

    clock: SimulatedClock
    bus: VirtualBus
    watches: dict[PortPath, PortWatch] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)
    dressed: Callable[[UsbCandidate], UsbCandidate] = lambda candidate: candidate
    """What stands between a unit on the bus and those who watch its port."""

    def __post_init__(self) -> None:
        self.backend = VirtualBackend(self.bus)
        self.host = PyusbHost(self.backend)
        ports = VirtualPorts(self.bus)
        self.serial_host = PyserialHost(ports.list, ports.open)
        self.enumerator = Enumerator(self, self.clock, self._on_event)

    def candidates(self) -> list[UsbCandidate]:
        """A `UsbHost`: what is on the bus, dressed."""
        return [self.dressed(candidate) for candidate in self.host.candidates()]

    def _on_event(self, event: HotplugEvent) -> None:
        if isinstance(event, Attached):
            self.watch(event.candidate.port_path).attached(event.candidate)
        else:
            self.watch(event.port_path).detached()

    def watch(self, port: PortPath | str) -> PortWatch:
        path = PortPath(port.on_bus if isinstance(port, PortPath) else port)
        if path not in self.watches:
            self.watches[path] = PortWatch(path, self.clock)
        return self.watches[path]

    def within(self, seconds: float) -> Deadline:
        return Deadline.after(self.clock, seconds)

    def plug(self, spec: UnitSpec, *faults: str, port: str = "1-1") -> VirtualUnit:
        """Plug a unit in and wait until the enumerator has seen it."""
        unit = VirtualUnit(spec, self.clock)
        unit.order(*(parse_fault(fault) for fault in faults))
        before = self.watch(port).current
        self.bus.plug(port, unit)
        self.watch(port).wait_for(lambda candidate: candidate is not before, self.within(30.0))
        return unit

    def device(self, port: str = "1-1", cancel: CancelToken | None = None) -> ParticleDevice:
        return ParticleDevice(
            self.watch(port), self.serial_host, self.clock, cancel or self.clock.token(), self.trace.append
        )

    def identified(self) -> ParticleDevice:
        device = self.device()
        device.identify(self.within(10.0))
        return device

    def unit(self, *faults: str, platform: str = "boron", device_os: str = "3.3.1", number: int = 1) -> VirtualUnit:
        """A unit that runs normally, on port 1-1."""
        return self.plug(make_spec(platform, 7, number, device_os, setup_done=True), *faults)


# --- units in DFU mode ---

BORON = 13


def image(file: synthetic.SyntheticFile) -> Image:
    return parse_image(file.data, file.name)


def release(version: str, platform_id: int = BORON) -> tuple[Image, Image, Image]:
    bootloader, softdevice, system = (image(file) for file in synthetic.release(platform_id, version))
    return bootloader, softdevice, system


def application(version: str, size: int = 12_000) -> Image:
    return image(synthetic.application(BORON, version, size=size))


def in_dfu(bench: DeviceBench, *faults: str, device_os: str = "3.3.1") -> tuple[VirtualUnit, DfuDevice]:
    unit = bench.plug(make_spec("boron", 7, 1, device_os, setup_done=True, arrives=BootRequest.DFU), *faults)
    device = bench.device()
    device.identify(bench.within(10.0))
    return unit, device.dfu(bench.within(300.0))


def lines_of(bench: DeviceBench, page: int) -> list[str]:
    return [line.partition(" in ")[0] for line in bench.trace if f"{page:#010x}" in line and "again:" not in line]


def echo(data: bytes) -> Request[bytes]:
    """A request of any size whose reply is known, though no station asks it."""
    return Request(RequestType.ECHO, "ECHO", bytes, data)


@contextlib.contextmanager
def device_bench() -> Iterator[DeviceBench]:
    """A bench on simulated time that looks for units; nothing of the bus may have failed when it ends well."""
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        made = DeviceBench(clock, bus)
        made.enumerator.start()
        yield made
        made.enumerator.stop()
        assert bus.failures == []
