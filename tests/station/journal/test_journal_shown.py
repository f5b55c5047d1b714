"""What was edited is not shown: no export, no search and no list tells it as true."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from support.journal_editor import edited, killed
from support.journal_story import identified, pending, started, unit_id, walked

from drivers.clock import SimulatedClock
from drivers.identity import MobileSecret
from station.cli.main import main
from station.errors import JournalError
from station.export import EXPORTERS, export
from station.journal import Journal, JournalReader
from station.model import Outcome, Verdict

SHOWN = [
    ("UPDATE attempts SET verdict = 'PASS' WHERE attempt = 'a-1'", "attempts a-1 has verdict 'PASS', the journal says"),
    ("UPDATE attempts SET reason = '' WHERE attempt = 'a-1'", "attempts a-1 has reason ''"),
    ("UPDATE facts SET value = 'P044AB7654321' WHERE name = 'serial'", "facts .* has value 'P044AB7654321'"),
    ("UPDATE steps SET outcome = 'already' WHERE attempt = 'a-1'", "steps a-1 0 has outcome 'already'"),
    ("UPDATE measurements SET value = 1.0 WHERE attempt = 'a-1'", "measurements a-1 0 0 has value 1.0"),
    ("DELETE FROM measurements WHERE attempt = 'a-1'", "measurements a-1 0 0 stands in one of them only"),
    ("UPDATE journal SET body = replace(body, '\"FAIL\"', '\"PASS\"') WHERE seq = 14", "entry 14 was"),
    ("UPDATE journal SET hash = x'00' WHERE seq = 14", "entry 14 was"),
    ("UPDATE journal SET attempt = NULL WHERE seq = 14", "entry 14 was"),
    ("UPDATE names SET name = 'a-9' WHERE name = 'a-1'", "entry 5 was|attempts a-1"),
]


@pytest.mark.parametrize(("sql", "said"), SHOWN)
def test_what_was_edited_is_neither_exported_nor_found(
    sql: str, said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with edited(place) as db:
        db.execute(sql)
    for exporter in EXPORTERS:
        file = io.StringIO()
        with JournalReader(place / "journal") as journal, pytest.raises(JournalError, match=said):
            export(journal, "B1", file, exporter)
        assert file.getvalue() == ""
    assert main(("log", "find", unit_id(1), "--data-dir", str(place))) == 3
    assert capsys.readouterr().out == ""
    assert main(("doctor", "--data-dir", str(place))) in (1, 3)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [words[0] for words in lines if words[1:2] == ["journal"]] == ["STOP"]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE batches SET target = 1", "UPDATE batches SET closed_at = NULL", "UPDATE batches SET batch = 'B2'",
        "DELETE FROM batches", "UPDATE attempts SET batch = NULL", "DELETE FROM attempts",
        "UPDATE attempts SET verdict = 'PASS'", "UPDATE attempts SET operator = '0419'",
        *(sql for sql, _ in SHOWN[-4:]),
    ],
)  # fmt: skip
def test_a_list_of_batches_the_journal_does_not_know_is_not_shown(
    sql: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with edited(place) as db:
        db.execute(sql)
    assert main(("batch", "list", "--data-dir", str(place))) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search("tables differ from the journal|was changed after", said.err)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_counts_of_every_kind_of_ending_agree_with_what_is_shown(
    verdict: Verdict, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also an attempt that a kill left open, and one whose owed work revised its verdict."""
    journal = place / "journal"
    with Journal.open(journal, "bench-1", SimulatedClock()) as open_journal:
        open_journal.record(started("a-5", 5, batch=""), *pending("a-6", "name", unit=6))
        (owed,) = [one.item for one in open_journal.owed() if one.item.attempt == "a-6"]
        open_journal.settle(owed, Outcome.FAILED, "no such product", "")
        if verdict is Verdict.PENDING:
            open_journal.record(*pending("a-7", "name", unit=7))
        else:
            open_journal.record(*walked("a-7", 7, verdict))
    for _ in range(2):  # the first opening ends a-5
        Journal.open(journal, "bench-1", SimulatedClock()).close()
    assert main(("batch", "list", "--data-dir", str(place))) == 0
    assert "B1" in capsys.readouterr().out


def test_an_id_that_was_taken_out_of_the_chain_too_is_not_told_as_unknown(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with edited(place) as db:
        db.execute("UPDATE journal SET body = replace(body, 'P044AB1234567', 'P044AB7654321')")
        db.execute("DELETE FROM facts WHERE value = 'P044AB1234567'")
    assert main(("log", "find", "P044AB1234567", "--data-dir", str(place))) == 3
    assert "was changed after it was written" in capsys.readouterr().err


@pytest.mark.parametrize("table", ["units", "facts", "attempts"])
@pytest.mark.parametrize("known", [unit_id(1), "P044AB1234567", "89310410106543789301", "a-1", "4567"])
def test_a_unit_the_tables_have_lost_is_not_told_as_unknown(
    table: str, known: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with edited(place) as db:
        db.execute(f"DELETE FROM {table} WHERE device_id = ?", (unit_id(1),))
    for verb in (("log", "find", known), ("secrets", "forget", known)):
        if verb[0] == "secrets":  # a start that trusts the files as they are
            killed(place)
        assert main((*verb, "--data-dir", str(place))) == 3
        said = capsys.readouterr()
        assert (said.out, "tables differ from the journal" in said.err) == ("", True)


def test_another_unit_that_fits_does_not_hide_the_one_the_tables_have_lost(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(started("a-4", 4, batch=""), identified("a-4", 4, iccid="89310410106543789301"))
    assert main(("log", "find", "89310410106543789301", "--data-dir", str(place))) == 0
    shown = capsys.readouterr().out
    assert unit_id(1) in shown
    assert unit_id(4) in shown
    with edited(place) as db:
        db.execute("DELETE FROM facts WHERE device_id = ?", (unit_id(1),))
    assert main(("log", "find", "89310410106543789301", "--data-dir", str(place))) == 3
    assert capsys.readouterr().out == ""


def test_kept_secrets_are_not_listed_under_an_edited_label(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.keep_secret(unit_id(1), MobileSecret("ABCDEFGHJK12345"))
    with edited(place) as db:
        db.execute("UPDATE units SET label = 'P044AB7654321' WHERE device_id = ?", (unit_id(1),))
    assert main(("secrets", "list", "--data-dir", str(place))) == 3
    assert "P044AB7654321" not in capsys.readouterr().out


def test_an_attempt_moved_to_another_batch_is_missed_in_its_own(place: Path) -> None:
    with edited(place) as db:
        db.execute("UPDATE attempts SET batch = NULL WHERE attempt = 'a-1'")
    with JournalReader(place / "journal") as journal, pytest.raises(JournalError, match="attempts a-1 has batch None"):
        export(journal, "B1", io.StringIO())
