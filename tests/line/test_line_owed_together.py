"""Owed work of many units at once: as few requests as the API allows, nothing lost, nothing done twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import cloud_bench
from support.journal_story import finished, opened, started, step

from drivers.clock import SimulatedClock
from drivers.identity import DeviceId, Iccid, SerialNumber
from station.cloud.client import CloudClient
from station.cloud.virtual import VirtualCloud
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.events import Event, OutboxSettled, VerdictRevised
from station.engine.records import OutboxQueued
from station.journal import Journal
from station.line.outbox import OutboxWorker
from station.line.owed import OwedDesk
from station.model import OutboxItem, Outcome, Verdict
from station.steps.shared.cloudjob import CloudJob
from station.steps.table import StepTable

ADD, RENAME = "POST /v1/products/:p/devices", "PUT /v1/products/:p/devices/:id"
LIST = "GET /v1/products/:p/devices"
STEPS = ("product_add", "name", "sim", "final_check")


@dataclass
class Owing:
    """A journal in which ``count`` units owe all of their cloud work, a cloud that knows them, and the outbox."""

    clock: SimulatedClock
    cloud: VirtualCloud
    journal: Journal
    events: list[Event]
    worker: OutboxWorker

    @property
    def passed(self) -> int:
        return sum(isinstance(e, VerdictRevised) and e.verdict is Verdict.PASS for e in self.events)

    def settled(self, action: str) -> list[Outcome]:
        return [e.outcome for e in self.events if isinstance(e, OutboxSettled) and e.action == action]

    def drain(self, within_s: float = 3600.0) -> float:
        """Let the outbox work until nothing is owed; return the seconds it took."""
        self.worker.start()
        begun = self.clock.now()
        while self.journal.waiting() and self.clock.now() - begun < within_s:
            self.clock.sleep(1.0)
        return self.clock.now() - begun


def device(number: int) -> DeviceId:
    return DeviceId.parse(f"e00fce68{number:016x}")


def serial(number: int) -> SerialNumber:
    return SerialNumber.parse(f"P044AB{number:07d}")


def job(number: int) -> CloudJob:
    return CloudJob(
        str(device(number)), 13, cloud_bench.PRODUCT, str(serial(number)), str(serial(number)),
        iccid=str(iccid(number)), queues=True,
    )  # fmt: skip


def iccid(number: int) -> Iccid:
    return Iccid.told(f"8988307{number:012d}0")


@contextlib.contextmanager
def owing(directory: Path, count: int, scopes: Sequence[str] = ()) -> Iterator[Owing]:
    clock = SimulatedClock()
    with clock.registered(), contextlib.ExitStack() as stack:
        cloud = VirtualCloud(clock)
        stack.callback(cloud.close)
        token = cloud_bench.populate(cloud)
        if scopes:
            token = cloud.create_token("station+1@api.example.com", scopes=scopes, is_api=True)
            cloud.create_product(
                cloud_bench.PRODUCT, 13, slug="widget-boron", name="Widget", team=["station+1@api.example.com"]
            )
        journal = Journal.open(directory, "s", clock)
        stack.callback(journal.close)
        journal.record(opened())
        for number in range(count):
            cloud.register_unit(device(number), 13, serial=serial(number), iccid=iccid(number))
            journal.record(*_pending(number))
        client = CloudClient(cloud.serve(), lambda: token, clock)
        stack.callback(client.close)
        events: list[Event] = []
        worker = OutboxWorker(clock, journal, OwedDesk(client, StepTable.found(), clock, journal.record), events.append)
        stack.callback(worker.stop)
        yield Owing(clock, cloud, journal, events, worker)


def _pending(number: int) -> tuple[Event, ...]:
    name, body, unit = f"a-{number}", job(number).to_json(), number
    items = tuple(OutboxItem(name, str(device(number)), action, body) for action in STEPS)
    return (
        started(name, unit),
        *(step(name, action, Outcome.DEFERRED) for action in STEPS),
        finished(name, Verdict.PENDING, unit),
        OutboxQueued(at=finished(name).at, attempt=name, items=items),
    )


def test_a_shift_of_owed_units_costs_little_more_than_a_request_a_unit(tmp_path: Path) -> None:
    """One import and a few lists for all of them; only a name takes a request of its own (N3)."""
    with owing(tmp_path, 300) as shift:
        shift.drain()
        assert (shift.journal.waiting(), shift.passed) == (0, 300)
        assert shift.cloud.effects == {ADD: 1, RENAME: 300}
        assert shift.cloud.writes == {ADD: 1, RENAME: 300}
        assert len(shift.cloud.requests()) < 1.2 * 300
        assert not [request for request in shift.cloud.requests() if request.status == 429]
        assert set(shift.settled("product_add")) == set(shift.settled("name")) == {Outcome.DONE}
        assert set(shift.settled("final_check")) == {Outcome.ALREADY}


def test_a_few_units_are_looked_up_one_by_one(tmp_path: Path) -> None:
    with owing(tmp_path, 3) as shift:
        shift.drain()
        assert shift.passed == 3
        assert not [request for request in shift.cloud.requests() if request.path.endswith("/devices")
                    and request.method == "GET"]  # fmt: skip


def test_one_refused_unit_among_many_fails_alone_and_by_its_own_sentence(tmp_path: Path) -> None:
    with owing(tmp_path, 20) as shift:
        shift.cloud.edit_device(device(7), owner="stranger@example.com")
        shift.drain()
        assert shift.passed == 19
        (failed,) = [e for e in shift.events if isinstance(e, VerdictRevised) and e.verdict is Verdict.FAIL]
        assert failed.device_id == str(device(7))
        assert f"{serial(7)} ({device(7)}): " in failed.reason or f"pull {serial(7)}" in failed.reason


@pytest.mark.rule("N2")
@pytest.mark.parametrize("kind", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_an_import_of_many_whose_answer_got_lost_is_decided_by_the_list(kind: FaultKind, tmp_path: Path) -> None:
    with owing(tmp_path, 20) as shift:
        shift.cloud.order(Fault(kind, ADD))
        shift.drain()
        assert shift.passed == 20
        assert shift.cloud.effects[RENAME] == 20
        units = [shift.cloud.device(device(number)) for number in range(20)]
        assert {unit and unit["product_id"] for unit in units} == {cloud_bench.PRODUCT}


def test_a_token_that_may_not_list_looks_each_unit_up(tmp_path: Path) -> None:
    scopes = ("devices:import", "devices:get", "devices:update", "sims:get")
    with owing(tmp_path, 20, scopes) as shift:
        shift.drain()
        assert shift.passed == 20
        assert shift.cloud.effects == {ADD: 20, RENAME: 20}


def test_what_was_written_for_many_is_announced_for_each_before_and_confirmed_after(tmp_path: Path) -> None:
    with owing(tmp_path, 20) as shift:
        shift.drain()
        assert shift.journal.unconfirmed_writes() == ()
        kinds = [row.kind for row in shift.journal.entries()]
        assert kinds.count("WriteIntended") == kinds.count("WriteConfirmed") == 40
