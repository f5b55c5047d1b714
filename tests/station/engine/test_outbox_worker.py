"""The outbox worker: every owed item once, in order, and never again after it was settled."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import pytest
from support.journal_story import opened, pending, unit_id

from drivers.clock import CancelToken, SimulatedClock
from drivers.errors import BadIdentity
from station.cloud.errors import CloudDown
from station.engine.events import Event, OutboxSettled, StationFault, VerdictRevised
from station.engine.step import StepResult, deferred, done
from station.errors import BadInput, UnitRejected
from station.journal import Journal
from station.line.outbox import RETRY_S, OutboxWorker
from station.model import OutboxItem, Outcome, Verdict

Finish = Callable[[OutboxItem], StepResult]


class Desk:
    """The cloud as the test tells it."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.tried: list[tuple[float, str, str]] = []
        self.answer: Finish = lambda item: done("read back")

    def together(self, items: Sequence[OutboxItem], again: Collection[OutboxItem], cancel: CancelToken) -> Finish:
        return self._finish

    def _finish(self, item: OutboxItem) -> StepResult:
        self.tried.append((round(self.clock.now(), 3), item.attempt, item.action))
        return self.answer(item)

    @property
    def actions(self) -> list[tuple[str, str]]:
        return [(attempt, action) for _, attempt, action in self.tried]


class Room:
    def __init__(self, directory: Path) -> None:
        self.clock = SimulatedClock()
        self.journal = Journal.open(directory, "s", self.clock)
        self.journal.record(opened())
        self.desk = Desk(self.clock)
        self.events: list[Event] = []
        self.worker = OutboxWorker(self.clock, self.journal, self.desk, self.events.append)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    with made.clock.registered():
        yield made
        made.worker.stop()
        made.journal.close()


def down(item: OutboxItem) -> StepResult:
    raise CloudDown("no answer")


def test_items_of_a_unit_are_settled_in_order_each_once_and_one_step_of_many_units_together(room: Room) -> None:
    room.journal.record(*pending("a-1", "product_add", "name"), *pending("a-2", "product_add", unit=2))
    room.worker.start()
    room.clock.sleep(1.0)
    assert room.desk.actions == [("a-1", "product_add"), ("a-2", "product_add"), ("a-1", "name")]
    assert [event.verdict for event in room.of(VerdictRevised)] == [Verdict.PASS, Verdict.PASS]  # type: ignore[attr-defined]
    room.worker.wake()
    room.clock.sleep(3600)
    assert len(room.desk.tried) == 3


def test_nothing_owed_costs_nothing(room: Room) -> None:
    room.worker.start()
    room.clock.sleep(3600)
    assert room.desk.tried == []
    room.journal.record(*pending("a-1", "name"))
    room.worker.wake()
    room.clock.sleep(0.1)
    assert room.desk.actions == [("a-1", "name")]


def test_while_the_cloud_is_away_the_tries_get_rarer(room: Room) -> None:
    room.desk.answer = down
    room.journal.record(*pending("a-1", "product_add"))
    room.worker.start()
    room.clock.sleep(200.0)
    moments = [at for at, _, _ in room.desk.tried]
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= RETRY_S[-1]
    assert len(moments) < 15
    room.desk.answer = lambda item: done("read back")
    room.worker.wake()  # the cloud is back
    room.clock.sleep(2 * RETRY_S[-1])
    assert room.journal.waiting() == 0


def test_one_unit_that_must_wait_does_not_hold_up_the_next(room: Room) -> None:
    """A SIM may take hours."""
    room.desk.answer = lambda item: deferred("not active yet", "{}") if item.attempt == "a-1" else done("read back")
    room.journal.record(*pending("a-1", "sim", "name"), *pending("a-2", "sim", unit=2))
    room.worker.start()
    room.clock.sleep(60.0)
    assert ("a-2", "sim") in room.desk.actions
    assert ("a-1", "name") not in room.desk.actions  # what follows waits for its own predecessor
    assert room.journal.waiting() == 2


def test_a_refusal_is_settled_as_failed_and_ends_the_rest_of_its_unit(room: Room) -> None:
    def refuse(item: OutboxItem) -> StepResult:
        raise UnitRejected("pull it")

    room.desk.answer = refuse
    room.journal.record(*pending("a-1", "product_add", "name", "sim"))
    room.worker.start()
    room.clock.sleep(10.0)
    assert room.desk.actions == [("a-1", "product_add")]
    outcomes = [(event.action, event.outcome) for event in room.of(OutboxSettled)]  # type: ignore[attr-defined]
    assert outcomes == [("product_add", Outcome.FAILED), ("name", Outcome.SKIPPED), ("sim", Outcome.SKIPPED)]
    (revised,) = room.of(VerdictRevised)
    assert isinstance(revised, VerdictRevised)
    assert (revised.verdict, revised.reason, revised.device_id) == (Verdict.FAIL, "pull it", unit_id(1))


@pytest.mark.parametrize("fault", [KeyError("surprise"), BadInput("no token is set"), BadIdentity("garbage")])
def test_a_fault_that_is_no_word_about_the_unit_is_told_once_and_the_work_stays_owed(
    fault: Exception, room: Room
) -> None:
    faulty = True

    def broken(item: OutboxItem) -> StepResult:
        if item.attempt == "a-1" and faulty:
            raise fault
        return done("read back")

    room.desk.answer = broken
    room.journal.record(*pending("a-1", "name"), *pending("a-2", "name", unit=2))
    room.worker.start()
    room.clock.sleep(100.0)
    assert [(event.attempt, event.verdict) for event in room.of(VerdictRevised)] == [("a-2", Verdict.PASS)]  # type: ignore[attr-defined]
    (told,) = room.of(StationFault)
    assert "name" in told.reason  # type: ignore[attr-defined]
    assert room.journal.waiting() == 1
    faulty = False
    room.clock.sleep(100.0)
    assert [(event.attempt, event.verdict) for event in room.of(VerdictRevised)][1:] == [("a-1", Verdict.PASS)]  # type: ignore[attr-defined]


@pytest.mark.rule("N1")
def test_a_station_killed_between_the_work_and_its_record_repeats_only_the_look(tmp_path: Path) -> None:
    """The step is asked again and observes that it is done; it is settled once."""
    room = Room(tmp_path)
    with room.clock.registered():
        room.journal.record(*pending("a-1", "product_add"))
        room.desk._finish(room.journal.due(room.clock.utc())[0])  # done, and then the power went
        room.journal.close()
        again = Journal.open(tmp_path, "s", room.clock)
        events: list[Event] = []
        worker = OutboxWorker(room.clock, again, room.desk, events.append)
        worker.start()
        room.clock.sleep(10.0)
        worker.stop()
        assert room.desk.actions == [("a-1", "product_add")] * 2
        assert sum(isinstance(event, OutboxSettled) for event in events) == 1
        again.close()


def test_a_journal_that_fails_is_told_once(tmp_path: Path) -> None:
    room = Room(tmp_path)
    with room.clock.registered():
        room.journal.record(*pending("a-1", "name"))

        def disk_fails(item: OutboxItem) -> StepResult:
            room.journal.close()
            return done("read back")

        room.desk.answer = disk_fails
        room.worker.start()
        room.clock.sleep(10.0)
        assert len(room.of(StationFault)) == 1
        room.worker.stop()
