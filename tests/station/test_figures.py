"""FPY, yields, retests and what is left over: one definition, the same on the screen, in lists and in the export."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.journal_story import at, item, opened, pending, started, unit_id, walked
from support.spoken import ENGLISH

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.figures import Figures, percent
from station.journal import Journal, JournalReader
from station.model import Outcome, Verdict
from station.view.bars import header
from station.view.look import ASCII, UNICODE
from station.view.reduce import replay
from station.view.state import BenchState

EXPECTED = Figures(units=8, passed=3, pending=1, failed=1, aborted=1, error=1, judged=5, first_passed=3, retests=2)
COUNTS = "3/10 PASS, 1 FAIL, 1 SET ASIDE, 1 STOPPED, 1 CHECK STATION"
YIELDS = "FPY 60.0 %, final yield 75.0 %, 2 retests"


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """The data directory of a station that walked units of every kind and still walks one."""
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        journal.record(*walked("pass", 1))
        journal.record(*walked("bad", 2, Verdict.FAIL), *walked("repaired", 2))
        journal.record(*walked("worn", 3), *walked("broken", 3, Verdict.FAIL))
        journal.record(*pending("became-pass", "product_add", unit=4), *pending("waits", "product_add", unit=5))
        journal.record(*walked("slipped", 6, Verdict.ERROR), *walked("pulled", 6, Verdict.ABORTED))
        journal.record(*walked("hopeless", 7, Verdict.FAIL), *walked("cable", 7, Verdict.ERROR))
        assert journal.figures("B1").judged == 4  # nobody knows yet what lies in the tray
        journal.settle(item("became-pass", unit=4), Outcome.DONE, "", "read back")
        journal.record(started("now", 8), started("nobody", None))
        yield tmp_path


def test_every_face_and_the_export_tell_the_same_figures(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with JournalReader(data / "journal") as journal:
        assert journal.figures("B1") == EXPECTED
        state = replay(BenchState.of([], ENGLISH), [opened(), journal.progress("B1", at())])
    assert "3/10 PASS · FPY 60.0 %" in header(state, 90, UNICODE)

    assert main(["batch", "list", "--data-dir", str(data)]) == 0
    assert f"{COUNTS}; {YIELDS}" in capsys.readouterr().out

    file = data / "B1.csv"
    assert main(["log", "export", "--batch", "B1", "-o", str(file), "--data-dir", str(data)]) == 0
    assert f"{COUNTS.replace('/10', '')}; {YIELDS}" in capsys.readouterr().out
    assert counted(file) == EXPECTED


def counted(file: Path) -> Figures:
    """The figures as somebody with a spreadsheet finds them in the columns of the export."""
    with file.open(newline="", encoding="utf-8") as text:
        rows = [row for row in csv.DictReader(text) if row["Device ID"]]
    assert len({row["Device ID"] for row in rows}) == len(rows)
    now = [row["Verdict"] for row in rows]
    judged = [row for row in rows if row["First Judged"]]
    return Figures(
        units=len(rows), passed=now.count("PASS"), pending=now.count("PENDING"), failed=now.count("FAIL"),
        aborted=now.count("ABORTED"), error=now.count("ERROR"), judged=len(judged),
        first_passed=sum(row["First Judged"] == "PASS" for row in judged),
        retests=sum(int(row["Judged Attempts"]) - 1 for row in judged),
    )  # fmt: skip


def test_the_export_says_the_code_and_the_word_of_every_verdict(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", "export", "--batch", "B1", "--all-attempts", "--data-dir", str(data)]) == 0
    rows = csv.DictReader(capsys.readouterr().out.splitlines())
    assert {(row["Verdict"], row["Result"]) for row in rows} == {
        ("PASS", "PASS"), ("PENDING", "SET ASIDE"), ("FAIL", "FAIL"), ("ABORTED", "STOPPED"),
        ("ERROR", "CHECK STATION"), ("", ""),
    }  # fmt: skip


def test_where_no_unit_is_judged_there_is_a_dash_and_no_zero(tmp_path: Path) -> None:
    with Journal.open(tmp_path, "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        journal.record(*walked("a", 1, Verdict.ABORTED), *walked("b", 2, Verdict.ERROR), *pending("c", "name", unit=3))
        state = replay(BenchState.of([], ENGLISH), [opened(), journal.progress("B1", at())])
    assert (state.figures.judged, state.figures.finished, state.figures.units) == (0, 0, 3)
    assert "0/10 PASS · FPY – · cloud" in header(state, 90, UNICODE)
    assert "0/10 PASS | FPY - | cloud" in header(state, 90, ASCII)
    assert percent(0.0) == "0.0 %"  # units were judged, and none passed


def test_a_unit_in_two_batches_has_a_row_and_figures_in_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), opened("B2"))
        journal.record(*walked("a", 1, Verdict.FAIL))
        journal.record(started("b", 1, batch="B2"), *walked("b", 1)[1:])
        assert journal.figures("B1") == Figures(units=1, failed=1, judged=1)
        assert journal.figures("B2") == Figures(units=1, passed=1, judged=1, first_passed=1)
    export = ["log", "export", "--batch", "B1", "--batch", "B2", "--data-dir", str(tmp_path)]
    assert main(export) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [(row["Device ID"].lstrip("'"), row["Batch"], row["First Judged"]) for row in rows] == [
        (unit_id(1), "B1", "FAIL"), (unit_id(1), "B2", "PASS"),
    ]  # fmt: skip
