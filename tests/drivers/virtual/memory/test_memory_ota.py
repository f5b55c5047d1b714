from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from support.raw_dfu import CutShort, MakeCut

from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode, Dependency, boot
from drivers.virtual.flash import FlashFailed, FlashStep, Operation, Who
from drivers.virtual.layout import Chip, layout_of
from drivers.virtual.memory import UnitMemory
from drivers.virtual.ota import OtaUpdate
from drivers.virtual.update_slots import pending

ARGON, BORON = 12, 13
MakeUnit = Callable[..., UnitMemory]
Files = Callable[[int, str], tuple[bytes, ...]]


def update_of(memory: UnitMemory) -> OtaUpdate:
    version = boot(memory).system_module_version
    assert version is not None
    return OtaUpdate(memory, version)


def send(memory: UnitMemory, file: bytes, *, validate_only: bool = False, chunk: int = 1024) -> tuple[int, OtaUpdate]:
    """Deliver ``file`` as the host does; the result of FINISH."""
    update = update_of(memory)
    assert update.begin(len(file)).code == 0
    for done in range(0, len(file), chunk):
        assert update.data(file[done : done + chunk]).code == 0
    return update.finish(validate_only).code, update


def held(memory: UnitMemory, function: int) -> int:
    return next(m.version for m in boot(memory).modules if m.function == function)


def retouched(file: bytes, offset: int, value: bytes) -> bytes:
    """``file`` with some bytes changed and its CRC made right again."""
    body = file[:offset] + value + file[offset + len(value) : -4]
    return body + zlib.crc32(body).to_bytes(4, "big")


# --- delivered now, applied at the next boot -------------------------------------------------


@pytest.mark.parametrize(("version", "newer", "slot"), [("3.3.1", "4.1.0", 0x80289000), ("6.1.1", "6.3.4", 0x8024C000)])
def test_a_bootloader_waits_in_the_slot_until_the_next_boot(
    unit: MakeUnit, files: Files, version: str, newer: str, slot: int
) -> None:
    memory, file = unit(version, BORON), files(BORON, newer)[0]
    before = memory.internal.read(0, 0x100000)
    code, update = send(memory, file)
    assert (code, update.is_staged) == (0, True)
    assert memory.flash(Chip.EXTERNAL).read(slot, len(file)) == file
    assert not pending(memory)
    assert update.apply().code == 0
    assert memory.internal.read(0, 0x100000) == before
    assert len(pending(memory)) == 1
    report = boot(memory)
    assert (report.mode, report.restarts) == (BootMode.NORMAL, 1)
    assert report.seconds > 1
    assert memory.internal.read(0xF4000, len(file)) == file
    assert not pending(memory)


def test_the_vendors_bootloader_goes_into_a_3_3_1(vendor: Callable[[str], bytes], unit: MakeUnit) -> None:
    memory, file = unit("3.3.1"), vendor("argon-bootloader-620.bin")
    code, update = send(memory, file)
    update.apply()
    assert (code, held(memory, 2)) == (0, 3001)
    assert memory.internal.read(0xF4000, len(file)) == file


def test_system_part_and_application_go_the_same_way(unit: MakeUnit, files: Files) -> None:
    memory = unit("6.2.0", BORON)
    for file in files(BORON, "6.3.4")[2:]:
        code, update = send(memory, file)
        update.apply()
        assert code == 0
    report = boot(memory)
    assert (report.mode, report.system_version) == (BootMode.NORMAL, "6.3.4")


def test_a_softdevice_loses_its_header_on_the_way(unit: MakeUnit) -> None:
    memory, file = unit("3.3.1"), synthetic.softdevice(ARGON, 202).data
    code, update = send(memory, file)
    update.apply()
    assert (code, held(memory, 8)) == (0, 202)
    assert memory.internal.read(0x1000, len(file) - 24) == file[24:]


def test_a_compressed_application_is_inflated_by_the_boot(unit: MakeUnit, files: Files) -> None:
    memory, plain = unit("6.3.4"), synthetic.application(ARGON, "6.3.4", seed="squeezed").data
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(plain) + packer.flush()
    body = plain[:24] + (8).to_bytes(2, "little") + bytes(2) + len(plain).to_bytes(4, "little") + packed + plain[-44:]
    body = body[:4] + (0xB4000 + len(body) - 4).to_bytes(4, "little") + body[8:9] + b"\x02" + body[10:]
    code, update = send(memory, retouched(body, 0, b""))
    update.apply()
    assert (code, boot(memory).mode) == (0, BootMode.NORMAL)
    assert memory.internal.read(0xB4000, len(plain)) == plain


def test_two_modules_in_one_file_are_both_applied(unit: MakeUnit, files: Files) -> None:
    memory = unit("6.2.0", BORON)
    system, application = files(BORON, "6.3.4")[2:]
    code, update = send(memory, retouched(system, 0x200 + 9, b"\x04") + application)
    update.apply()
    assert code == 0
    assert [r.function for r in pending(memory).values()] == [4, 5]
    assert boot(memory).system_version == "6.3.4"


def test_ncp_firmware_goes_to_the_argons_co_processor(vendor: Callable[[str], bytes], unit: MakeUnit) -> None:
    memory = unit("4.1.0")
    memory.install([synthetic.ncp_firmware(ARGON, 4).data])
    assert held(memory, 7) == 4
    code, update = send(memory, vendor("argon-ncp-firmware-0.0.5-ota.bin"), chunk=4096)
    assert update.apply().seconds > 1
    assert (code, held(memory, 7)) == (0, 5)


def test_nothing_happens_to_an_update_that_is_not_applied(unit: MakeUnit, files: Files) -> None:
    memory = unit("6.1.1", BORON)
    send(memory, files(BORON, "6.3.4")[0])
    assert held(memory, 2) == 3001


def test_validate_only_validates_and_ends_the_update(unit: MakeUnit, files: Files) -> None:
    memory = unit("6.1.1", BORON)
    code, update = send(memory, files(BORON, "6.3.4")[0], validate_only=True)
    assert (code, update.is_staged) == (0, False)
    assert update.apply().code == -210
    assert update.finish().code == -210
    assert held(memory, 2) == 3001


def test_the_flag_of_the_slot_is_acted_on_once_by_the_next_boot(unit: MakeUnit, files: Files) -> None:
    memory, file = unit("6.1.1", BORON), files(BORON, "6.3.4")[0]
    memory.flash(Chip.EXTERNAL).place(0x8024C000, file)
    memory.dct.set("ota_update_flag", b"\xa5", Who.DFU)
    report = boot(memory)
    assert (report.bootloader_version, report.restarts) == (3200, 2)
    assert not memory.dct.ota_flag_is_on


def test_a_bad_module_behind_the_flag_does_not_loop(unit: MakeUnit) -> None:
    memory = unit("6.1.1", BORON)
    memory.dct.set("ota_update_flag", b"\xa5", Who.DFU)
    report = boot(memory)
    assert (report.mode, report.restarts, report.bootloader_version) == (BootMode.NORMAL, 0, 3001)
    assert not memory.dct.ota_flag_is_on


# --- power cuts ------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [0, 2, 3])
def test_a_copy_cut_anywhere_is_finished_by_the_next_boot(
    unit: MakeUnit, files: Files, cut_at: MakeCut, cut_short: CutShort, module: int
) -> None:
    file = files(BORON, "6.3.4")[module]

    def staged() -> UnitMemory:
        memory = unit("6.2.0", BORON)
        _, update = send(memory, file, chunk=8192)
        update.apply()
        return memory

    memory, counter = staged(), cut_at()
    memory.set_fault(counter)
    boot(memory)
    for n in range(0, counter.steps, counter.steps // 6):
        memory = staged()
        cut_short(memory, n, partial(boot, memory))
        assert boot(memory).mode in (BootMode.NORMAL, BootMode.SAFE)
        version = {0: 3200, 2: 6305, 3: 6}[module]
        assert held(memory, {0: 2, 2: 4, 3: 5}[module]) == version
        assert not pending(memory)


@pytest.mark.parametrize(("platform", "old", "new"), [(6, "1.5.2", "2.3.1"), (BORON, "6.2.0", "6.3.4")])
def test_a_record_that_cannot_be_erased_is_applied_again_and_a_unit_that_never_can_shows_nothing(
    unit: MakeUnit, files: Files, platform: int, old: str, new: str
) -> None:
    for failures, mode in ((0, BootMode.NORMAL), (1, BootMode.NORMAL), (1000, BootMode.DEAD)):
        memory = unit(old, platform)
        version = boot(memory).bootloader_version
        _, update = send(memory, files(platform, new)[0])
        update.apply()
        left = iter(range(failures))

        def fault(step: FlashStep, left: Iterator[int] = left) -> None:
            if step.chip is Chip.DCT and step.who is Who.BOOT and next(left, None) is not None:
                raise FlashFailed("worn out")

        memory.set_fault(fault)
        report = boot(memory)
        assert report.mode is mode
        assert report.bootloader_version != version


def test_a_slot_whose_flag_cannot_be_cleared_is_looked_at_by_the_next_boot(unit: MakeUnit, files: Files) -> None:
    memory = unit("6.1.1", BORON)
    memory.flash(Chip.EXTERNAL).place(0x8024C000, files(BORON, "6.3.4")[0])
    memory.dct.set("ota_update_flag", b"\xa5", Who.DFU)

    def fault(step: FlashStep) -> None:
        if step.chip is Chip.DCT:
            raise FlashFailed("worn out")

    memory.set_fault(fault)
    assert boot(memory).bootloader_version == 3001
    memory.set_fault(None)
    assert boot(memory).bootloader_version == 3200


def test_a_slot_that_was_damaged_after_finish_is_not_copied(unit: MakeUnit, files: Files) -> None:
    memory = unit("6.1.1", BORON)
    _, update = send(memory, files(BORON, "6.3.4")[0])
    update.apply()
    memory.flash(Chip.EXTERNAL).place(0x8024C400, b"damage")
    assert held(memory, 2) == 3001
    assert not pending(memory)


# --- result codes ----------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "code"), [(0, -1351), (1500 * 1024 + 1, -1351), (1, 0), (1500 * 1024, 0)])
def test_start_refuses_a_size_the_slot_cannot_take(unit: MakeUnit, size: int, code: int) -> None:
    assert update_of(unit("4.1.0")).begin(size).code == code


def test_start_erases_as_much_as_is_needed_and_takes_its_time(unit: MakeUnit) -> None:
    memory = unit("6.3.4")
    memory.flash(Chip.EXTERNAL).place(0x8024C000, bytes(3 * 4096))
    reply = update_of(memory).begin(4097)
    assert reply.seconds == pytest.approx(0.09)
    assert memory.flash(Chip.EXTERNAL).is_blank(0x8024C000, 8192)
    assert memory.flash(Chip.EXTERNAL).read(0x8024E000, 4096) == bytes(4096)


def test_data_and_finish_without_start_are_an_invalid_state(unit: MakeUnit) -> None:
    update = update_of(unit("6.3.4"))
    assert (update.data(b"x").code, update.finish().code) == (-210, -210)


@pytest.mark.parametrize("piece", [b"", b"abcde"])
def test_an_empty_piece_or_one_too_long_is_out_of_range_and_ends_the_update(unit: MakeUnit, piece: bytes) -> None:
    update = update_of(unit("6.3.4"))
    update.begin(4)
    assert update.data(piece).code == -290
    assert update.data(b"ab").code == -210


def test_finish_before_all_bytes_came_is_an_invalid_state(unit: MakeUnit) -> None:
    update = update_of(unit("6.3.4"))
    update.begin(4)
    update.data(b"abc")
    assert update.finish().code == -210


def test_start_and_cancel_end_an_update_in_progress(unit: MakeUnit) -> None:
    update = update_of(unit("6.3.4"))
    update.begin(4)
    update.data(b"abc")
    update.begin(2)
    assert update.data(b"abc").code == -290
    update.begin(2)
    assert update.cancel().code == 0
    assert update.data(b"ab").code == -210


@pytest.mark.parametrize("operation", Operation)
def test_failing_flash_is_reported_and_ends_the_update(unit: MakeUnit, operation: Operation) -> None:
    memory = unit("6.3.4")
    update = update_of(memory)

    def fault(step: FlashStep) -> None:
        if step.chip is Chip.EXTERNAL and step.operation is operation:
            raise FlashFailed("worn out")

    memory.set_fault(fault)
    codes = [update.begin(4).code, update.data(b"abcd").code]
    assert codes == ([-219, -210] if operation is Operation.ERASE else [0, -219])
    assert update.finish().code == -210


def garbage(files: Files) -> bytes:
    return b"\x00" * 3000


def cut_off(files: Files) -> bytes:
    return files(BORON, "6.3.4")[3][:-10]


def elsewhere(files: Files) -> bytes:
    return synthetic.make_module(BORON, (5, 2), 6, 0xC0000, bytes(100))


def beyond_its_region(files: Files) -> bytes:
    return synthetic.make_module(BORON, (2, 0), 3200, 0xF4000, bytes(48 * 1024))


def ncp_for_a_boron(files: Files) -> bytes:
    return synthetic.ncp_firmware(BORON).data


def unknown_index(files: Files) -> bytes:
    return synthetic.make_module(BORON, (4, 2), 6305, 0x30000, bytes(100))


def asset(files: Files) -> bytes:
    return synthetic.make_module(0, (9, 0), 0, 0, b"hello", flags=1)


def flipped(files: Files) -> bytes:
    file = bytearray(files(BORON, "6.3.4")[0])
    file[20_000] ^= 1
    return bytes(file)


def old_system_needed(files: Files) -> bytes:
    return synthetic.make_module(BORON, (8, 0), 203, 0x1000, bytes(64), (Dependency(4, 1, 9000), None), flags=1)


def other_platform(files: Files) -> bytes:
    return files(ARGON, "6.3.4")[0]


def other_platform_and_needs_more(files: Files) -> bytes:
    return synthetic.make_module(ARGON, (2, 0), 9, 0xF4000, bytes(64), (Dependency(4, 1, 9000), None))


def not_really_compressed(files: Files) -> bytes:
    return synthetic.make_module(BORON, (5, 2), 6, 0xB4000, b"\x08\0\0\0\x40\0\0\0" + b"\xff" * 64, flags=2)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (garbage, -1300),
        (cut_off, -1300),
        (elsewhere, -1300),
        (beyond_its_region, -1300),
        (ncp_for_a_boron, -1300),
        (unknown_index, -1300),
        (asset, -1320),  # a file without a name
        (not_really_compressed, -1320),
        (flipped, -1330),
        (old_system_needed, -1340),
        (other_platform, -1360),
        (other_platform_and_needs_more, -1340),  # dependencies are looked at first
    ],
)
def test_finish_says_what_is_wrong_and_stages_nothing(
    unit: MakeUnit, files: Files, make: Callable[[Files], bytes], code: int
) -> None:
    memory = unit("6.2.0", BORON)
    got, update = send(memory, make(files))
    assert (got, update.is_staged) == (code, False)
    assert not pending(memory)


def test_a_softdevice_that_is_too_old_for_the_system_part_is_named_by_the_code(unit: MakeUnit, files: Files) -> None:
    """Whether its dependency on the SoftDevice stands first (Argon) or second (Boron)."""
    for platform in (ARGON, BORON):
        memory = unit("3.3.1", platform)
        memory.install([synthetic.softdevice(platform, 182).data])
        assert send(memory, files(platform, "4.1.0")[2])[0] == -1340


def test_a_second_dependency_on_the_bootloader_is_left_to_the_boot(unit: MakeUnit, files: Files) -> None:
    memory = unit("6.1.1", ARGON)
    code, update = send(memory, files(ARGON, "6.3.4")[2])
    update.apply()
    report = boot(memory)
    assert (code, report.mode) == (0, BootMode.SAFE)
    assert [m.wanted for m in report.missing] == [Dependency(2, 0, 3100)]


def test_an_applications_dependencies_are_left_to_the_boot(unit: MakeUnit, files: Files) -> None:
    memory = unit("6.2.0", BORON)
    code, update = send(memory, files(BORON, "6.3.4")[3])
    update.apply()
    assert (code, boot(memory).mode) == (0, BootMode.SAFE)


def test_the_slot_moved_with_5_5_0() -> None:
    starts = [layout_of(12).update_slot(v).start for v in (3302, 5410, 5499, 5501, 6305)]
    assert starts == [0x80289000] * 3 + [0x8024C000] * 2


def test_an_update_is_scored_as_the_hosts_and_touches_nothing_forbidden(unit: MakeUnit, files: Files) -> None:
    memory = unit("6.1.1", BORON)
    file = files(BORON, "6.3.4")[0]
    _, update = send(memory, file)
    update.apply()
    boot(memory)
    pages, pieces = -(-len(file) // 4096), -(-len(file) // 1024)
    assert memory.score.writes_by_region() == {"ota-slot": pages + pieces, "flash_modules": 1}
    assert memory.score.operations[Who.BOOT, "bootloader", Operation.ERASE] == pages
    assert memory.score.forbidden == []
