"""What would stop a bench, one finding for each thing that was looked at."""

from __future__ import annotations

from drivers.clock import SimulatedClock
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from station.cli.doctor import State, opened


def test_a_unit_that_cannot_be_opened_stops_the_bench_and_nothing_calls_its_usb_good() -> None:
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        host = PyusbHost(VirtualBackend(bus))
        assert [(one.state, one.words) for one in opened(host.candidates())] == [
            (State.OK, "libusb works, 0 units plugged in")
        ]
        for number in (1, 2):
            bus.plug(f"1-{number}", VirtualUnit(make_spec("boron", 1, number, "6.3.4"), clock))
        clock.sleep(20.0)
        found = host.candidates()
        assert [one.state for one in opened(found)] == [State.OK]
        bus.unplug("1-2")
        (finding,) = opened(found)
    assert (finding.state, finding.what) == (State.STOP, "usb")
    assert finding.words.startswith("port 1-2: ")
