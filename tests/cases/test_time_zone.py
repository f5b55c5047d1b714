"""A bench in Shanghai: people read the clock on their wall with its zone, files and JSON keep UTC."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.journal_story import AT, at, identified, opened, unit_id, walked

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.engine.events import BatchClosed, StationFault
from station.headless import as_json, as_words
from station.journal import Journal
from station.local_time import clock_time, moment, zone
from station.model import SeenBefore, Verdict
from station.view.bars import log_line
from station.view.look import UNICODE
from station.view.state import LogLine
from station.words.catalogue import Words
from station.words.languages import load


@pytest.fixture(autouse=True)
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock(epoch=AT)) as journal:
        journal.record(opened(), *walked("a-1"), identified("a-1", serial="P044AB1234567"))
        journal.record(BatchClosed(at=at(60), batch="B1"))
    return tmp_path


@pytest.fixture(scope="module")
def words() -> Words:
    return load()


def test_headless_lines_are_local_and_json_is_utc(words: Words) -> None:
    event = StationFault(at=AT, reason="disk")
    assert (as_words(event, words) or "").startswith("14:00:00 UTC+8  ")
    assert json.loads(as_json(event) or "")["at"] == "2026-01-05T06:00:00.000+00:00"


def test_lines_of_the_screen_are_local(words: Words) -> None:
    assert log_line(LogLine(AT, "said"), 80, UNICODE, words) == "14:00:00 UTC+8  said"
    seen = SeenBefore(Verdict.PASS, AT, "bench-3", "B1")
    assert words.seen_before(seen) == "Seen before: PASS, Mon 14:00, bench-3."


def test_what_verbs_print_is_local_and_what_they_export_is_utc(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["batch", "list", "--data-dir", str(data)]) == 0
    assert "closed 2026-01-05 14:01:00 UTC+8" in capsys.readouterr().out
    assert main(["log", "find", unit_id(1), "--data-dir", str(data)]) == 0
    told = capsys.readouterr().out
    assert "first seen 2026-01-05 14:00:00 UTC+8" in told
    assert "  2026-01-05 14:00:00 UTC+8  batch B1  slot 3  PASS" in told
    for form in ("csv", "jsonl"):
        assert main(["log", "export", "--batch", "B1", "--format", form, "--data-dir", str(data)]) == 0
        told = capsys.readouterr().out
        assert "2026-01-05T06:00:00.000+00:00" in told
        assert "UTC+8" not in told


@pytest.mark.parametrize(
    ("minutes", "said"), [(0, "UTC"), (480, "UTC+8"), (330, "UTC+5:30"), (-210, "UTC-3:30"), (-300, "UTC-5")]
)
def test_a_zone_is_said_by_its_offset(minutes: int, said: str) -> None:
    tz = datetime.timezone(datetime.timedelta(minutes=minutes))
    assert zone(AT, tz) == said
    assert clock_time(AT, tz).endswith(f":00 {said}")
    assert moment(AT, tz).endswith(f":00 {said}")
