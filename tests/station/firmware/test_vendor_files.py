"""Every vendor file of the fixtures folder: what it is, and what happens when a profile names it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from line_bench import Recipe
from support.vendor_files import FOLDER, needs_vendor_files, vendor_file

from drivers.errors import BadImage
from drivers.platforms import ModuleFunction, Via, platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.synthetic import SyntheticFile
from drivers.wire.image.host import parse_image
from station.errors import BadInput
from station.firmware.contents import check_content, read_content
from station.firmware.describe import platform_words, title
from station.firmware.modules import image_key
from station.firmware.plan import PlanRefused
from station.firmware.release import ReleaseFiles, load_release, plan_update
from station.firmware.store import FirmwareStore
from station.settings.profile import Profile

pytestmark = needs_vendor_files


@dataclass(frozen=True)
class Row:
    """A file named by a profile of ``device_os`` for ``slug``, among synthetic files for the rest of the release.

    ``ways``: by which its modules go to a unit. ``profile`` and ``unit``: a piece of the sentence in which the profile
    is refused, or the plan of a unit that holds nothing else.
    """

    file: str
    what: str
    slug: str = "argon"
    device_os: str = "4.1.0"
    ways: tuple[Via, ...] = ()
    profile: str = ""
    unit: str = ""
    beside: tuple[str, ...] = ()  # further vendor files of the same set
    skus: tuple[str, ...] = ()


OVER_DFU, BY_REQUEST = (Via.DFU,), (Via.OTA,)
NEEDS_ASSETS = "needs the assets cat.txt, house.txt, water.txt, which the unit does not show"
ROWS = (
    Row("040_system-part1.bin", "system part 1 for Photon (6)", "photon", "0.4.1", OVER_DFU,
        beside=("040_system-part2.bin",)),
    Row("040_system-part2.bin", "system part 2 for Photon (6)", "photon", "0.4.1", OVER_DFU,
        beside=("040_system-part1.bin",)),
    Row("040_user-part.bin", "application for Photon (6)", "photon", "0.4.1", OVER_DFU,
        beside=("040_system-part1.bin", "040_system-part2.bin")),
    Row("080_bootloader-xenon.bin", "bootloader for Xenon (14)", "xenon", "0.8.0-rc.13", (Via.SLOT,),
        beside=("080_system-part1-xenon.bin",)),
    Row("080_system-part1-xenon.bin", "system part 1 for Xenon (14)", "xenon", "0.8.0-rc.14", OVER_DFU,
        beside=("080_bootloader-xenon.bin",)),
    Row("080_user-part-xenon.bin", "application for Xenon (14)", "xenon", "0.8.0-rc.14", OVER_DFU,
        beside=("080_bootloader-xenon.bin", "080_system-part1-xenon.bin")),
    Row("RC2_bootloader.bin", "extension 0xff0b claims 0 bytes, 63 are there; damaged", "photon", "2.3.1",
        profile="RC2_bootloader.bin: extension 0xff0b"),
    Row("app-with-assets.bin", "application for Argon (12)", "argon", "6.3.4", OVER_DFU, unit=NEEDS_ASSETS),
    Row("argon-bootloader-620.bin", "bootloader for Argon (12)", "argon", "6.1.1", BY_REQUEST),
    Row("argon-ncp-firmware-0.0.5-ota.bin", "NCP firmware for Argon (12)", "argon", "6.3.4", BY_REQUEST),
    Row("argon-softdevice-6.1.1.bin", "SoftDevice for Argon (12)", "argon", "1.3.1", OVER_DFU),
    Row("argon-softdevice-6.1.1.bin", "SoftDevice for Argon (12)", "argon", "4.1.0",
        profile="needs SoftDevice 202 or newer, but the release contains 182"),
    Row("argon-system-part1@4.1.0.bin", "system part 1 for Argon (12)", "argon", "4.1.0", OVER_DFU),
    Row("bundle-missing-assets.zip", "its application needs the asset water.txt, which is not in it",
        "argon", "6.3.4", profile="bundle-missing-assets.zip: its application needs the asset water.txt"),
    Row("bundle.zip", "application for Argon (12)", "argon", "6.3.4", (Via.DFU, *BY_REQUEST * 3)),
    Row("electron_tinker.bin", "application for Electron (10)", "electron", "2.3.1", OVER_DFU),
    Row("emptybin.bin", "is an empty file, no firmware module", "argon", "6.3.4",
        profile="emptybin.bin is an empty file"),
    Row("p2-bootloader@5.6.0.bin", "bootloader for Photon 2 / P2 (32)", "p2", "5.6.0", BY_REQUEST),
    Row("p2-tinker@5.3.1.bin", "application for Photon 2 / P2 (32)", "p2", "5.6.0", OVER_DFU),
    Row("tinker-0.4.5-p1.bin", "application for P1 (8)", "p1", "2.3.1", OVER_DFU),
    Row("tinker-0.4.5-photon.bin", "application for Photon (6)", "photon", "2.3.1", OVER_DFU),
    Row("tinker-0.8.0-rc.27-argon.bin", "application for Argon (12)", "argon", "1.5.2", OVER_DFU),
    Row("tinker-0.8.0-rc.27-boron.bin", "application for Boron (13)", "boron", "1.5.2", OVER_DFU, skus=("BRN402",)),
    Row("tinker-1.1.0-rc.1-bsom.bin", "application for B-SoM (23)", "bsom", "1.5.2", OVER_DFU, skus=("B402MEA",)),
    Row("tinker-1.5.0-b5som.bin", "application for B5-SoM (25)", "b5som", "2.3.1", OVER_DFU),
    Row("tinker-5.0.0-p2.bin", "application for Photon 2 / P2 (32)", "p2", "5.0.1", OVER_DFU),
    Row("tinker-6.3.4-esomx.bin", "application for E-SoM-X (15)", "esomx", "6.3.4", OVER_DFU),
    Row("tinker-6.3.4-esomx.bin", "application for E-SoM-X (15)", "esomx", "6.2.0",
        profile="needs system part 1 6305 or newer, but the release contains 6200"),
    Row("tinker-6.3.4-msom.bin", "application for M-SoM (35)", "msom", "6.3.4", OVER_DFU),
    Row("tracker-bootloader@5.6.0.bin", "bootloader for Asset Tracker / Monitor One (26)", "tracker", "5.6.0",
        BY_REQUEST),
    Row("tracker-system-part1@3.1.0-alpha.2.bin", "system part 1 for Asset Tracker / Monitor One (26)",
        "tracker", "3.1.0-alpha.2", OVER_DFU),
    Row("tracker-tinker@1.5.4-rc.1.bin", "application for Asset Tracker / Monitor One (26)", "tracker", "3.0.0",
        OVER_DFU),
    Row("tracker-tinker@5.3.1.bin", "application for Asset Tracker / Monitor One (26)", "tracker", "6.3.4", OVER_DFU),
    Row("tracker-user-part-extensions.bin", "application for Asset Tracker / Monitor One (26)", "tracker", "6.3.4",
        OVER_DFU, unit="needs the assets"),
    Row("unknown.bin", "reaches 2 of 7 points", "argon", "6.3.4",
        profile="unknown.bin: its header reaches 2 of 7 points"),
    Row("README.md", "is a text, no firmware module", "argon", "6.3.4", profile="README.md is a text"),
)  # fmt: skip


def test_the_table_holds_every_file_of_the_folder() -> None:
    assert {row.file for row in ROWS} == {path.name for path in FOLDER.iterdir()}


def label(row: Row) -> str:
    return f"{row.file} in {row.device_os}"


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_what_it_is(row: Row) -> None:
    assert row.what in told(row.file)


def told(name: str) -> str:
    try:
        content = read_content(vendor_file(name), name)
        check_content(content)
    except BadInput as error:
        return str(error)
    return f"{title(content.main)} for {platform_words(content.main.platform_id)}"


def named_in(row: Row, tmp_path: Path) -> tuple[Profile, FirmwareStore]:
    """A profile of synthetic files with the vendor's in place of those of their kind, and the store of both."""
    number = platform_by_slug(row.slug).id
    vendors = [SyntheticFile(name, vendor_file(name)) for name in (row.file, *row.beside)]
    files = {_key(file): file for file in (*_release(number, row.device_os), *vendors)}
    apps = [key for key in files if key[0] == ModuleFunction.USER_PART]
    application = files.pop(apps[0]) if apps else None
    recipe = Recipe(
        row.slug, device_os=row.device_os, modules=tuple(files.values()), application=application, kind="developer",
        has_application=application is not None, claim=True, online=True, wifi=False, skus=row.skus,
    )  # fmt: skip
    for file in recipe.files():
        (tmp_path / file.name).write_bytes(file.data)
    return recipe.profile(), FirmwareStore([tmp_path])


def _release(number: int, device_os: str) -> tuple[SyntheticFile, ...]:
    try:
        return synthetic.release(number, device_os)
    except KeyError:  # so old that only the vendor's files are known; a Tracker's bootloader came with 3.0.0
        return synthetic.release(number, "3.0.0")[:1] if number == 26 else ()


def _key(file: SyntheticFile) -> tuple[int, int]:
    """Where it goes; what is no module of a release goes where applications do, as bundles do."""
    try:
        return image_key(parse_image(file.data, file.name))
    except BadImage:
        return ModuleFunction.USER_PART, 0


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_what_happens_when_a_profile_names_it(row: Row, tmp_path: Path) -> None:
    profile, store = named_in(row, tmp_path)
    platform = platform_by_slug(row.slug)
    if row.profile:
        with pytest.raises(BadInput, match=row.profile) as refused:
            load_release(profile, platform, store, None)
        assert str(refused.value).count(". ") == 0
        return
    files = load_release(profile, platform, store, None)
    if row.unit:
        with pytest.raises(PlanRefused, match=row.unit):
            plan_update(profile, platform, files, None, product=None)
        return
    assert ways_of(row, profile, files) == row.ways


def ways_of(row: Row, profile: Profile, files: ReleaseFiles) -> tuple[Via, ...]:
    """By which ways the modules of the vendor's file go to a unit in DFU, which says of none that it holds it."""
    plan = plan_update(profile, platform_by_slug(row.slug), files, None, product=None)
    own = {image.sha256 for image in read_content(vendor_file(row.file), row.file).modules}
    return (*(write.way for write in plan.writes if write.image.sha256 in own), *[Via.OTA] * len(plan.assets))
