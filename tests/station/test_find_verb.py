"""``station log find ANYTHING``: the answer says what it took the words for, and a script reads the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.journal_story import at, finished, identified, opened, started, step, unit_id

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.engine.records import LotScanned
from station.journal import Journal
from station.model import Verdict


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("data")
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), LotScanned(at=at(), batch="B1", lot="2231-A", part="ANT"))
        for unit in range(60):
            attempt, bad = f"a-{unit}", unit % 10 == 0
            journal.record(started(attempt, unit, seconds=60.0 * unit))
            journal.record(identified(attempt, unit, serial=f"P044AB{unit:07d}"), step(attempt))
            end = Verdict.FAIL if bad else Verdict.PASS
            journal.record(finished(attempt, end, unit, "the radio did not answer" if bad else ""))
    return place


def find(data: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> list[str]:
    assert main(("log", "find", *words, "--data-dir", str(data))) == status
    said = capsys.readouterr()
    return (said.out or said.err).splitlines()


@pytest.mark.parametrize(
    ("words", "first", "rows"),
    [
        (("fail",), "taken for FAIL: 6 attempts", 6),
        (("FAIL",), "taken for FAIL: 6 attempts", 6),
        (("the radio did",), "taken for words of a reason: 6 attempts", 6),
        (("the", "radio", "did"), "taken for words of a reason: 6 attempts", 6),
        (("LOT:ANT=2231-a",), "taken for a lot of parts: 60 attempts", 51),  # the last row says how many more
        (("BATCH:B1", "--limit", "3"), "taken for a batch: 60 attempts", 4),
        (("B1", "--limit", "0"), "taken for a batch: 60 attempts", 60),
        (("check", "station"), "", 0),
        (("00", "--as", "part"), "", 0),
        (("AB00000", "--as", "label"), "taken for a part of a label: 60 units", 51),
    ],
)
def test_the_answer_says_what_it_took_the_words_for(
    words: tuple[str, ...], first: str, rows: int, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not rows:
        assert find(data, capsys, *words, status=1)[0].startswith("no unit, attempt or SIM")
        return
    said, *others = find(data, capsys, *words)
    assert (said, len(others)) == (first, rows)


def test_a_unit_that_is_the_only_one_is_told_with_its_whole_life(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, *story = find(data, capsys, "0000001")
    assert said == "taken for the end of an id"
    assert any("P044AB0000001" in line for line in story)
    assert any("device_os" in line for line in story)


def test_a_span_of_time_is_read_by_the_clock_on_the_wall(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    narrowed = find(
        data, capsys, "FAIL", "--since", "2026-01-05T06:09:00+00:00", "--until", "2026-01-05T06:31:00+00:00"
    )
    assert narrowed[0].startswith("taken for FAIL, from 2026-01-05 ")
    assert narrowed[0].endswith(": 3 attempts")


def test_a_unit_tells_its_lots_in_its_story(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert any("slot 3  lots ANT=2231-A  FAIL" in line for line in find(data, capsys, unit_id(10)))


def test_a_script_reads_one_object_a_row(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in find(data, capsys, "FAIL", "--json", "--limit", "0")]
    assert [row["taken_for"] for row in rows] == ["attempts"] * 6
    assert [row["device_id"] for row in rows] == [unit_id(unit) for unit in (50, 40, 30, 20, 10, 0)]
    (row,) = [json.loads(line) for line in find(data, capsys, "P044AB0000007", "--json")]
    assert (row["taken_for"], row["verdict"], row["lots"]) == ("unit", "PASS", ["ANT=2231-A"])


def test_nothing_found_and_nothing_asked_are_told_apart(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert find(data, capsys, "nowhere", status=1) == ["no unit, attempt or SIM nowhere in this journal"]
    assert find(data, capsys, status=2)[0].startswith("station: nothing to look for; give an id")
    assert "is no time, expected" in find(data, capsys, "2026-13-01", status=2)[0]
