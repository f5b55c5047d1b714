"""``station log find ANYTHING``: the answer says what it took the words for, and a script reads the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.journal_story import at, finished, identified, opened, started, step, unit_id

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.engine.events import OperatorChanged
from station.engine.records import FirmwareNamed, LotScanned, UnitFacts
from station.firmware.examples import write_example_files
from station.firmware.store import FirmwareStore
from station.journal import Journal
from station.model import IdentityFact, Verdict
from station.words.say import Say


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("data")
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), LotScanned(at=at(), batch="B1", lot="2231-A", part="ANT"))
        journal.record(opened("B2"), OperatorChanged(at=at(), operator="0417"))
        for unit in range(60):
            attempt, bad = f"a-{unit}", unit % 10 == 0
            journal.record(started(attempt, unit, seconds=60.0 * unit))
            journal.record(identified(attempt, unit, serial=f"P044AB{unit:07d}"), step(attempt))
            end = Verdict.FAIL if bad else Verdict.PASS
            told = finished(attempt, end, unit, "the radio did not answer" if bad else "")
            journal.record(replace(told, say=Say("radio_silent")) if bad else told)
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
        (("radio_silent",), "taken for words of a reason: 6 attempts", 6),  # as stats --by reason names it
        (("radio", "silent"), "taken for words of a reason: 6 attempts", 6),
        (("OP:0417",), "taken for the badge of an operator: 60 attempts", 51),
        (("417", "--as", "badge"), "", 0),
        (("OP:0417", "FAIL"), "taken for the badge of an operator, FAIL: 6 attempts", 6),
        (("LOT:ANT=2231-A", "slot", "3", "--limit", "1"), "taken for a lot of parts, slot 3: 60 attempts", 2),
        (("slot", "3"), "taken for slot 3: 60 attempts", 51),
        (("FAIL", "slot", "3"), "taken for FAIL, slot 3: 6 attempts", 6),
        (("2026-01-05", "--limit", "1"), "taken for the time from ", 2),
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
    assert said.startswith(first)
    assert len(others) == rows


def test_a_unit_that_is_the_only_one_is_told_with_its_whole_life(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, *story = find(data, capsys, "0000001")
    assert said == "taken for the end of an id"
    assert any("P044AB0000001" in line for line in story)
    assert any("device_os" in line for line in story)
    values = {
        line.index(value) for line in story for value in (unit_id(1), "6.3.4  (", "P044AB0000001  (") if value in line
    }
    assert len(values) == 1, "values stand below each other"


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
    assert find(data, capsys, "nowhere", status=1) == [
        "no unit, attempt or SIM nowhere in this journal; `station log find --help` says what it takes"
    ]
    assert find(data, capsys, status=2)[0].startswith("station: nothing to look for; give an id")
    assert "is no time, expected" in find(data, capsys, "2026-13-01", status=2)[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("check station", "taken for CHECK STATION: no attempt in this journal"),
        ("slot 4", "taken for slot 4: no attempt in this journal"),
        ("PASS radio", "taken for PASS: no attempt with radio in this journal"),
        ("B2", "batch B2 has no attempt yet"),
    ],
)
def test_what_was_understood_and_has_no_attempt_is_told_as_that(
    words: str, said: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find(data, capsys, words, status=1) == [said]


def test_today_is_a_span(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (said,) = find(data, capsys, "FAIL today", status=1)  # the attempts of this journal began long ago
    assert said.startswith("taken for FAIL, from 2")
    assert said.endswith(": no attempt in this journal")


def held(unit: int, digest: str) -> UnitFacts:
    fact = IdentityFact("module application", f"1 {digest}", "module info")
    return UnitFacts(at=at(5), slot=3, device_id=unit_id(unit), attempt=f"b-{unit}", facts=(fact,))


def test_the_units_with_a_firmware_file_are_found_by_the_hash_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal has it from the batch, and keeps it when the file is in no folder any more."""
    file, module = "5d7db4710c2e99ab" * 4, "71" * 32
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), FirmwareNamed(at=at(), files=(("widget@1.bin", file, module),)))
        for unit in (1, 2, 3):
            journal.record(started(f"b-{unit}", unit), identified(f"b-{unit}", unit))
            journal.record(held(unit, module if unit < 3 else "72" * 32), finished(f"b-{unit}", unit=unit))
    for words in (file, file[:8], file[:12].upper()):
        said, *rows = find(tmp_path, capsys, words)
        assert said == "taken for the SHA-256 of a firmware file: 2 units"
        assert [row.split()[2] for row in rows] == [unit_id(1), unit_id(2)]
    told = [json.loads(line) for line in find(tmp_path, capsys, file[:8], "--as", "file", "--json")]
    assert [(one["taken_for"], one["device_id"]) for one in told] == [("file", unit_id(1)), ("file", unit_id(2))]
    (said,) = find(tmp_path, capsys, "5d7db472", status=1)
    assert said.endswith("; a firmware file is known from the batches that opened here, and while this bench has it")


def test_a_file_that_no_batch_named_is_known_while_this_bench_has_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A journal from before batches named their files: nothing of it tells which module a file holds."""
    folder, config = tmp_path / "firmware", tmp_path / "station.toml"
    folder.mkdir()
    write_example_files(folder)
    ref, image = next(iter(FirmwareStore((folder,)).files()))
    assert ref.sha256 == hashlib.sha256((folder / ref.file).read_bytes()).hexdigest()
    config.write_text(f'[firmware]\nfolders = ["{folder}"]\n')
    with Journal.open(tmp_path / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(opened(), started("b-1"), identified("b-1"), held(1, image.sha256.hex()), finished("b-1"))
    said, _, unit, *_ = find(tmp_path, capsys, ref.sha256[:12], "--config", str(config))
    assert (said, unit.split()) == ("taken for the SHA-256 of a firmware file", ["device_id", unit_id(1)])
    assert find(tmp_path, capsys, ref.sha256[:12], status=1)[0].startswith("no unit, attempt or SIM")
