"""DFU and DfuSe: tables, descriptors, memory maps, and the dialogues against a simple unit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dfu_model import (
    BUSY,
    DNLOAD_IDLE,
    ERROR,
    IDLE,
    MANIFEST,
    PAGE,
    SYNC,
    UPLOAD_IDLE,
    DfuModel,
    Stall,
    Touch,
    run,
)

from drivers.errors import DfuFailed, LocalProtocolError, RemoteProtocolError, Stalled, TransferFailed
from drivers.platforms import platforms
from drivers.wire.actions import Answer, Operation, T, Transfer, Wait
from drivers.wire.dfu import host as dfuse
from drivers.wire.dfu import tables as dfu_tables
from drivers.wire.dfu import transfers as dfu
from drivers.wire.dfu.memory_map import Access, Segment, parse_layout
from drivers.wire.dfu.tables import DfuState, DfuStatusCode
from drivers.wire.dfu.transfers import DfuStatus, parse_functional_descriptor, parse_state, parse_status
from drivers.wire.usb import Setup

# --- bytes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setup", "raw"),
    [
        (dfu.dnload(0, 5), "21 01 00 00 00 00 05 00"),
        (dfu.dnload(2, 4096), "21 01 02 00 00 00 00 10"),
        (dfu.dnload(2, 0), "21 01 02 00 00 00 00 00"),
        (dfu.upload(3, 4096), "a1 02 03 00 00 00 00 10"),
        (dfu.get_status(), "a1 03 00 00 00 00 06 00"),
        (dfu.clear_status(), "21 04 00 00 00 00 00 00"),
        (dfu.abort(), "21 06 00 00 00 00 00 00"),
        (dfu.set_interface(2), "01 0b 02 00 00 00 00 00"),
    ],
)
def test_setup_packets(setup: Setup, raw: str) -> None:
    assert setup.to_bytes() == bytes.fromhex(raw)


def test_commands_are_little_endian() -> None:
    assert dfuse.set_address_payload(0x080A0000) == bytes.fromhex("21 00 00 0a 08")
    assert dfuse.erase_payload(0x00030000) == bytes.fromhex("41 00 00 03 00")


@pytest.mark.parametrize("block", [-1, 0x10000])
def test_impossible_blocks_and_lengths_are_our_own_bug(block: int) -> None:
    for make in (lambda: dfu.dnload(block, 1), lambda: dfu.upload(2, 0), lambda: dfu.dnload(2, 4097)):
        with pytest.raises(LocalProtocolError):
            make()
    with pytest.raises(LocalProtocolError):
        dfuse.erase_payload(1 << 32)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("00 00 00 00 04 00", DfuStatus(DfuStatusCode.OK, 0, DfuState.DNBUSY, 0)),
        ("0b 00 00 00 0a 0a", DfuStatus(DfuStatusCode.ERR_VENDOR, 0, DfuState.ERROR, 10)),
        ("00 f4 01 00 05 00", DfuStatus(DfuStatusCode.OK, 500, DfuState.DNLOAD_IDLE, 0)),
    ],
)
def test_status(raw: str, wanted: DfuStatus) -> None:
    assert parse_status(bytes.fromhex(raw)) == wanted


@pytest.mark.parametrize("raw", ["", "00 00 00 00 04", "10 00 00 00 04 00", "00 00 00 00 0b 00", "00 11 27 00 04 00"])
def test_a_status_that_cannot_be_is_refused(raw: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_status(bytes.fromhex(raw))


def test_states() -> None:
    assert parse_state(b"\x02") is DfuState.IDLE
    for raw in (b"", b"\x0b", b"\x02\x02"):
        with pytest.raises(RemoteProtocolError):
            parse_state(raw)


@given(st.binary(max_size=8))
def test_status_decoders_raise_only_remote_protocol_errors(raw: bytes) -> None:
    for decode in (parse_status, parse_state):
        with contextlib.suppress(RemoteProtocolError):
            decode(raw)


FUNCTIONAL = bytes.fromhex("09 21 0b ff 00 00 10 1a 01")
INTERFACE = bytes.fromhex("09 04 00 00 00 fe 01 02 06")
CONFIGURATION = bytes.fromhex("09 02 2d 00 01 01 00 c0 32")


def test_the_functional_descriptor_is_found_behind_the_last_alternate_setting() -> None:
    found = parse_functional_descriptor(CONFIGURATION + INTERFACE * 3 + FUNCTIONAL)
    assert (found.attributes, found.detach_timeout_ms, found.transfer_size, found.version) == (0x0B, 255, 4096, 0x011A)


def test_another_transfer_size_is_refused_because_it_would_corrupt_flash() -> None:
    with pytest.raises(RemoteProtocolError, match="2048"):
        parse_functional_descriptor(CONFIGURATION + FUNCTIONAL[:5] + bytes.fromhex("00 08") + FUNCTIONAL[7:])


@given(st.binary(max_size=60))
def test_descriptors_full_of_noise_raise_only_remote_protocol_errors(raw: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse_functional_descriptor(raw)


# --- memory maps ----------------------------------------------------------------------------------

NRF_INTERNAL = "@Internal Flash   /0x00000000/1*004Ka,47*004Kg,192*004Kg,4*004Kg,4*004Kg,8*004Ka"


def test_the_nrf_map() -> None:
    layout = parse_layout(NRF_INTERNAL)
    assert layout.name == "Internal Flash"
    assert [s.start for s in layout.segments] == [0, 0x1000, 0x30000, 0xF0000, 0xF4000, 0xF8000]
    assert layout.segments[-1].end == 0x100000
    assert layout.segments[0].access is Access.READABLE
    assert layout.segments[1].access == Access.READABLE | Access.ERASABLE | Access.WRITABLE
    assert not layout.is_protected


@pytest.mark.parametrize(
    ("text", "name", "first", "end"),
    [
        ("@DCT Flash   /0x00000000/1*016Ke", "DCT Flash", Segment(0, 1, 16384, Access(5)), 16384),
        ("@DCD Flash   /0x00000000/1*016Ke\0", "DCD Flash", Segment(0, 1, 16384, Access(5)), 16384),
        (
            "@External Flash   /0x80000000/1024*004Kg",
            "External Flash",
            Segment(0x80000000, 1024, 4096, Access(7)),
            0x80400000,
        ),
        (
            "@Internal Flash   /0x08000000/03*016Ka,01*016Kg,01*064Kg,07*128Kg",
            "Internal Flash",
            Segment(0x08000000, 3, 16384, Access(1)),
            0x08100000,
        ),
        ("@X/0x0/2*512 g/0x1000/1*1Mc", "X", Segment(0, 2, 512, Access(7)), 0x101000),
    ],
)
def test_other_maps(text: str, name: str, first: Segment, end: int) -> None:
    layout = parse_layout(text)
    assert (layout.name, layout.segments[0], layout.segments[-1].end) == (name, first, end)


def test_a_map_tells_the_first_address_that_lacks_an_access() -> None:
    layout = parse_layout("@X/0x1000/1*4Ka,2*4Kg,1*4Ke/0x10000/1*4Kg")
    both = Access.ERASABLE | Access.WRITABLE
    assert layout.first_without(both, 0x2000, 0x4000) is None
    assert layout.first_without(both, 0x1FFF, 0x4000) == 0x1FFF
    assert layout.first_without(both, 0x2000, 0x4001) == 0x4000
    assert layout.first_without(Access.WRITABLE, 0x2000, 0x5000) is None
    assert layout.first_without(Access.WRITABLE, 0x4800, 0x10010) == 0x5000
    assert layout.first_without(Access.WRITABLE, 0x4000, 0x4000) is None


def test_a_protected_unit_shows_itself_in_its_map() -> None:
    assert parse_layout(NRF_INTERNAL.replace("a,", "b,").replace("g,", "b,")[:-1] + "b").is_protected


@pytest.mark.parametrize("alternate", [a for p in platforms() for a in p.memories], ids=lambda a: f"alt{a.alt}")
def test_the_platform_tables_own_maps_say_what_the_table_says(alternate: object) -> None:
    layout = parse_layout(alternate.layout)  # type: ignore[attr-defined]
    assert layout.segments[0].start == alternate.start  # type: ignore[attr-defined]
    assert layout.segments[-1].end == alternate.end  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "Internal/0x0/1*4Kg", "@X", "@X/0x0/", "@X/0x0/1*4Kh", "@X/0x0/1*4Kg,", "@X/0x0/0*4Kg"),
        *("@X/0x0/1*1g", "@X/0xFFFFF000/2*4Kg", "@X/0x0/999999*999999Mg", "@X/0x123456789/1*4Kg"),
        *("@X/0x0/1*4Kg/", "@X" + "/" * 300),
    ],
)
def test_maps_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_layout(text)


@given(st.text(alphabet="@X /0x*4Kgb,19\0\n", max_size=60))
def test_maps_of_noise_raise_only_remote_protocol_errors(text: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse_layout("@" + text)


# --- dialogues --------------------------------------------------------------------------------------


def test_erase_and_write_happen_at_the_address_and_only_after_a_status() -> None:
    unit = DfuModel(busy_polls=2)
    run(dfuse.settle(), unit)
    run(dfuse.erase(0x30000), unit)
    run(dfuse.write_block(0x30000, b"abcd"), unit)
    assert unit.touches == [Touch(0, 0x30000, None), Touch(0, 0x30000, b"abcd")]
    assert unit.state == DNLOAD_IDLE


def test_read_gives_what_the_memory_holds_in_blocks() -> None:
    unit = DfuModel()
    unit.memory[0x1000:0x3100] = bytes(i % 251 for i in range(0x2100))
    assert run(dfuse.read(0x1000, 0x2100), unit) == bytes(unit.memory[0x1000:0x3100])
    assert unit.state == IDLE
    assert unit.touches == []


def test_read_right_after_a_write_works() -> None:
    unit = DfuModel()
    run(dfuse.erase(0x30000), unit)
    run(dfuse.write_block(0x30000, b"abcd"), unit)
    assert run(dfuse.read(0x30000, 4), unit) == b"abcd"


def test_a_failed_page_is_reported_with_the_units_words_and_can_be_tried_again() -> None:
    unit = DfuModel(bad_pages={0x30000})
    with pytest.raises(DfuFailed, match=r"0x00030000.*ERR_UNKNOWN \(0x0e") as caught:
        run(dfuse.erase(0x30000), unit)
    assert (caught.value.status, caught.value.state) == (0x0E, ERROR)
    unit.bad_pages.clear()
    run(dfuse.go_idle(), unit)
    run(dfuse.erase(0x30000), unit)


def stalling(unit: DfuModel, block: int, times: int) -> list[int]:
    """Make the next DNLOADs of ``block`` come at a wrong moment, as a bootloader sees it; returns a count of them."""
    seen: list[int] = []
    original = unit.transfer

    def transfer(setup: Setup, data: bytes = b"") -> bytes:
        if (setup.request, setup.value, bool(data)) == (dfu_tables.DfuRequest.DNLOAD, block, True):
            seen.append(setup.value)
            if len(seen) <= times:
                unit.state, unit.status = ERROR, 0x0E
                raise Stall
        return original(setup, data)

    unit.transfer = transfer  # type: ignore[method-assign]
    return seen


@pytest.mark.parametrize("times", [1, 5])
def test_a_command_whose_download_is_stalled_is_sent_again(times: int) -> None:
    unit = DfuModel()
    seen = stalling(unit, 0, times)
    run(dfuse.erase(0x30000), unit)
    assert len(seen) == times + 1
    assert unit.touches == [Touch(0, 0x30000, None)]


def test_a_command_that_stays_stalled_is_reported_with_the_state_behind_it() -> None:
    unit = DfuModel()
    seen = stalling(unit, 0, 100)
    with pytest.raises(DfuFailed, match="stalled") as caught:
        run(dfuse.erase(0x30000), unit)
    assert (caught.value.state, len(seen)) == (ERROR, 6)


def test_a_stalled_command_is_followed_by_a_pause_of_a_second() -> None:
    operation = dfuse.erase(0x30000)
    next(operation)
    assert operation.send(Answer.STALL) == Wait(1.0)


def test_a_command_that_was_accepted_and_failed_is_not_sent_again() -> None:
    unit = DfuModel(bad_pages={0x30000})
    with pytest.raises(DfuFailed):
        run(dfuse.erase(0x30000), unit)
    assert unit.touches == [Touch(0, 0x30000, None)]


def test_a_stalled_data_block_is_reported_at_once() -> None:
    unit = DfuModel()
    seen = stalling(unit, 2, 100)
    with pytest.raises(DfuFailed, match="stalled"):
        run(dfuse.write_block(0x30000, b"abcd"), unit)
    assert len(seen) == 1


WELL, BUSY_NOW = bytes.fromhex("00 00 00 00 05 00"), bytes.fromhex("00 00 00 00 04 00")


def after_download(operation: Operation[T], *replies: bytes | Answer) -> T:
    """Send ``replies`` to the GETSTATUS that follow its first DNLOAD; pauses are waited for."""
    next(operation)
    action: Transfer | Wait = operation.send(b"")
    for reply in replies:
        while isinstance(action, Wait):
            action = operation.send(b"")
        try:
            action = operation.send(reply)
        except StopIteration as end:
            value: T = end.value
            return value
    raise AssertionError(f"it goes on with {action}")


OF_FLASH = [lambda: dfuse.erase(0x30000), lambda: dfuse.write_block(0x30000, b"abcd", 0x30000)]


@pytest.mark.parametrize("operation", OF_FLASH, ids=["erase", "block"])
def test_a_status_that_is_stalled_by_a_unit_which_then_is_idle_and_well_is_a_failure(
    operation: Callable[[], Operation[object]],
) -> None:
    with pytest.raises(DfuFailed, match="GETSTATUS was stalled"):
        after_download(operation(), Answer.STALL, WELL)


@pytest.mark.parametrize("operation", [*OF_FLASH, lambda: dfuse.set_address(0)], ids=["erase", "block", "set-address"])
@pytest.mark.parametrize(
    "replies",
    [(Answer.STALL, BUSY_NOW, WELL), (BUSY_NOW, Answer.STALL, WELL), (Answer.STALL, Answer.STALL, BUSY_NOW, WELL)],
)
def test_a_status_that_is_stalled_before_or_after_the_operation_is_no_failure(
    operation: Callable[[], Operation[object]], replies: tuple[bytes | Answer, ...]
) -> None:
    after_download(operation(), *replies)


def test_an_address_whose_status_was_stalled_is_set_again_and_judges_no_flash() -> None:
    assert after_download(dfuse.set_address(0), Answer.STALL, WELL, b"", BUSY_NOW, WELL).state is DfuState.DNLOAD_IDLE
    with pytest.raises(Stalled, match="setting the address"):
        after_download(dfuse.set_address(0), *(Answer.STALL, WELL, b"") * 2, Answer.STALL, WELL)


def test_a_block_that_is_stalled_by_a_unit_that_is_well_was_not_taken_and_is_sent_again() -> None:
    for times, raises in ((2, contextlib.nullcontext()), (3, pytest.raises(Stalled, match="DNLOAD"))):
        operation = dfuse.write_block(0x30000, b"abcd", 0x30000)
        sent = [action for action in (next(operation),) if isinstance(action, Transfer)]
        with raises:
            for reply in (*(Answer.STALL, WELL) * times, b"", BUSY_NOW):
                action = operation.send(reply)
                while isinstance(action, Wait):
                    action = operation.send(b"")
                sent.append(action)
        assert [one.setup.request for one in sent[::2]][:times] == [dfu_tables.DfuRequest.DNLOAD] * times


def test_a_block_that_got_lost_is_no_word_of_the_unit() -> None:
    operation = dfuse.write_block(0x30000, b"abcd", 0x30000)
    next(operation)
    operation.send(Answer.LOST)
    operation.send(b"")
    with pytest.raises(TransferFailed, match="lost in transit"):
        operation.send(bytes.fromhex("00 00 00 00 02 00"))


@pytest.mark.parametrize("state", [IDLE, DNLOAD_IDLE, UPLOAD_IDLE, ERROR])
def test_go_idle_from_every_resting_state_without_provoking_an_error(state: int) -> None:
    unit = DfuModel(state=state)
    seen: list[int] = []
    original = unit.transfer
    unit.transfer = lambda setup, data=b"": (seen.append(setup.request), original(setup, data))[1]  # type: ignore[method-assign, func-returns-value]
    assert run(dfuse.go_idle(), unit).state is DfuState.IDLE
    assert (dfu_tables.DfuRequest.CLRSTATUS in seen) == (state == ERROR), (
        "CLRSTATUS outside dfuERROR is itself an error"
    )


def test_go_idle_may_rest_where_a_leave_can_begin() -> None:
    unit = DfuModel(state=DNLOAD_IDLE)
    assert run(dfuse.go_idle(allow_download_idle=True), unit).state is DfuState.DNLOAD_IDLE


def test_settle_drops_what_a_dead_host_left_pending() -> None:
    unit = DfuModel(state=SYNC, pending=(0, dfuse.erase_payload(0x30000)))
    run(dfuse.settle(), unit)
    assert (unit.state, unit.touches) == (IDLE, [])


def test_settle_recovers_a_unit_in_error() -> None:
    unit = DfuModel(state=ERROR, status=0x0E)
    run(dfuse.settle(), unit)
    assert unit.state == IDLE


def test_leave_is_a_zero_length_download_and_one_status() -> None:
    unit = DfuModel(state=DNLOAD_IDLE)
    assert run(dfuse.leave(), unit).state is DfuState.MANIFEST
    assert unit.state == MANIFEST
    assert unit.touches == []


def test_a_short_read_is_refused() -> None:
    unit = DfuModel()
    with pytest.raises(RemoteProtocolError, match="expected"):
        run(dfuse.read(0xFF000, 2 * PAGE), unit)


def test_polling_waits_as_long_as_the_unit_asks_and_never_spins() -> None:
    operation = dfuse.erase(0x30000)
    next(operation)
    operation.send(b"")
    for raw, seconds in (("00 32 00 00 04 00", 0.05), ("00 00 00 00 04 00", 0.001)):
        assert operation.send(bytes.fromhex(raw)) == Wait(seconds)
        operation.send(b"")
    with pytest.raises(StopIteration):
        operation.send(bytes.fromhex("00 00 00 00 05 00"))


def test_our_own_limits() -> None:
    for operation in (dfuse.write_block(0, b""), dfuse.write_block(0, bytes(4097)), dfuse.read(0, 0)):
        with pytest.raises(LocalProtocolError):
            next(operation)


def test_the_models_own_rules() -> None:
    """The simple unit refuses what the reference says a bootloader refuses."""
    unit = DfuModel()
    with pytest.raises(Stall):
        unit.transfer(dfu.clear_status())
    assert unit.state == ERROR
    unit = DfuModel(state=SYNC, pending=(2, b"x"))
    assert unit.transfer(dfu.get_status())[4] == BUSY
    assert unit.touches == [Touch(0, 0, b"x")]
