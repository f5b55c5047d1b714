"""The vendor's own sets of files, flashed by the walk onto units that hold nothing but what a debugger left there."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import ME, LineBench, Recipe, Walk, line_bench, replace
from support.vendor_files import needs_vendor_files, vendor_file

from drivers.platforms import platform_by_slug
from drivers.virtual import header, synthetic
from drivers.virtual.boot import BootMode, BootRequest
from drivers.virtual.layout import layout_of
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.world import UnitFacts
from drivers.wire.image.host import parse_image
from station.engine.events import StepFinished
from station.model import Verdict

pytestmark = needs_vendor_files
OLD = Recipe(kind="developer", claim=True, online=True)


def vendors(*names: str) -> tuple[SyntheticFile, ...]:
    return tuple(SyntheticFile(name, vendor_file(name)) for name in names)


def blank(bench: LineBench, slug: str, *left: bytes) -> VirtualUnit:
    """A unit that has what only a debugger puts there (reference firmware-and-dfu 7.5): it waits in DFU.

    Its owner has it already: the station asks the cloud whether it is online, as such old firmware cannot be asked.
    """
    unit = bench.unit(slug, modules=left)
    bench.cloud.edit_device(unit.spec.device_id, owner=ME)
    return unit


def holds(unit: VirtualUnit, kind: tuple[int, int], name: str, start: int | None = None) -> bool:
    data = vendor_file(name)
    at = layout_of(unit.spec.platform_id).start(kind) if start is None else start
    return unit.memory.internal.read(at, len(data)) == data


def test_the_photon_0_4_set_goes_to_a_blank_photon_which_boots_it(tmp_path: Path) -> None:
    """Its files call themselves 0.4.0 and carry the module version of 0.4.1."""
    parts = vendors("040_system-part1.bin", "040_system-part2.bin")
    recipe = replace(
        OLD, platform="photon", device_os="0.4.1", modules=parts, application=vendors("040_user-part.bin")[0]
    )
    with line_bench(tmp_path, recipe) as bench:
        unit = blank(bench, "photon", synthetic.bootloader(6, "0.4.9").data)
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert walk.writes[:3] == [f"{name} over DFU" for name in (
            "040_system-part2.bin", "040_system-part1.bin", "040_user-part.bin",
        )]  # fmt: skip
        assert unit.report is not None
        assert (unit.report.mode, unit.report.system_version) == (BootMode.NORMAL, "0.4.1")
        assert "module info: 4 modules valid, Device OS 0.4.1" in walk.steps["firmware"].proof
        assert holds(unit, (4, 1), "040_system-part1.bin")
        assert holds(unit, (4, 2), "040_system-part2.bin")
        assert holds(unit, (5, 1), "040_user-part.bin")


def walk_in_mesh(bench: LineBench, unit: VirtualUnit, version: str) -> Walk:
    """Walk a Xenon that somebody joined to a mesh, whose gateway brings it online: it has no other way there."""
    mark = bench.mark()

    def gateway() -> None:
        bench.wait_for(StepFinished, since=mark, step="setup_done")
        bench.cloud.online(
            UnitFacts(
                device_id=unit.device_id, platform_id=unit.spec.platform_id, device_os=version, is_safe_mode=False,
                serial_number=str(unit.spec.serial), product_id=None, product_version=None, claim_code=None,
                iccid=None, imei=None, mac=None,
            )
        )  # fmt: skip

    return bench.walk(unit, during=gateway)


@pytest.mark.parametrize("version", ["0.8.0-rc.13", "0.8.0-rc.14"])
def test_the_xenon_0_8_set_goes_to_a_blank_xenon_which_boots_it(version: str, tmp_path: Path) -> None:
    """Its system part is larger than the place of any later one. Two releases share its module version."""
    modules = vendors("080_bootloader-xenon.bin", "080_system-part1-xenon.bin")
    recipe = replace(
        OLD, platform="xenon", device_os=version, modules=modules, application=vendors("080_user-part-xenon.bin")[0]
    )
    with line_bench(tmp_path, recipe) as bench:
        left = (vendor_file("080_bootloader-xenon.bin"), synthetic.softdevice(14, 169).data)
        unit = blank(bench, "xenon", *left)
        walk = walk_in_mesh(bench, unit, version)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert "set setup-done in DFU" in walk.writes
        assert unit.report is not None
        assert (unit.report.mode, unit.report.system_module_version) == (BootMode.NORMAL, 312)
        assert holds(unit, header.BOOTLOADER, "080_bootloader-xenon.bin")
        assert holds(unit, header.SYSTEM, "080_system-part1-xenon.bin", 0x30000)
        assert holds(unit, header.USER_LEGACY, "080_user-part-xenon.bin")
        again = walk_in_mesh(bench, unit, version)
        assert (again.verdict, again.flash_writes) == (Verdict.PASS, 0), again.finished.reason
        assert again.outcomes["setup_done"] == "already"


def recipe_with(name: str, slug: str, device_os: str, application: str) -> Recipe:
    """The synthetic release ``device_os``, the vendor's file in place of the one of its kind or behind it."""
    number, (vendor,) = platform_by_slug(slug).id, vendors(name)
    try:
        files = {file.name.partition("@")[0]: file for file in synthetic.release(number, device_os)}
    except KeyError:  # the vendor's own system part is all there is of it
        files = {file.name.partition("@")[0]: file for file in synthetic.release(number, "3.1.0")}
    files[next((key for key in files if key.endswith(vendor.name.partition("@")[0])), vendor.name)] = vendor
    return Recipe(
        slug, device_os=device_os, modules=tuple(files.values()), application=vendors(application)[0], wifi=False
    )


@pytest.mark.parametrize(
    ("name", "slug", "old", "device_os", "application", "way"),
    [
        ("tracker-system-part1@3.1.0-alpha.2.bin", "tracker", "3.0.0", "3.1.0-alpha.2",
         "tracker-tinker@1.5.4-rc.1.bin", "over DFU"),
        ("p2-bootloader@5.6.0.bin", "p2", "5.0.1", "5.6.0", "p2-tinker@5.3.1.bin", "by control request"),
        ("argon-ncp-firmware-0.0.5-ota.bin", "argon", "3.3.1", "5.6.0", "tinker-0.8.0-rc.27-argon.bin",
         "by control request"),
    ],
)  # fmt: skip
def test_a_vendor_file_goes_to_a_unit_by_its_proper_way(
    name: str, slug: str, old: str, device_os: str, application: str, way: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, recipe_with(name, slug, device_os, application)) as bench:
        unit = bench.unit(slug, 1, old)
        if unit.memory.ncp is not None and slug == "argon":
            unit.memory.ncp.place(0, synthetic.ncp_firmware(12, 4).data.ljust(1 << 20, b"\xff"))
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert [what for what in walk.writes if what.startswith(name)] == [f"{name} {way}"]
        assert unit.report is not None
        assert (unit.report.mode, unit.report.system_version) == (BootMode.NORMAL, device_os)
        file = parse_image(vendor_file(name), name)
        held = next(one for one in unit.report.modules if (one.function, one.index) == (file.function, file.index))
        assert (held.version, held.hash) == (file.version, file.sha256 if held.size else b"\x05\0" * 16)
        assert bench.walk(unit).flash_writes == 0


def test_a_bootloader_that_no_request_takes_goes_through_its_update_slot(tmp_path: Path) -> None:
    """Device OS 0.7.0 takes no control request, and DFU shows that the bootloader is another one."""
    with line_bench(tmp_path, Recipe("photon", device_os="0.7.0")) as bench:
        walk = bench.walk(bench.unit("photon", 1, "0.5.5", arrives=BootRequest.DFU))
        assert walk.verdict is Verdict.PASS, walk.finished
        assert "synthetic-photon-bootloader@0.7.0.bin into its update slot" in walk.writes
