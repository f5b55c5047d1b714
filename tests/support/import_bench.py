"""A list, a journal and a virtual cloud in simulated time: imports of whole lists without a command line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from drivers.clock import SimulatedClock
from drivers.identity import DeviceId, Iccid, SerialNumber
from drivers.platforms import platform
from station.bulk.devices import DeviceImport
from station.bulk.plan import plan_devices, plan_sims
from station.bulk.results import Result
from station.bulk.sims import SimImport
from station.cloud import api
from station.cloud.client import CallRecord, CloudClient
from station.cloud.virtual import VirtualCloud
from station.engine.events import Event
from station.journal import Journal
from station.journal.lists import imported_sims
from station.scan.lists import read_list

from .cloud_bench import ME
from .traffic import Traffic

BORONS, ARGONS, ELECTRONS, OTHERS = 20001, 20002, 20010, 20099
IMPORT, SIMS = "POST /v1/products/:p/devices", "POST /v1/products/:p/sims"


class Killed(BaseException):
    """The process is gone: nothing of it goes on, and nothing catches this."""


def device(number: int) -> DeviceId:
    return DeviceId.parse(f"e00fce68{number:016x}")


def serial(number: int) -> SerialNumber:
    return SerialNumber.parse(f"P044AB{number:09d}")


def iccid(number: int) -> Iccid:
    return Iccid.parse(f"8988307{number:012d}9")


@dataclass
class ImportBench:
    """``lives``: how many exchanges and journal writes the next import survives, together; None: all."""

    directory: Path
    clock: SimulatedClock
    cloud: VirtualCloud
    traffic: Traffic
    token: Callable[[], object]
    lives: int | None = None
    calls: list[CallRecord] = field(default_factory=list)
    steps: int = 0

    def register(self, *numbers: int) -> None:
        for number in numbers:
            self.cloud.register_unit(device(number), 13, serial=serial(number), iccid=iccid(number))

    @contextlib.contextmanager
    def station(self) -> Iterator[tuple[CloudClient, Journal, Callable[..., object]]]:
        """One run of the station's program: its client, its journal, and what records."""
        client = CloudClient(self.cloud.base_url, self.token, self.clock, on_call=self._called)  # type: ignore[arg-type]
        journal = Journal.open(self.directory / "journal", "s", self.clock)
        try:
            yield client, journal, partial(self._record, journal)
        finally:
            journal.close()
            client.close()

    def devices(
        self, text: str, product: int | str = BORONS, claim_user: str = "", progress: Callable[[int, int], None] = print
    ) -> list[Result]:
        """Import a list of units; what became of every line."""
        lines = read_list(text.encode())
        with self.station() as (client, _, record):
            found = client.run(api.product(product))
            plan = plan_devices(lines, platform(found.platform_id))
            work = DeviceImport(client, self.clock, record, found, plan.items, claim_user)
            work.look()
            work.send(progress)
            return plan.results(lines, work.results())

    def sims(self, text: str, product: int | str = BORONS, wait_s: float = 120.0) -> list[Result]:
        """Import a list of SIM cards; what became of every line."""
        lines = read_list(text.encode())
        with self.station() as (client, journal, record):
            plan = plan_sims(lines)
            asked = partial(imported_sims, journal)
            work = SimImport(client, self.clock, record, asked, client.run(api.product(product)), plan.items)
            work.look()
            work.send()
            work.wait(wait_s, lambda *_: None)
            return plan.results(lines, work.results())

    def sent(self, route: str) -> list[Sequence[str]]:
        """What each request of ``route`` named."""
        bodies = [request.body for request in self.cloud.requests() if request.route == route]
        return [body.get("ids") or body.get("sims") or [body["id"]] for body in bodies]  # type: ignore[misc]

    def _called(self, call: CallRecord) -> None:
        self.calls.append(call)
        self._live()

    def _record(self, journal: Journal, *events: Event) -> None:
        self._live()
        journal.record(*events)
        self._live()

    def _live(self) -> None:
        self.steps += 1
        if self.lives is not None and self.steps > self.lives:
            raise Killed


@contextlib.contextmanager
def import_bench(directory: Path, scopes: Sequence[str] | None = None) -> Iterator[ImportBench]:
    """A cloud with four products of one team. ``scopes``: of an API user in place of a person."""
    directory.mkdir(exist_ok=True)
    clock = SimulatedClock()
    with clock.registered(), contextlib.ExitStack() as stack:
        traffic = Traffic(directory / "journal")
        cloud = VirtualCloud(clock, on_request=traffic.cloud_saw)
        stack.callback(cloud.close)
        who = ME if scopes is None else "line-3@api.example.com"
        for number, platform_id, slug in (
            (BORONS, 13, "widget"), (ARGONS, 12, "argons"), (ELECTRONS, 10, "electrons"), (OTHERS, 13, "others"),
        ):  # fmt: skip
            cloud.create_product(number, platform_id, slug=slug, name=slug, team=[ME, who])
        token = cloud.create_token(who, scopes=scopes or (), is_api=scopes is not None)
        cloud.serve()
        bench = ImportBench(directory, clock, cloud, traffic, lambda: token)
        yield bench
        assert not traffic.faults(), "\n".join(traffic.faults()[:10])
