"""The host's own drivers on RTL872x units (Gen 4): modes, DFU round trips, the right-aligned application."""

from __future__ import annotations

import pytest
from support.device_bench import DeviceBench, image

from drivers.devices.flashing import PAGE, plan_write
from drivers.devices.holding import BLOCKED_S
from drivers.errors import LinkError, WriteRefused
from drivers.guard import WriteGuard
from drivers.platforms import platform
from drivers.transport import TRANSFER_TIMEOUT_S
from drivers.virtual import synthetic
from drivers.virtual.application import Application
from drivers.virtual.boot import BootReport, BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.wire import requests
from drivers.wire.image.host import Image, parse_image
from drivers.wire.usb import Mode

P2, MSOM, END = 32, 35, 0x08600000
each = pytest.mark.parametrize("slug", ["p2", "msom"])


def prefixed(start: int, platform_id: int = P2) -> Image:
    """An application that begins in the middle of a page, as one with assets in its prefix does (3.7)."""
    size = END - start - 24 - 40 - 4
    data = synthetic.make_module(platform_id, (5, 1), 6, start, bytes(range(256)) * (size // 256) + bytes(size % 256))
    return parse_image(data, "prefixed")


# --- modes -------------------------------------------------------------------------------------------


@each
def test_it_is_identified_listens_goes_to_dfu_and_comes_back(bench: DeviceBench, slug: str) -> None:
    unit = bench.plug(make_spec(slug, 7, 1, "6.3.4"))
    device = bench.device()
    assert str(device.identify(bench.within(10))) == unit.device_id
    with device.console(bench.within(60)) as console:
        found = console.identify()
    assert (str(found.device_id), str(found.serial)) == (unit.device_id, str(unit.spec.serial))
    device.enter_dfu(bench.within(60))
    assert (device.mode, unit.mode) == (Mode.DFU, UnitMode.DFU)
    device.leave_dfu(bench.within(60))
    assert device.mode is Mode.APPLICATION
    assert str(device.ask(requests.get_serial_number())) == str(unit.spec.serial)


# --- DFU ---------------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("held", ["5.5.0", "6.3.4"])
def test_system_part_and_application_go_in_over_dfu_and_start(bench: DeviceBench, slug: str, held: str) -> None:
    unit = bench.plug(make_spec(slug, 7, 1, held, arrives=BootRequest.DFU))
    device = bench.device()
    device.identify(bench.within(10))
    number = platform(unit.spec.platform_id).id
    system = image(synthetic.release(number, held)[-1])
    application = image(synthetic.application(number, held, seed="new", size=50_000))
    dfu = device.dfu(bench.within(600))
    assert (dfu.held(system), dfu.held(application)) == (True, False)
    dfu.write_module(system)
    dfu.write_module(application)
    dfu.verify(system)
    dfu.verify(application)
    assert dfu.held(application)
    device.leave_dfu(bench.within(60))
    assert (unit.mode is UnitMode.NORMAL or slug == "p2", unit.score.forbidden) == (True, [])
    told = device.ask(requests.get_module_info())
    assert next(row.size for row in told if row.function == 5) in (0, len(application.data), len(application.data) - 4)


@each
@pytest.mark.parametrize("moment", ["dfu-erase:1", "dfu-erase:30", "dfu-write:1", "dfu-write:25", "dfu-write:50"])
def test_a_cut_while_the_system_part_is_written_leaves_a_unit_in_dfu(
    bench: DeviceBench, slug: str, moment: str
) -> None:
    spec = make_spec(slug, 7, 1, "6.2.0", arrives=BootRequest.DFU)
    unit = bench.plug(spec, f"at={moment},do=torn,for=1")
    system = image(synthetic.release(spec.platform_id, "6.3.4")[-1])
    device = bench.device()
    device.identify(bench.within(10))
    with pytest.raises(LinkError):
        device.dfu(bench.within(600)).write_module(system)
    bench.clock.sleep(10)
    assert unit.mode is UnitMode.DFU
    device.dfu(bench.within(600)).write_module(system)
    device.leave_dfu(bench.within(60))
    assert unit.report is not None
    assert unit.report.system_version == "6.3.4"


def test_an_application_that_begins_inside_a_page_is_written_whole(bench: DeviceBench) -> None:
    unit = bench.plug(make_spec("p2", 7, 1, "6.3.4", arrives=BootRequest.DFU))
    device = bench.device()
    device.identify(bench.within(10))
    application, dfu = prefixed(END - 3 * PAGE - 0x70), device.dfu(bench.within(600))
    dfu.write_module(application)
    dfu.verify(application)
    content = unit.memory.internal.read(application.start, END - application.start)
    assert content == application.data
    assert unit.memory.internal.is_blank(END - 4 * PAGE, PAGE - 0x70), "the rest of its first page is erased"
    assert unit.score.forbidden == []


def test_a_page_that_fails_once_is_written_again(bench: DeviceBench) -> None:
    unit = bench.plug(make_spec("p2", 7, 1, "6.3.4", arrives=BootRequest.DFU), "at=dfu-write:1,do=fail")
    device = bench.device()
    device.identify(bench.within(10))
    application, dfu = prefixed(END - 2 * PAGE - 0x70), device.dfu(bench.within(600))
    dfu.write_module(application)
    dfu.verify(application)
    assert unit.score.forbidden == []


# --- the plan of a write, and the guard --------------------------------------------------------------


def test_pages_are_erased_whole_and_written_from_the_middle_of_the_first() -> None:
    plan = plan_write(prefixed(END - 2 * PAGE - 0x70))
    assert plan.erase == (END - 3 * PAGE, END - 2 * PAGE, END - PAGE)
    assert [(block.address, len(block.data)) for block in plan.blocks] == [
        (END - 2 * PAGE - 0x70, 0x70), (END - 2 * PAGE, PAGE), (END - PAGE, PAGE),
    ]  # fmt: skip
    assert (plan.first, plan.stale) == ((), ())


@pytest.mark.parametrize("size", [PAGE, 5 * PAGE, 0x180000])
def test_the_guard_lets_an_application_end_where_it_must(size: int) -> None:
    application = image(synthetic.application(P2, "6.3.4", size=size))
    permit = WriteGuard(platform(P2)).allow_module(application)
    assert (permit.start, permit.end) == (END - size, END)
    assert len(permit.pages) == size // PAGE


def _elsewhere() -> list[tuple[str, Image]]:
    def module(kind: tuple[int, int], start: int, size: int = 8000, flags: int = 0) -> Image:
        data = synthetic.make_module(P2, kind, 9000, start, bytes(size), flags=flags)
        return parse_image(data, "elsewhere")

    right = image(synthetic.application(P2, "6.3.4"))
    return [
        ("an application that ends too early", module((5, 1), END - 3 * PAGE)),
        ("an application at the start of its area", module((5, 1), 0x08480000)),
        ("an application of the index others use", module((5, 2), right.start, len(right.data) - 68)),
        ("an application larger than its area", module((5, 1), 0x08480000 - PAGE, 0x180000 + PAGE - 68)),
        ("a system part where others have it", module((4, 1), 0x30000)),
        ("a bootloader", image(synthetic.bootloader(P2, "6.3.4"))),
        ("the stage before it", image(synthetic.release(P2, "6.3.4")[0])),
        ("the first stage", parse_image(synthetic.burnt_in(P2)[0][1].data, "mbr")),
        ("a file of another platform", image(synthetic.application(MSOM, "6.3.4"))),
    ]


@pytest.mark.parametrize(("what", "wrong"), _elsewhere(), ids=[what for what, _ in _elsewhere()])
def test_the_guard_refuses_whatever_has_no_place_there(what: str, wrong: Image) -> None:
    with pytest.raises(WriteRefused):
        WriteGuard(platform(P2)).allow_module(wrong)


# --- a unit whose application blocks it ----------------------------------------------------------------


class Blocked(VirtualUnit):
    """Its system thread never works on a request; its interrupt handlers do."""

    def _appear(self, report: BootReport) -> None:
        super()._appear(report)
        if isinstance(self._software, Application) and report.restarts == 0 and not self.transfers["control"]:
            self._software.run = lambda *_: None  # type: ignore[method-assign]


@pytest.mark.parametrize(("slug", "device_os"), [("p2", "6.3.4"), ("msom", "5.5.0"), ("boron", "6.3.4")])
def test_a_blocked_unit_is_reset_by_its_interrupt_handler(bench: DeviceBench, slug: str, device_os: str) -> None:
    """With a byte of data where the platform needs one: without it the transfer would end by its time limit."""
    unit = Blocked(make_spec(slug, 7, 1, device_os), bench.clock)
    bench.bus.plug("1-1", unit)
    device = bench.device()
    bench.watch("1-1").wait_for(lambda candidate: candidate is not None, bench.within(30))
    device.identify(bench.within(10))
    start = bench.clock.now()
    device.reset(bench.within(60))
    assert BLOCKED_S < bench.clock.now() - start < BLOCKED_S + TRANSFER_TIMEOUT_S
    assert device.ask(requests.get_serial_number()) == unit.spec.serial


def test_a_blocked_unit_too_old_for_that_is_reset_by_way_of_dfu(bench: DeviceBench) -> None:
    unit = Blocked(make_spec("boron", 7, 1, "1.5.2", setup_done=True), bench.clock)
    bench.bus.plug("1-1", unit)
    device = bench.device()
    bench.watch("1-1").wait_for(lambda candidate: candidate is not None, bench.within(30))
    device.identify(bench.within(10))
    device.reset(bench.within(60))
    assert device.ask(requests.get_serial_number()) == unit.spec.serial
