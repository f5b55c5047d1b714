"""Every implementation of the transport protocols, each with a virtual unit behind it.

A new implementation needs one row in `LABS` and passes the suite as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conformance.inside import is_inside, real_hosts

from drivers.clock import Clock, SimulatedClock, SystemClock
from drivers.identity import PortPath
from drivers.transport import SerialHost, UsbCandidate, UsbHost, UsbTransport
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import VirtualBus
from drivers.virtual.consoles import ConsoleLinks
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.timing import REAL, Timings
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.usbip import UsbIpServer
from drivers.virtual.usbip_client import UsbIpBackend, linked_ports

PORT = PortPath("1-2.3")


@dataclass
class Lab:
    """A bus with one port in use, seen through one implementation."""

    clock: Clock
    bus: VirtualBus
    host: UsbHost
    serial_host: SerialHost
    timings: Timings = REAL
    opened: list[UsbTransport] = field(default_factory=list)

    def plug(self, *faults: str, dfu: bool = False) -> VirtualUnit:
        """Plug a Boron in and wait until it is on the bus; returns it."""
        arrives = BootRequest.DFU if dfu else BootRequest.NORMAL
        unit = VirtualUnit(make_spec("boron", 7, 1, "6.3.4", arrives=arrives), self.clock, timings=self.timings)
        unit.order(*(parse_fault(fault) for fault in faults))
        self.bus.plug(PORT, unit)
        self.wait(lambda: bool(self.host.candidates()))
        return unit

    def open(self) -> UsbTransport:
        """What is plugged in, opened; closed at the end of the test."""
        self.opened.append(self.candidate().open())
        return self.opened[-1]

    def close_all(self) -> None:
        for transport in self.opened:
            transport.close()

    def unplug(self) -> None:
        self.bus.unplug(PORT)
        self.wait(lambda: not self.host.candidates())

    def candidate(self) -> UsbCandidate:
        (found,) = self.host.candidates()
        return found

    def most(self, seconds: float) -> float:
        """A limit for what takes no longer than ``seconds``, unless the machine is busy."""
        return seconds if self.clock.speed is None else 120.0

    def wait(self, condition: Callable[[], bool]) -> None:
        until = self.clock.now() + self.most(20.0)
        while not condition():
            assert self.clock.now() < until, "the bus never showed it"
            self.clock.sleep(0.05)


@contextmanager
def in_process(_directory: Path) -> Iterator[Lab]:
    """pyusb's own code above our backend; pyserial's above our port."""
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        ports = VirtualPorts(bus)
        yield Lab(clock, bus, PyusbHost(VirtualBackend(bus)), PyserialHost(ports.list, ports.open))
        assert bus.failures == []


@contextmanager
def usbip(directory: Path) -> Iterator[Lab]:
    """The same behind a USB/IP connection and pseudo-terminals, in real time with units that start at once."""
    with VirtualBus(SystemClock()) as bus:
        server, links = UsbIpServer(bus), ConsoleLinks(bus, directory)
        ports = linked_ports(directory)
        host = PyusbHost(UsbIpBackend(server.address))
        try:
            yield Lab(bus.clock, bus, host, PyserialHost(ports.list, ports.open), QUICK)
        finally:
            links.close()
            server.close()


QUICK = Timings(
    dfu_appears_s=0.02, application_appears_s=0.02, power_up_s=0.01, serial_after_usb_s=0.01, start_listening_s=0.01
)


@contextmanager
def linux(_directory: Path) -> Iterator[Lab]:
    """libusb, sysfs, ttys and pyserial as on a bench; tests/conformance starts a process where this works."""
    with real_hosts(speed=1.0) as real:
        yield Lab(real.clock, real.bus, real.host, real.serial_host, QUICK)


LABS: dict[str, Callable[[Path], AbstractContextManager[Lab]]] = (
    {"linux": linux} if is_inside() else {"in-process": in_process, "usbip": usbip}
)


@pytest.fixture(params=LABS)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    with LABS[request.param](tmp_path) as made:
        yield made
        made.close_all()
