"""DFU mode of a Gen 2 bootloader: refusals that stall, errors that are none, memories that cannot be reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.raw_dfu import MakeHost, RawHost

from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode, boot
from drivers.virtual.families import family_of
from drivers.virtual.flash import FlashFailed, FlashStep, Operation, Who
from drivers.virtual.layout import Chip
from drivers.virtual.memory import UnitMemory
from drivers.wire.usb import Setup

PHOTON, P1, ELECTRON = 6, 8, 10
OK, UNKNOWN = 0x00, 0x0E
IDLE, DNLOAD_SYNC, DNBUSY, DNLOAD_IDLE, WAIT_RESET, UPLOAD_IDLE, ERROR, NO_STATE = 2, 3, 4, 5, 8, 9, 10, 15
DNLOAD, UPLOAD, GETSTATUS, CLRSTATUS, GETSTATE, ABORT = 1, 2, 3, 4, 5, 6
SYSTEM, USER = 0x08020000, 0x080A0000
CLAIM_CODE = 1762
MakeUnit = Callable[..., UnitMemory]
every = pytest.mark.parametrize("platform", [PHOTON, P1, ELECTRON])


@pytest.fixture
def memory() -> UnitMemory:
    return UnitMemory(PHOTON)


@pytest.fixture
def host(memory: UnitMemory, dfu: MakeHost) -> RawHost:
    return dfu(memory, bootloader=1006)


def refuse(host: RawHost, block: int, data: bytes) -> None:
    """One block or command that is refused: the GETSTATUS that starts it stalls, and no error stays behind."""
    assert not host.download(block, data).stall
    assert host.get(GETSTATUS, 0, 6).stall
    assert host.status() == (OK, DNLOAD_IDLE)


def erase_command(address: int) -> bytes:
    return b"\x41" + address.to_bytes(4, "little")


def select(host: RawHost, alternate: int) -> None:
    assert host.function.set_interface(alternate)


# --- writing and erasing ---------------------------------------------------------------------------------


def test_an_erase_takes_the_whole_sector_and_a_write_is_read_back(host: RawHost, memory: UnitMemory) -> None:
    memory.internal.place(SYSTEM, bytes(0x40000))
    assert host.erase(SYSTEM + 0x1FFFF) == (OK, DNLOAD_IDLE)
    assert memory.internal.is_blank(SYSTEM, 0x20000)
    assert memory.internal.read(SYSTEM + 0x20000, 4) == bytes(4)
    assert host.write(SYSTEM + 0x1000, b"abcde") == (OK, DNLOAD_IDLE)
    assert memory.internal.read(SYSTEM + 0x1000, 9) == b"abcde\xff\xff\xff\xff"
    assert host.read(SYSTEM + 0x1000, 5) == b"abcde"


def test_the_start_of_a_module_takes_more_than_one_erase(host: RawHost, memory: UnitMemory) -> None:
    """The busy status comes at once, the wait behind it: a second for 128 KiB."""
    host.download(0, erase_command(SYSTEM))
    busy = host.get(GETSTATUS, 0, 6)
    assert (busy.data.hex(" "), busy.seconds) == ("00 00 00 00 04 00", pytest.approx(1.0, abs=0.05))


@pytest.mark.parametrize("address", [0x08000000, 0x08004000, 0x0800C000, 0x0801FFFF, 0x07FFFFFF, 0x08100000])
def test_below_the_system_part_and_outside_of_flash_it_refuses(host: RawHost, memory: UnitMemory, address: int) -> None:
    before = memory.internal.read(0x08000000, 0x20000)
    refuse(host, 0, erase_command(address))
    assert host.point(address) == (OK, DNLOAD_IDLE)
    refuse(host, 2, b"data")
    assert memory.internal.read(0x08000000, 0x20000) == before
    assert memory.score.forbidden == []


def test_a_write_over_what_is_there_is_compared_and_refused(host: RawHost, memory: UnitMemory) -> None:
    memory.internal.place(USER, bytes(8))
    host.point(USER)
    refuse(host, 2, b"\x01\x02\x03\x04")
    assert host.write(USER, bytes(4)) == (OK, DNLOAD_IDLE), "what is there already is no change"


def test_one_failure_of_the_flash_is_healed_by_the_bootloader_and_three_are_not(
    host: RawHost, memory: UnitMemory
) -> None:
    failures = 0

    def fault(step: FlashStep) -> None:
        nonlocal failures
        if step.operation is Operation.PROGRAM and failures:
            failures -= 1
            raise FlashFailed("worn out")

    memory.set_fault(fault)
    failures = 2
    assert host.write(USER, b"good") == (OK, DNLOAD_IDLE)
    failures = 3
    host.point(USER + 64)
    refuse(host, 2, b"bad!")


def test_a_failed_erase_stalls(host: RawHost, memory: UnitMemory) -> None:
    def fault(step: FlashStep) -> None:
        raise FlashFailed("worn out")

    memory.set_fault(fault)
    refuse(host, 0, erase_command(USER))


@pytest.mark.parametrize("payload", [b"\x41", b"\x92", b"\x99\x00", b"\x21\x00\x00", b"\xfa", b"\xfb"])
def test_commands_nobody_knows_stall(host: RawHost, payload: bytes) -> None:
    refuse(host, 0, payload)


def test_block_1_is_taken_and_forgotten(host: RawHost, memory: UnitMemory) -> None:
    host.point(USER)
    assert host.run(1, b"data") == (OK, DNLOAD_IDLE)
    assert memory.internal.is_blank(USER, 16)


def test_nothing_is_written_before_getstatus_nor_after_an_abort(host: RawHost, memory: UnitMemory) -> None:
    host.point(USER)
    host.download(2, b"waits")
    assert memory.internal.is_blank(USER, 8)
    host.out(ABORT)
    assert host.status() == (OK, IDLE)
    assert memory.internal.is_blank(USER, 8)


# --- states -------------------------------------------------------------------------------------------------


def test_clrstatus_outside_an_error_makes_one_without_a_stall(host: RawHost) -> None:
    assert not host.out(CLRSTATUS).stall
    assert host.status() == (UNKNOWN, ERROR)
    assert not host.out(ABORT).stall
    assert host.status() == (UNKNOWN, ERROR), "ABORT is ignored there"
    assert host.download(0, erase_command(USER)).stall
    assert not host.out(CLRSTATUS).stall
    assert host.status() == (OK, IDLE)


def test_what_does_not_fit_the_state_stalls_and_changes_nothing(host: RawHost) -> None:
    host.point(USER)
    host.download(2, b"first")
    assert host.download(2, b"second").stall
    assert host.get(GETSTATE, 0, 1).data == bytes([DNLOAD_SYNC])
    assert host.upload(2, 16).stall
    assert host.status() == (OK, DNLOAD_IDLE), "an UPLOAD in between has dropped the block"


def test_getstate_is_answered_always(host: RawHost) -> None:
    host.out(DNLOAD, 2)
    host.get(GETSTATUS, 0, 6)
    assert host.get(GETSTATE, 0, 1).data == bytes([WAIT_RESET])


def test_leaving_is_called_dnload_idle_and_happens_all_the_same(host: RawHost) -> None:
    assert not host.out(DNLOAD, 2).stall
    reply = host.get(GETSTATUS, 0, 6)
    assert (reply.data[4], reply.leaving, reply.safe_mode) == (DNLOAD_IDLE, True, False)
    assert host.status() == (OK, WAIT_RESET)


def test_uploads(host: RawHost) -> None:
    assert host.upload(0, 3).data.hex(" ") == "00 21 41"
    assert host.status() == (OK, UPLOAD_IDLE)
    assert host.upload(0, 4).data.hex(" ") == "00 21 41"
    assert host.status() == (OK, IDLE)
    assert host.upload(1, 16).stall
    assert host.status() == (OK, NO_STATE)
    host.out(ABORT)
    assert host.status() == (OK, NO_STATE)
    host.out(CLRSTATUS)
    host.out(CLRSTATUS)
    assert host.status() == (OK, IDLE)


def test_what_cannot_be_read_is_zeros(host: RawHost, memory: UnitMemory) -> None:
    for address, zeros in ((0x0, 4096), (0x08100000, 4096), (0x080FFFF0, 4080)):
        assert host.read(address, 4096)[-zeros:] == bytes(zeros)
    assert host.read(0x080FFFF0, 4096)[:16] == b"\xff" * 16
    assert host.read(0x08000000, 16) == b"\xff" * 16, "the bootloader can be read"


@pytest.mark.parametrize(("bootloader", "poll_ms"), [(7, 50), (11, 50), (100, 0), (1006, 0)])
def test_how_long_it_asks_a_host_to_wait(memory: UnitMemory, dfu: MakeHost, bootloader: int, poll_ms: int) -> None:
    host = dfu(memory, bootloader=bootloader)
    for block, data in ((0, b"\x21" + USER.to_bytes(4, "little")), (0, erase_command(USER)), (2, b"data")):
        host.download(block, data)
        status = host.get(GETSTATUS, 0, 6).data
        assert (int.from_bytes(status[1:4], "little"), status[4]) == (poll_ms, DNBUSY)
        assert host.status() == (OK, DNLOAD_IDLE)


# --- the configuration memory ------------------------------------------------------------------------------


@every
def test_a_single_byte_of_the_configuration_can_be_written(unit: MakeUnit, dfu: MakeHost, platform: int) -> None:
    memory = unit("2.3.1", platform)
    host = dfu(memory, bootloader=1006)
    select(host, 1)
    assert host.write(CLAIM_CODE, b"x") == (OK, DNLOAD_IDLE)
    assert host.write(CLAIM_CODE, b"y") == (OK, DNLOAD_IDLE), "no erase is needed"
    assert host.erase(CLAIM_CODE) == (OK, DNLOAD_IDLE)
    assert host.read(CLAIM_CODE, 2) == b"y\xff", "an erase does nothing"
    refuse(host, 0, erase_command(0x4000))


def test_waits_for_the_configuration_have_changed_places(unit: MakeUnit, dfu: MakeHost) -> None:
    host = dfu(unit("2.3.1", ELECTRON), bootloader=1006)
    select(host, 1)
    for data, poll_ms in ((erase_command(0), 500), (b"\x21\0\0\0\0", 1)):
        host.download(0, data)
        assert int.from_bytes(host.get(GETSTATUS, 0, 6).data[1:4], "little") == poll_ms
        host.status()


@pytest.mark.parametrize(
    ("platform", "bootloader", "version", "is_torn", "is_reached"),
    [
        (PHOTON, 1006, "2.3.1", False, True),
        (PHOTON, 1006, "2.3.1", True, False),  # its code is in the part that is torn
        (PHOTON, 1006, "0.6.4", False, False),  # parts that are too old to hold that code
        (PHOTON, 11, "0.6.4", True, True),  # a bootloader with code of its own
        (P1, 100, "0.7.0", True, False),
        (P1, 100, "0.7.0", False, True),
        (ELECTRON, 1006, "2.3.1", True, True),  # always with code of its own
    ],
)
def test_the_configuration_is_reached_through_whole_system_parts(
    unit: MakeUnit, dfu: MakeHost, platform: int, bootloader: int, version: str, is_torn: bool, is_reached: bool
) -> None:
    memory = unit(version, platform)
    memory.dct.set("claim_code", b"before", Who.FACTORY)
    if is_torn:
        memory.internal.place(0x08060000 + 0x1000, b"torn")
    host = dfu(memory, bootloader=bootloader)
    select(host, 1)
    assert host.read(CLAIM_CODE, 6) == (b"before" if is_reached else bytes(6))
    host.point(CLAIM_CODE)
    if is_reached:
        assert host.run(2, b"after!") == (OK, DNLOAD_IDLE)
    else:
        refuse(host, 2, b"after!")
    assert memory.dct.get("claim_code")[:6] == (b"after!" if is_reached else b"before")


def test_a_part_1_older_than_part_2_wants_does_not_do(unit: MakeUnit, dfu: MakeHost) -> None:
    memory = unit("2.3.1", PHOTON)
    memory.install([synthetic.release(PHOTON, "1.5.2")[1].data])
    host = dfu(memory, bootloader=1006)
    select(host, 1)
    assert host.read(CLAIM_CODE, 4) == bytes(4)


def test_the_serial_flash_of_a_p1_is_a_memory_of_its_own(dfu: MakeHost) -> None:
    memory = UnitMemory(P1)
    host = dfu(memory, bootloader=1006)
    assert not dfu(UnitMemory(PHOTON), bootloader=1006).function.set_interface(2)
    select(host, 2)
    assert host.write(0x4000, b"here") == (OK, DNLOAD_IDLE)
    assert memory.external is not None
    assert memory.external.read(0x4000, 4) == b"here"
    assert memory.internal.is_blank(0x08004000, 4)


# --- all of it ----------------------------------------------------------------------------------------------


@every
def test_a_release_written_raw_onto_a_bootloader_boots(dfu: MakeHost, platform: int) -> None:
    memory = UnitMemory(platform)
    bootloader, *parts = synthetic.release(platform, "2.3.1")
    memory.install([bootloader.data])
    host = dfu(memory, bootloader=1006)
    for file in (*parts, synthetic.application(platform, "2.3.1")):
        write_module(host, memory, file.data)
    assert boot(memory).mode is BootMode.NORMAL
    assert memory.score.forbidden == []


_COMMANDS = st.builds(
    lambda command, address: bytes([command]) + address.to_bytes(4, "little"),
    st.sampled_from([0x21, 0x41]),
    st.sampled_from([0x08000000, 0x0801FFFC, SYSTEM, USER + 8, 0x080FFFFC, 0x20000000, 0xFFFFFFFC]),
)
_REQUESTS = st.tuples(
    st.sampled_from([DNLOAD, DNLOAD, DNLOAD, UPLOAD, GETSTATUS, GETSTATUS, CLRSTATUS, GETSTATE, ABORT, 0, 7]),
    st.sampled_from([0, 0, 1, 2, 3, 0xFFFF]),
    _COMMANDS | st.binary(max_size=6),
)


@given(st.sampled_from([PHOTON, P1, ELECTRON]), st.integers(0, 2), st.lists(_REQUESTS, max_size=40))
def test_no_order_of_requests_touches_what_lies_below_the_system_part(
    platform: int, alternate: int, asked: list[tuple[int, int, bytes]]
) -> None:
    memory = UnitMemory(platform)
    memory.install([synthetic.bootloader(platform, "1.4.4").data])
    before = memory.internal.read(0x08000000, 0x20000)
    function = family_of(platform).dfu_function(memory, 501, False)
    function.set_interface(alternate)
    for request, block, data in asked:
        kind = 0x21 if request in (DNLOAD, CLRSTATUS, ABORT) else 0xA1
        length = len(data) if kind == 0x21 else 6
        reply = function.handle(Setup(kind, request, block, 0, length), data if kind == 0x21 else b"")
        assert len(reply.data) <= 6
        assert not (reply.stall and reply.data)
    after = memory.internal.read(0x08000000, 0x20000)
    dct = range(0x4000, 0xC000)
    assert [i for i in range(0x20000) if before[i] != after[i] and not (alternate == 1 and i in dct)] == []
    assert [touch for touch in memory.score.forbidden if touch.chip is Chip.INTERNAL] == []


def test_the_vendors_own_0_4_written_raw_boots(dfu: MakeHost, vendor: Callable[[str], bytes]) -> None:
    memory = UnitMemory(PHOTON)
    memory.install([synthetic.bootloader(PHOTON, "0.4.9").data])
    host = dfu(memory, bootloader=7)
    for name in ("040_system-part1.bin", "040_system-part2.bin", "040_user-part.bin"):
        write_module(host, memory, vendor(name))
    assert boot(memory).mode is BootMode.NORMAL


def write_module(host: RawHost, memory: UnitMemory, data: bytes) -> None:
    """Erase the sectors of a module and write it, as a tool does that knows nothing but its header."""
    at = 0x184 if data[0x187] == 0x08 else 0
    start = int.from_bytes(data[at : at + 4], "little")
    end = start + len(data)
    page = start
    while page < end:
        assert host.erase(page) == (OK, DNLOAD_IDLE)
        page = memory.internal.sector(page).stop
    for done in range(0, len(data), 4096):
        host.point(start + done)
        assert not host.download(2, data[done : done + 4096]).stall
        host.get(GETSTATUS, 0, 6)
        assert host.get(GETSTATUS, 0, 6).data[4] == DNLOAD_IDLE
