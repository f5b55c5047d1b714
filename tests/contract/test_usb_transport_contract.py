"""What `UsbHost`, `UsbCandidate` and `UsbTransport` promise, on every implementation."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.errors import (
    AccessDenied,
    Disconnected,
    LinkError,
    LocalProtocolError,
    Stalled,
    TransferTimeout,
    WriteRefused,
)
from drivers.wire.control import host as control
from drivers.wire.control.tables import ServiceStatus
from drivers.wire.dfu import tables as dfu_tables
from drivers.wire.dfu import transfers as dfu
from drivers.wire.usb import Mode, Setup, UsbId

Lab = Any  # the fixture's class lives in conftest.py


def test_a_candidate_says_where_and_what_it_is_before_it_is_opened(lab: Lab) -> None:
    unit = lab.plug()
    candidate = lab.candidate()
    assert candidate.port_path.on_bus == "1-2.3"
    assert candidate.usb_id == UsbId(0x2B04, 0xC00D)
    assert candidate.usb_id.mode is Mode.APPLICATION
    assert unit.transfers["control"] == 0


def test_the_port_path_stays_and_the_address_changes_over_an_arrival(lab: Lab) -> None:
    unit = lab.plug()
    first = lab.candidate()
    lab.unplug()
    lab.bus.plug("1-2.3", unit)
    lab.wait(lambda: bool(lab.host.candidates()))
    second = lab.candidate()
    assert first.port_path == second.port_path
    assert first.address != second.address
    with pytest.raises(LinkError):
        first.open()


def test_an_in_transfer_brings_what_the_unit_sends_and_no_more(lab: Lab) -> None:
    lab.plug()
    transport = lab.open()
    assert transport.control(control.raw_version()) == b"6.3.4"
    assert transport.control(control.reset_all()) == bytes.fromhex("01 00 00 00 00 00")


def test_an_out_transfer_carries_its_data(lab: Lab) -> None:
    lab.plug()
    transport = lab.open()
    transport.control(control.init(1, 5))  # ECHO
    assert transport.control(control.send(1, 5), b"hello") == b""
    lab.wait(lambda: control.parse_reply(transport.control(control.check(1))).status is not ServiceStatus.PENDING)
    assert transport.control(control.recv(1, 5)) == b"hello"


def test_a_stall_is_a_stall_and_the_next_transfer_works(lab: Lab) -> None:
    lab.plug()
    transport = lab.open()
    with pytest.raises(Stalled, match="EPIPE"):
        transport.control(Setup(0xC0, 1, 0, 20, 63))  # INIT with the wrong length
    assert transport.control(control.raw_version()) == b"6.3.4"


def test_strings_and_the_configuration_come_whole(lab: Lab) -> None:
    unit = lab.plug()
    transport = lab.open()
    assert transport.serial_string().lower() == unit.device_id
    assert transport.string(1) == "Particle"
    with pytest.raises(Stalled):
        transport.string(77)
    configuration = transport.configuration_descriptor()
    assert len(configuration) == int.from_bytes(configuration[2:4], "little")


def test_a_unit_that_left_is_disconnected_for_everything(lab: Lab) -> None:
    lab.plug()
    transport = lab.open()
    lab.unplug()
    for touch in (lambda: transport.control(control.raw_version()), lambda: transport.string(1)):
        with pytest.raises(Disconnected):
            touch()
    transport.close()


def test_a_silent_unit_costs_the_time_out_and_no_more(lab: Lab) -> None:
    lab.plug("at=control:1,do=hang")
    transport = lab.open()
    started = lab.clock.now()
    with pytest.raises(TransferTimeout):
        transport.control(control.raw_version(), timeout_s=0.4)
    assert 0.3 <= lab.clock.now() - started <= lab.most(2.0)


def test_closing_is_final_and_may_happen_twice(lab: Lab) -> None:
    lab.plug()
    transport = lab.open()
    transport.close()
    transport.close()
    with pytest.raises(LocalProtocolError):
        transport.control(control.raw_version())
    assert lab.open().control(control.raw_version()) == b"6.3.4"


def test_an_interface_with_a_driver_cannot_be_claimed_and_the_vendors_can(lab: Lab) -> None:
    lab.plug()
    transport = lab.open()
    with pytest.raises(AccessDenied):
        transport.claim(0)  # CDC, held by the system's serial driver
    transport.claim(2)
    transport.close()


def test_one_owner_at_a_time_for_an_interface(lab: Lab) -> None:
    lab.plug(dfu=True)
    first, second = lab.open(), lab.open()
    first.claim(dfu_tables.INTERFACE)
    with pytest.raises(AccessDenied):
        second.claim(dfu_tables.INTERFACE)
    first.close()
    second.claim(dfu_tables.INTERFACE)
    second.close()


def test_an_alternate_setting_picks_the_memory(lab: Lab) -> None:
    unit = lab.plug(dfu=True)
    transport = lab.open()
    transport.claim(dfu_tables.INTERFACE)
    seen = []
    for alternate in (0, 1):
        transport.control(dfu.abort())
        transport.control(dfu.get_status())
        transport.set_alternate(dfu_tables.INTERFACE, alternate)
        seen.append(transport.control(dfu.upload(2, 16)))
    assert seen == [unit.memory.internal.read(0, 16), unit.memory.dct.read(0, 16)]
    with pytest.raises(LinkError):
        transport.set_alternate(dfu_tables.INTERFACE, 9)
    transport.close()


def test_the_write_guard_is_under_every_handle_on_a_bootloader(lab: Lab) -> None:
    unit = lab.plug(dfu=True)
    transport = lab.open()
    transport.claim(dfu_tables.INTERFACE)
    transport.control(dfu.abort())
    transport.control(dfu.get_status())
    before = unit.transfers["control"]
    with pytest.raises(WriteRefused):
        transport.control(dfu.dnload(0, 5), bytes.fromhex("41 00 00 00 00"))
    assert unit.transfers["control"] == before
    assert unit.score.flash_writes == 0
    transport.close()
