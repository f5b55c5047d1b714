"""What an RTL872x unit (Gen 4) holds, and what it does with it at reset: reference firmware-and-dfu 2.4, 4.4, 7.1."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable

import pytest
from support.raw_dfu import CutShort, MakeHost
from support.vendor_files import vendor_file

from drivers.platforms import platform, platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode, BootRequest, boot
from drivers.virtual.boot_report import BootReport
from drivers.virtual.families import family_of
from drivers.virtual.header import read_header
from drivers.virtual.memory import UnitMemory
from drivers.virtual.ota import OtaUpdate
from drivers.wire.image.host import parse_image
from drivers.wire.results import ResultCode

P2, MSOM = 32, 35
MBR, BOOTLOADER, PART1, SYSTEM, END = 0x08000000, 0x08004000, 0x08014000, 0x08060000, 0x08600000
EVERY = [(row, version) for row in platforms() if row.family == "rtl" for version in synthetic.versions(row.id)]
Unit = Callable[..., UnitMemory]


@pytest.mark.parametrize(("row", "version"), EVERY, ids=[f"{row.slug}@{version}" for row, version in EVERY])
def test_a_synthetic_release_is_whole_and_starts(unit: Unit, row: object, version: str) -> None:
    report = boot(unit(version, platform=row.id))  # type: ignore[attr-defined]
    assert (report.mode, report.system_version) == (BootMode.NORMAL, version)
    assert [(m.function, m.index) for m in report.modules] == [(2, 0), (2, 1), (2, 2), (4, 1), (5, 1)]
    assert all(m.checked == m.passed for m in report.modules)
    assert {m.max_size for m in report.modules if m.function in (4, 5)} == {1572864}


def test_releases_are_those_that_were_made_for_a_platform() -> None:
    assert synthetic.versions(P2)[:2] == ("3.2.1-p2.3", "5.0.1")
    assert "6.1.1" not in synthetic.versions(P2)  # made for the nRF52840 alone
    assert synthetic.versions(MSOM)[0] == "5.5.0"
    assert synthetic.versions(platform(38).id) == ("6.3.4", "6.4.1")
    with pytest.raises(KeyError):
        synthetic.release(MSOM, "5.3.2")
    with pytest.raises(KeyError):
        synthetic.application(MSOM, "5.3.2")


@pytest.mark.parametrize("size", [12_000, 12_288, 200_000])
def test_an_application_ends_where_all_of_them_end(size: int) -> None:
    file = synthetic.application(P2, "6.3.4", size=size, product_id=1234, product_version=7)
    image = parse_image(file.data, file.name)
    image.check()
    assert image.start + len(file.data) == END
    assert (image.suffix_size, image.product_id, image.product_version) == (62, 1234, 7)


@pytest.mark.parametrize(("name", "size"), [("p2-tinker@5.3.1.bin", 49152), ("p2-bootloader@5.6.0.bin", 53524)])
def test_synthetic_modules_have_the_form_of_the_vendors(name: str, size: int) -> None:
    theirs = vendor_file(name)
    image = parse_image(theirs, name)
    ours = synthetic.application(P2, "5.3.2", size=size) if image.function == 5 else synthetic.bootloader(P2, "5.8.0")
    mine = parse_image(ours.data, ours.name)
    assert (mine.prefix_offset, mine.suffix_size, mine.start) == (
        image.prefix_offset, image.suffix_size, image.start,
    )  # fmt: skip
    assert ours.data[: mine.prefix_offset][:8] == theirs[: image.prefix_offset][:8]
    assert [one.type for one in mine.extensions] == [one.type for one in image.extensions]


def test_the_vendors_own_files_start() -> None:
    memory = UnitMemory(P2)
    memory.install(file.data for file in synthetic.release(P2, "5.8.0"))
    memory.install([vendor_file("p2-bootloader@5.6.0.bin"), vendor_file("p2-tinker@5.3.1.bin")])
    report = boot(memory)
    assert report.mode is BootMode.SAFE, "the bootloader of 5.6.0 is older than what 5.8.0 asks for"
    assert report.reason == "the system part needs bootloader 2600 or newer, the unit holds 2400"
    assert report.modules[-1].version == 6


# --- stages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [MBR, BOOTLOADER, PART1], ids=["first stage", "bootloader", "its second part"])
@pytest.mark.parametrize("request_", list(BootRequest))
def test_a_unit_without_one_of_its_first_stages_is_dead(unit: Unit, at: int, request_: BootRequest) -> None:
    memory = unit("6.3.4", platform=P2)
    memory.internal.place(at + 0x100, b"\0" * 16)
    assert boot(memory, request_).mode is BootMode.DEAD


def test_a_blank_unit_still_has_what_came_with_its_chip() -> None:
    memory = UnitMemory(P2)
    assert read_header(memory.internal, MBR, memory.layout.prefix_offsets).kind == (2, 1)
    assert memory.internal.is_blank(BOOTLOADER, 0x1000)
    assert boot(memory).mode is BootMode.DEAD


@pytest.mark.parametrize("spoil", [b"\0" * 16, None], ids=["torn", "erased"])
def test_without_a_whole_system_part_it_waits_in_dfu(unit: Unit, spoil: bytes | None) -> None:
    memory = unit("6.3.4", platform=P2)
    memory.internal.place(SYSTEM, spoil if spoil is not None else b"\xff" * 0x1000)
    assert boot(memory).mode is BootMode.DFU


@pytest.mark.parametrize(
    ("spoil", "mode"),
    [
        (lambda memory: None, BootMode.NORMAL),
        (lambda memory: memory.internal.place(END - 4096, b"\0" * 8), BootMode.SAFE),  # its code
        (lambda memory: memory.internal.place(END - 62, b"\0" * 4), BootMode.SAFE),  # where it says it begins
        (lambda memory: memory.internal.place(END - 0x4000, b"\xff" * 0x4000), BootMode.SAFE),
    ],
)
def test_the_application_is_found_from_its_end(unit: Unit, spoil: Callable[..., None], mode: BootMode) -> None:
    memory = unit("6.3.4", platform=P2)
    spoil(memory)
    report = boot(memory)
    assert report.mode is mode
    assert any(module.function == 5 for module in report.modules) is (mode is BootMode.NORMAL)


def test_an_application_that_ends_elsewhere_is_none_whatever_points_to_it(unit: Unit) -> None:
    memory, elsewhere = unit("6.3.4", platform=P2), END - 0x20000
    other = synthetic.make_module(P2, (5, 1), 6, elsewhere, b"an application".ljust(4000))
    memory.internal.place(elsewhere, other)
    memory.internal.place(END - 66, struct.pack("<HHI", 2, 16, elsewhere))
    assert boot(memory).reason == "there is no intact application"


def test_the_head_of_a_larger_application_below_it_harms_nobody(unit: Unit) -> None:
    memory = unit("6.3.4", platform=P2)
    large = synthetic.application(P2, "6.3.4", seed="large", size=200_000).data
    small = synthetic.application(P2, "6.3.4", seed="small", size=8_000).data
    memory.install([large, small])
    report = boot(memory)
    assert report.mode is BootMode.NORMAL
    assert report.modules[-1].size == len(small)


def test_safe_mode_and_dfu_are_entered_when_asked_for(unit: Unit) -> None:
    memory = unit("6.3.4", platform=P2)
    assert boot(memory, BootRequest.SAFE).mode is BootMode.SAFE
    assert boot(memory, BootRequest.DFU).mode is BootMode.DFU


# --- dependencies ------------------------------------------------------------------------------------


def _report(unit: Unit, held: str, *files: bytes) -> BootReport:
    memory = unit(held, platform=P2)
    memory.install(files)
    return boot(memory)


def test_a_bootloader_asks_for_the_stage_before_it(unit: Unit) -> None:
    part1, bootloader, system = (file.data for file in synthetic.release(P2, "6.3.4"))
    report = _report(unit, "5.8.0", bootloader, system)
    assert report.mode is BootMode.SAFE
    assert report.reason == "the bootloader needs prebootloader 2 11 or newer, the unit holds 7"
    assert _report(unit, "5.8.0", part1, bootloader, system).mode is BootMode.NORMAL


def test_a_system_part_asks_for_its_bootloader(unit: Unit) -> None:
    *_, system = (file.data for file in synthetic.release(P2, "6.2.0"))
    report = _report(unit, "5.8.0", system)
    assert (report.mode, report.system_version) == (BootMode.SAFE, "6.2.0")
    assert "bootloader 3100 or newer, the unit holds 2600" in report.reason


# --- updates -----------------------------------------------------------------------------------------


def _send(memory: UnitMemory, data: bytes) -> int:
    system = family_of(memory.platform_id).find_system(memory)
    assert system is not None
    update = OtaUpdate(memory, system.header.version)
    assert update.begin(len(data)).code == 0
    for at in range(0, len(data), 1024):
        assert update.data(data[at : at + 1024]).code == 0
    code = update.finish().code
    if code == 0:
        assert update.apply().code == 0
    return code


@pytest.mark.parametrize("held", ["5.0.1", "5.3.2", "5.5.0", "6.2.0"])
def test_every_module_of_a_release_gets_in_by_request_in_the_order_of_their_needs(unit: Unit, held: str) -> None:
    memory = unit(held, platform=P2)
    part1, bootloader, system = (file.data for file in synthetic.release(P2, "6.3.4"))
    assert _send(memory, bootloader) == ResultCode.OTA_DEPENDENCY_CHECK_FAILED
    for file in (part1, bootloader, system):
        assert _send(memory, file) == 0
        report = boot(memory)
    assert (report.mode, report.system_version, report.bootloader_version) == (BootMode.NORMAL, "6.3.4", 3200)
    assert memory.score.forbidden == []


def test_an_application_by_request_ends_up_at_its_end(unit: Unit) -> None:
    memory = unit("6.3.4", platform=P2)
    application = synthetic.application(P2, "6.3.4", seed="sent", size=50_000).data
    assert _send(memory, application) == 0
    assert boot(memory).mode is BootMode.NORMAL
    assert memory.internal.read(END - len(application), len(application)) == application


@pytest.mark.parametrize("cut", [0, 8], ids=["as it was", "inflated to something that ends too early"])
def test_a_compressed_application_has_to_end_where_the_plain_one_does(unit: Unit, cut: int) -> None:
    memory = unit("6.3.4", platform=P2)
    file = parse_image(synthetic.application(P2, "6.3.4", seed="squeezed", size=50_000).data, "plain")
    plain = synthetic.make_module(P2, (5, 1), 6, file.start + cut, file.data[24:-66]) if cut else file.data
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(plain) + packer.flush()
    body = plain[:24] + struct.pack("<HBBI", 8, 0, 0, len(plain)) + packed + plain[-66:-38]
    body = body[:4] + struct.pack("<IBB", file.start + cut + len(body) + 34, 0, 0x02) + body[10:]
    body += hashlib.sha256(body).digest() + (62).to_bytes(2, "little")
    code = _send(memory, body + zlib.crc32(body).to_bytes(4, "big"))
    if cut:
        assert code == ResultCode.OTA_VALIDATION_FAILED
    else:
        assert (code, boot(memory).mode) == (0, BootMode.NORMAL)
        assert memory.internal.read(file.start, len(plain)) == plain


@pytest.mark.parametrize(
    ("held", "slot"),
    [("5.3.2", 0x08060000 + 160 * 1024 + 0x1000), ("5.5.0", 0x08300000), ("6.3.4", 0x08300000)],
)
def test_an_update_waits_where_that_device_os_keeps_it(unit: Unit, held: str, slot: int) -> None:
    """Before 5.5.0 in the first whole page behind the system part; one that ends with a page leaves a page free."""
    memory = unit(held, platform=P2)
    data = synthetic.application(P2, held, seed="sent").data
    assert _send(memory, data) == 0
    assert memory.internal.read(slot, len(data)) == data


def test_the_first_stage_resumes_the_copy_of_a_bootloader(unit: Unit, cut_short: CutShort) -> None:
    for n in (0, 3, 50, 400):
        memory = unit("6.2.0", platform=P2)
        assert _send(memory, synthetic.release(P2, "6.3.4")[0].data) == 0
        cut_short(memory, n, lambda memory=memory: boot(memory))  # type: ignore[misc]
        report = boot(memory)
        assert report.mode is BootMode.NORMAL, n
        assert next(m.version for m in report.modules if m.index == 2) == 11


def test_a_module_in_the_slot_is_applied_when_the_flag_is_set(unit: Unit, dfu: MakeHost) -> None:
    """The way of the vendor's tools to bring a bootloader in over DFU (4.6)."""
    memory = unit("6.2.0", platform=P2)
    host = dfu(memory, bootloader=3100)
    host.flash(0x08300000, synthetic.release(P2, "6.3.4")[0].data)
    host.function.set_interface(1)
    assert host.write(1753, b"\xa5") == (0, 5)
    report = boot(memory)
    assert next(m.version for m in report.modules if m.index == 2) == 11
    assert not memory.dct.ota_flag_is_on


# --- DFU ---------------------------------------------------------------------------------------------


def test_there_are_two_memories_and_no_third(unit: Unit, dfu: MakeHost) -> None:
    host = dfu(unit("6.3.4", platform=P2))
    assert [host.function.set_interface(alt) for alt in (0, 1, 2)] == [True, True, False]


def test_an_erase_of_a_blank_sector_takes_no_time(unit: Unit, dfu: MakeHost) -> None:
    memory = unit("6.3.4", platform=P2)
    host = dfu(memory)
    assert host.erase(0x08480000) == (0, 5)
    assert host.seconds == 0.0
    assert host.erase(SYSTEM) == (0, 5)
    assert host.seconds > 0.03
    assert memory.internal.is_blank(SYSTEM, 4096)


def test_an_erase_with_a_broken_address_is_an_error_like_anywhere(unit: Unit, dfu: MakeHost) -> None:
    host = dfu(unit("6.3.4", platform=P2))
    assert host.run(0, b"\x41")[1] == 10
    host.out(4)
    assert host.erase(0x09000000)[1] == 10


def test_blank_flash_is_programmed_in_a_quarter_to_half_of_the_time(unit: Unit, dfu: MakeHost) -> None:
    """Reference firmware-and-dfu 8.3: 11 s for a system part on blank flash, 24 to 40 s with its erases."""
    host, blocks = dfu(unit("6.3.4", platform=P2)), 8
    host.flash(0x08480000, bytes(4096 * blocks))
    blank = host.seconds
    host.flash(0x08480000, bytes(4096 * blocks))
    again = host.seconds - blank
    assert 303 / blocks * blank == pytest.approx(11, abs=1)
    assert 24 <= 303 / blocks * again <= 40


def test_the_unit_defends_nothing_and_its_score_tells(unit: Unit, dfu: MakeHost) -> None:
    memory = unit("6.3.4", platform=P2)
    assert dfu(memory).erase(MBR) == (0, 5)
    assert [touch.region for touch in memory.score.forbidden] == ["prebootloader-mbr"]
    assert boot(memory).mode is BootMode.DEAD
