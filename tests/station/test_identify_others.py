"""What `station identify` and `station doctor` say of a device that is no unit."""

from __future__ import annotations

import pytest
from support.other_things import OtherThing

from drivers.clock import SimulatedClock
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.serial_side import VirtualPorts
from station.cli.doctor import opened
from station.cli.identify import as_object, document, text_of
from station.cli.looking import Place, Ports
from station.line.account import State


@pytest.mark.parametrize(
    ("shown", "name", "is_fine"),
    [
        ("2b04:c02a", "Tachyon", False),
        ("2b04:c0ff", "new Particle product", False),
        ("0d28:0204", "Particle Debugger", True),
    ],
)
def test_it_is_named_in_one_sentence(shown: str, name: str, is_fine: bool) -> None:
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        bus.plug("1-4", OtherThing(shown, clock))
        ports = VirtualPorts(bus)
        serial_host = PyserialHost(ports.list, ports.open)
        with Ports(Place(PyusbHost(VirtualBackend(bus)), serial_host, clock)) as seen:
            (candidate,) = seen.wait(1)
            found = document(seen, candidate)
        assert found.is_good is is_fine
        first, second = text_of(found)
        assert (first, second.strip()) == (f"port 1-4  {name}", as_object(found)["fault"])
        assert second.strip().startswith(f"this is a {name} ({shown}): ")
        assert [(one.state, one.what) for one in opened([candidate])] == [(State.OK, "usb"), (State.NOTE, "usb")]
