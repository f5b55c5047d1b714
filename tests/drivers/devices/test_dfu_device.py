"""DFU on a virtual unit: downloads that boot, cuts that stay recoverable, pages that fail, and what is refused."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
import usb.core
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.device_bench import BORON, DeviceBench, application, in_dfu, lines_of, release

from drivers.clock import SimulatedClock
from drivers.devices.flashing import PAGE, plan_write
from drivers.errors import (
    BadImage,
    Cancelled,
    DeadlineExceeded,
    DfuFailed,
    Disconnected,
    DriverError,
    ReadBackDiffers,
    WriteRefused,
)
from drivers.virtual import synthetic
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.layout import Chip
from drivers.virtual.unit import UnitMode
from drivers.wire.dfu.tables import DfuState
from drivers.wire.image.host import parse_image

# --- order ---


@pytest.mark.parametrize("version", ["3.3.1", "6.1.1", "6.3.4"])
def test_a_system_part_is_planned_with_page_30000_erased_first_and_written_last(version: str) -> None:
    system = release(version)[2]
    plan = plan_write(system)
    erased = [*plan.first, *plan.stale, *plan.erase]
    assert erased[0] == 0x30000
    assert plan.blocks[-1].address == 0x30000
    assert sorted(block.address for block in plan.blocks) == sorted({*plan.first, *plan.erase})
    assert b"".join(b.data for b in sorted(plan.blocks, key=lambda b: b.address)) == system.flash_bytes
    assert list(plan.erase) == sorted(plan.erase)
    assert (0x28000 in erased) is True


def test_an_application_is_planned_ascending_with_the_old_slot_invalidated() -> None:
    plan = plan_write(application("6.3.4"))
    assert plan.erase == (0xB4000, 0xB5000, 0xB6000)
    assert plan.stale == (0xD4000,)
    large = plan_write(application("6.3.4", size=200_000))
    assert large.stale == (), "it is erased with the rest"
    assert 0xD4000 in large.erase


@pytest.mark.parametrize(("version", "stale"), [("3.3.1", (0x28000,)), ("6.1.1", (0x28000,)), ("6.3.4", ())])
@pytest.mark.parametrize("platform_id", [12, BORON])
def test_a_system_part_from_30000_on_makes_the_header_a_newer_one_left_invalid(
    platform_id: int, version: str, stale: tuple[int, ...]
) -> None:
    assert plan_write(release(version, platform_id)[2]).stale == stale


def test_only_what_would_be_preferred_goes_stale() -> None:
    legacy = parse_image(synthetic.make_module(BORON, (5, 1), 6, 0xD4000, b"legacy".ljust(4000)), "legacy")
    assert plan_write(legacy).stale == ()
    assert plan_write(release("3.3.1")[1]).stale == ()


def test_a_large_application_makes_a_valid_legacy_one_invalid(bench: DeviceBench) -> None:
    legacy = synthetic.make_module(BORON, (5, 1), 6, 0xD4000, b"legacy".ljust(4000))
    unit, dfu = in_dfu(bench)
    unit.memory.install([legacy])
    dfu.write_module(application("6.3.4"))
    assert "dfu erase 0x000d4000: ok" in lines_of(bench, 0xD4000)
    assert unit.memory.internal.is_blank(0xD4000, PAGE)


def test_a_blank_legacy_slot_is_read_and_not_erased_again(bench: DeviceBench) -> None:
    _, dfu = in_dfu(bench)
    dfu.write_module(application("6.3.4"))
    assert not any(line.startswith("dfu erase") for line in lines_of(bench, 0xD4000))


# --- downloads ---


def test_a_download_reads_back_equal_and_the_unit_boots_it(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    new = application("3.3.1", size=30_001)
    shares: list[float] = []
    assert not dfu.held(new)
    dfu.write_module(new, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    dfu.verify(new)
    assert dfu.held(new)
    assert unit.memory.internal.read(0xB4000, len(new.data)) == new.data
    dfu.leave()
    bench.clock.sleep(5.0)
    assert unit.mode is UnitMode.NORMAL
    assert any(module.hash == new.sha256 for module in unit.report.modules)  # type: ignore[union-attr]
    assert unit.score.forbidden == []


def test_a_softdevice_is_written_without_its_prefix(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    softdevice = release("6.3.4")[1]
    dfu.write_module(softdevice)
    dfu.verify(softdevice)
    assert unit.memory.internal.read(0x1000, len(softdevice.data) - 24) == softdevice.data[24:]


def test_a_whole_device_os_goes_in_one_visit(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench, device_os="6.2.0")
    _, softdevice, system = release("6.3.4")
    dfu.invalidate(system, 0x30000)
    for module in (softdevice, system):
        dfu.write_module(module)
        dfu.verify(module)
    dfu.leave()
    bench.clock.sleep(5.0)
    assert unit.report is not None
    assert unit.report.system_version == "6.3.4"


def test_going_back_to_an_image_at_30000_leaves_nothing_at_28000(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench, device_os="6.3.4")
    old = release("6.1.1")[2]
    dfu.write_module(old)
    dfu.verify(old)
    assert unit.memory.internal.is_blank(0x28000, PAGE)
    dfu.leave()
    bench.clock.sleep(5.0)
    assert unit.report is not None
    assert unit.report.system_version == "6.1.1"


def test_one_changed_byte_is_found_with_its_address(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    held = application("3.3.1")
    assert dfu.held(held)
    at = 0xB4000 + 5000
    unit.memory.internal.place(at, bytes((unit.memory.internal.read(at, 1)[0] ^ 0x10,)))
    assert not dfu.held(held)
    with pytest.raises(ReadBackDiffers, match=f"{at:#010x}") as caught:
        dfu.verify(held)
    assert caught.value.address == at


def test_asking_whether_a_strange_module_is_held_reads_only_its_header(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    before = unit.transfers["control"]
    assert not dfu.held(release("6.1.1")[2])
    assert unit.transfers["control"] - before < 12


# --- cuts ---


@pytest.mark.parametrize("held", ["3.3.1", "6.3.4"])
@pytest.mark.parametrize("wanted", ["6.1.1", "6.2.0"])
@pytest.mark.parametrize("moment", ["dfu-erase:1", "dfu-erase:2", "dfu-erase:30", "dfu-write:1", "dfu-write:20"])
def test_a_power_cut_while_a_system_part_is_written_leaves_a_unit_in_dfu(
    bench: DeviceBench, held: str, wanted: str, moment: str
) -> None:
    unit, dfu = in_dfu(bench, f"at={moment},do=torn", device_os=held)
    with pytest.raises(Disconnected):
        dfu.write_module(release(wanted)[2])
    bench.clock.sleep(8.0)
    assert unit.mode is UnitMode.DFU
    again = bench.device()
    again.identify(bench.within(10.0))
    system = release(wanted)[2]
    again.dfu(bench.within(300.0)).write_module(system)
    again.dfu(bench.within(300.0)).verify(system)


def test_unplugging_is_a_departure_and_announced_by_nobody(bench: DeviceBench) -> None:
    _, dfu = in_dfu(bench, "at=dfu-write:2,do=unplug")
    with pytest.raises(Disconnected):
        dfu.write_module(application("6.3.4"))
    assert not bench.watch("1-1").is_restart_expected


def test_a_page_that_fails_is_erased_and_written_again(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench, "at=dfu-write:2,do=fail", "at=dfu-erase:2,do=fail")
    new = application("6.3.4")
    dfu.write_module(new)
    dfu.verify(new)
    assert unit.score.forbidden == []
    pages = [line.partition(":")[0] for line in bench.trace if "0x000b5000" in line]
    assert pages == [
        "dfu erase 0x000b5000",  # fails
        "dfu erase 0x000b5000",
        "dfu write 4096 bytes at 0x000b5000",  # fails; words half programmed need an erase
        "dfu erase 0x000b5000",
        "dfu write 4096 bytes at 0x000b5000",
    ]


def test_a_page_that_fails_three_times_condemns_the_unit(bench: DeviceBench) -> None:
    _, dfu = in_dfu(bench, *(f"at=dfu-write:{n},do=fail" for n in (2, 3, 4)))
    with pytest.raises(DfuFailed, match="0x000b5000"):
        dfu.write_module(application("6.3.4"))
    assert dfu.status().state in (DfuState.IDLE, DfuState.DNLOAD_IDLE)


def test_a_hanging_bootloader_ends_at_the_deadline(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    unit.order(parse_fault("at=dfu-write:1,do=hang"))
    dfu.deadline = bench.within(20.0)
    started = bench.clock.now()
    with pytest.raises(DriverError):
        dfu.write_module(application("6.3.4"))
    assert bench.clock.now() - started < 26.0


def test_stopping_ends_a_download_between_two_transfers(bench: DeviceBench) -> None:
    _, dfu = in_dfu(bench)
    stop = bench.clock.token()
    bench.bus.at(1.0, stop.cancel)
    started = bench.clock.now()
    with pytest.raises(Cancelled):
        dfu.write_module(release("6.1.1")[2], cancel=stop)
    assert bench.clock.now() - started < 1.2


def test_a_download_that_cannot_end_in_time_is_cut_short(bench: DeviceBench) -> None:
    _, dfu = in_dfu(bench)
    dfu.deadline = bench.within(1.0)
    with pytest.raises(DeadlineExceeded):
        dfu.write_module(release("6.1.1")[2])


# --- what an earlier program left ---


def raw(bench: DeviceBench) -> usb.core.Device:
    """A program that knows no guard."""
    return usb.core.find(backend=VirtualBackend(bench.bus))


@pytest.mark.parametrize(
    ("left", "state"),
    [
        ([(0x21, 1, 0, b"\x41\x00\x40\x0b\x00")], "an erase that waits for GETSTATUS"),
        ([(0x21, 1, 0, b"\x21\x00\x40\x0b\x00"), (0xA1, 3, 0, 6)], "dfuDNLOAD_IDLE"),
        ([(0xA1, 2, 2, 64)], "dfuUPLOAD_IDLE"),
        ([(0x21, 4, 0, b"")], "dfuERROR"),
        ([(0x21, 1, 2, b"")], "a leave that waits for GETSTATUS"),
    ],
)
def test_whatever_state_an_earlier_program_left_is_settled_without_being_carried_out(
    bench: DeviceBench, left: list[tuple[int, int, int, bytes | int]], state: str
) -> None:
    unit = bench.plug(make_spec("boron", 7, 1, setup_done=True, arrives=BootRequest.DFU))
    other = raw(bench)
    for request_type, request, value, data in left:
        with contextlib.suppress(usb.core.USBError):  # the one that leaves dfuERROR behind is stalled
            other.ctrl_transfer(request_type, request, value, 0, data)
    usb.util.dispose_resources(other)
    device = bench.device()
    device.identify(bench.within(10.0))
    dfu = device.dfu(bench.within(10.0))
    assert dfu.status().state is DfuState.IDLE, state
    assert dfu.held(application("3.3.1"))
    assert unit.score.flash_writes == 0
    bench.clock.sleep(3.0)
    assert unit.mode is UnitMode.DFU


# --- refusals ---


def test_what_has_no_place_is_refused_before_the_first_transfer(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    bootloader, _, system = release("6.1.1")
    wrong = [
        bootloader,
        release("6.1.1", 12)[2],
        dataclasses.replace(system, start=0, end=system.end),
        dataclasses.replace(system, data=system.data[:-1] + b"\0"),
    ]
    before = unit.transfers["control"]
    for module in wrong[:2] + wrong[3:]:
        with pytest.raises(WriteRefused):
            dfu.write_module(module)
    assert unit.transfers["control"] == before
    with pytest.raises(WriteRefused):
        dfu.write_module(wrong[2])  # an Image that lies about the bytes it holds
    assert unit.score.flash_writes == 0


# --- attack ---


@st.composite
def forged_images(draw: st.DrawFn) -> bytes:
    """Modules that are formally right, with random place, kind, platform and length."""
    return synthetic.make_module(
        draw(st.sampled_from([12, BORON, BORON, BORON, 6])),
        draw(st.sampled_from([(2, 0), (3, 0), (4, 1), (4, 2), (5, 1), (5, 2), (7, 0), (8, 0), (9, 0)])),
        draw(st.integers(1, 65535)),
        draw(
            st.sampled_from(
                [0, 0x1000, 0x18, 0x27000, 0x28000, 0x30000, 0xB4000, 0xD4000, 0xF3000, 0xF4000, 0xF8000, 0x80000000]
            )
        ),
        draw(st.binary(min_size=1, max_size=64)) * draw(st.sampled_from([1, 100, 1500, 4200])),
        flags=draw(st.sampled_from([0, 0, 0, 1, 2, 8])),
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("write"), forged_images()),
            st.tuples(st.just("invalidate"), forged_images(), st.integers(0, 0x100000)),
            st.tuples(st.just("read"), st.integers(0, 3), st.integers(0, 0x90000000), st.integers(1, 9000)),
        ),
        max_size=6,
    )
)
def test_no_order_through_the_public_verbs_touches_a_forbidden_page(script: list[tuple[object, ...]]) -> None:
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        bench = DeviceBench(clock, bus)
        bench.enumerator.start()
        unit, dfu = in_dfu(bench)
        for kind, *what in script:
            try:
                if kind == "write":
                    dfu.write_module(parse_image(what[0], "forged"))  # type: ignore[arg-type]
                elif kind == "invalidate":
                    dfu.invalidate(parse_image(what[0], "forged"), what[1])  # type: ignore[arg-type]
                else:
                    dfu.read(*what)  # type: ignore[arg-type]
            except (DriverError, BadImage):
                pass
        bench.enumerator.stop()
        assert unit.score.forbidden == []
        assert not any(page >= 0xF4000 or page < 0x1000 for page in unit.score.host_pages.get(Chip.INTERNAL, set()))
