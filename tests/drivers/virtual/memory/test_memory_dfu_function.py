from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.raw_dfu import MakeHost, RawHost

from drivers.virtual.boot import BootMode, boot
from drivers.virtual.dfu_function import DfuFunction, DfuReply
from drivers.virtual.flash import FlashFailed, FlashStep, Operation, Who
from drivers.virtual.layout import Chip
from drivers.virtual.memory import UnitMemory
from drivers.virtual.synthetic import make_module
from drivers.wire.dfu.tables import DfuState
from drivers.wire.usb import Setup

OK, TARGET, UNKNOWN, STALLED = 0x00, 0x01, 0x0E, 0x0F
IDLE, DNLOAD_SYNC, DNBUSY, DNLOAD_IDLE, MANIFEST, WAIT_RESET, UPLOAD_IDLE, ERROR = 2, 3, 4, 5, 7, 8, 9, 10
DNLOAD, UPLOAD, GETSTATUS, CLRSTATUS, GETSTATE, ABORT = 1, 2, 3, 4, 5, 6
SET_28000 = bytes.fromhex("21 00 80 02 00")


@pytest.fixture
def memory() -> UnitMemory:
    return UnitMemory(12)


@pytest.fixture
def host(memory: UnitMemory, dfu: MakeHost) -> RawHost:
    return dfu(memory)


def test_it_begins_in_dfu_idle(host: RawHost) -> None:
    assert host.status() == (OK, IDLE)
    assert host.get(GETSTATE, 0, 1).data == bytes([IDLE])


# --- downloading -----------------------------------------------------------------------------


def test_a_block_is_written_where_pointer_and_block_number_say(host: RawHost, memory: UnitMemory) -> None:
    host.point(0x28000)
    assert host.run(2, b"first") == (OK, DNLOAD_IDLE)
    assert host.run(4, b"third") == (OK, DNLOAD_IDLE)
    assert memory.internal.read(0x28000, 6) == b"first\xff"
    assert memory.internal.read(0x2A000, 6) == b"third\xff"


def test_nothing_is_written_before_getstatus(host: RawHost, memory: UnitMemory) -> None:
    host.point(0x28000)
    host.download(2, b"waits")
    assert memory.internal.is_blank(0x28000, 8)
    host.status()
    assert memory.internal.read(0x28000, 5) == b"waits"


def test_a_block_that_is_aborted_is_never_written(host: RawHost, memory: UnitMemory) -> None:
    host.point(0x28000)
    host.download(2, b"dropped")
    assert not host.out(ABORT).stall
    assert host.status() == (OK, IDLE)
    assert memory.internal.is_blank(0x28000, 8)


def test_the_operation_takes_its_time_at_the_getstatus_that_says_busy(host: RawHost) -> None:
    host.point(0x28000)
    assert host.download(0, bytes.fromhex("41 00 80 02 00")).seconds == 0
    busy = host.get(GETSTATUS, 0, 6)
    assert (busy.data.hex(" "), busy.seconds) == ("00 00 00 00 04 00", pytest.approx(0.085))
    assert host.get(GETSTATUS, 0, 6).seconds == 0


def test_a_write_does_not_erase(host: RawHost, memory: UnitMemory) -> None:
    host.write(0x28000, b"\x0f\xf0")
    host.write(0x28000, b"\xff\x3c")
    assert memory.internal.read(0x28000, 2) == b"\x0f\x30"


def test_erase_takes_the_page_around_the_address(host: RawHost, memory: UnitMemory) -> None:
    host.write(0x28000, bytes(4096))
    host.write(0x29000, bytes(4096))
    assert host.erase(0x28ABC) == (OK, DNLOAD_IDLE)
    assert memory.internal.is_blank(0x28000, 4096)
    assert memory.internal.read(0x29000, 4096) == bytes(4096)


def test_the_map_is_not_enforced_and_the_unit_remembers_who_did_it(host: RawHost, memory: UnitMemory) -> None:
    assert host.erase(0xF4000) == (OK, DNLOAD_IDLE)
    assert host.write(0x0, b"x") == (OK, DNLOAD_IDLE)
    assert [t.region for t in memory.score.forbidden] == ["bootloader", "mbr"]


@pytest.mark.parametrize(
    ("block", "payload", "status"),
    [
        (0, b"\x41", TARGET),  # mass erase
        (1, b"data", TARGET),  # the illegal block number
        (0, b"\x92", STALLED),  # read unprotect
        (0, b"\x99\x00", STALLED),
        (0, b"\x21\x00\x00", UNKNOWN),  # half an address
        (0, bytes.fromhex("41 00 00 10 00"), UNKNOWN),  # past the end of the flash
    ],
)
def test_an_operation_that_fails_ends_in_dfu_error_without_a_stall(
    host: RawHost, block: int, payload: bytes, status: int
) -> None:
    assert host.run(block, payload) == (status, ERROR)
    assert host.status() == (status, ERROR)
    assert not host.out(CLRSTATUS).stall
    assert host.status() == (OK, IDLE)


def test_worn_out_flash_is_dfu_error_without_a_stall(host: RawHost, memory: UnitMemory) -> None:
    def fault(step: FlashStep) -> None:
        if step.operation is Operation.ERASE:
            raise FlashFailed("worn out")

    memory.set_fault(fault)
    assert host.erase(0x28000) == (UNKNOWN, ERROR)


def test_a_write_over_the_end_of_the_flash_writes_nothing(host: RawHost, memory: UnitMemory) -> None:
    host.point(0xFFFFF)
    assert host.run(2, b"ab") == (UNKNOWN, ERROR)
    assert memory.internal.is_blank(0xFFFFF, 1)


# --- uploading -------------------------------------------------------------------------------


def test_reading_needs_dfu_idle_after_the_set_address(host: RawHost, memory: UnitMemory) -> None:
    memory.internal.place(0x28000, bytes(range(256)) * 32)
    host.point(0x28000)
    assert host.upload(2, 16).stall
    host.out(CLRSTATUS)
    assert host.upload(2, 4096).data == bytes(range(256)) * 16
    assert host.upload(3, 16).data == bytes(range(16))
    assert host.status() == (OK, UPLOAD_IDLE)
    host.out(ABORT)
    assert host.status() == (OK, IDLE)


@pytest.mark.parametrize(
    ("bootloader", "commands"),
    [(1100, "00 21 41"), (3000, "00 21 41"), (3001, "00 21 41 fa"), (3100, "00 21 41 fa fb")],
)
def test_get_commands_tells_the_bootloader_and_returns_to_idle(
    memory: UnitMemory, dfu: MakeHost, bootloader: int, commands: str
) -> None:
    host = dfu(memory, bootloader)
    assert host.upload(0, 64).data.hex(" ") == commands
    assert host.status() == (OK, IDLE)


def test_reading_block_one_is_an_error(host: RawHost) -> None:
    assert host.upload(1, 16).stall
    assert host.status() == (TARGET, ERROR)


def test_reading_outside_the_memory_is_an_error(host: RawHost) -> None:
    host.point(0x100000)
    host.out(ABORT)
    assert host.upload(2, 1).stall
    assert host.status() == (UNKNOWN, ERROR)


# --- what does not fit the state -------------------------------------------------------------

_REACH: dict[int, Callable[[RawHost], object]] = {
    IDLE: lambda host: None,
    DNLOAD_SYNC: lambda host: host.download(0, SET_28000),
    DNLOAD_IDLE: lambda host: host.point(0x28000),
    UPLOAD_IDLE: lambda host: host.upload(2, 1),
    ERROR: lambda host: host.run(0, b"\x41"),
    6: lambda host: host.download(2, b""),
    WAIT_RESET: lambda host: (host.download(2, b""), host.status()),
}
_LEGAL = {  # request -> states in which it is no error
    DNLOAD: {IDLE, DNLOAD_IDLE},
    UPLOAD: {IDLE, UPLOAD_IDLE},
    CLRSTATUS: {ERROR},
    GETSTATE: {IDLE, DNLOAD_SYNC, DNLOAD_IDLE, UPLOAD_IDLE, ERROR, 6},
    ABORT: {IDLE, DNLOAD_SYNC, DNLOAD_IDLE, UPLOAD_IDLE, 6},
}
_SEND: dict[int, Callable[[RawHost], DfuReply]] = {
    DNLOAD: lambda host: host.download(0, SET_28000),
    UPLOAD: lambda host: host.upload(2, 1),
    CLRSTATUS: lambda host: host.out(CLRSTATUS),
    GETSTATE: lambda host: host.get(GETSTATE, 0, 1),
    ABORT: lambda host: host.out(ABORT),
}


@pytest.mark.parametrize("state", _REACH)
@pytest.mark.parametrize("request_", _LEGAL)
def test_every_request_in_every_state_is_legal_or_a_stall_with_dfu_error(
    host: RawHost, state: int, request_: int
) -> None:
    _REACH[state](host)
    assert host.function.state == state
    reply = _SEND[request_](host)
    assert reply.stall is (state not in _LEGAL[request_])
    if reply.stall:
        assert host.status() == (UNKNOWN, ERROR)


def test_detach_and_unknown_requests_are_errors(host: RawHost) -> None:
    assert host.out(0).stall
    assert host.status() == (UNKNOWN, ERROR)


def test_a_block_longer_than_the_transfer_size_is_an_error(host: RawHost) -> None:
    assert host.download(2, bytes(4097)).stall


def test_another_interface_is_stalled_and_changes_nothing(memory: UnitMemory) -> None:
    function = DfuFunction(memory, 3200)
    assert function.handle(Setup(0x21, CLRSTATUS, 0, 1, 0)).stall
    assert function.state is DfuState.IDLE


def test_pointer_and_state_survive_abort_and_set_interface(host: RawHost, memory: UnitMemory) -> None:
    host.point(0x28000)
    assert host.function.set_interface(0)
    assert host.status() == (OK, DNLOAD_IDLE)
    host.out(ABORT)
    assert host.run(2, b"here") == (OK, DNLOAD_IDLE)
    assert memory.internal.read(0x28000, 4) == b"here"


def test_set_configuration_restarts_everything(host: RawHost, memory: UnitMemory) -> None:
    host.function.set_interface(1)
    host.point(0x28000)
    host.run(0, b"\x41")
    host.function.set_configuration()
    assert host.status() == (OK, IDLE)
    host.run(2, b"zero")
    assert memory.internal.read(0, 4) == b"zero"


def test_an_alternate_setting_that_does_not_exist_is_refused(host: RawHost) -> None:
    assert not host.function.set_interface(3)
    assert host.function.alternate == 0


# --- leaving ---------------------------------------------------------------------------------


@pytest.mark.parametrize("point_first", [False, True])
def test_an_empty_block_and_a_getstatus_make_it_leave(host: RawHost, point_first: bool) -> None:
    if point_first:
        host.point(0x28000)
    assert not host.download(2, b"").leaving
    reply = host.get(GETSTATUS, 0, 6)
    assert (reply.data[4], reply.leaving, reply.safe_mode) == (MANIFEST, True, False)


def test_without_the_getstatus_it_stays(host: RawHost) -> None:
    host.download(2, b"")
    assert not host.out(ABORT).stall
    assert host.status() == (OK, IDLE)


def test_the_safe_mode_command_shows_dfu_manifest_directly(memory: UnitMemory, dfu: MakeHost) -> None:
    host = dfu(memory, 3001)
    host.download(0, b"\xfa")
    reply = host.get(GETSTATUS, 0, 6)
    assert (reply.data[4], reply.leaving, reply.safe_mode) == (MANIFEST, True, True)


def test_an_older_bootloader_does_not_know_the_safe_mode_command(memory: UnitMemory, dfu: MakeHost) -> None:
    assert dfu(memory, 3000).run(0, b"\xfa") == (STALLED, ERROR)


@pytest.mark.parametrize(("bootloader", "end"), [(3001, (STALLED, ERROR)), (3100, (OK, DNLOAD_IDLE))])
def test_clearing_the_override_came_later(
    memory: UnitMemory, dfu: MakeHost, bootloader: int, end: tuple[int, int]
) -> None:
    assert dfu(memory, bootloader).run(0, b"\xfb") == end


# --- configuration area and external flash ---------------------------------------------------


def test_one_byte_of_the_configuration_area_can_be_set_and_needs_no_erase(host: RawHost, memory: UnitMemory) -> None:
    host.function.set_interface(1)
    for value in (b"\x00", b"\x01"):
        assert host.write(8134, value) == (OK, DNLOAD_IDLE)
    assert host.erase(8134) == (OK, DNLOAD_IDLE)
    assert memory.dct.is_setup_done
    assert host.read(8134, 1) == b"\x01"


def test_reading_past_its_end_gives_what_the_buffer_held(host: RawHost) -> None:
    host.function.set_interface(1)
    host.point(8390)  # the buffer now holds this command
    host.out(ABORT)
    content = host.upload(2, 5).data
    assert content == b"\xff" + (b"\x21" + (8390).to_bytes(4, "little"))[1:]


def test_writing_past_its_end_makes_it_longer_up_to_16_kib(host: RawHost, memory: UnitMemory) -> None:
    host.function.set_interface(1)
    assert host.write(8400, b"x") == (OK, DNLOAD_IDLE)
    assert memory.dct.size == 8401
    assert memory.dct.read(8390, 11) == b"\xff" * 10 + b"x"
    assert host.write(0x3FFF, b"xy") == (UNKNOWN, ERROR)


def test_external_flash_begins_at_0x80000000(host: RawHost, memory: UnitMemory) -> None:
    host.function.set_interface(2)
    assert host.write(0x8024C000, b"slot") == (OK, DNLOAD_IDLE)
    assert memory.flash(Chip.EXTERNAL).read(0x8024C000, 4) == b"slot"
    assert host.read(0x8024C000, 4) == b"slot"
    assert host.write(0x24C000, b"slot") == (UNKNOWN, ERROR)


# --- what the bootloader does by itself ------------------------------------------------------


@pytest.mark.parametrize(
    ("bootloader", "kind", "platform", "start", "is_erased"),
    [
        (3200, (5, 2), 12, 0xB4000, True),
        (1100, (5, 2), 12, 0xB4000, True),
        (1006, (5, 2), 12, 0xB4000, False),  # knows nothing of a 256 KiB slot
        (3200, (5, 2), 13, 0xB4000, False),  # another platform's
        (3200, (5, 1), 12, 0xD4000, False),  # not made for that place
    ],
)
def test_a_new_applications_header_erases_that_of_a_legacy_one(
    memory: UnitMemory,
    dfu: MakeHost,
    bootloader: int,
    kind: tuple[int, int],
    platform: int,
    start: int,
    is_erased: bool,
) -> None:
    memory.internal.place(0xD4000, b"legacy")
    host = dfu(memory, bootloader)
    host.erase(0xB4000)
    host.write(0xB4000, make_module(platform, kind, 6, start, bytes(64)))
    assert memory.internal.is_blank(0xD4000, 6) is is_erased
    assert memory.score.operations[Who.BOOT, "user-part", Operation.ERASE] == is_erased


def test_a_unit_flashed_over_dfu_boots_what_was_flashed(
    unit: Callable[..., UnitMemory], files: Callable[[int, str], tuple[bytes, ...]], dfu: MakeHost
) -> None:
    memory = unit("6.2.0", 13)
    _, softdevice, system, application = files(13, "6.3.4")
    host = dfu(memory, 3100)
    host.flash(0x28000, system, 0x30000)
    host.flash(0x1000, softdevice[24:])
    host.flash(0xB4000, application)
    report = boot(memory)
    assert (report.mode, report.system_version) == (BootMode.NORMAL, "6.3.4")
    assert memory.score.forbidden == []
    assert 8 < host.seconds < 20


@given(st.lists(st.tuples(st.sampled_from([0x21, 0xA1]), st.integers(0, 7), st.integers(0, 4), st.binary(max_size=6))))
def test_any_requests_in_any_order_get_an_answer(requests: list[tuple[int, int, int, bytes]]) -> None:
    function = DfuFunction(UnitMemory(13), 3200)
    for kind, request, value, data in requests:
        length = len(data) if kind == 0x21 else 6
        reply = function.handle(Setup(kind, request, value, 0, length), data if kind == 0x21 else b"")
        assert len(reply.data) <= 6
        assert not (reply.stall and reply.data)
