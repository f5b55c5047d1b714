"""A unit that was worked on by hand since its PASS: what is said of it afterwards, and what is not given out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.journal_story import at, by_hand, finished, identified, opened, started, step, unit_id
from support.spoken import ENGLISH

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.cli.records import JournalRecords
from station.export.unit_report import unit_report, write_unit_report
from station.journal import Journal, JournalReader
from station.view.ink import Line
from station.view.look import UNICODE
from station.view.units import found, life

SINCE = at(60).isoformat(timespec="milliseconds")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three units that passed: the first is worked on by hand since, the second was and passed again."""
    place = tmp_path_factory.mktemp("data")
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened())
        for attempt, unit in (("touched", 1), ("before", 2), ("left-alone", 3)):
            journal.record(started(attempt, unit), identified(attempt, unit, serial=f"P044AB{unit:07d}"), step(attempt))
            journal.record(finished(attempt, unit=unit))
        journal.record(by_hand(1), by_hand(2, "console"))
        journal.record(started("again", 2, seconds=100.0), step("again"), finished("again", unit=2))
    return place


def run(data: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main((*words, "--data-dir", str(data))) == status
    said = capsys.readouterr()
    return said.out + said.err


def text(lines: list[Line]) -> str:
    return "\n".join("".join(piece.text for piece in one) for one in lines)


def test_its_history_and_every_list_say_that_it_is_somebodys_turn_and_since_when(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = run(data, capsys, "log", "find", unit_id(1))
    assert "YOUR TURN (PASS, worked on by hand since " in story
    (row,) = run(data, capsys, "log", "find", "touched", "--json").splitlines()
    assert (json.loads(row)["verdict"], json.loads(row)["by_hand_since"]) == ("PASS", SINCE)
    listed = run(data, capsys, "log", "find", "PASS")
    assert listed.count("YOUR TURN (PASS") == 2  # attempts: also the one of the second unit before it passed again
    assert run(data, capsys, "log", "find", unit_id(2)).count("YOUR TURN") == 1
    assert "YOUR TURN" not in run(data, capsys, "log", "find", unit_id(3))


def test_no_passport_is_given_out_before_it_is_walked_again(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = run(data, capsys, "log", "passport", unit_id(1), status=1)
    assert refused.startswith(f"{unit_id(1)}: it was worked on by hand since ")
    assert refused.endswith("; walk it again first\n")
    assert json.loads(run(data, capsys, "log", "passport", unit_id(2)))["attempt"] == "again"
    assert json.loads(run(data, capsys, "log", "passport", unit_id(3)))["verdict"] == "PASS"


def test_the_lists_of_good_units_leave_it_out(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(data, capsys, "log", "export", "--batch", "B1", "--format", "devices", "-o", str(tmp_path / "list"))
    assert (tmp_path / "list").read_text("utf-8").split() == [unit_id(3), unit_id(2)]


def test_the_screen_lists_it_as_somebodys_turn_and_its_life_too(data: Path) -> None:
    with JournalReader(data / "journal") as journal:
        records = JournalRecords(journal, data)
        touched, again = records.find(unit_id(1), 0, 5), records.find(unit_id(2), 0, 5)
        whole, other = records.life(unit_id(1)), records.life(unit_id(2))
    assert "YOUR TURN" in text(found(touched.rows, 100, ENGLISH, UNICODE))
    assert "YOUR TURN" not in text(found(again.rows, 100, ENGLISH, UNICODE))
    assert whole is not None
    assert text(life(whole, 100, ENGLISH, UNICODE)).count("YOUR TURN") == 2  # the unit, and its attempt
    assert other is not None
    assert text(life(other, 100, ENGLISH, UNICODE)).count("YOUR TURN") == 1  # the attempt before the last


def test_the_report_of_its_next_attempt_tells_it_of_the_one_before(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    with JournalReader(data / "journal") as journal, page.open("w", encoding="utf-8") as file:
        report = unit_report(journal, "again", ENGLISH)
        assert report is not None
        write_unit_report(report, file)
    head, _, history = page.read_text("utf-8").partition("HISTORY OF THE UNIT")
    assert "YOUR TURN" not in head
    assert history.count("YOUR TURN") == 1
