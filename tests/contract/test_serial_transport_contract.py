"""What `SerialHost` and `SerialTransport` promise, on every implementation."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.clock import Deadline
from drivers.devices import Console
from drivers.errors import Disconnected, NotFound, TransferFailed
from drivers.transport import SerialPort, SerialTransport
from drivers.virtual.unit import UnitMode
from drivers.wire.control import host as control
from drivers.wire.control.tables import RequestType

Lab = Any  # the fixture's class lives in conftest.py


def listening(lab: Lab) -> SerialTransport:
    """A Boron with Device OS 6.3.4, put into listening mode, its port opened."""
    unit = lab.plug()
    transport = lab.open()
    transport.control(control.init(RequestType.START_LISTENING, 0))
    transport.close()
    lab.wait(lambda: unit.mode is UnitMode.LISTENING and bool(lab.serial_host.ports()))
    return lab.serial_host.open(port(lab))


def port(lab: Lab) -> SerialPort:
    (found,) = lab.serial_host.ports()
    return found


def test_a_port_names_its_unit_and_its_usb_port(lab: Lab) -> None:
    unit = lab.plug()
    lab.wait(lambda: bool(lab.serial_host.ports()))
    found = port(lab)
    assert found.serial_string.lower() == unit.device_id
    assert found.port_path is not None
    assert found.port_path.on_bus == "1-2.3"
    assert str(found.usb_id) == "2b04:c00d"


def test_a_unit_in_dfu_has_no_port(lab: Lab) -> None:
    lab.plug(dfu=True)
    lab.clock.sleep(1.0)
    assert lab.serial_host.ports() == []


def test_reading_waits_as_long_as_asked_and_no_longer(lab: Lab) -> None:
    transport = listening(lab)
    started = lab.clock.now()
    assert transport.read(100, 0.3) == b""
    assert 0.25 <= lab.clock.now() - started <= lab.most(2.0)
    transport.write(b"c")
    assert transport.read(100, lab.most(2.0))[:1] == b"D"
    transport.close()
    transport.close()


def test_a_dialogue_runs_over_it(lab: Lab) -> None:
    transport = listening(lab)
    console = Console(transport, lab.clock, Deadline.after(lab.clock, lab.most(30.0)))
    assert console.version() == "6.3.4"
    assert console.claimed() is False
    transport.close()


def test_a_unit_that_left_fails_every_transfer(lab: Lab) -> None:
    """Whether it left or the line broke, only the bus can tell."""
    transport = listening(lab)
    gone = port(lab)
    lab.unplug()
    with pytest.raises((Disconnected, TransferFailed)):
        transport.read(1, 1.0)
    with pytest.raises((Disconnected, TransferFailed)):
        transport.write(b"v")
    transport.close()
    with pytest.raises((NotFound, Disconnected, TransferFailed)):
        lab.serial_host.open(gone)
