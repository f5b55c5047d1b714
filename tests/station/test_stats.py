"""``station stats``: the same figures as everywhere, and rows that add up to them."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from support.journal_story import finished, identified, opened, started, step

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.engine.events import OperatorChanged
from station.figures import Figures
from station.journal import Journal
from station.journal.tallies import BY
from station.local_time import zone
from station.model import Outcome, Verdict

NOBODYS = "  1 attempt ended before the unit said who it is: not counted here, a row of its own in an export"
HOUR = datetime.datetime(2026, 1, 5, 6, tzinfo=datetime.UTC)
ENDS = (
    # unit, verdict, hours after the first
    (1, Verdict.PASS, 0), (2, Verdict.FAIL, 0), (3, Verdict.ERROR, 0), (2, Verdict.PASS, 1), (3, Verdict.ABORTED, 1),
    (3, Verdict.FAIL, 2), (3, Verdict.FAIL, 2), (None, Verdict.ERROR, 2),
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        for number, (unit, verdict, hour) in enumerate(ENDS):
            attempt = f"a-{number}"
            journal.record(OperatorChanged(at=opened().at, operator="0417" if hour else ""))
            journal.record(started(attempt, unit, seconds=hour * 3600.0))
            if unit is not None:
                journal.record(identified(attempt, unit))
            is_bad = verdict is Verdict.FAIL
            journal.record(step(attempt, outcome=Outcome.FAILED if is_bad else Outcome.DONE,
                                seconds=60.0 if is_bad else float(number + 1)))  # fmt: skip
            journal.record(finished(attempt, verdict, unit, "no"))
    return tmp_path


def told(data: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    assert main(["stats", "--data-dir", str(data), "--json", *options]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_figures_are_those_of_the_journal(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = told(data, capsys)
    assert (row["units"], row["judged"], row["first_passed"], row["retests"]) == (3, 3, 1, 2)
    assert row["first_pass_yield"] == Figures(judged=3, first_passed=1).first_pass_yield


@pytest.mark.parametrize("by", BY)
def test_the_rows_add_up_to_the_figures_whatever_units_are_told_apart_by(
    by: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, *rows = told(data, capsys, "--by", by)
    assert rows
    for name in ("judged", "first_passed"):
        assert sum(row[name] for row in rows) == figures[name]
    ends = {verdict: sum(one is verdict for _, one, _ in ENDS) for verdict in Verdict}
    assert sum(row["failed"] for row in rows) == ends[Verdict.FAIL]
    assert sum(row["stopped"] for row in rows) == ends[Verdict.ABORTED]
    assert sum(row["unsure"] for row in rows) == ends[Verdict.ERROR]


def test_a_unit_counts_where_it_was_judged_first(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, *rows = told(data, capsys, "--by", "operator")
    assert [(row["operator"], row["judged"], row["first_passed"]) for row in rows] == [("", 2, 1), ("0417", 1, 0)]


def test_times_of_a_step_are_those_of_tries_that_reached_their_goal(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, row = told(data, capsys, "--by", "step")
    reached = sorted(float(number + 1) for number, (_, end, _) in enumerate(ENDS) if end is not Verdict.FAIL)
    assert reached == [1.0, 3.0, 4.0, 5.0, 8.0]
    assert (row["tries"], row["failed"]) == (len(ENDS), 3)
    assert (row["median_s"], row["p95_s"], row["most_s"]) == (4.0, 8.0, 8.0)


def test_slots_stand_in_the_order_of_their_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        for number, slot in enumerate((10, 2)):
            begun = dataclasses.replace(started(f"a-{number}", number), slot=slot)
            journal.record(begun, finished(f"a-{number}", Verdict.PASS, number))
    _, *rows = told(tmp_path, capsys, "--by", "slot")
    assert [row["slot"] for row in rows] == ["2", "10"]


def test_reasons_stand_in_the_order_of_their_number(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, *rows = told(data, capsys, "--by", "reason")
    assert [(row["result"], row["attempts"]) for row in rows] == [("FAIL", 3), ("CHECK STATION", 2)]


def test_what_no_figure_counts_is_told_beside_them(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(data, capsys)[0]["on_no_unit"] == 1
    for words in (("batch", "list"), ("log", "export", "--batch", "B1", "-o", str(data / "b.csv"))):
        assert main([*words, "--data-dir", str(data)]) == 0
        assert NOBODYS in capsys.readouterr().out.splitlines()
    assert len((data / "b.csv").read_text(encoding="utf-8").splitlines()) == 1 + 3 + 1


def test_people_read_a_table(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "--data-dir", str(data), "--batch", "B1", "--by", "slot"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "batch B1: 2/10 PASS, 1 FAIL; FPY 33.3 %, final yield 66.7 %, 2 retests",
        NOBODYS,
        "judged and passed first time: units; FAIL, STOPPED and CHECK STATION: attempts, retests among them",
        "slot  judged  passed first time  FPY     FAIL  STOPPED  CHECK STATION",
        "3     3       1                  33.3 %  3     1        2",
    ]
    assert main(["stats", "--data-dir", str(data), "--batch", "B9"]) == 2


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("operator", ["no badge", "0417"]), ("lot", ["no lot"]),
        ("hour", [f"{HOUR.astimezone():%Y-%m-%d %H:%M} {zone(HOUR)}"]),
    ],
)  # fmt: skip
def test_people_read_what_rows_are_told_apart_by_in_words(
    by: str, keys: list[str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stats", "--data-dir", str(data), "--by", by]) == 0
    rows = capsys.readouterr().out.splitlines()[4:]
    assert [row.split("  ")[0] for row in rows] == keys


@pytest.mark.parametrize(("apart_s", "left"), [(20.0, "3 min"), (1.0, "1 min"), (3600.0, "8.0 h")])
def test_the_time_to_the_target_is_in_minutes_below_an_hour(
    apart_s: float, left: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(target=10))
        for unit in (1, 2):
            journal.record(started(f"a-{unit}", unit))
            journal.record(identified(f"a-{unit}", unit))
            end = finished(f"a-{unit}", Verdict.PASS, unit)
            journal.record(dataclasses.replace(end, at=end.at + datetime.timedelta(seconds=unit * apart_s)))
    assert main(["stats", "--data-dir", str(tmp_path)]) == 0
    assert f", {left} to the target" in capsys.readouterr().out
