"""DFU on a unit whose bus stumbles, or whose bootloader shows another map than its platform has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.device_bench import DeviceBench, application, in_dfu, lines_of

from drivers.devices import DfuDevice
from drivers.errors import (
    DeviceRefused,
    DfuFailed,
    DriverError,
    Stalled,
    WriteRefused,
)
from drivers.transport import UsbCandidate, UsbTransport
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.unit import VirtualUnit
from drivers.wire.dfu.tables import DfuRequest, DfuState
from drivers.wire.usb import Setup

# --- a bus that stumbles ---


class Stumbling:
    """A unit in DFU mode to which ``fault`` happens at the first transfer ``at`` accepts, on the unit's own side."""

    def __init__(
        self, inner: UsbCandidate, unit: Callable[[], VirtualUnit], at: Callable[[Setup, bytes], bool], fault: str
    ) -> None:
        self.inner, self.unit, self.at, self.fault = inner, unit, at, fault
        self.port_path, self.usb_id, self.address = inner.port_path, inner.usb_id, inner.address

    def open(self) -> UsbTransport:
        transport = self.inner.open()
        forward, done = transport.control, list[Setup]()

        def answer(setup: Setup, data: bytes = b"", *, timeout_s: float = 5.0) -> bytes:
            if not done and self.at(setup, data):
                done.append(setup)
                number = self.unit().transfers["control"] + 1
                self.unit().order(parse_fault(f"at=control:{number},do={self.fault}"))
            return forward(setup, data, timeout_s=timeout_s)

        transport.control = answer  # type: ignore[method-assign]
        return transport


def stumbling(bench: DeviceBench, at: Callable[[Setup, bytes], bool], fault: str) -> tuple[VirtualUnit, DfuDevice]:
    units: list[VirtualUnit] = []
    bench.dressed = lambda candidate: Stumbling(candidate, lambda: units[0], at, fault)
    unit, dfu = in_dfu(bench)
    units.append(unit)
    return unit, dfu


ERASE_B5 = bytes.fromhex("41 00 50 0b 00")


def test_a_stalled_erase_command_is_sent_again_a_second_later(bench: DeviceBench) -> None:
    unit, dfu = stumbling(bench, lambda _, data: data == ERASE_B5, "stall")
    new, started = application("6.3.4"), bench.clock.now()
    dfu.write_module(new)
    dfu.verify(new)
    assert lines_of(bench, 0xB5000)[:2] == ["dfu erase 0x000b5000: ok", "dfu write 4096 bytes at 0x000b5000: ok"]
    assert 1.0 < bench.clock.now() - started < 3.0
    assert unit.score.forbidden == []


def test_a_status_that_does_not_come_is_asked_for_again_before_the_page_is_judged(bench: DeviceBench) -> None:
    seen: list[bytes] = []

    def status_of_the_erase(setup: Setup, data: bytes) -> bool:
        seen.append(data)
        return setup.request == DfuRequest.GETSTATUS and ERASE_B5 in seen

    _, dfu = stumbling(bench, status_of_the_erase, "hang,for=4")
    new = application("6.3.4")
    dfu.write_module(new)
    dfu.verify(new)
    assert lines_of(bench, 0xB5000)[:2] == ["dfu erase 0x000b5000: ok", "dfu write 4096 bytes at 0x000b5000: ok"]


def test_a_status_that_never_comes_ends_after_ten_seconds(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    unit.order(parse_fault(f"at=control:{unit.transfers['control'] + 1},do=hang"))
    started = bench.clock.now()
    with pytest.raises(DriverError):
        dfu.status()
    assert bench.clock.now() - started == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize("fault", ["stall", "hang,for=4"])
def test_a_read_that_fails_is_read_again(bench: DeviceBench, fault: str) -> None:
    unit, dfu = stumbling(bench, lambda setup, _: setup.request == DfuRequest.UPLOAD, fault)
    assert dfu.held(application("3.3.1"))
    assert unit.score.flash_writes == 0


def test_reading_what_is_not_there_is_given_up_after_three_tries(bench: DeviceBench) -> None:
    _, dfu = in_dfu(bench)
    with pytest.raises(DfuFailed):
        dfu.read(0, 0x10_0000, 64)
    assert sum(line.startswith("dfu read 64") for line in bench.trace) == 3


# --- the bootloader's own map ---


class Mapped:
    """A unit whose bootloader shows another map for one memory."""

    def __init__(self, inner: UsbCandidate, maps: dict[str, str]) -> None:
        self.inner, self.maps = inner, maps
        self.port_path, self.usb_id, self.address = inner.port_path, inner.usb_id, inner.address

    def open(self) -> UsbTransport:
        transport = self.inner.open()
        string = transport.string

        def shown(index: int) -> str:
            text = string(index)
            return next((new for start, new in self.maps.items() if text.startswith(start)), text)

        transport.string = shown  # type: ignore[method-assign]
        return transport


@pytest.mark.parametrize(
    ("shown", "at"),
    [
        ("@Internal Flash   /0x00000000/181*004Kg,75*004Ka", "0x000b5000"),
        ("@Internal Flash   /0x00000000/181*004Kg,75*004Kb", "0x000b5000"),
        ("@Internal Flash   /0x00000000/182*004Kg", "0x000b6000"),
        ("@Internal Flash   /0x00000000/212*004Kg,1*004Ka,43*004Kg", "0x000d4000"),  # the old slot's header page
    ],
)
def test_what_the_bootloaders_map_does_not_show_as_writable_is_not_written(
    bench: DeviceBench, shown: str, at: str
) -> None:
    bench.dressed = lambda candidate: Mapped(candidate, {"@Internal": shown})
    unit, dfu = in_dfu(bench)
    with pytest.raises(WriteRefused, match=at):
        dfu.write_module(application("6.3.4"))
    with pytest.raises(WriteRefused, match=at):
        dfu.invalidate(application("6.3.4"), 0xB4000)
    assert unit.score.flash_writes == 0


def test_a_protected_unit_is_recognised_and_nothing_is_tried_on_it(bench: DeviceBench) -> None:
    unit = bench.plug(make_spec("boron", 7, 1, "6.3.4", arrives=BootRequest.DFU, is_protected=True))
    device = bench.device()
    device.identify(bench.within(10.0))
    dfu = device.dfu(bench.within(60.0))
    assert dfu.protection().is_protected
    with pytest.raises(DeviceRefused, match="device protection"):
        dfu.write_module(application("6.3.4"))
    assert dfu.status().state is DfuState.IDLE, "it was not even asked"
    with pytest.raises(DfuFailed, match="protected"):
        dfu.read(0, 0xB4000, 64)
    assert unit.score.flash_writes == 0
    device.leave_dfu(bench.within(60.0))


@pytest.mark.parametrize("transfer", [1, 2, 3])
def test_a_memory_map_is_read_though_one_answer_on_the_way_is_garbled(bench: DeviceBench, transfer: int) -> None:
    unit, dfu = in_dfu(bench)
    unit.order(parse_fault(f"at=control:{unit.transfers['control'] + transfer},do=garbage"))
    assert [dfu.layout(alternate).name for alternate in (0, 1)] == ["Internal Flash", "DCD Flash"]


def test_a_status_that_is_stalled_again_and_again_is_no_refused_block_where_none_was_sent(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    unit.order(parse_fault(f"at=control:{unit.transfers['control'] + 1},do=stall,times=4"))
    with pytest.raises(Stalled, match="GETSTATUS"):
        dfu.go_idle()
    dfu.go_idle()
