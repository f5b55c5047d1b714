"""A lock and a full disk: callers wait through the clock, and what waited is recorded once or not at all."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from support.journal_story import item, opened, pending, started, walked
from support.journal_trouble import JournalTrouble, troubled

from drivers.clock import CancelToken, SimulatedClock
from drivers.errors import Cancelled
from station.errors import JournalError, JournalHeld
from station.journal import Entry, Journal, JournalReader
from station.journal.patience import CLOSING_S, QUIET_S, Patience
from station.journal.schema import held_by
from station.journal.writer import Writer
from station.model import Outcome
from station.words.say import Say

PATIENCE_S = 100.0
TROUBLES = {"journal_locked": JournalTrouble.lock, "disk_full": JournalTrouble.fill}


class Waiter:
    """Somebody who notes what is said to it."""

    def __init__(self, clock: SimulatedClock, cancel: CancelToken | None = None) -> None:
        self._clock, self.cancel = clock, cancel
        self.said: list[tuple[float, str]] = []
        self.seconds = 0.0

    def held(self, say: Say) -> None:
        self.said.append((self._clock.now(), say.key))

    def resumed(self) -> None:
        self.said.append((self._clock.now(), ""))

    def waited(self, seconds: float) -> None:
        self.seconds += seconds


def later(clock: SimulatedClock, seconds: float, act: Callable[[], object]) -> Callable[[], None]:
    """For a thread of the clock: ``act``, that much later."""

    def run() -> None:
        clock.sleep(seconds)
        act()

    return run


@pytest.fixture
def patient(data: Path, clock: SimulatedClock) -> Journal:
    """A journal of some patience; the test's thread counts for the clock."""
    journal = Journal.open(data, "bench-1", clock, patience_s=PATIENCE_S)
    journal.record(opened())
    return journal


@pytest.mark.parametrize("kind", TROUBLES)
def test_who_appends_waits_until_the_trouble_is_over_and_is_recorded_once(
    kind: str, patient: Journal, clock: SimulatedClock
) -> None:
    with clock.registered(), patient, troubled(patient) as trouble:
        waiter = Waiter(clock)
        ended: list[float] = []

        def append() -> None:
            with patient.waiting_as(waiter):
                for number in range(40):
                    patient.record(*walked(f"a-{number}"))
            ended.append(clock.now())

        TROUBLES[kind](trouble)
        thread = clock.thread("slot", append)
        clock.sleep(60.0)
        assert ended == []
        trouble.free()
        thread.join()
        assert waiter.said[0][1] == kind
        assert QUIET_S <= waiter.said[0][0] < 3.0, "a short lock is not worth a word, a long one is told soon"
        assert waiter.said[-1][1] == ""
        assert waiter.seconds == pytest.approx(ended[0])
        assert 60.0 <= ended[0] < 62.0
        assert set(Counter(a.attempt for a in patient.attempts("B1")).values()) == {1}
        assert len(patient.attempts("B1")) == 40
        patient.verify()


def test_a_lock_of_a_moment_is_waited_for_without_a_word(patient: Journal, clock: SimulatedClock) -> None:
    with clock.registered(), patient, troubled(patient) as trouble:
        waiter = Waiter(clock)
        trouble.lock()
        clock.thread("other", later(clock, 0.3, trouble.free))
        with patient.waiting_as(waiter):
            patient.record(*walked("a-1"))
        assert waiter.said == []
        assert waiter.seconds == pytest.approx(clock.now())


@pytest.mark.parametrize(("is_started", "told"), [(False, 1), (True, 0)])
def test_a_start_that_waits_says_so_once_where_no_screen_is_yet(
    is_started: bool, told: int, patient: Journal, clock: SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    with clock.registered(), patient, troubled(patient) as trouble:
        if is_started:
            with patient.waiting_as(Waiter(clock)):
                patient.record(*walked("a-0"))
        trouble.lock()
        clock.thread("other", later(clock, 30.0, trouble.free))
        patient.record(*walked("a-1"))
        said = [row.getMessage() for row in caplog.records if row.name == "station.journal.patience"]
        assert len(said) == told
        assert all("database is locked" in one and one.endswith("waiting up to 100 s for that") for one in said)


def test_patience_ends_and_the_next_call_does_not_begin_it_anew(patient: Journal, clock: SimulatedClock) -> None:
    with clock.registered(), patient, troubled(patient) as trouble:
        trouble.lock()
        with pytest.raises(JournalHeld, match="database is locked") as caught:
            patient.record(*walked("a-1"))
        assert caught.value.say.key == "journal_locked"
        assert clock.now() == pytest.approx(PATIENCE_S, abs=1.5)
        began = clock.now()
        with pytest.raises(JournalHeld):
            patient.record(*walked("a-1"))
        assert clock.now() == began
        trouble.free()
        patient.record(*walked("a-1"))
        trouble.lock()
        began = clock.now()
        with pytest.raises(JournalHeld):
            patient.record(*walked("a-2"))
        assert clock.now() - began == pytest.approx(PATIENCE_S, abs=1.5), "another trouble, another patience"
        assert [a.attempt for a in patient.attempts("B1")] == ["a-1"]


def test_who_is_cancelled_waits_no_longer_and_nothing_of_it_is_recorded(
    patient: Journal, clock: SimulatedClock
) -> None:
    with clock.registered(), patient, troubled(patient) as trouble:
        token = clock.token()
        trouble.lock()
        clock.thread("hand", later(clock, 7.0, token.cancel))
        with pytest.raises(Cancelled), patient.waiting_as(Waiter(clock, token)):
            patient.record(started("a-1"))
        assert clock.now() == 7.0
        trouble.free()
        assert patient.attempts("B1") == ()


def test_a_closing_station_waits_only_some_seconds(patient: Journal, clock: SimulatedClock) -> None:
    with clock.registered(), patient, troubled(patient) as trouble:
        trouble.lock()
        clock.thread("closing", later(clock, 20.0, patient.hurry))
        with pytest.raises(JournalHeld):
            patient.record(started("a-1"))
        assert clock.now() == pytest.approx(20.0 + CLOSING_S, abs=1.1)


def test_owed_work_settled_under_a_lock_is_settled_once(patient: Journal, clock: SimulatedClock) -> None:
    patient.record(*pending("a-1", "product_add"))
    with clock.registered(), patient, troubled(patient) as trouble:
        trouble.lock()
        clock.thread("other", later(clock, 30.0, trouble.free))
        events = patient.settle(item("a-1"), Outcome.DONE, "", "read back")
        assert [event.kind for event in events] == ["OutboxSettled", "VerdictRevised"]
        assert [row.kind for row in patient.entries()].count("OutboxSettled") == 1


def test_one_that_is_refused_does_not_wait(patient: Journal, clock: SimulatedClock) -> None:
    with clock.registered(), patient:
        patient.record(*walked("a-1"))
        with pytest.raises(JournalError, match="not running"):
            patient.record(walked("a-1")[-1])
        assert clock.now() == 0.0


def test_an_entry_by_another_hand_ends_all_writing(patient: Journal, data: Path, clock: SimulatedClock) -> None:
    with clock.registered(), patient:
        other = sqlite3.connect(data / "journal.db", isolation_level=None)
        other.execute(
            "INSERT INTO journal SELECT seq + 1, station, at, kind, slot, unit, attempt, body, hash FROM journal"
        )
        other.close()
        for _ in range(2):
            with pytest.raises(JournalError, match="another program wrote into the journal"):
                patient.record(*walked("a-1"))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("SQLITE_BUSY", "journal_locked"), ("SQLITE_BUSY_SNAPSHOT", "journal_locked"),
        ("SQLITE_LOCKED", "journal_locked"), ("SQLITE_PROTOCOL", "journal_locked"), ("SQLITE_FULL", "disk_full"),
        ("SQLITE_IOERR_WRITE", "disk_fails"), ("SQLITE_IOERR_FSYNC", "disk_fails"), ("SQLITE_CANTOPEN", "disk_fails"),
        ("SQLITE_READONLY", "disk_fails"), ("SQLITE_PERM", "disk_fails"), ("SQLITE_NOMEM", "disk_fails"),
        ("SQLITE_CORRUPT", None), ("SQLITE_NOTADB", None), ("SQLITE_IOERR_READ", None),
        ("SQLITE_IOERR_SHORT_READ", None), ("SQLITE_IOERR_CORRUPTFS", None), ("SQLITE_ERROR", None),
        ("SQLITE_CONSTRAINT", None), ("SQLITE_MISUSE", None),
    ],
)  # fmt: skip
def test_what_passes_by_itself_is_waited_for_and_damage_is_not(name: str, sentence: str | None) -> None:
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = getattr(sqlite3, name)
    assert held_by(error) == (Say(sentence) if sentence else None)


class Late(sqlite3.Connection):
    """A connection whose next COMMIT is done and then reported as failed, as by a disk that answers too late."""

    fails_next = False

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        cursor = super().execute(sql, *values)  # type: ignore[arg-type]
        if sql == "COMMIT" and self.fails_next:
            self.fails_next = False
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"
            raise error
        return cursor


def test_a_commit_that_happened_and_was_reported_as_failed_is_not_repeated(data: Path, clock: SimulatedClock) -> None:
    Journal.open(data, "bench-1", clock).close()
    db = sqlite3.connect(data / "journal.db", factory=Late, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    writer = Writer(db, "bench-1")
    writer.submit(lambda _: [Entry.from_event(opened())])
    db.fails_next = True
    writer.submit(lambda _: [Entry.from_event(event) for event in walked("a-1")])
    writer.submit(lambda _: [Entry.from_event(event) for event in walked("a-2")])
    writer.close()
    with JournalReader(data) as reader:
        assert [attempt.attempt for attempt in reader.attempts("B1")] == ["a-1", "a-2"]
        assert reader.verify().entries == 7


# --- a station whose time runs faster than this computer's ----------------------------------------


@pytest.mark.parametrize(("locked_s", "is_recorded"), [(30.0, True), (90.0, True), (110.0, False)])
def test_a_real_trouble_is_waited_for_in_real_time_and_the_stations_stands_still(
    locked_s: float, is_recorded: bool
) -> None:
    clock, host = SimulatedClock(), SimulatedClock()
    patience = Patience(clock, PATIENCE_S, host)

    def act() -> str:
        if host.now() < locked_s:
            raise JournalHeld("locked", say=Say("journal_locked"))
        return "recorded"

    with clock.registered():
        waiter = Waiter(clock)
        with patience.waiting_as(waiter), nullcontext() if is_recorded else pytest.raises(JournalHeld):
            assert patience.run(act) == "recorded"
    assert host.now() == pytest.approx(min(locked_s, PATIENCE_S), abs=1.0)
    assert clock.now() == waiter.seconds == 0.0, "no limit of a step came nearer by it"
    assert waiter.said == [(0.0, "journal_locked"), (0.0, "")]


def test_who_is_stopped_while_a_real_trouble_lasts_waits_no_longer() -> None:
    clock, host = SimulatedClock(), SimulatedClock()
    cancel = clock.token()

    def act() -> None:
        if host.now() > 10.0:
            cancel.cancel()
        raise JournalHeld("locked", say=Say("journal_locked"))

    patience = Patience(clock, PATIENCE_S, host)
    with clock.registered(), patience.waiting_as(Waiter(clock, cancel)), pytest.raises(Cancelled):
        patience.run(act)
    assert host.now() < 13.0
