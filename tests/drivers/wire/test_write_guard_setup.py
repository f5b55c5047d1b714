"""The one byte of the configuration memory that says setup is done, written where no request sets it."""

from __future__ import annotations

import pytest
from support.dfu_model import DfuModel, Touch
from support.guard_bench import Bench

from drivers.errors import WriteRefused
from drivers.guard import WriteGuard
from drivers.platforms import Platform, platforms
from drivers.wire.dfu import host as dfuse

SETUP_DONE_AT = 8134  # firmware-and-dfu 2.6


def test_the_setup_done_flag_is_written_with_its_permit() -> None:
    bench = Bench(DfuModel(alternate=1))
    bench.run(dfuse.settle())
    bench.select(1)
    with bench.guard.permit_setup_done():
        bench.run(dfuse.write_block(SETUP_DONE_AT, b"\x01"))
    assert bench.unit.touches == [Touch(1, SETUP_DONE_AT, b"\x01")]
    with pytest.raises(WriteRefused):
        bench.run(dfuse.write_block(SETUP_DONE_AT, b"\x01"))


@pytest.mark.parametrize(
    ("alternate", "address", "data"),
    [
        (1, SETUP_DONE_AT, b"\x00"), (1, SETUP_DONE_AT, b"\xff"), (1, SETUP_DONE_AT, b"\x01\x01"),
        (1, SETUP_DONE_AT - 1, b"\x01"), (1, SETUP_DONE_AT + 1, b"\x01"), (1, 34, b"\x01"), (0, SETUP_DONE_AT, b"\x01"),
    ],
)  # fmt: skip
def test_its_permit_is_for_that_byte_and_that_value_only(alternate: int, address: int, data: bytes) -> None:
    bench = Bench(DfuModel(alternate=alternate))
    bench.run(dfuse.settle())
    bench.select(alternate)
    with bench.guard.permit_setup_done():
        with pytest.raises(WriteRefused):
            bench.run(dfuse.write_block(address, data))
        with pytest.raises(WriteRefused):
            bench.run(dfuse.erase(0))
    assert bench.unit.touches == []


@pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)
def test_a_platform_that_uses_no_such_flag_gives_no_permit_for_it(row: Platform) -> None:
    """On Gen 2 that place holds the power configuration."""
    guard = WriteGuard(row)
    if row.setup_done_before is not None:
        with guard.permit_setup_done() as permit:
            assert (permit.alternate, permit.start, permit.content) == (1, SETUP_DONE_AT, b"\x01")
    else:
        with pytest.raises(WriteRefused, match="keeps no setup-done flag"), guard.permit_setup_done():
            pass
