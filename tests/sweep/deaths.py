"""The station's process dies in the middle of an update; another one on the same journal walks the same unit.

The unit lives on: a host that crashes cuts nobody's power.
"""

from __future__ import annotations

import enum
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.station_process import StationBench, StationProcess, station_bench

from drivers.virtual.factory import make_spec
from station.journal import JournalReader

from .updates import ROUNDS, Ended, Length, Update, shortfall


class Death(enum.StrEnum):
    """How a station's process ends."""

    KILLED = "kill -9"
    TOLD = "SIGTERM"  # by the system, which shuts down
    CLOSED = "SIGHUP"  # its terminal was closed

    @property
    def signal(self) -> signal.Signals:
        return {Death.KILLED: signal.SIGKILL, Death.TOLD: signal.SIGTERM, Death.CLOSED: signal.SIGHUP}[self]


@dataclass(frozen=True)
class Killing:
    """One story: the station dies at a write of the unit, in the middle of it if that is by SIGKILL."""

    update: Update
    harm: Death
    module: str
    place: str  # first, middle or last
    number: int  # of the write

    def __str__(self) -> str:
        return f"{self.update}: {self.harm} at the {self.place} write of {self.module} ({self.number})"


def killings_of(update: Update, length: Length) -> Iterator[Killing]:
    """Yield every death at the first, a middle and the last write of each module; none if the unit `needs_rate`."""
    for module in () if update.needs_rate else length.modules:
        for place, number in module.places.items():
            yield from (Killing(update, death, module.name, place, number) for death in Death)


def ended(story: Killing) -> Ended:
    """Live through one story to its end."""
    spec = make_spec(story.update.slug, 7, 1, story.update.old)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            station_bench(Path(folder), story.update.recipe, spec) as bench,
        ):
            bench.die_at_write(story.number, story.harm.signal)
            verdicts = _walked_again(bench)
            problem = shortfall(story.update, bench.unit) if verdicts[-1] == "PASS" else f"ended {verdicts[-1]}"
            return Ended(verdicts, problem=problem or _wrong_record(story, bench))
    except AssertionError as error:
        return Ended((), problem=str(error)[:600] or "an assertion failed")


def _walked_again(bench: StationBench) -> tuple[str, ...]:
    """Walk the unit with a new station, again after each ERROR, and return the verdicts."""
    verdicts: list[str] = []
    with bench.station() as station:
        while len(verdicts) < ROUNDS:
            verdicts.append(_next_verdict(station))
            if verdicts[-1] in ("PASS", "FAIL"):
                break
            bench.replug()
        station.process.send_signal(signal.SIGINT)
        for _ in station.events():
            pass
    return tuple(verdicts)


def _next_verdict(station: StationProcess) -> str:
    finished = station.wait_for("AttemptFinished")
    assert finished is not None, "the second station ended by itself"
    return str(finished["verdict"])


def _wrong_record(story: Killing, bench: StationBench) -> str:
    """Say what is wrong with the journal, or what the cloud was told twice; "" if nothing is."""
    with JournalReader(bench.journal_dir) as journal:
        journal.verify()
        first = journal.attempts(bench.recipe.batch)[0]
        told = [row.body for row in journal.entries() if row.kind == "StationStopped"]
    if story.harm is Death.KILLED and "the station stopped during this attempt" not in first.reason:
        return f"the journal does not tell of the death, but {first.verdict} {first.reason!r}"
    if story.harm is not Death.KILLED and not any(story.harm.signal.name in body for body in told):
        return f"the journal does not tell of {story.harm}, but {told}"
    if max(bench.cloud.effects.values()) > 1:
        return f"the cloud did something twice: {bench.cloud.effects}"
    return ""
