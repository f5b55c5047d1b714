"""How long a plan is said to take: what the reference estimates, and what a virtual unit with real timing needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import PRODUCTS, Recipe, line_bench

from drivers.platforms import ModuleFunction, platform
from drivers.virtual.synthetic import make_module
from drivers.wire.image.host import Image, parse_image
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.messages.tables import Store
from drivers.wire.usb import Mode
from station.cli.looking import Place, Ports, look
from station.cli.virtual_units import virtual_place
from station.firmware.estimate import estimate
from station.firmware.plan import UpdatePlan, make_plan
from station.firmware.release import load_release, plan_update
from station.firmware.store import FirmwareStore
from station.model import Verdict
from station.steps.shared.knowledge import UnitKnowledge


def module(platform_id: int, kind: tuple[int, int], start: int, size: int) -> Image:
    """Make a module whose file has ``size`` bytes."""
    empty = make_module(platform_id, kind, 6305, start, b"")
    data = make_module(platform_id, kind, 6305, start, bytes(size - len(empty)))
    assert len(data) == size
    return parse_image(data, "a.bin")


def planned(platform_id: int, image: Image) -> UpdatePlan:
    is_application = image.function == ModuleFunction.USER_PART
    release, application = ((), image) if is_application else ((image,), None)
    return make_plan(platform(platform_id), (), release, application, mode=Mode.APPLICATION)


@pytest.mark.parametrize(
    ("platform_id", "kind", "start", "size", "least", "most"),
    [  # reference firmware-and-dfu 8.3
        (12, (4, 1), 0x28000, 525_980, 17, 19),
        (13, (4, 1), 0x28000, 570_164, 19, 21),
        (12, (5, 2), 0xB4000, 8_590, 0.35, 0.42),
        (32, (4, 1), 0x08060000, 1_240_588, 24, 40),
        (35, (4, 1), 0x08060000, 1_320_864, 26, 43),
        (32, (5, 1), 0x08600000 - 49_152, 49_152, 1, 1.6),
        (6, (5, 1), 0x080A0000, 12_640, 1.05, 2.1),
    ],
)
def test_a_write_over_dfu_takes_what_the_reference_estimates(
    platform_id: int, kind: tuple[int, int], start: int, size: int, least: float, most: float
) -> None:
    plan = planned(platform_id, module(platform_id, kind, start, size))
    (seconds,) = estimate(plan).writes
    read_back_s = size / 832_000
    assert least * 0.95 <= seconds - read_back_s <= most * 1.05, "erase, program and USB, without reading back"


def test_a_bootloader_that_asks_for_pauses_makes_it_longer() -> None:
    """50 ms a block: the reference's 9 s for 59 blocks (8.3) have an address set before each, and an erase."""
    image = module(6, (5, 1), 0x080A0000, 59 * 2048)
    plan = planned(6, image)

    def with_bootloader(version: int) -> float:
        held = ModuleInfo(ModuleFunction.BOOTLOADER, 0, version, Store.MAIN, 0, 0, 2, 2, None, ())
        return estimate(plan, (held,)).total

    assert with_bootloader(99) - with_bootloader(100) == pytest.approx(30 * 0.05)


def test_a_coprocessor_takes_minutes() -> None:
    plan = planned(12, module(12, (7, 0), 0, 829_248))
    assert 100 < estimate(plan).total < 240


def test_nothing_to_do_takes_no_time() -> None:
    plan = make_plan(platform(12), (), (), None, mode=Mode.APPLICATION)
    assert estimate(plan).total == 0.0


@pytest.mark.parametrize(
    ("recipe", "held"),
    [(Recipe("argon"), "3.3.1"), (Recipe("p2"), "5.8.0"), (Recipe("electron", device_os="3.3.1"), "2.3.1")],
    ids=lambda value: value.platform if isinstance(value, Recipe) else value,
)
def test_a_walk_takes_about_what_its_plan_says(recipe: Recipe, held: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, recipe) as bench:
        walk = bench.walk(bench.unit(recipe.platform, device_os=held))
        took = sum(walk.steps[name].seconds for name in ("dfu", "device_os", "firmware"))
        assert walk.verdict is Verdict.PASS
    with virtual_place([f"{recipe.platform}@{held}"]) as place, Ports(Place(*place)) as ports:
        known = UnitKnowledge(platform(recipe.platform_id))
        look(ports, ports.wait(1)[0], known)
    profile, store = recipe.profile(), FirmwareStore((bench.firmware_dir,))
    files = load_release(profile, known.platform, store, PRODUCTS[recipe.platform])
    plan = plan_update(profile, known.platform, files, known.modules, product=PRODUCTS[recipe.platform])
    expected = estimate(plan, known.modules, files.assets).total
    assert 0.6 * expected < took < 1.5 * expected, (took, expected)
