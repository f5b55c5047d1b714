"""A sample of ``make matrix``, and that it fails for a unit that does not do what its platform's rows say."""

from __future__ import annotations

import pytest
from matrix.__main__ import table
from matrix.cells import Cell, Start, all_cells, walk

from drivers.platforms import platforms

CELLS = list(all_cells())
SAMPLE = CELLS[::61]


@pytest.mark.parametrize("cell", SAMPLE, ids=lambda cell: f"{cell.slug}@{cell.device_os}-{cell.start}")
def test_a_unit_is_taken_through_its_modes_and_stays_itself(cell: Cell) -> None:
    walked = walk(cell)
    assert walked.failure == ""


def test_every_platform_is_in_the_matrix_from_every_mode() -> None:
    assert {(cell.slug, cell.start) for cell in CELLS} == {(row.slug, start) for row in platforms() for start in Start}


def test_a_unit_that_refuses_what_its_device_os_has_fails_its_cell() -> None:
    cell = Cell("argon", "6.3.4", Start.NORMAL)
    failed = walk(cell, "at=request:70,do=reject,code=-130,times=1000")
    assert "listening takes hands, though request 70 does it" in failed.failure
    *_, counts, reason = table([failed, walk(cell)])
    assert counts == "1 +   0 h   0 r   1 X"
    assert reason.startswith("X  listening: ")


def test_the_oldest_units_need_hands_or_their_configuration_memory_to_be_known() -> None:
    """Their serial string is the same on every unit; in DFU mode the copy of the Device ID names them."""
    assert walk(Cell("photon", "0.4.9", Start.NORMAL)).by_hand == ("identify", "identify")  # and out of DFU again
    in_dfu = walk(Cell("photon", "0.5.5", Start.DFU))
    assert (in_dfu.by_hand, in_dfu.refused, in_dfu.failure) == ((), "", "")
