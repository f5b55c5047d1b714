"""A shift without internet, in small (`make shift` for 2,400 units): all of it is finished, and no bench feels it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.shift import Shift, shift


@pytest.mark.rule("N3")
def test_what_a_shift_without_internet_leaves_owed_is_done_once_and_slows_no_unit_on_the_bench(tmp_path: Path) -> None:
    found = shift(tmp_path, units=32, hours=0.3, slots=4, requests_per_s=4.0)
    assert (found.set_aside, found.lost, found.doubled, found.refused) == (32, 0, 0, 0), found
    assert found.calls <= 4, found
    assert found.slower < 0.1, found
    assert found.drained_s < 180, found


@pytest.mark.parametrize(
    "fault", [{"lost": 1}, {"doubled": 1}, {"refused": 1}, {"requests": 401}, {"busy_s": (20.0, 11.5, 11.5)}]
)
def test_a_shift_is_no_good_with_one_unit_lost_or_one_request_too_many(fault: dict[str, object]) -> None:
    good = {
        "units": 100, "set_aside": 100, "away_s": 3600.0, "drained_s": 60.0, "requests": 400, "refused": 0, "lost": 0,
        "doubled": 0, "quiet_s": (10.0, 10.0, 12.0), "busy_s": (10.0, 10.5, 30.0),
    }  # fmt: skip
    assert Shift(**good).is_good  # type: ignore[arg-type]
    assert not Shift(**good | fault).is_good  # type: ignore[arg-type]
