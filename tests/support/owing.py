"""A journal in which many units owe all of their cloud work, a cloud that knows them, and the outbox. No bench."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drivers.clock import SimulatedClock
from drivers.identity import DeviceId, Iccid, Secret, SerialNumber
from station.cloud.client import CloudClient
from station.cloud.virtual import VirtualCloud
from station.cloud.virtual.seen import SeenRequest
from station.engine.events import Event, OutboxSettled, VerdictRevised
from station.engine.records import OutboxQueued
from station.journal import Journal
from station.line.outbox import OutboxWorker
from station.line.owed import OwedDesk
from station.line.owed_orders import OwedOrders
from station.model import OutboxItem, Outcome, Verdict
from station.steps.shared.cloudjob import CloudJob
from station.steps.table import StepTable

from . import cloud_bench
from .journal_story import finished, opened, started, step

ADD, RENAME = "POST /v1/products/:p/devices", "PUT /v1/products/:p/devices/:id"
STEPS = ("product_add", "name", "sim", "final_check")


@dataclass
class Owing:
    """One station's outbox. ``worker`` is that of its last start."""

    directory: Path
    clock: SimulatedClock
    cloud: VirtualCloud
    token: Secret
    url: str
    events: list[Event] = field(default_factory=list)

    def start(self) -> None:
        """Start the station's outbox (again): nothing is left of the memory of one before."""
        self.journal = Journal.open(self.directory, "s", self.clock)
        self.client = CloudClient(self.url, lambda: self.token, self.clock)
        desk = OwedDesk(self.client, StepTable.found(), self.clock, self.journal.record, self.journal.known_facts)
        self.worker = OutboxWorker(self.clock, self.journal, desk, self.events.append, OwedOrders(self.directory))

    def stop(self) -> None:
        self.worker.stop()
        self.client.close()
        self.journal.close()

    @property
    def passed(self) -> int:
        return sum(isinstance(e, VerdictRevised) and e.verdict is Verdict.PASS for e in self.events)

    def settled(self, action: str) -> list[Outcome]:
        return [e.outcome for e in self.events if isinstance(e, OutboxSettled) and e.action == action]

    def drain(self, within_s: float = 3600.0) -> float:
        """Let the outbox work until nothing is owed; return the seconds it took."""
        self.worker.start()
        return self.wait_drained(within_s)

    def wait_drained(self, within_s: float = 3600.0) -> float:
        begun = self.clock.now()
        while self.journal.waiting() and self.clock.now() - begun < within_s:
            self.clock.sleep(1.0)
        return self.clock.now() - begun

    def requests_within(self, seconds: float) -> tuple[SeenRequest, ...]:
        """Let so much time pass; return what the cloud was asked meanwhile."""
        before = len(self.cloud.requests())
        self.clock.sleep(seconds)
        return tuple(self.cloud.requests()[before:])


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
def owing(directory: Path, count: int, scopes: Sequence[str] = (), steps: Sequence[str] = STEPS) -> Iterator[Owing]:
    """An outbox that is not at work yet: ``count`` units owe ``steps``."""
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
        made = Owing(directory, clock, cloud, token, cloud.serve())
        made.start()
        stack.callback(made.stop)
        made.journal.record(opened())
        for number in range(count):
            cloud.register_unit(device(number), 13, serial=serial(number), iccid=iccid(number))
            made.journal.record(*pending(number, steps))
        yield made


def pending(
    number: int, steps: Sequence[str] = STEPS, job_of: Callable[[int], CloudJob] = job, attempt: str = ""
) -> tuple[Event, ...]:
    """Return what the journal holds of a unit that owes ``steps`` since an ``attempt``, its first if not said."""
    name, body, unit = attempt or f"a-{number}", job_of(number).to_json(), number
    items = tuple(OutboxItem(name, str(device(number)), action, body) for action in steps)
    return (
        started(name, unit),
        *(step(name, action, Outcome.DEFERRED) for action in steps),
        finished(name, Verdict.PENDING, unit),
        OutboxQueued(at=finished(name).at, attempt=name, items=items),
    )
