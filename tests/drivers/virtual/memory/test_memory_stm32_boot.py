"""What a reset does on Photon, P1 and Electron: one header is looked at, no checksum, and parts stand on each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drivers.virtual import synthetic, update_slots
from drivers.virtual.boot import BootMode, BootReport, BootRequest, boot
from drivers.virtual.flash import Who
from drivers.virtual.header import read_header
from drivers.virtual.layout import Chip
from drivers.virtual.memory import UnitMemory
from drivers.virtual.ota import OtaUpdate
from drivers.wire.results import ResultCode

PHOTON, P1, ELECTRON = 6, 8, 10
FIRST = 0x08020000
MakeUnit = Callable[..., UnitMemory]
Files = Callable[[int, str], tuple[bytes, ...]]
Vendor = Callable[[str], bytes]
every = pytest.mark.parametrize("platform", [PHOTON, P1, ELECTRON])


def parts(platform: int) -> list[tuple[int, int]]:
    """Start and end of every system part's place."""
    return [(0x08020000, 0x08060000), (0x08060000, 0x080A0000)] if platform != ELECTRON else [
        (0x08020000, 0x08040000), (0x08040000, 0x08060000), (0x08060000, 0x08080000),
    ]  # fmt: skip


def user_start(platform: int) -> int:
    return 0x08080000 if platform == ELECTRON else 0x080A0000


def erase(memory: UnitMemory, start: int, end: int) -> None:
    memory.internal.erase_range(start, end - start, Who.FACTORY)


def held(report: BootReport) -> list[tuple[int, int, int]]:
    return [(m.function, m.index, m.version) for m in report.modules]


# --- releases -----------------------------------------------------------------------------------------


@every
def test_modules_are_listed_bootloader_first_and_lie_where_the_map_says(unit: MakeUnit, platform: int) -> None:
    memory = unit("2.3.1", platform)
    systems = [(4, index, 2302) for index in range(1, 4 if platform == ELECTRON else 3)]
    assert held(boot(memory)) == [(2, 0, 1006), *systems, (5, 1, 6)]
    for start, _ in parts(platform):
        assert read_header(memory.internal, start, memory.layout.prefix_offsets).start == start


@every
def test_a_system_part_fills_more_than_one_sector_where_it_has_two(files: Files, platform: int) -> None:
    assert (len(files(platform, "2.3.1")[1]) > 128 * 1024) == (platform != ELECTRON)


def test_the_vendors_own_0_4_boots_a_photon(vendor: Vendor) -> None:
    memory = UnitMemory(PHOTON)
    names = ("040_system-part1.bin", "040_system-part2.bin", "040_user-part.bin")
    memory.install([synthetic.bootloader(PHOTON, "0.4.9").data, *map(vendor, names)])
    report = boot(memory)
    assert (report.mode, report.system_version) == (BootMode.NORMAL, "0.4.1"), "by its module version, which is 1"
    assert held(report) == [(2, 0, 7), (4, 1, 1), (4, 2, 1), (5, 1, 2)]


@pytest.mark.parametrize(("platform", "name"), [(PHOTON, "photon"), (P1, "p1")])
def test_the_vendors_tinker_is_too_new_for_0_4_0_and_so_it_is_safe_mode(
    vendor: Vendor, unit: MakeUnit, platform: int, name: str
) -> None:
    memory = unit("0.4.9", platform)
    memory.install([vendor(f"tinker-0.4.5-{name}.bin")])
    assert boot(memory).mode is BootMode.NORMAL
    if platform == PHOTON:
        memory.install(list(map(vendor, ("040_system-part1.bin", "040_system-part2.bin"))))
        report = boot(memory)
        assert (report.mode, report.reason) == (
            BootMode.SAFE, "the application needs system part 6 or newer, the unit holds 1",
        )  # fmt: skip


def test_the_vendors_electron_tinker_wants_index_2(vendor: Vendor, unit: MakeUnit) -> None:
    memory = unit("0.4.9", ELECTRON)
    memory.install([vendor("electron_tinker.bin")])
    assert boot(memory).mode is BootMode.NORMAL


# --- what is missing or torn ---------------------------------------------------------------------------


@every
def test_blank_flash_shows_nothing_and_a_bootloader_alone_waits_in_dfu(files: Files, platform: int) -> None:
    memory = UnitMemory(platform)
    assert boot(memory).mode is BootMode.DEAD
    memory.install(files(platform, "0.5.5")[:1])
    report = boot(memory)
    assert (report.mode, report.bootloader_version) == (BootMode.DFU, 7)


@every
def test_a_torn_part_at_the_start_is_started_and_crashes(unit: MakeUnit, platform: int) -> None:
    memory = unit("2.3.1", platform)
    memory.internal.place(FIRST + 0x10000, b"torn")
    report = boot(memory)
    assert report.mode is BootMode.DEAD
    assert "crash loop" in report.reason
    assert boot(memory, BootRequest.DFU).mode is BootMode.DFU, "MODE held at reset still leads there"


@every
def test_a_later_part_that_is_torn_or_gone_crashes_too(unit: MakeUnit, platform: int) -> None:
    for start, end in parts(platform)[1:]:
        for damage in (lambda m, s, e: m.internal.place(s + 0x1000, b"torn"), erase):
            memory = unit("2.3.1", platform)
            damage(memory, start, end)
            assert boot(memory).mode is BootMode.DEAD


@every
def test_without_the_header_it_is_dfu_unless_a_factory_image_is_registered(unit: MakeUnit, platform: int) -> None:
    memory = unit("2.3.1", platform)
    erase(memory, *parts(platform)[0])
    assert boot(memory).mode is BootMode.DFU
    image = register_factory_image(memory)
    erase(memory, user_start(platform), user_start(platform) + 0x20000)
    report = boot(memory)
    assert report.mode is BootMode.DEAD
    assert "factory reset again and again" in report.reason
    assert memory.internal.read(user_start(platform), len(image)) == image, "it does restore the application"
    assert boot(memory, BootRequest.DFU).mode is BootMode.DFU


@every
def test_a_damaged_factory_image_counts_as_none(unit: MakeUnit, platform: int) -> None:
    memory = unit("2.3.1", platform)
    register_factory_image(memory)
    memory.internal.place(memory.layout.factory_start + 100, b"torn")
    erase(memory, *parts(platform)[0])
    assert boot(memory).mode is BootMode.DFU


def register_factory_image(memory: UnitMemory) -> bytes:
    """Put an application into the factory place and register it, as the factory does."""
    image = synthetic.application(memory.platform_id, "1.4.4", seed="factory").data
    memory.internal.place(memory.layout.factory_start, image)
    header = read_header(memory.internal, memory.layout.factory_start, (0,))
    record = update_slots.record_for(header, memory.internal, memory.layout.factory_start)
    update_slots.register_factory_image(memory, record)
    return image


@every
def test_a_header_of_another_platform_or_place_is_none(files: Files, unit: MakeUnit, platform: int) -> None:
    other = P1 if platform == PHOTON else PHOTON
    memory = unit("2.3.1", platform)
    memory.internal.place(FIRST, files(other, "2.3.1")[1][:0x200])
    assert boot(memory).mode is BootMode.DFU


@every
@pytest.mark.parametrize("damage", ["blank", "torn"])
def test_without_a_whole_application_it_is_safe_mode(unit: MakeUnit, platform: int, damage: str) -> None:
    memory, start = unit("2.3.1", platform), user_start(platform)
    if damage == "blank":
        erase(memory, start, start + 0x20000)
    else:
        memory.internal.place(start + 0x1000, b"torn")
    report = boot(memory)
    assert (report.mode, report.reason) == (BootMode.SAFE, "there is no intact application")


@every
def test_a_bootloader_too_old_for_the_system_is_safe_mode(files: Files, unit: MakeUnit, platform: int) -> None:
    memory = unit("2.3.1", platform)
    memory.install(files(platform, "0.7.0")[:1])
    report = boot(memory)
    assert report.mode is BootMode.SAFE
    assert "needs bootloader 1003 or newer, the unit holds 101" in report.reason
    failed = [(m.function, m.index) for m in report.modules if m.passed != m.checked]
    assert failed == [(4, 2)]


@every
def test_parts_of_two_releases_are_safe_mode_and_tell_the_version_of_index_2(
    files: Files, unit: MakeUnit, platform: int
) -> None:
    memory = unit("1.5.2", platform)
    newer = next(file for file in files(platform, "2.3.1")[1:] if kind_of(file) == (4, 2))
    memory.install([newer])
    report = boot(memory)
    assert (report.mode, report.system_version) == (BootMode.SAFE, "2.3.1")
    assert "needs system part 2302 or newer, the unit holds 1512" in report.reason


def kind_of(file: bytes) -> tuple[int, int]:

    for offset in (0, 0x184):
        if file[offset + 3] == 0x08 and file[offset + 14] in (2, 4, 5):
            return file[offset + 14], file[offset + 15]
    raise AssertionError("no header")


@every
def test_safe_mode_can_be_asked_for(unit: MakeUnit, platform: int) -> None:
    assert boot(unit("1.5.2", platform), BootRequest.SAFE).mode is BootMode.SAFE


# --- updates that wait in internal flash ------------------------------------------------------------------


@every
def test_an_update_comes_by_the_slot_in_internal_flash_sector_by_sector(unit: MakeUnit, platform: int) -> None:
    memory = unit("2.3.1", platform)
    new = synthetic.application(platform, "2.3.1", seed="new", size=100_001).data
    assert receive(memory, new) == ResultCode.NONE
    report = boot(memory)
    assert report.mode is BootMode.NORMAL
    assert memory.internal.read(user_start(platform), len(new)) == new


@every
def test_an_updated_bootloader_is_the_one_that_starts(files: Files, unit: MakeUnit, platform: int) -> None:
    memory = unit("1.5.2", platform)
    assert receive(memory, files(platform, "2.3.1")[0]) == ResultCode.NONE
    assert boot(memory).bootloader_version == 1006


def test_an_update_larger_than_half_the_slot_runs_over_the_factory_image_of_a_photon(files: Files) -> None:
    memory = UnitMemory(PHOTON)
    memory.install(files(PHOTON, "2.3.1"))
    register_factory_image(memory)
    assert receive(memory, files(PHOTON, "2.3.1")[1]) == ResultCode.NONE
    assert update_slots.factory_image(memory) is None


@every
def test_the_slot_has_an_end(unit: MakeUnit, platform: int) -> None:
    memory = unit("2.3.1", platform)
    room = (128 if platform == ELECTRON else 256) * 1024
    update = OtaUpdate(memory, 2302)
    assert update.begin(room + 1).code == ResultCode.OTA_INVALID_SIZE
    assert update.begin(room).code == ResultCode.NONE


def receive(memory: UnitMemory, module: bytes) -> int:
    update = OtaUpdate(memory, 2302)
    assert update.begin(len(module)).code == ResultCode.NONE
    for at in range(0, len(module), 1024):
        assert update.data(module[at : at + 1024]).code == ResultCode.NONE
    code = update.finish().code
    if code == ResultCode.NONE:
        assert update.apply().code == ResultCode.NONE
    return code


def test_sectors_take_their_time() -> None:
    flash = UnitMemory(PHOTON).internal
    times = [flash.erase_page(at, Who.BOOT) for at in (0x08000000, 0x08010000, 0x08020000)]
    assert times == pytest.approx([0.25, 0.55, 1.0], abs=0.03)
    assert flash.program(0x08020000, bytes(4096), Who.BOOT) == pytest.approx(1024 * 16e-6)
    assert flash.name is Chip.INTERNAL
