"""What writing a module costs: transfers a block, erases, and what is read to save them."""

from __future__ import annotations

from support.device_bench import DeviceBench, application, image, in_dfu, release

from drivers.devices.flashing import PAGE
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.flash import Operation, Who
from drivers.virtual.unit import VirtualUnit

USER = 0xB4000


def erased(unit: VirtualUnit) -> int:
    return sum(n for (who, _, what), n in unit.score.operations.items() if (who, what) == (Who.DFU, Operation.ERASE))


def blank(unit: VirtualUnit, start: int, pages: int) -> None:
    unit.memory.internal.place(start, b"\xff" * (pages * PAGE))


def test_a_further_page_costs_three_transfers_an_erase_three_and_its_look_one(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    dfu.layout(0)
    dfu.read(0, USER, 1)  # both only the first module of a visit costs
    blank(unit, 0xD4000, 1)  # the legacy place, which every write looks at
    took = []
    for size in (5 * PAGE, 25 * PAGE):
        unit.memory.internal.place(USER, bytes(26 * PAGE))
        before = unit.transfers["control"]
        dfu.write_module(application("6.3.4", size=size))
        took.append(unit.transfers["control"] - before)
    assert took[1] - took[0] == 20 * (3 + 3 + 1)


def test_what_is_blank_is_not_erased(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    new = application("6.3.4", size=20 * PAGE)
    blank(unit, USER, 22)
    dfu.write_module(new)
    dfu.verify(new)
    assert erased(unit) == 0


def test_a_page_with_one_byte_in_its_end_is_erased(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench)
    new = application("6.3.4", size=20 * PAGE)
    blank(unit, USER, 22)
    unit.memory.internal.place(USER + 7 * PAGE - 1, b"\x00")
    dfu.write_module(new)
    dfu.verify(new)
    assert erased(unit) == 1


def test_the_page_that_decides_is_erased_whatever_it_seems_to_hold(bench: DeviceBench) -> None:
    """An erase that was cut may leave cells that read blank and do not last."""
    unit, dfu = in_dfu(bench)
    blank(unit, 0x30000, 1)
    dfu.write_module(release("6.1.1")[2])
    assert any(line.startswith("dfu erase 0x00030000: ok") for line in bench.trace)


def test_a_unit_that_skips_blank_sectors_itself_is_asked_nothing(bench: DeviceBench) -> None:
    unit = bench.plug(make_spec("p2", 7, 1, "6.3.4", setup_done=True, arrives=BootRequest.DFU))
    device = bench.device()
    device.identify(bench.within(10.0))
    new = image(synthetic.application(32, "6.3.4", size=20_000))
    dfu = device.dfu(bench.within(600.0))
    dfu.write_module(new)
    dfu.verify(new)
    assert not any("blank check" in line for line in bench.trace)
    assert unit.score.forbidden == []


def test_a_block_that_fails_in_the_middle_of_a_run_goes_to_its_own_place_again(bench: DeviceBench) -> None:
    unit, dfu = in_dfu(bench, "at=dfu-write:7,do=fail", "at=dfu-write:13,do=fail")
    new = application("6.3.4", size=20 * PAGE)
    dfu.write_module(new)
    assert unit.memory.internal.read(USER, len(new.data)) == new.data
    assert unit.score.forbidden == []
