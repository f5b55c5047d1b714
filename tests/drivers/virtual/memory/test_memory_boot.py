from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest
from support.raw_dfu import CutShort, MakeCut, MakeHost

from drivers.errors import DriverError
from drivers.platforms import OsVersion, platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode, BootReport, BootRequest, Dependency, boot
from drivers.virtual.flash import Who
from drivers.virtual.header import read_header
from drivers.virtual.memory import UnitMemory

ARGON, BORON, PAGE = 12, 13, 4096
ALIAS_PAGE = 0x30000
V1_4_0_RC = OsVersion.parse("1.4.0-rc.1")
MakeUnit = Callable[..., UnitMemory]
Files = Callable[[int, str], tuple[bytes, ...]]


def versions(report: BootReport) -> dict[tuple[int, int], int]:
    return {(m.function, m.index): m.version for m in report.modules}


def flip(memory: UnitMemory, address: int) -> None:
    memory.internal.place(address, bytes([memory.internal.read(address, 1)[0] ^ 0x10]))


# --- what is there ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "version"), [(row.id, version) for row in platforms() for version in synthetic.versions(row.id)]
)
def test_a_whole_release_boots_normal_and_says_its_version(unit: MakeUnit, platform: int, version: str) -> None:
    report = boot(unit(version, platform))
    assert (report.mode, report.system_version, report.missing) == (BootMode.NORMAL, version, ())
    assert all(m.passed == m.checked == 0x1E for m in report.modules)


def test_the_vendors_own_files_boot_with_a_synthetic_softdevice(vendor: Callable[[str], bytes]) -> None:
    memory = UnitMemory(ARGON)
    system = vendor("argon-system-part1@4.1.0.bin")
    tinker = vendor("tinker-0.8.0-rc.27-argon.bin")
    memory.install([vendor("argon-bootloader-620.bin"), system, tinker, synthetic.softdevice(ARGON, 202).data])
    report = boot(memory)
    assert (report.mode, report.system_version) == (BootMode.NORMAL, "4.1.0")
    assert versions(report) == {(2, 0): 3001, (4, 1): 4100, (5, 1): 5, (8, 0): 202, (7, 0): 5}
    rows = {m.function: m for m in report.modules}
    assert rows[4].hash == system[-38:-6]
    assert (rows[4].size, rows[4].max_size) == (469_386, 540_672)
    assert rows[4].dependencies == (Dependency(8, 0, 202), Dependency(2, 0, 1200))
    assert (rows[2].size, rows[2].max_size) == (48_358, 49_152)
    assert (rows[5].hash, rows[5].max_size) == (tinker[-38:-6], 131_072)
    assert rows[8].hash == synthetic.softdevice(ARGON, 202).data[0x2030:0x2044] + bytes(12)


def test_the_vendors_softdevice_182_is_too_old_for_4_1_0_and_is_named(vendor: Callable[[str], bytes]) -> None:
    memory = UnitMemory(ARGON)
    names = ["argon-bootloader-620.bin", "argon-system-part1@4.1.0.bin", "tinker-0.8.0-rc.27-argon.bin"]
    softdevice = vendor("argon-softdevice-6.1.1.bin")
    memory.install([*map(vendor, names), softdevice])
    report = boot(memory)
    assert report.mode is BootMode.SAFE
    (missing,) = report.missing
    assert (missing.by, missing.wanted, missing.held) == ((4, 1), Dependency(8, 0, 202), 182)
    assert report.reason == "the system part needs SoftDevice 202 or newer, the unit holds 182"
    rows = {m.function: m for m in report.modules}
    assert (rows[4].checked, rows[4].passed) == (0x1E, 0x1A)
    assert rows[8].version == 182
    assert rows[8].hash[:20] == softdevice[0x2030:0x2044]


def test_a_unit_fresh_from_the_fab_shows_nothing(unit: MakeUnit) -> None:
    assert boot(UnitMemory(BORON)).mode is BootMode.DEAD


def test_a_bootloader_alone_waits_in_dfu(files: Files) -> None:
    memory = UnitMemory(BORON)
    memory.install(files(BORON, "6.3.4")[:1])
    report = boot(memory)
    assert (report.mode, report.bootloader_version, report.modules) == (BootMode.DFU, 3200, ())


def test_without_an_application_it_is_safe_mode(files: Files) -> None:
    memory = UnitMemory(BORON)
    memory.install(files(BORON, "6.3.4")[:3])
    report = boot(memory)
    assert (report.mode, report.system_version) == (BootMode.SAFE, "6.3.4")
    assert not [m for m in report.modules if m.function == 5]


def test_a_unit_without_softdevice_stays_in_the_bootloader(unit: MakeUnit) -> None:
    memory = unit("6.3.4")
    memory.internal.erase_page(0x3000, Who.FACTORY)
    assert boot(memory).mode is BootMode.DFU


def test_a_softdevice_torn_behind_its_version_cannot_be_told_from_a_whole_one(unit: MakeUnit) -> None:
    memory = unit("6.3.4")
    memory.internal.erase_page(0x20000, Who.FACTORY)
    report = boot(memory)
    assert report.mode is BootMode.NORMAL
    assert versions(report)[8, 0] == 202


def test_modules_of_another_platform_do_not_boot(files: Files) -> None:
    memory = UnitMemory(ARGON)
    memory.install([*files(ARGON, "6.3.4")[:2], files(BORON, "6.3.4")[2]])
    assert boot(memory).mode is BootMode.DFU
    memory = UnitMemory(ARGON)
    memory.install([*files(ARGON, "6.3.4")[:3], files(BORON, "6.3.4")[3]])
    assert boot(memory).mode is BootMode.SAFE


def test_what_has_no_place_cannot_be_installed(vendor: Callable[[str], bytes]) -> None:
    with pytest.raises(DriverError, match="is not a module this virtual unit has a place for"):
        UnitMemory(ARGON).install([vendor("unknown.bin")])


# --- dependencies ----------------------------------------------------------------------------


def test_an_application_for_a_newer_device_os_means_safe_mode_and_is_still_reported(files: Files) -> None:
    memory = UnitMemory(BORON)
    memory.install([*files(BORON, "6.1.1")[:3], files(BORON, "6.3.4")[3]])
    report = boot(memory)
    assert report.mode is BootMode.SAFE
    assert [(m.by, m.wanted, m.held) for m in report.missing] == [((5, 2), Dependency(4, 1, 6305), 6101)]
    assert versions(report)[5, 2] == 6
    assert next(m for m in report.modules if m.function == 5).passed == 0x1A


@pytest.mark.parametrize("version", [one for one in synthetic.versions(BORON) if OsVersion.parse(one) > V1_4_0_RC])
def test_every_release_from_1_4_on_is_in_safe_mode_on_softdevice_182(files: Files, version: str) -> None:
    """It belongs to Device OS 1.3 and older."""
    memory = UnitMemory(BORON)
    memory.install([*files(BORON, version), synthetic.softdevice(BORON, 182).data])
    report = boot(memory)
    assert report.mode is BootMode.SAFE
    assert report.reason == "the system part needs SoftDevice 202 or newer, the unit holds 182"


def test_a_bootloader_that_is_too_old_means_safe_mode(files: Files) -> None:
    memory = UnitMemory(BORON)
    memory.install([files(BORON, "4.1.0")[0], *files(BORON, "5.8.0")[1:]])
    report = boot(memory)
    assert report.mode is BootMode.SAFE
    assert report.reason == "the system part needs bootloader 2600 or newer, the unit holds 1200"


def test_erased_flash_counts_as_version_65535_and_fulfils_every_dependency(unit: MakeUnit) -> None:
    memory = unit("6.3.4")
    assert read_header(memory.internal, 0xD4000, memory.layout.prefix_offsets).version == 65535


def test_an_argon_reports_its_co_processor_and_a_boron_has_none(unit: MakeUnit) -> None:
    assert versions(boot(unit("6.3.4", ARGON)))[7, 0] == 5
    assert (7, 0) not in versions(boot(unit("6.3.4", BORON)))


def test_an_application_whose_assets_are_missing_means_safe_mode(vendor: Callable[[str], bytes], files: Files) -> None:
    memory = UnitMemory(ARGON)
    memory.install([*files(ARGON, "6.3.4")[:3], vendor("app-with-assets.bin")])
    report = boot(memory)
    assert (report.mode, report.reason) == (BootMode.SAFE, "the application lacks cat.txt, house.txt, water.txt")


# --- two slots for applications, two places for system parts ---------------------------------


def legacy_application(seed: bytes = b"legacy") -> bytes:
    return synthetic.make_module(ARGON, (5, 1), 5, 0xD4000, seed * 50, (Dependency(4, 1, 3302), None))


def test_a_whole_application_in_the_128_kib_slot_wins(unit: MakeUnit) -> None:
    memory = unit("6.3.4")
    memory.install([legacy_application()])
    assert (5, 1) in versions(boot(memory))
    assert (5, 2) not in versions(boot(memory))


def test_a_torn_application_in_the_128_kib_slot_does_not_win(unit: MakeUnit) -> None:
    memory = unit("6.3.4")
    memory.install([legacy_application()])
    flip(memory, 0xD4080)
    report = boot(memory)
    assert report.mode is BootMode.NORMAL
    assert (5, 2) in versions(report)


def test_an_old_bootloader_boots_a_new_image_by_its_second_header(files: Files) -> None:
    memory = UnitMemory(BORON)
    memory.install([files(BORON, "6.1.1")[0], *files(BORON, "6.3.4")[1:]])
    report = boot(memory)
    assert (report.mode, report.system_version) == (BootMode.SAFE, "6.3.4")  # it wants bootloader 3100
    assert [m.wanted for m in report.missing] == [Dependency(2, 0, 3100)]


@pytest.mark.parametrize(("bootloader", "mode"), [("6.1.1", BootMode.DFU), ("6.3.4", BootMode.NORMAL)])
def test_without_a_second_header_only_a_new_bootloader_finds_an_image_at_0x28000(
    files: Files, bootloader: str, mode: BootMode
) -> None:
    memory = UnitMemory(BORON)
    system = synthetic.make_module(BORON, (4, 1), 6305, 0x28000, bytes(50_000))
    memory.install([files(BORON, bootloader)[0], files(BORON, "6.3.4")[1], system, files(BORON, "6.3.4")[3]])
    assert boot(memory).mode is mode


def test_a_new_bootloader_boots_an_old_image_over_a_stale_new_one(files: Files) -> None:
    memory = UnitMemory(BORON)
    memory.install(files(BORON, "6.3.4"))
    memory.install([files(BORON, "4.1.0")[2], files(BORON, "4.1.0")[3]])
    report = boot(memory)
    assert (report.mode, report.system_version) == (BootMode.NORMAL, "4.1.0")


# --- a byte, a copy, a cut -------------------------------------------------------------------


def test_one_flipped_byte_of_the_system_part_means_dfu_in_the_old_layout(unit: MakeUnit, seeds: Iterable[int]) -> None:
    for seed in seeds:
        memory = unit("4.1.0")
        length = read_header(memory.internal, 0x30000, memory.layout.prefix_offsets).length
        flip(memory, 0x30000 + random.Random(seed).randrange(length))
        assert boot(memory).mode is BootMode.DFU


def test_one_flipped_byte_of_a_new_system_part_never_boots(unit: MakeUnit, seeds: Iterable[int]) -> None:
    """In DFU where the second header is hit, else that header starts a damaged image."""
    for seed in seeds:
        memory = unit("6.3.4")
        address = 0x28000 + random.Random(seed).randrange(
            read_header(memory.internal, 0x28000, memory.layout.prefix_offsets).length
        )
        flip(memory, address)
        in_second_header = 0x30000 <= address < 0x30400
        assert boot(memory).mode is (BootMode.DFU if in_second_header else BootMode.DEAD)


def test_one_flipped_byte_of_the_application_means_safe_mode(unit: MakeUnit, seeds: Iterable[int]) -> None:
    for seed in seeds:
        memory = unit("6.3.4", BORON)
        length = read_header(memory.internal, 0xB4000, memory.layout.prefix_offsets).length
        flip(memory, 0xB4000 + random.Random(seed).randrange(length))
        report = boot(memory)
        assert report.mode is BootMode.SAFE
        assert (5, 2) not in versions(report)


def test_one_flipped_byte_of_the_bootloader_means_nothing_on_usb(unit: MakeUnit) -> None:
    memory = unit("6.3.4")
    flip(memory, 0xF5000)
    assert boot(memory, BootRequest.DFU).mode is BootMode.DEAD


def test_raw_files_copied_into_a_fresh_unit_boot_to_the_same(unit: MakeUnit, tmp_path: Path) -> None:
    original = unit("6.3.4", ARGON, tmp_path / "one")
    original.dct.set("setup_done", b"\x01", Who.CONTROL)
    report = boot(original)
    original.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    copy = UnitMemory(ARGON, tmp_path / "two")
    assert boot(copy) == report
    assert copy.dct.is_setup_done
    copy.close()


def test_a_dump_is_what_the_files_hold(unit: MakeUnit, tmp_path: Path) -> None:
    memory = unit("6.3.4", ARGON, tmp_path)
    assert {chip: (tmp_path / f"{chip}.bin").read_bytes() for chip in memory.dump()} == memory.dump()
    memory.close()


def test_files_that_hold_keys_are_private(unit: MakeUnit, tmp_path: Path) -> None:
    unit("6.3.4", ARGON, tmp_path).close()
    assert {p.stat().st_mode & 0o077 for p in tmp_path.iterdir()} == {0}


def torn_modes(memory: UnitMemory, before: bytes, after: bytes, start: int) -> BootMode | None:
    """How it boots; None if the flash is as before, or complete."""
    length = max(len(before), len(after))
    now = memory.internal.read(start, length)
    return None if now.startswith((after, before)) else boot(memory).mode


def cuts(total: int, count: int, seed: int) -> list[int]:
    return sorted(random.Random(seed).sample(range(total), count))


@pytest.mark.parametrize("page_last", [None, ALIAS_PAGE])
def test_a_download_cut_anywhere_never_boots_normal(
    unit: MakeUnit,
    files: Files,
    dfu: MakeHost,
    cut_at: MakeCut,
    cut_short: CutShort,
    page_last: int | None,
) -> None:
    """6.2.0 to 6.3.4: with the page at 0x30000 first out and last in every cut waits in DFU, else some are dead."""
    before, after = files(BORON, "6.2.0")[2], files(BORON, "6.3.4")[2]
    counter = cut_at()
    whole = unit("6.2.0", BORON)
    whole.set_fault(counter)
    dfu(whole, 3100).flash(0x28000, after, page_last)
    assert whole.internal.read(0x28000, len(after)) == after
    seen = set()
    for n in cuts(counter.steps, 25, seed=11):
        memory = unit("6.2.0", BORON)
        cut_short(memory, n, partial(dfu(memory, 3100).flash, 0x28000, after, page_last))
        mode = torn_modes(memory, before, after, 0x28000)
        if page_last and n > counter.steps - 13:
            continue  # within that last page, after its first kilobyte
        seen.add(mode)
    assert BootMode.NORMAL not in seen
    assert BootMode.SAFE not in seen
    assert BootMode.DFU in seen
    assert (BootMode.DEAD in seen) is (page_last is None)


def test_the_one_window_left_is_the_end_of_that_last_page(
    unit: MakeUnit, files: Files, dfu: MakeHost, cut_at: MakeCut, cut_short: CutShort
) -> None:
    after, counter = files(BORON, "6.3.4")[2], cut_at()
    whole = unit("6.2.0", BORON)
    whole.set_fault(counter)
    dfu(whole).flash(0x28000, after, ALIAS_PAGE)
    for steps_left, mode in ((13, BootMode.DFU), (12, BootMode.DEAD), (1, BootMode.DEAD)):
        memory = unit("6.2.0", BORON)
        cut_short(memory, counter.steps - steps_left, partial(dfu(memory).flash, 0x28000, after, ALIAS_PAGE))
        assert boot(memory).mode is mode
        assert boot(memory, BootRequest.DFU).mode is BootMode.DFU  # MODE held at reset


def test_a_download_of_the_vendors_system_part_cut_anywhere_waits_in_dfu(
    vendor: Callable[[str], bytes],
    unit: MakeUnit,
    files: Files,
    dfu: MakeHost,
    cut_at: MakeCut,
    cut_short: CutShort,
) -> None:
    before, after = files(ARGON, "3.3.1")[2], vendor("argon-system-part1@4.1.0.bin")
    counter = cut_at()
    whole = unit("3.3.1")
    whole.set_fault(counter)
    dfu(whole, 1100).flash(0x30000, after)
    for n in cuts(counter.steps, 10, seed=5):
        memory = unit("3.3.1")
        cut_short(memory, n, partial(dfu(memory, 1100).flash, 0x30000, after))
        assert torn_modes(memory, before, after, 0x30000) in (BootMode.DFU, None)


def test_a_download_of_an_application_cut_anywhere_means_safe_mode(
    unit: MakeUnit, dfu: MakeHost, cut_at: MakeCut, cut_short: CutShort
) -> None:
    after, counter = synthetic.application(BORON, "6.3.4", seed="product", size=30_000).data, cut_at()
    whole = unit("6.3.4", BORON)
    whole.set_fault(counter)
    dfu(whole).flash(0xB4000, after)
    assert boot(whole).mode is BootMode.NORMAL
    for n in range(1, counter.steps, 7):
        memory = unit("6.3.4", BORON)
        cut_short(memory, n, partial(dfu(memory).flash, 0xB4000, after))
        assert boot(memory).mode is BootMode.SAFE


# --- what was asked for ----------------------------------------------------------------------


@pytest.mark.parametrize("request_", [BootRequest.SAFE, BootRequest.DFU])
def test_what_was_asked_for_before_the_reset_is_done_once(unit: MakeUnit, request_: BootRequest) -> None:
    memory = unit("6.3.4")
    assert boot(memory, request_).mode.value == request_.value
    assert boot(memory).mode is BootMode.NORMAL


def test_booting_writes_nothing(unit: MakeUnit) -> None:
    memory = unit("6.3.4")
    before = memory.dump()
    boot(memory)
    assert memory.dump() == before
    assert memory.score.operations == {}
