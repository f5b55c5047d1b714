"""The write guard: what it lets through, what it refuses, and what tries to confuse it."""

from __future__ import annotations

import dataclasses

import pytest
from support.dfu_model import PAGE, DfuModel, Stall, Touch
from support.guard_bench import ARGON, BIG_USER, NEW_SYSTEM, OLD_USER, SOFTDEVICE, SYSTEM, USER, Bench, Lost, image

from drivers.errors import WriteRefused
from drivers.guard import WriteGuard
from drivers.virtual.synthetic import make_module
from drivers.wire.dfu import host as dfuse
from drivers.wire.dfu import transfers as dfu
from drivers.wire.dfu.tables import DfuseCommand
from drivers.wire.image.host import Image, parse_image
from drivers.wire.usb import Setup


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.run(dfuse.settle())
    made.select(0)
    return made


def write_whole(bench: Bench, module: Image) -> None:
    content = module.flash_bytes
    for at in range(0, len(content), PAGE):
        bench.run(dfuse.erase(module.flash_address + at))
    for at in range(0, len(content), PAGE):
        bench.run(dfuse.write_block(module.flash_address + at, content[at : at + PAGE]))


# --- what must work ---------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [SYSTEM, NEW_SYSTEM, USER, BIG_USER, OLD_USER, SOFTDEVICE], ids=lambda m: m.name)
def test_a_module_with_a_permit_is_written_to_its_place(bench: Bench, module: Image) -> None:
    with bench.guard.permit(module):
        write_whole(bench, module)
    start = module.flash_address
    assert bench.unit.memory[start : start + len(module.flash_bytes)] == module.flash_bytes
    assert bench.unit.memory[:0x1000] == b"\x5a" * 0x1000
    assert bench.unit.memory[0xF4000:] == b"\x5a" * 0xC000


def test_running_block_numbers_from_one_confirmed_address_work(bench: Bench) -> None:
    content = SYSTEM.flash_bytes
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.set_address(0x30000))
        for block in (2, 3, 4):
            piece = content[(block - 2) * PAGE :][:PAGE]
            bench.send(dfu.dnload(block, len(piece)), piece)
            bench.send(dfu.get_status())
            bench.send(dfu.get_status())
    assert [t.address for t in bench.unit.touches] == [0x30000, 0x31000, 0x32000]


def test_reading_leaving_and_recovering_need_no_permit(bench: Bench) -> None:
    bench.run(dfuse.read(0xF4000, 100))
    bench.run(dfuse.go_idle())
    bench.send(dfu.upload(0, 64))
    bench.send(Setup(0x80, 6, 0x0100, 0, 18))
    with pytest.raises(Stall):
        bench.send(dfu.clear_status())
    bench.run(dfuse.go_idle())
    bench.run(dfuse.leave())
    assert bench.unit.touches == []


def test_settle_gets_through_the_guard_from_any_state() -> None:
    for state in (2, 3, 5, 6, 9, 10):
        bench = Bench(DfuModel(state=state, pending=(0, dfuse.erase_payload(0)) if state == 3 else None))
        bench.run(dfuse.settle())
        bench.select(0)
        with bench.guard.permit(USER):
            write_whole(bench, USER)
        assert all(0xB4000 <= touch.address < 0xB6000 for touch in bench.unit.touches)


def test_getstate_is_another_way_to_know_that_nothing_is_pending() -> None:
    bench = Bench()
    bench.send(Setup(0xA1, 5, 0, 0, 1))
    bench.send(dfu.get_status())
    bench = Bench(DfuModel(state=3, pending=(0, dfuse.erase_payload(0))))
    bench.send(Setup(0xA1, 5, 0, 0, 1))
    with pytest.raises(WriteRefused):
        bench.send(dfu.get_status())


def test_pages_that_become_stale_may_be_erased_with_their_module(bench: Bench) -> None:
    with bench.guard.permit(USER):
        bench.run(dfuse.erase(0xD4000))
        with pytest.raises(WriteRefused):
            bench.run(dfuse.write_block(0xD4000, b"\xff" * PAGE))
        bench.run(dfuse.settle())
        with pytest.raises(WriteRefused):
            bench.run(dfuse.erase(0xD5000))
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.erase(0x28000))
        with pytest.raises(WriteRefused):
            bench.run(dfuse.erase(0x29000))


# --- modules that get no permit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (image(4, 1, 0x30000, PAGE, prefix_offset=0x200, platform_id=13), "this unit is Argon"),
        (image(2, 0, 0xF4000, PAGE, prefix_offset=0x200), "control-request update"),
        (image(7, 0, 0, PAGE), "control-request update"),
        (image(4, 2, 0x30000, PAGE, prefix_offset=0x200), "no place"),
        (image(3, 0, 0x30000, PAGE, prefix_offset=0x200), "no place"),
        (image(9, 0, 0, PAGE, flags=1), "no place"),
        (image(4, 1, 0x30000, PAGE), "no place"),  # prefix where no system part has it
        (image(8, 0, 0x1000, PAGE), "no place"),  # would put the prefix into flash
        (image(5, 2, 0xB4000, PAGE, flags=1), "no place"),
        (image(4, 1, 0x28000 - PAGE, PAGE, prefix_offset=0x200), "starts at 0x00027000"),
        (image(4, 1, 0xF4000, PAGE, prefix_offset=0x200), "starts at 0x000f4000"),
        (image(5, 2, 0xD4000, PAGE), "starts at"),
        (image(5, 1, 0xB4000, PAGE), "starts at"),
        (image(8, 0, 0, PAGE, flags=1), "starts at 0x00000000"),
        (image(5, 2, 0xB4000, 0x40004), "would end at"),
        (image(8, 0, 0x1000, 0x26000 + 28, flags=1), "would end at"),
        (image(4, 1, 0x30000, 0x84004, prefix_offset=0x200, version=4100), "would end at"),
        (image(5, 2, 0xB4000, PAGE, flags=2), "compressed"),
        (image(5, 2, 0xB4000, PAGE, flags=4), "split"),
        (image(5, 2, 0xB4000, PAGE, flags=8), "encrypted"),
        (image(5, 2, 0xB4000, PAGE, flags=0x80), "points"),
    ],
)
def test_modules_that_may_not_be_written(module: Image, why: str) -> None:
    with pytest.raises(WriteRefused, match=why):
        WriteGuard(ARGON).allow_module(module)


def test_a_forged_image_proves_nothing() -> None:
    bootloader = image(2, 0, 0xF4000, PAGE, prefix_offset=0x200)
    forged = dataclasses.replace(bootloader, function=4, index=1, start=0x30000)
    with pytest.raises(WriteRefused):
        WriteGuard(ARGON).allow_module(forged)
    damaged = bytearray(USER.data)
    damaged[100] ^= 1
    with pytest.raises(WriteRefused, match="CRC"):
        WriteGuard(ARGON).allow_module(dataclasses.replace(USER, data=bytes(damaged)))


@pytest.mark.parametrize("size", [0x40000, 0x40000 - 1])
def test_the_largest_modules_end_right_before_the_bootloader(size: int) -> None:
    permit = WriteGuard(ARGON).allow_module(image(5, 2, 0xB4000, size))
    assert max(permit.pages) == 0xF3000
    permit = WriteGuard(ARGON).allow_module(image(8, 0, 0x1000, 0x26000 + 24, flags=1))
    assert (permit.end, max(permit.pages)) == (0x27000, 0x26000)


@pytest.mark.parametrize(
    ("version", "size", "is_refused"),
    [(312, 0xD4000 - 0x30000, False), (312, 0xD4001 - 0x30000, True), (3005, 0xD4000 - 0x30000, False),
     (3100, 0xB4001 - 0x30000, True), (4100, 0xB4000 - 0x30000, False), (4100, 0xB4001 - 0x30000, True),
     (9999, 0xB4001 - 0x30000, True)],
)  # fmt: skip
def test_only_system_parts_before_3_1_0_reach_to_where_the_old_application_begins(
    version: int, size: int, is_refused: bool
) -> None:
    content = b"system".ljust(size - 0x200 - 24 - 44, b"\0")
    module = parse_image(make_module(12, (4, 1), version, 0x30000, content), "system")
    assert len(module.data) == size
    guard = WriteGuard(ARGON)
    if is_refused:
        with pytest.raises(WriteRefused, match="its place ends at"):
            guard.allow_module(module)
    else:
        assert guard.allow_module(module).end == 0x30000 + size


def test_no_configuration_byte_is_ever_written(bench: Bench) -> None:
    bench.run(dfuse.settle())
    bench.select(1)
    for field in ARGON.dct_fields:
        bench.run(dfuse.set_address(field.offset))
        refused(bench, dfu.dnload(2, 1), b"\x01")


# --- transfers that are not sent ----------------------------------------------------------------------


def refused(bench: Bench, setup: Setup, data: bytes = b"") -> None:
    before = len(bench.unit.touches), bench.unit.state
    with pytest.raises(WriteRefused, match="was not sent"):
        bench.send(setup, data)
    assert (len(bench.unit.touches), bench.unit.state) == before


@pytest.mark.parametrize("address", [0, 0xFFF, 0x27000, 0x2F000, 0x33000, 0xF3FFF, 0xF4000, 0xFFFFFFFF, 0x80030000])
def test_erases_outside_the_permit(bench: Bench, address: int) -> None:
    with bench.guard.permit(SYSTEM):
        refused(bench, dfu.dnload(0, 5), dfuse.erase_payload(address))


def test_nothing_is_erased_or_written_without_a_permit(bench: Bench) -> None:
    refused(bench, dfu.dnload(0, 5), dfuse.erase_payload(0x30000))
    bench.run(dfuse.set_address(0x30000))
    refused(bench, dfu.dnload(2, 4), b"abcd")
    with bench.guard.permit(SYSTEM):
        pass
    refused(bench, dfu.dnload(2, PAGE), SYSTEM.data[:PAGE])


@pytest.mark.parametrize(
    "payload",
    [
        *(b"\x41", b"\x92", b"\xfa", b"\xfb", b"\x00", b"\x21", b"\x21\0\0\0", b"\x41\0\0\x03\0\0"),
        *(b"\x21\0\0\x03\0\0", b"\xff" * 5, b"\x92\0\0\x03\0", b"\x41\0\0\x03"),
    ],
    ids=lambda p: p.hex(),
)
def test_unknown_mass_and_malformed_commands(bench: Bench, payload: bytes) -> None:
    with bench.guard.permit(SYSTEM):
        refused(bench, dfu.dnload(0, len(payload)), payload)


def test_safe_mode_only_when_allowed_by_name() -> None:
    bench = Bench(guard=WriteGuard(ARGON, allow_commands=frozenset({DfuseCommand.ENTER_SAFE_MODE})))
    bench.run(dfuse.settle())
    refused(bench, dfu.dnload(0, 1), b"\xfb")
    refused(bench, dfu.dnload(0, 5), b"\xfa\0\0\0\0")
    bench.send(dfu.dnload(0, 1), b"\xfa")
    with pytest.raises(WriteRefused):
        WriteGuard(ARGON, allow_commands=frozenset({DfuseCommand.READ_UNPROTECT}))


def test_blocks_that_reach_out_of_the_permit(bench: Bench) -> None:
    content = SYSTEM.flash_bytes
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.set_address(0x30000))
        for block in (1, 5, 7, 0xFFFF):
            refused(bench, dfu.dnload(block, 4), content[:4])
        tail = content[2 * PAGE :]
        refused(bench, dfu.dnload(4, len(tail) + 1), tail + b"\0")
        bench.run(dfuse.set_address(0x2FFFC))
        refused(bench, dfu.dnload(2, 8), b"\0" * 4 + content[:4])


def test_addresses_that_wrap_around_32_bits(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.set_address(0xFFFFF000))
        refused(bench, dfu.dnload(2 + 0x31, PAGE), SYSTEM.data[:PAGE])


def test_only_the_modules_own_bytes_go_to_its_place(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.set_address(0x30000))
        refused(bench, dfu.dnload(2, 4), b"\0\0\0\0")
        refused(bench, dfu.dnload(3, PAGE), SYSTEM.data[:PAGE])


@pytest.mark.parametrize(
    ("setup", "data"),
    [
        (Setup(0x21, 1, 0, 0, 5), b"\x21"),  # announces more than it carries
        (Setup(0x21, 1, 0, 0, 0), dfuse.erase_payload(0)),
        (Setup(0x21, 1, 2, 0, 4097), bytes(4097)),
        (Setup(0x21, 0, 0, 0, 0), b""),  # DETACH
        (Setup(0x21, 7, 0, 0, 0), b""),
        (Setup(0x21, 1, 2, 1, 4), b"abcd"),  # another interface
        (Setup(0x21, 1, 2, 0x100, 4), b"abcd"),
        (Setup(0xA1, 1, 0, 0, 5), b""),  # DNLOAD as IN
        (Setup(0x22, 1, 2, 0, 4), b"abcd"),  # other recipients and types
        (Setup(0x41, 1, 2, 0, 4), b"abcd"),
        (Setup(0x40, 3, 0, 1, 2), b"\x08\x01"),
        (Setup(0xC0, 1, 0, 50, 64), b""),
        (Setup(0x81, 0x0B, 1, 0, 0), b""),  # SET_INTERFACE with the direction bit set
        (Setup(0x80, 9, 1, 0, 0), b""),
        (Setup(0x01, 0x0B, 1, 1, 0), b""),
        (Setup(0x00, 9, 0, 0, 0), b""),
        (Setup(0x00, 3, 1, 0, 0), b""),  # SET_FEATURE
        (Setup(0x00, 7, 0x0100, 0, 2), b"ab"),  # SET_DESCRIPTOR
        (Setup(0x21, 6, 0, 0, 1), b"x"),  # ABORT with data
        (Setup(0xA1, 3, 0, 3, 6), b""),
    ],
)
def test_requests_nobody_needs(bench: Bench, setup: Setup, data: bytes) -> None:
    with bench.guard.permit(SYSTEM):
        refused(bench, setup, data)


# --- confusing the guard -------------------------------------------------------------------------------


def test_a_pending_operation_cannot_be_carried_into_another_memory(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.send(dfu.dnload(0, 5), dfuse.erase_payload(0x30000))
        refused(bench, dfu.set_interface(2))
        bench.send(dfu.get_status())
        refused(bench, dfu.set_interface(2))
        bench.send(dfu.get_status())
        bench.select(2)


def test_an_operation_of_a_dead_host_is_not_started_by_our_first_status() -> None:
    bench = Bench(DfuModel(state=3, pending=(2, b"\x01"), pointer=8134, alternate=1))
    bench.reopen()  # the kernel has taken the unit back to alternate setting 0
    refused(bench, dfu.get_status())
    refused(bench, dfu.set_interface(1))
    bench.run(dfuse.settle())
    assert bench.unit.touches == []


def test_a_set_address_that_got_lost_is_not_believed(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.set_address(0x0))
        bench.mishap = "before"
        with pytest.raises(Lost):
            bench.send(dfu.dnload(0, 5), dfuse.set_address_payload(0x30000))
        bench.send(dfu.get_status())
        refused(bench, dfu.dnload(2, PAGE), SYSTEM.data[:PAGE])


def test_a_set_address_the_unit_refused_is_not_believed(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.unit.state = 10
        with pytest.raises(Stall):
            bench.send(dfu.dnload(0, 5), dfuse.set_address_payload(0x30000))
        bench.run(dfuse.go_idle())
        refused(bench, dfu.dnload(2, PAGE), SYSTEM.data[:PAGE])


def test_a_set_address_that_was_aborted_is_not_believed(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.send(dfu.dnload(0, 5), dfuse.set_address_payload(0x30000))
        bench.send(dfu.abort())
        refused(bench, dfu.dnload(2, PAGE), SYSTEM.data[:PAGE])


def test_an_older_address_is_not_believed_once_a_newer_one_was_sent(bench: Bench) -> None:
    content = SYSTEM.flash_bytes
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.set_address(0x30000))
        bench.mishap = "after"
        with pytest.raises(Lost):
            bench.send(dfu.dnload(0, 5), dfuse.set_address_payload(0xF4000))
        bench.send(dfu.get_status())
        bench.send(dfu.get_status())
        assert bench.unit.pointer == 0xF4000
        refused(bench, dfu.dnload(2, PAGE), content[:PAGE])


def test_an_address_whose_abort_was_not_answered_is_not_believed(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.send(dfu.dnload(0, 5), dfuse.set_address_payload(0x30000))
        bench.mishap = "after"
        with pytest.raises(Lost):
            bench.send(dfu.abort())
        bench.send(dfu.get_status())
        assert bench.unit.pointer == 0
        refused(bench, dfu.dnload(2, PAGE), SYSTEM.data[:PAGE])


@pytest.mark.parametrize("reply", ["0e 00 00 00 05 00", "00 00 00 00 0a 00", "00 00 00", ""])
def test_an_address_is_believed_only_after_a_good_status(bench: Bench, reply: str) -> None:
    with bench.guard.permit(SYSTEM):
        bench.send(dfu.dnload(0, 5), dfuse.set_address_payload(0x30000))
        bench.guard.check(dfu.get_status())
        bench.guard.observe(dfu.get_status(), bytes.fromhex(reply))
        with pytest.raises(WriteRefused):
            bench.guard.check(dfu.dnload(2, PAGE), SYSTEM.data[:PAGE])


@pytest.mark.rule("H4")
@pytest.mark.parametrize("erase_moves_pointer", [True, False])
def test_an_address_is_not_believed_after_an_erase_which_moves_it_on_some_units(erase_moves_pointer: bool) -> None:
    bench = Bench(DfuModel(erase_moves_pointer=erase_moves_pointer))
    bench.run(dfuse.settle())
    bench.select(0)
    content = SYSTEM.flash_bytes
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.set_address(0x30000))
        bench.run(dfuse.erase(0x31000))
        refused(bench, dfu.dnload(2, PAGE), content[:PAGE])
        bench.run(dfuse.write_block(0x30000, content[:PAGE]))
        assert bench.unit.touches[-1] == Touch(0, 0x30000, content[:PAGE])


@pytest.mark.rule("H4")
def test_every_block_is_judged_by_where_its_number_puts_it(bench: Bench) -> None:
    content = SYSTEM.flash_bytes
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.set_address(0x30000))
        for block in (3, 4, 0x104, 0xFFFF):  # the first page's bytes under the number of another
            refused(bench, dfu.dnload(block, PAGE), content[:PAGE])
        bench.send(dfu.dnload(3, PAGE), content[PAGE : 2 * PAGE])


def test_one_operation_at_a_time(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.send(dfu.dnload(0, 5), dfuse.erase_payload(0x30000))
        refused(bench, dfu.dnload(0, 5), dfuse.erase_payload(0x31000))
        refused(bench, dfu.dnload(2, 0))


def test_an_erase_anywhere_in_a_page_is_an_erase_of_that_page(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.erase(0x30FFF))
        refused(bench, dfu.dnload(0, 5), dfuse.erase_payload(0x2FFFF))
        refused(bench, dfu.dnload(0, 5), dfuse.erase_payload(0x33000))
    assert bench.unit.touches == [Touch(0, 0x30000, None)]


def test_an_uncertain_memory_is_no_memory(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.mishap = "after"
        with pytest.raises(Lost):
            bench.select(1)
        refused(bench, dfu.dnload(0, 5), dfuse.erase_payload(0x30000))
        with pytest.raises(Stall):
            bench.select(7)
        refused(bench, dfu.dnload(0, 5), dfuse.erase_payload(0x30000))


def test_set_configuration_makes_everything_uncertain(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        bench.run(dfuse.set_address(0x30000))
        bench.send(Setup(0x00, 9, 1, 0, 0))
        refused(bench, dfu.get_status())
        bench.send(dfu.abort())
        refused(bench, dfu.dnload(2, PAGE), SYSTEM.data[:PAGE])
        refused(bench, dfu.dnload(0, 5), dfuse.erase_payload(0x30000))


def test_the_wrong_memory_at_the_right_address(bench: Bench) -> None:
    with bench.guard.permit(SYSTEM):
        for alternate in (1, 2):
            bench.select(alternate)
            refused(bench, dfu.dnload(0, 5), dfuse.erase_payload(0x30000))
            bench.run(dfuse.set_address(0x30000))
            refused(bench, dfu.dnload(2, PAGE), SYSTEM.data[:PAGE])
