"""DFU through the host's own driver on Photon, P1 and Electron: unequal sectors, and a bootloader that stalls."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
import usb.core
from support.device_bench import DeviceBench, image
from support.every_transfer import Kind, Observer
from support.vendor_files import vendor_file

from drivers.devices import DfuDevice
from drivers.devices.flashing import plan_write
from drivers.errors import DfuFailed, ReadBackDiffers, Stalled, WriteRefused
from drivers.guard import WriteGuard
from drivers.platforms import platform
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.flash import FlashFailed, FlashStep, Operation
from drivers.virtual.header import read_header
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.wire import requests
from drivers.wire.dfu import host, transfers
from drivers.wire.dfu.tables import DfuState
from drivers.wire.image.host import Image, parse_image

IDS = {"photon": 6, "p1": 8, "electron": 10}
SECTOR = 0x20000
every = pytest.mark.parametrize("slug", IDS)


def in_dfu(bench: DeviceBench, slug: str, *faults: str, device_os: str = "1.5.2") -> tuple[VirtualUnit, DfuDevice]:
    unit = bench.plug(make_spec(slug, 7, 1, device_os, arrives=BootRequest.DFU), *faults)
    opened = bench.device().open(bench.within(10.0))
    assert isinstance(opened, DfuDevice)
    opened.deadline = bench.within(600.0)
    return unit, opened


def modules(slug: str, device_os: str) -> list[Image]:
    """Bootloader first, then what DFU may write: system parts and application."""
    files = [*synthetic.release(IDS[slug], device_os), synthetic.application(IDS[slug], device_os, size=30_001)]
    return [image(file) for file in files]


def lands_in(unit: VirtualUnit, mode: UnitMode, bench: DeviceBench) -> None:
    until = bench.clock.now() + 30.0
    while unit.mode is not mode:
        assert bench.clock.now() < until, f"still {unit.mode}"
        bench.clock.sleep(0.1)


# --- round trips ------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize(("old", "new"), [("1.5.2", "2.3.1"), ("0.5.5", "0.6.4"), ("3.3.1", "2.3.1")])
def test_every_module_of_a_release_is_written_read_back_and_booted(
    bench: DeviceBench, slug: str, old: str, new: str
) -> None:
    unit, dfu = in_dfu(bench, slug, device_os=old)
    bootloader, *others = modules(slug, new)
    for one in others:
        assert not dfu.held(one)
        dfu.write_module(one)
        dfu.verify(one)
        assert dfu.held(one)
    unit.memory.install([bootloader.data])  # which never goes over DFU
    assert dfu.leave()
    bench.clock.sleep(1.0)
    lands_in(unit, UnitMode.LISTENING if slug != "electron" else UnitMode.NORMAL, bench)
    assert unit.report is not None
    assert (unit.report.system_version, unit.report.missing) == (new, ())
    assert unit.score.forbidden == []


def test_the_vendors_own_0_4_boots_a_photon_that_held_a_bootloader_and_nothing_else(bench: DeviceBench) -> None:
    spec = make_spec("photon", 7, 1, modules=[synthetic.bootloader(6, "0.4.9").data])
    unit = bench.plug(spec)
    dfu = bench.device().open(bench.within(10.0))
    assert isinstance(dfu, DfuDevice)
    dfu.deadline = bench.within(600.0)
    for name in ("040_system-part1.bin", "040_system-part2.bin", "040_user-part.bin"):
        one = parse_image(vendor_file(name), name)
        dfu.write_module(one)
        dfu.verify(one)
    dfu.leave()
    bench.clock.sleep(1.0)
    lands_in(unit, UnitMode.LISTENING, bench)


@every
def test_each_sector_is_erased_once_and_the_block_with_the_header_written_last(bench: DeviceBench, slug: str) -> None:
    unit, dfu = in_dfu(bench, slug)
    system = modules(slug, "2.3.1")[1]
    touched: list[tuple[Operation, int]] = []
    unit.score.on_host_write = lambda touch: touched.append((touch.operation, touch.address))
    dfu.write_module(system)
    erased = [address for operation, address in touched if operation is Operation.ERASE]
    sectors = [0x08020000] if slug == "electron" else [0x08020000, 0x08040000]
    assert erased == sectors
    written = [address for operation, address in touched if operation is Operation.PROGRAM]
    header, *others = range(system.flash_address, system.flash_address + len(system.flash_bytes), 4096)
    assert written == [*others, header]
    assert touched[: len(sectors)] == [(Operation.ERASE, sector) for sector in sectors]


@every
def test_blocks_know_the_sector_they_lie_in(slug: str) -> None:
    for one in modules(slug, "2.3.1")[1:]:
        plan = plan_write(one)
        assert {*plan.first, *plan.erase} == {block.page for block in plan.blocks}
        assert all(block.page == block.address - block.address % SECTOR for block in plan.blocks)
        in_order = sorted(plan.blocks, key=lambda block: block.address)
        assert b"".join(block.data for block in in_order) == one.flash_bytes


# --- trouble ------------------------------------------------------------------------------------------------


def failing(times: int, operation: Operation, address: int) -> Callable[[FlashStep], None]:
    """The flash fails so often at ``address``; the bootloader itself tries a block three times."""
    left = [times]

    def fault(step: FlashStep) -> None:
        if step.operation is operation and step.address == address and left[0]:
            left[0] -= 1
            raise FlashFailed("worn out")

    return fault


@every
def test_a_block_that_fails_has_its_whole_sector_erased_and_written_again(bench: DeviceBench, slug: str) -> None:
    unit, dfu = in_dfu(bench, slug)
    system = modules(slug, "2.3.1")[1]
    unit.memory.set_fault(failing(3, Operation.PROGRAM, 0x08020000 + 5 * 4096))
    dfu.write_module(system)
    dfu.verify(system)
    assert [line for line in bench.trace if "dfu erase 0x08020000: ok" in line][1:], "erased twice"


@every
def test_a_block_that_always_fails_is_given_up_after_three_sectors(bench: DeviceBench, slug: str) -> None:
    unit, dfu = in_dfu(bench, slug)
    system = modules(slug, "2.3.1")[1]
    unit.memory.set_fault(failing(1_000_000, Operation.PROGRAM, 0x08020000 + 4096))
    with pytest.raises(DfuFailed, match=r"writing 4096 bytes at 0x08021000: GETSTATUS was stalled"):
        dfu.write_module(system)
    erased = [line for line in bench.trace if line.startswith("dfu erase 0x08020000: ok")]
    assert len(erased) == 3


@every
def test_an_erase_that_fails_once_is_asked_for_again(bench: DeviceBench, slug: str) -> None:
    unit, dfu = in_dfu(bench, slug)
    system = modules(slug, "2.3.1")[1]
    unit.memory.set_fault(failing(1, Operation.ERASE, 0x08020000))
    dfu.write_module(system)
    dfu.verify(system)


GET_STATUS, SET_ADDRESS, ERASE_SECTOR, BLOCK = (0xA1, 3, 0), (0x21, 1, 0x21), (0x21, 1, 0x41), (0x21, 1, 0x102)
after = pytest.mark.parametrize("after", [SET_ADDRESS, ERASE_SECTOR, BLOCK], ids=["set-address", "erase", "block"])


def stall_at(unit: VirtualUnit, at: Callable[[Kind], bool], times: int = 1) -> list[Kind]:
    """Stall each transfer that ``at`` accepts, with the next ones ``times`` in a row; returns what it accepted."""
    hit: list[Kind] = []

    def stall(kind: Kind) -> None:
        if at(kind):
            hit.append(kind)
            unit.order(parse_fault(f"at=control:{unit.transfers['control'] + 1},do=stall,times={times}"))

    Observer(unit, stall)
    return hit


@every
@after
@pytest.mark.parametrize("which", ["the DNLOAD", "the first status", "the second status"])
def test_a_stall_of_the_cable_costs_neither_an_erase_nor_a_block(
    bench: DeviceBench, slug: str, after: tuple[int, int, int], which: str
) -> None:
    unit, dfu = in_dfu(bench, slug)
    user, touched = modules(slug, "2.3.1")[-1], list[tuple[Operation, int]]()
    dfu.write_module(user)
    unit.score.on_host_write = lambda touch: touched.append((touch.operation, touch.address))
    dfu.write_module(user)
    undisturbed, before = touched.copy(), [(0, 0, 0)] * 2
    touched.clear()

    def at(kind: Kind) -> bool:
        sought = {
            "the DNLOAD": kind.own == after,
            "the first status": (kind.own, kind.before) == (GET_STATUS, after),
            "the second status": [kind.own, *before] == [GET_STATUS, GET_STATUS, after],
        }[which]
        before[:] = [kind.own, before[0]]
        return sought and not hit

    hit = stall_at(unit, at)
    dfu.write_module(user)
    dfu.verify(user)
    assert len(hit) == 1
    assert touched == undisturbed


@every
@after
def test_a_unit_that_stalls_every_status_is_not_taken_for_one_whose_flash_fails(
    bench: DeviceBench, slug: str, after: tuple[int, int, int]
) -> None:
    unit, dfu = in_dfu(bench, slug)
    stall_at(unit, lambda kind: (kind.own, kind.before) == (GET_STATUS, after), times=4)
    with pytest.raises(Stalled, match="GETSTATUS"):
        dfu.write_module(modules(slug, "2.3.1")[1])


@every
def test_an_erase_that_always_fails_is_given_up_after_three_tries(bench: DeviceBench, slug: str) -> None:
    unit, dfu = in_dfu(bench, slug)
    unit.memory.set_fault(failing(1_000_000, Operation.ERASE, 0x08020000))
    with pytest.raises(DfuFailed, match=r"erasing the page at 0x08020000: GETSTATUS was stalled"):
        dfu.write_module(modules(slug, "2.3.1")[1])
    assert sum(line.startswith("dfu erase 0x08020000") for line in bench.trace) == 3


@every
def test_a_torn_module_is_seen_in_the_read_back(bench: DeviceBench, slug: str) -> None:
    unit, dfu = in_dfu(bench, slug)
    system = modules(slug, "1.5.2")[1]
    assert dfu.held(system)
    unit.memory.internal.place(0x08021234, b"\x00\x01\x02")
    assert not dfu.held(system)
    with pytest.raises(ReadBackDiffers, match="0x08021234"):
        dfu.verify(system)


ERASE = b"\x41" + (0x08020000).to_bytes(4, "little")


@every
@pytest.mark.parametrize(
    "left", [[(1, 0, ERASE)], [(4, 0, b"")], [(1, 2, b"")], [(4, 0, b""), (1, 0, ERASE)]],
    ids=["an erase that waits", "dfuERROR by a CLRSTATUS out of place", "a leave that waits", "stalled in dfuERROR"],
)  # fmt: skip
def test_what_a_foreign_host_left_behind_is_cleared(
    bench: DeviceBench, slug: str, left: list[tuple[int, int, bytes]]
) -> None:
    unit = bench.plug(make_spec(slug, 7, 1, "1.5.2", arrives=BootRequest.DFU))
    other = usb.core.find(backend=bench.backend)
    for request, value, data in left:
        with contextlib.suppress(usb.core.USBError):
            other.ctrl_transfer(0x21, request, value, 0, data)
    usb.util.dispose_resources(other)
    dfu = bench.device().open(bench.within(10.0))
    assert isinstance(dfu, DfuDevice)
    assert dfu.status().state is DfuState.IDLE
    dfu.deadline = bench.within(60.0)
    assert dfu.held(modules(slug, "1.5.2")[1])
    assert (unit.mode, unit.score.flash_writes) == (UnitMode.DFU, 0)


@every
def test_old_bootloaders_that_ask_for_patience_get_it(bench: DeviceBench, slug: str) -> None:
    _, dfu = in_dfu(bench, slug, device_os="0.5.5")
    user = modules(slug, "0.5.5")[-1]
    before = bench.clock.now()
    dfu.write_module(user)
    blocks, erase_s = -(-len(user.flash_bytes) // 4096), 0.995
    assert bench.clock.now() - before > erase_s + blocks * 0.05
    dfu.verify(user)


@every
def test_it_knows_a_newer_module_by_its_header_in_either_place(bench: DeviceBench, slug: str) -> None:
    _, dfu = in_dfu(bench, slug, device_os="2.3.1")
    older = modules(slug, "1.5.2")
    assert [dfu.newer_than(one) for one in older[1:-1]] == [2302] * (len(older) - 2)
    assert dfu.newer_than(modules(slug, "3.3.1")[1]) is None


# --- what the guard lets through ---------------------------------------------------------------------------


@every
def test_the_bootloader_never_goes_over_dfu(bench: DeviceBench, slug: str) -> None:
    unit, dfu = in_dfu(bench, slug)
    with pytest.raises(WriteRefused, match="control-request update"):
        dfu.write_module(modules(slug, "2.3.1")[0])
    assert unit.score.flash_writes == 0


@every
def test_permits_are_whole_sectors_inside_the_modules_own_place(slug: str) -> None:
    row = platform(IDS[slug])
    guard = WriteGuard(row)
    for one in modules(slug, "2.3.1")[1:]:
        permit = guard.allow_module(one)
        region = next(r for r in row.regions if (one.function, one.index) in r.modules and r.start == permit.start)
        sectors = [row.memory(0).sector(page) for page in permit.pages]
        assert all(region.start <= sector.start and sector.stop <= region.end for sector in sectors)
        assert {at for sector in sectors for at in sector[::4096]} >= set(range(permit.start, permit.end, 4096))


@every
def test_an_erase_counts_for_the_sector_around_its_address(slug: str) -> None:
    """The unit erases all of it, whatever the address in it."""
    guard, system = WriteGuard(platform(IDS[slug])), modules(slug, "2.3.1")[1]
    for setup in (transfers.abort(), transfers.set_interface(0)):
        guard.check(setup)
        guard.observe(setup)
    with guard.permit(system) as permit:
        inside, outside = 0x08020000 + 0x1FFFF, max(permit.pages) + SECTOR
        with pytest.raises(WriteRefused, match=f"{outside:#010x}"):
            guard.check(transfers.dnload(0, 5), host.erase_payload(outside))
        with pytest.raises(WriteRefused, match="the page 0x08010000"):
            guard.check(transfers.dnload(0, 5), host.erase_payload(0x0801FFF0))
        guard.check(transfers.dnload(0, 5), host.erase_payload(inside))


def test_a_part_of_the_electron_may_have_its_header_in_either_place_and_no_other() -> None:
    guard = WriteGuard(platform(10))
    for one in modules("electron", "2.3.1")[1:-1]:
        assert one.prefix_offset in (0, 0x184)
        guard.allow_module(one)
    shifted = modules("photon", "2.3.1")[-1]
    with pytest.raises(WriteRefused, match="this unit is Electron"):
        guard.allow_module(shifted)


@pytest.mark.parametrize(("module", "other"), [(1, "p1"), (-1, "p1"), (1, "electron")])
def test_modules_of_another_platform_are_refused(bench: DeviceBench, module: int, other: str) -> None:
    unit, dfu = in_dfu(bench, "photon")
    with pytest.raises(WriteRefused, match="this unit is Photon"):
        dfu.write_module(modules(other, "2.3.1")[module])
    assert unit.score.flash_writes == 0


def test_the_unit_holds_what_its_headers_say(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench, "electron", device_os="2.3.1")
    for one in modules("electron", "2.3.1")[1:-1]:
        assert dfu.held(one)
        header = read_header(unit.memory.internal, one.flash_address, (0, 0x184))
        assert header.offset == one.prefix_offset


@every
def test_a_state_that_is_none_is_healed_when_the_station_opens_the_unit(bench: DeviceBench, slug: str) -> None:
    _, dfu = in_dfu(bench, slug)
    with pytest.raises(Stalled):
        dfu._transport.control(transfers.upload(1, 16))
    dfu.close()
    again = bench.device().open(bench.within(10.0))
    assert isinstance(again, DfuDevice)
    assert again.status().state is DfuState.IDLE


# --- module info ---------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("device_os", ["1.0.1", "1.4.4", "3.3.1"])
def test_modules_are_told_in_every_form_they_ever_had(bench: DeviceBench, slug: str, device_os: str) -> None:
    unit = bench.plug(make_spec(slug, 7, 1, device_os))
    told = bench.device().ask(requests.get_module_info(), bench.within(60.0))
    assert unit.report is not None
    assert [(one.function, one.index, one.version) for one in told] == [
        (one.function, one.index, one.version) for one in unit.report.modules
    ]
    assert all(one.is_valid for one in told)
