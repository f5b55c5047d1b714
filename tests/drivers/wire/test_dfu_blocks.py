"""Block numbers that run on from one address, polls without pauses, and pages that are found blank."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dfu_model import DNLOAD_IDLE, IDLE, PAGE, DfuModel, Touch, run

from drivers.wire.actions import Wait
from drivers.wire.dfu import host as dfuse
from drivers.wire.dfu.tables import DfuRequest
from drivers.wire.usb import Setup

BUSY_NO_WAIT = bytes.fromhex("00 00 00 00 04 00")
DONE = bytes.fromhex("00 00 00 00 05 00")


def downloads(unit: DfuModel) -> list[int]:
    """Return the block numbers of every DNLOAD from here on."""
    seen: list[int] = []
    original = unit.transfer

    def transfer(setup: Setup, data: bytes = b"") -> bytes:
        if setup.request == DfuRequest.DNLOAD:
            seen.append(setup.value)
        return original(setup, data)

    unit.transfer = transfer  # type: ignore[method-assign]
    return seen


def test_blocks_behind_one_another_need_one_address() -> None:
    unit = DfuModel()
    seen, pointer = downloads(unit), None
    for at in (0x30000, 0x31000, 0x33000):
        pointer = run(dfuse.write_block(at, b"abcd", pointer), unit)
    assert seen == [0, 2, 3, 5]
    assert [touch.address for touch in unit.touches] == [0x30000, 0x31000, 0x33000]


@pytest.mark.parametrize("at", [0x2F000, 0x30100, 0x30000 + 0xFFFE * PAGE])
def test_an_address_no_block_number_reaches_is_set(at: int) -> None:
    unit = DfuModel()
    pointer = run(dfuse.write_block(0x30000, b"abcd"), unit)
    seen = downloads(unit)
    assert run(dfuse.write_block(at, b"abcd", pointer), unit) == at
    assert seen == [0, 2]


@given(st.lists(st.integers(0, 0xFF).map(lambda n: n * 0x400), min_size=1, max_size=20))
def test_wherever_blocks_go_they_arrive_there(addresses: list[int]) -> None:
    unit, pointer = DfuModel(), None
    for number, at in enumerate(addresses):
        pointer = run(dfuse.write_block(at, bytes([number]), pointer), unit)
    assert unit.touches == [Touch(0, at, bytes([number])) for number, at in enumerate(addresses)]


def test_a_poll_is_not_put_off_where_the_unit_asks_for_no_wait() -> None:
    operation = dfuse.erase(0x30000)
    next(operation)
    status = operation.send(b"")
    assert operation.send(BUSY_NO_WAIT) == status, "the unit holds it up until the flash is done"
    with pytest.raises(StopIteration):
        operation.send(DONE)


def test_a_unit_that_answers_busy_again_and_again_is_polled_and_not_flooded() -> None:
    operation = dfuse.erase(0x30000)
    next(operation)
    operation.send(b"")
    operation.send(BUSY_NO_WAIT)
    for _ in range(20):
        assert operation.send(BUSY_NO_WAIT) == Wait(0.001)
        operation.send(b"")


def test_pages_are_blank_when_every_byte_of_them_is() -> None:
    unit = DfuModel()
    unit.memory[0x30000:0x38000] = b"\xff" * 0x8000
    unit.memory[0x31FFF] = 0xFE  # the last byte of the second page
    unit.memory[0x33000] = 0x00
    pages = [range(at, at + PAGE) for at in (0x30000, 0x31000, 0x32000, 0x33000, 0x37000)]
    assert run(dfuse.find_blank(pages), unit) == {0x30000, 0x32000, 0x37000}
    assert (unit.state, unit.touches) == (IDLE, [])


def test_a_sector_of_many_blocks_is_blank_only_as_a_whole() -> None:
    unit = DfuModel()
    unit.memory[0x20000:0x60000] = b"\xff" * 0x40000
    unit.memory[0x5F800] = 0
    sectors = [range(0x20000, 0x40000), range(0x40000, 0x60000)]
    assert run(dfuse.find_blank(sectors), unit) == {0x20000}


def test_a_page_that_is_not_blank_costs_one_short_transfer() -> None:
    unit, lengths = DfuModel(state=DNLOAD_IDLE), []
    original = unit.transfer

    def transfer(setup: Setup, data: bytes = b"") -> bytes:
        if setup.request == DfuRequest.UPLOAD:
            lengths.append(setup.length)
        return original(setup, data)

    unit.transfer = transfer  # type: ignore[method-assign]
    assert run(dfuse.find_blank([range(at, at + PAGE) for at in range(0x30000, 0x50000, PAGE)]), unit) == frozenset()
    assert lengths == [dfuse.PROBE] * 32
