"""The station dies at every exchange with the cloud and around every write of its journal; another one goes on.

Three units at once: a Boron whose SIM takes its time and is waited for by the outbox, an Electron with name, groups
and notes, a developer's Argon that comes online and is claimed. In simulated time the memory of the station that died
is gone, its journal, the cloud and the units live on (`LineBench.die`). In the end the cloud must hold the same, after
as many writes of each kind, as if nothing had happened.
"""

from __future__ import annotations

import enum
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from line_bench import DEVELOPER, LineBench, Recipe, line_bench

from drivers.identity import Iccid
from drivers.virtual.unit import VirtualUnit
from station.engine.events import AttemptFinished, OutboxSettled
from station.journal import JournalReader
from station.model import Verdict

from .updates import Ended

RECIPES = (
    Recipe("boron"),
    Recipe("electron", device_os="3.3.1", more='[notes]\ntext = "order 4711"\n[groups]\nnames = ["rev-b"]'),
    DEVELOPER,
)
SLOW_POLLS = 26
"""Looks after which the Boron's SIM is active: two more than its slot waits for."""
WITHIN_S = 3 * 3600.0
LOOK_S = 5.0
AGAIN = 3
"""Attempts that judge nobody: each unit may be restarting, as the station that died had told it, when it is met."""
SHARED = 2
"""By how many commits two runs may differ, as callers that come at the same time share one."""
UNJUDGED = (Verdict.ERROR, Verdict.ABORTED)
KEPT = (
    "product_id", "owner", "name", "notes", "groups", "development", "desired_firmware_version", "quarantined",
    "denied",
)  # fmt: skip
"""Fields of a device in the cloud that somebody has to write."""


class Moment(enum.StrEnum):
    """Where the station dies."""

    EXCHANGE = "exchange"  # the cloud has done what it was asked, and nobody hears its answer
    BEFORE = "before write"  # of the journal: what it would say is not there
    AFTER = "after write"  # of the journal


@dataclass(frozen=True)
class CloudDeath:
    """One story. ``number``: which exchange, or which commit of the journal, from 1."""

    harm: Moment
    number: int

    update = "three units and their cloud"  # the row of the table

    def __str__(self) -> str:
        return f"cloud: {self.harm} {self.number}"


@dataclass(frozen=True)
class CloudEnd:
    """What the cloud holds when all is done, and how often each route changed it or tried to."""

    devices: Mapping[str, Mapping[str, Any]]
    sims: Mapping[str, str]
    effects: Mapping[str, int]
    writes: Mapping[str, int]


@dataclass(frozen=True)
class Undisturbed:
    """A run in which nobody dies: how it ends, after so many exchanges and commits of the journal."""

    end: CloudEnd
    exchanges: int
    commits: int


class Hooks:
    """Counts exchanges and commits of one bench, and calls ``strike`` once at the moment of ``death``."""

    def __init__(self, bench: LineBench, death: CloudDeath | None) -> None:
        self.counts = dict.fromkeys((Moment.EXCHANGE, Moment.AFTER), 0)
        self._bench, self._death = bench, death
        self._saw = bench.cloud._on_request
        bench.cloud._on_request = self._on_request
        writer = bench.station.journal._writer
        commit = writer._commit

        def counted(tickets: list[Any]) -> None:
            self._at(Moment.BEFORE, self.counts[Moment.AFTER] + 1)
            commit(tickets)
            self.counts[Moment.AFTER] += 1
            self._at(Moment.AFTER, self.counts[Moment.AFTER])

        writer._commit = counted  # type: ignore[method-assign]

    @property
    def falls_short(self) -> int:
        """Return how many exchanges or commits are missing to the moment of the death."""
        if self._death is None:
            return 0
        moment = Moment.EXCHANGE if self._death.harm is Moment.EXCHANGE else Moment.AFTER
        return self._death.number - self.counts[moment]

    def _on_request(self, *told: Any) -> None:
        if self._saw is not None:
            self._saw(*told)
        self.counts[Moment.EXCHANGE] += 1
        self._at(Moment.EXCHANGE, self.counts[Moment.EXCHANGE])

    def _at(self, moment: Moment, number: int) -> None:
        if self._death == CloudDeath(moment, number) and not self._bench.is_dead:
            self._death = None
            self._bench.die()


@contextmanager
def _bench() -> Iterator[tuple[LineBench, list[VirtualUnit]]]:
    with tempfile.TemporaryDirectory() as folder, line_bench(Path(folder), *RECIPES, slots=3, traces=False) as bench:
        units = [bench.finished_unit(recipe, number) for number, recipe in enumerate(RECIPES, 1)]
        assert units[0].spec.iccid is not None
        bench.cloud.order_sim(units[0].spec.iccid, polls=SLOW_POLLS)
        yield bench, units


def measured() -> Undisturbed:
    """Walk the three units without any trouble. Raises `AssertionError` if that does not end well."""
    with _bench() as (bench, units):
        hooks = Hooks(bench, None)
        _plug(bench, units)
        problem = _seen_through(bench, units)
        assert not problem, problem
        owed = {event.action for _, event in bench.events if isinstance(event, OutboxSettled)}
        assert "sim" in owed, "the Boron's SIM was to be waited for by the outbox"
        return Undisturbed(_end(bench, units), hooks.counts[Moment.EXCHANGE], hooks.counts[Moment.AFTER])


def deaths_of(run: Undisturbed) -> Iterator[CloudDeath]:
    """Yield a death at each exchange, and before and after each commit of the journal, of an undisturbed run."""
    yield from (CloudDeath(Moment.EXCHANGE, number) for number in range(1, run.exchanges + 1))
    for number in range(1, run.commits + 1):
        yield CloudDeath(Moment.BEFORE, number)
        yield CloudDeath(Moment.AFTER, number)


def ended(death: CloudDeath, wanted: CloudEnd) -> Ended:
    """Live through one story to its end."""
    try:
        with _bench() as (bench, units):
            hooks = Hooks(bench, death)
            _plug(bench, units)
            _wait(bench, units, lambda: _is_done(bench, units))
            if not bench.is_dead:
                return Ended((), problem="" if hooks.falls_short <= SHARED else "it never came to that moment")
            bench.bury()
            bench.sleep(2.0)
            mark = bench.mark()
            bench.start(*RECIPES)
            problem = _seen_through(bench, units) or _difference(wanted, _end(bench, units))
            ends = [event for _, event in bench.events[mark:] if isinstance(event, AttemptFinished)]
            unjudged = [end.reason for end in ends if end.verdict in UNJUDGED]
            if not problem and len(unjudged) > AGAIN:
                problem = f"walked again and again: {unjudged}"
            return Ended(tuple(end.verdict.name for end in ends), problem=problem)
    except AssertionError as error:
        return Ended((), problem=str(error)[:600] or "an assertion failed")


def live(wanted: CloudEnd, death: CloudDeath) -> tuple[CloudDeath, Ended]:
    """Live through one story to its end; in whatever process of the pool."""
    return death, ended(death, wanted)


def _plug(bench: LineBench, units: list[VirtualUnit]) -> None:
    for slot, unit in enumerate(units, 1):
        bench.plug(unit, slot)


def _seen_through(bench: LineBench, units: list[VirtualUnit]) -> str:
    """Wait until all three have passed and nothing is owed; say what is wrong with that, "" for nothing."""
    _wait(bench, units, lambda: _is_done(bench, units))
    with bench.reader() as journal:
        verdicts = {unit.device_id: _verdict(journal, unit) for unit in units}
        if set(verdicts.values()) != {Verdict.PASS} or journal.waiting():
            return f"ended {verdicts}, {journal.waiting()} owed"
        return f"unconfirmed: {left[0]}" if (left := _unconfirmed(journal)) else ""


def _unconfirmed(journal: JournalReader) -> list[str]:
    """Return the writes to the cloud that the journal cannot tell the end of, beside those the death cut off."""
    died = {attempt.attempt for unit in journal.unconfirmed_writes() if (attempt := journal.attempt(unit.attempt or ""))
            and attempt.verdict is Verdict.ERROR}  # fmt: skip
    return [one.what for one in journal.unconfirmed_writes() if one.attempt not in died]


def _wait(bench: LineBench, units: list[VirtualUnit], is_over: Callable[[], bool]) -> None:
    """Wait until ``is_over``; a unit that nobody judged is plugged in again, as its slot says."""
    until, seen = bench.clock.now() + WITHIN_S, bench.mark()
    while not is_over() and bench.clock.now() < until:
        bench.sleep(LOOK_S)
        news, seen = bench.events[seen:], bench.mark()
        for _, event in news:
            if isinstance(event, AttemptFinished) and event.verdict in UNJUDGED and not bench.is_dead:
                bench.unplug(event.slot)
                bench.sleep(1.0)
                bench.plug(units[event.slot - 1], event.slot)


def _is_done(bench: LineBench, units: list[VirtualUnit]) -> bool:
    if bench.is_dead:
        return True
    journal = bench.station.journal
    return journal.waiting() == 0 and all(_verdict(journal, unit) is Verdict.PASS for unit in units)


def _verdict(journal: JournalReader, unit: VirtualUnit) -> Verdict | None:
    known = journal.unit(unit.device_id)
    return known.attempts[-1].verdict if known is not None and known.attempts else None


def _end(bench: LineBench, units: list[VirtualUnit]) -> CloudEnd:
    records = {unit.device_id: bench.cloud.device(unit.spec.device_id) or {} for unit in units}
    cards = [unit.spec.iccid for unit in units if isinstance(unit.spec.iccid, Iccid)]
    return CloudEnd(
        {unit: {key: record.get(key) for key in KEPT} for unit, record in records.items()},
        {str(card): bench.cloud.sim_status(card) for card in cards},
        bench.cloud.effects,
        bench.cloud.writes,
    )


def _difference(wanted: CloudEnd, found: CloudEnd) -> str:
    """Say what the cloud holds otherwise than it should, or was asked to write more or less often; "" for nothing."""
    for name in ("devices", "sims", "effects", "writes"):
        here, there = getattr(wanted, name), getattr(found, name)
        for key in sorted({*here, *there}):
            if here.get(key) != there.get(key):
                return f"{name} of {key}: {there.get(key)}, without the death {here.get(key)}"
    return ""
