"""A damaged journal at the start of a station: a new one is begun only where all that is owed goes along."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from support.journal_damage import Spoil, page_of
from support.journal_story import at, by_hand, finished, identified, item, opened, pending, started, step, unit_id

from drivers.clock import SimulatedClock
from station.cli.main import main
from station.engine.events import BatchClosed, VerdictRevised
from station.engine.records import LotScanned
from station.errors import JournalDamaged, JournalError
from station.journal import Journal, JournalReader, OutboxPostponed, open_or_begin
from station.model import Outcome, Verdict

AWAY = "the cloud does not answer"


@pytest.fixture
def place(tmp_path: Path, clock: SimulatedClock) -> Path:
    """A journal with a closed batch, a unit that passed, and one that owes work which was tried once."""
    directory = tmp_path / "journal"
    with Journal.open(directory, "bench-1", clock) as journal:
        journal.record(opened("B0"), BatchClosed(at=at(), batch="B0"), opened())
        journal.record(LotScanned(at=at(), batch="B1", part="ANT", lot="7"))
        journal.record(started("a-1"), identified("a-1", serial="P044AB1234567"), step("a-1"), finished("a-1"))
        journal.record(*pending("a-2", "product_add", "name", unit=2))
        journal.record(
            OutboxPostponed(
                at=at(5), device_id=unit_id(2), attempt="a-2", action="product_add", retry_at=at(99), error=AWAY
            )
        )
        for number in range(3, 60):
            journal.record(started(f"a-{number}", number), identified(f"a-{number}", number), step(f"a-{number}"))
            journal.record(finished(f"a-{number}", unit=number))
    return directory


def header(path: Path) -> None:
    path.write_bytes(b"\xff" * 100 + path.read_bytes()[100:])


def half(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def edited(statement: str) -> Spoil:
    def spoil(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as db:
            for verb in ("update", "delete"):
                db.execute(f"DROP TRIGGER journal_no_{verb}")
            db.execute(statement)
            db.commit()
        page_of("facts")(path)

    return spoil


@pytest.mark.parametrize("name", ["facts", "steps", "ids", "units", "held_modules", "step_tally", "attempts_by_unit"])
def test_owed_work_goes_into_the_new_journal_whatever_other_table_is_damaged(
    name: str, place: Path, clock: SimulatedClock
) -> None:
    with JournalReader(place) as reader:
        owed = reader.owed()
    page_of(name)(place / "journal.db")
    journal, note = open_or_begin(place, "bench-1", clock)
    with journal:
        aside = next(place.glob("journal.damaged-*.db"))
        assert note == (
            f"the journal was damaged, is kept as {aside.name} and a new one was begun; 2 owed items were carried"
            " over, all else it recorded is in that file only"
        )
        assert journal.owed() == owed
        (attempt,) = journal.attempts("B1")
        assert (attempt.attempt, attempt.verdict, attempt.lots) == ("a-2", Verdict.PENDING, ("ANT=7",))
        assert [entry.kind for entry in journal.entries()][-1] == "JournalRestored"
        assert note in [entry.values().get("reason") for entry in journal.entries()]
        journal.verify()
    assert sorted(path.name for path in place.iterdir() if path.suffix in (".part", ".begun")) == []


def test_that_a_unit_which_owes_was_worked_on_by_hand_goes_along(place: Path, clock: SimulatedClock) -> None:
    with Journal.open(place, "bench-1", clock) as journal:
        journal.record(by_hand(1), by_hand(2))
    page_of("facts")(place / "journal.db")
    journal, _ = open_or_begin(place, "bench-1", clock)
    with journal:
        (attempt,) = journal.attempts("B1")
        assert (attempt.attempt, attempt.verdict, attempt.by_hand_at) == ("a-2", Verdict.PENDING, at(60))
        assert [entry.kind for entry in journal.entries()].count("HandWorkBegun") == 1
        journal.verify()


def test_a_journal_that_owes_nothing_is_begun_anew_with_one_entry(place: Path, clock: SimulatedClock) -> None:
    with Journal.open(place, "bench-1", clock) as journal:
        journal.drop({"a-2"}, "dropped by 0417")
    page_of("facts")(place / "journal.db")
    journal, note = open_or_begin(place, "bench-1", clock)
    with journal:
        assert "it owed nothing" in note
        assert journal.owed() == ()
        assert [entry.kind for entry in journal.entries()] == ["JournalRestored"]


def test_work_that_was_settled_in_part_is_carried_over_as_it_stood(place: Path, clock: SimulatedClock) -> None:
    with Journal.open(place, "bench-1", clock) as journal:
        journal.settle(item("a-2", "product_add", 2), Outcome.DONE, "", "read back")
    page_of("facts")(place / "journal.db")
    journal, note = open_or_begin(place, "bench-1", clock)
    with journal:
        assert "1 owed items" in note
        (revised,) = journal.settle(item("a-2", "name", 2), Outcome.DONE, "", "read back")[1:]
        assert isinstance(revised, VerdictRevised)
        assert revised.verdict is Verdict.PASS


REFUSED = {
    "header": header,
    "half the file gone": half,
    "no bytes": emptied,
    "page of the outbox": page_of("outbox"),
    "page of the entries": page_of("journal"),
    "page of the names": page_of("names"),
    "page of the list of migrations": page_of("migrations"),
    "an entry of owed work changed, too": edited("UPDATE journal SET body = replace(body, 'a-2', 'a-9')"),
    "the last entry gone, too": edited("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)"),
    "a row of the outbox gone, too": edited("DELETE FROM outbox WHERE action = 'name'"),
    "the outbox empty, too": edited("DELETE FROM outbox"),
    "a row of the outbox changed, too": edited("UPDATE outbox SET body = 'x' WHERE action = 'name'"),
    "a row of the outbox settled, too": edited("UPDATE outbox SET settled_at = '2026-01-05' WHERE action = 'name'"),
    "all of the outbox settled, too": edited("UPDATE outbox SET settled_at = '2026-01-05', outcome = 'done'"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_whose_owed_work_is_not_sure_stays_where_it_is_and_stops_the_station(
    kind: str, place: Path, clock: SimulatedClock
) -> None:
    REFUSED[kind](place / "journal.db")
    before = (place / "journal.db").read_bytes()
    with pytest.raises(JournalError, match=r"station log restore|put back the whole data directory"):
        open_or_begin(place, "bench-1", clock)
    assert list(place.glob("*damaged*")) == []
    if kind != "no bytes":
        assert (place / "journal.db").read_bytes() == before


def test_without_a_note_of_the_last_entry_nothing_is_sure(place: Path, clock: SimulatedClock) -> None:
    page_of("facts")(place / "journal.db")
    (place / "journal.seal").unlink()
    with pytest.raises(JournalDamaged):
        open_or_begin(place, "bench-1", clock)


def test_a_start_that_was_killed_before_the_new_journal_was_in_place_is_finished_by_the_next(
    place: Path, clock: SimulatedClock
) -> None:
    page_of("facts")(place / "journal.db")
    journal, _ = open_or_begin(place, "bench-1", clock)
    journal.close()
    (aside,) = place.glob("journal.damaged-*.db")
    (place / "journal.db").rename(place / f".{aside.name}.begun")
    for left in (place / "journal.seal", *place.glob("journal.db-*")):
        left.unlink()
    aside.rename(place / "journal.db")
    (place / "journal.db-wal").write_bytes(b"of the damaged one")
    with Journal.open(place, "bench-1", clock) as journal:
        assert [owed.item.action for owed in journal.owed()] == ["product_add", "name"]
        journal.verify()
    assert aside.exists()


def test_damage_met_in_a_run_is_looked_for_at_the_next_start(place: Path, clock: SimulatedClock) -> None:
    with Journal.open(place, "bench-1", clock) as journal:
        page_of("facts")(place / "journal.db")
        with pytest.raises(JournalError, match="malformed"):
            journal.unit(unit_id(1))
    journal, note = open_or_begin(place, "bench-1", clock)
    with journal:
        assert "2 owed items" in note


def test_doctor_names_what_was_set_aside(
    place: Path, clock: SimulatedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    page_of("facts")(place / "journal.db")
    open_or_begin(place, "bench-1", clock)[0].close()
    (aside,) = place.glob("journal.damaged-*.db")
    main(("doctor", "--no-cloud", "--data-dir", str(place.parent)))
    assert f"set aside as {aside.name}" in capsys.readouterr().out
