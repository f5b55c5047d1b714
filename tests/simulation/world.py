"""Trouble outside the units: the cloud, the network, the journal's disk, the clock, the station itself."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import random
from collections.abc import Callable, Mapping

from line_bench import SSID
from support.journal_trouble import JournalTrouble

from drivers.clock import ClockThread
from drivers.errors import Cancelled
from drivers.identity import Secret
from station.cloud.virtual.faults import Fault, FaultKind
from station.errors import BadInput
from station.line.bench import OpenBatch

from .floor import Floor
from .story import Trouble


class World:
    """Starts and ends the troubles of a story at their times."""

    def __init__(self, floor: Floor) -> None:
        self._floor, self._bench = floor, floor.bench
        self._active: dict[Trouble, tuple[Fault, ...]] = {}
        self._kept: dict[str, list[tuple[object, ...]]] = {}
        self._journal: JournalTrouble | None = None
        self._thread: ClockThread | None = None
        self._wifi: set[str] = set()
        self._is_to_start = False
        self._shut: dict[Trouble, OpenBatch] = {}

    def start(self) -> None:
        self._thread = self._bench.clock.thread("world", self._run)

    def heal(self) -> None:
        """Wait until the last trouble has ended."""
        assert self._thread is not None
        self._thread.join()
        self._free()

    def _run(self) -> None:
        moments = [(trouble.at, 0, trouble) for trouble in self._floor.story.troubles]
        moments += [(trouble.at + trouble.seconds, 1, trouble) for trouble in self._floor.story.troubles]
        with contextlib.suppress(Cancelled):
            for at, is_end, trouble in sorted(moments, key=lambda one: one[:2]):
                self._bench.clock.sleep(max(0.0, at - self._bench.clock.now()), self._floor.token)
                (self._end if is_end else self._begin)(trouble)

    def _begin(self, trouble: Trouble) -> None:
        faults = _CLOUD_FAULTS.get(trouble.kind)
        if faults is not None:
            self._active[trouble] = faults(trouble)
            for fault in self._active[trouble]:
                self._bench.cloud.order(fault)
            return
        match trouble.kind:
            case "cloud-down":
                self._bench.cloud.down_for(trouble.seconds)
            case "team" | "token":
                self._take(_TABLES[trouble.kind])
            case "wifi-down" | "wifi-password":
                self._wifi.add(trouble.kind)
                self._set_wifi()
            case "restart" | "told":
                self._free()
                self._bench.stop("the terminal was closed (SIGHUP)" if trouble.kind == "told" else "")
            case "killed" if self._bench._is_running:
                self._free()
                self._bench.die()
                self._bench.bury()
            case "clock":
                self._bench.clock._epoch += datetime.timedelta(minutes=trouble.detail - 40)
            case "no-batch" if self._bench._is_running:
                batches = self._bench.station.bench.batches
                self._shut[trouble] = batches[trouble.detail % len(batches)]
                self._bench.station.bench.remove(self._shut[trouble].batch.id)
            case "locked" if self._bench._is_running:
                self._trouble().lock()
            case "full" if self._bench._is_running:
                self._trouble().fill()

    def _end(self, trouble: Trouble) -> None:
        if trouble in self._active:
            for fault in self._active.pop(trouble):
                self._bench.cloud.cancel_fault(fault)
        match trouble.kind:
            case "team" | "token":
                self._give_back(_TABLES[trouble.kind])
            case "no-batch" if trouble in self._shut and self._bench._is_running:
                bench, batch = self._bench.station.bench, self._shut.pop(trouble)
                if batch.batch.id not in {one.batch.id for one in bench.batches}:  # a station that restarts opens it
                    bench.add(batch)
            case "locked" | "full":
                self._free()
            case "wifi-down" | "wifi-password":
                self._wifi.discard(trouble.kind)
                self._set_wifi()
            case "restart" | "told" | "killed" if not self._bench._is_running:
                self._is_to_start = True
        if self._is_to_start:
            self._start(trouble)

    def _start(self, trouble: Trouble) -> None:
        """Start the station. One that refuses, as its account lost a right, is started when a trouble has ended."""
        with contextlib.suppress(BadInput):
            self._bench.start(*self._bench.recipes)
            self._bench.station.client._rng = random.Random(trouble.at)
            self._is_to_start = False

    def _set_wifi(self) -> None:
        """Make the access point of the bench as the troubles of now have it."""
        points, good = self._bench.world.access_points, self._bench.access_point
        points[SSID] = (
            dataclasses.replace(good, password=Secret("not that one")) if "wifi-password" in self._wifi else good
        )
        if "wifi-down" in self._wifi:
            del points[SSID]

    def _trouble(self) -> JournalTrouble:
        if self._journal is None:
            self._journal = JournalTrouble(self._bench.station.journal)
        return self._journal

    def _free(self) -> None:
        if self._journal is not None:
            self._journal.free()
            self._journal = None

    def _take(self, table: str) -> None:
        rows = self._bench.cloud._store.rows(f"SELECT * FROM {table}")
        self._kept.setdefault(table, []).extend(tuple(row) for row in rows)
        self._bench.cloud._store.run(f"DELETE FROM {table}")

    def _give_back(self, table: str) -> None:
        for row in self._kept.pop(table, []):
            marks = ", ".join("?" * len(row))
            self._bench.cloud._store.run(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", *row)


_TABLES = {"team": "team", "token": "tokens"}
_FIREWALL = (403, 404, 407, 451, 511)
_NO_MEMBER = {"ok": False, "error": "Device not found for this product"}
_CLOUD_FAULTS: Mapping[str, Callable[[Trouble], tuple[Fault, ...]]] = {
    "portal": lambda t: (Fault(FaultKind.HTML, status=200, times=None),),
    "redirect": lambda t: (Fault(FaultKind.HTML, status=302, times=None),),
    "firewall": lambda t: (Fault(FaultKind.HTML, status=_FIREWALL[t.detail % 5], times=None),),
    "sick": lambda t: (Fault(FaultKind.STATUS, status=(500, 502, 503)[t.detail % 3], times=None),),
    "busy": lambda t: (Fault(FaultKind.STATUS, status=429, times=None, retry_after="5"),),
    "drop-before": lambda t: (Fault(FaultKind.DROP_BEFORE, times=None),),
    "drop-after": lambda t: (Fault(FaultKind.DROP_AFTER, times=None),),
    "slow": lambda t: (Fault(FaultKind.SLOW, times=None, seconds=3.0 + t.detail % 30),),
    "lie": lambda t: (
        Fault(FaultKind.LIE, "POST /v1/", times=2), Fault(FaultKind.LIE, "PUT /v1/products/:p/devices/:id", times=2),
    ),
    "lag": lambda t: (
        Fault(FaultKind.STATUS, "GET /v1/products/:p/devices/:id", status=404, body=_NO_MEMBER, times=2),
    ),
}  # fmt: skip
