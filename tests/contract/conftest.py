"""Every implementation of the transport protocols, each with a virtual unit behind it.

A new implementation needs one row in `LABS` and passes the suite as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from drivers.clock import Clock, SimulatedClock
from drivers.identity import PortPath
from drivers.transport import SerialHost, UsbCandidate, UsbHost
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import VirtualUnit

PORT = PortPath("1-2.3")


@dataclass
class Lab:
    """A bus with one port in use, seen through one implementation."""

    clock: Clock
    bus: VirtualBus
    host: UsbHost
    serial_host: SerialHost

    def plug(self, *faults: str, dfu: bool = False) -> VirtualUnit:
        """Plug a Boron in and wait until it is on the bus; returns it."""
        arrives = BootRequest.DFU if dfu else BootRequest.NORMAL
        unit = VirtualUnit(make_spec("boron", 7, 1, "6.3.4", arrives=arrives), self.clock)
        unit.order(*(parse_fault(fault) for fault in faults))
        self.bus.plug(PORT, unit)
        self._wait(lambda: bool(self.host.candidates()))
        return unit

    def unplug(self) -> None:
        self.bus.unplug(PORT)
        self._wait(lambda: not self.host.candidates())

    def candidate(self) -> UsbCandidate:
        (found,) = self.host.candidates()
        return found

    def _wait(self, condition: Callable[[], bool]) -> None:
        until = self.clock.now() + 20.0
        while not condition():
            assert self.clock.now() < until, "the bus never showed it"
            self.clock.sleep(0.05)


@contextmanager
def in_process() -> Iterator[Lab]:
    """pyusb's own code above our backend; pyserial's above our port."""
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        ports = VirtualPorts(bus)
        yield Lab(clock, bus, PyusbHost(VirtualBackend(bus)), PyserialHost(ports.list, ports.open))
        assert bus.failures == []


LABS: dict[str, Callable[[], AbstractContextManager[Lab]]] = {"in-process": in_process}


@pytest.fixture(params=LABS)
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with LABS[request.param]() as made:
        yield made
