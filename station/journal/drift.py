"""Names a slot with its port, or a batch, whose failures or step times leave their control limits. Pure, but `recent`.

Rules, each with its source:

- **failures**: a p chart (Shewhart; NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.3.2) of the last units of one
  place beside all others. Its limit of three standard deviations is asked of the binomial distribution itself, as few
  units fail: more failures than the others' share would give in 1 of 740 cases (`ALPHA`), divided by the places that
  are looked at (Bonferroni).
- **times**: eight tries of a step in a row more than one standard deviation slower than elsewhere (one side of rule 8
  of L. S. Nelson, The Shewhart Control Chart - Tests for Special Causes, Journal of Quality Technology 16 (1984);
  Western Electric, Statistical Quality Control Handbook (1956), has runs of eight), on the logarithm, with the median
  and the median deviation in place of mean and standard deviation: one stuck unit moves neither. The slowness must be
  worth a word, too (`WORTH`).

A unit counts once in a place, by its last attempt there: a bad unit that is tried five times is one bad unit.
"""

from __future__ import annotations

import json
import math
import sqlite3
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

RECENT = 400
"""Attempts that are looked at: some hours of a bench."""
LAST, LAST_OF_BATCH = 30, 100
"""Units of one slot, and of one batch, that are compared with the others."""
MIN_OTHERS = 30
"""Fewer units elsewhere say nothing of what is usual."""
MIN_BAD = 3
"""Failures; fewer are chance, whatever the calculation says."""
ALPHA = 0.00135
RUN = 8
WORTH = (1.0, 0.2)
"""Seconds, and share of the usual time, by which a step must be slower."""


@dataclass(frozen=True, slots=True)
class Walked:
    """One finished attempt. ``unit``: its Device ID, or its attempt where nobody knows the unit."""

    slot: int
    port: str
    batch: str
    unit: str
    is_bad: bool  # FAIL or CHECK STATION
    seconds: Mapping[str, float]  # of each step that reached its goal

    @property
    def place(self) -> str:
        """The slot, with the port its cable is in."""
        return f"slot {self.slot} (port {self.port})" if self.port else f"slot {self.slot}"


@dataclass(frozen=True, slots=True)
class Drift:
    """What drifts. ``where``: a slot with its port, or a batch; ``step``: the one that is slow, "" for failures."""

    where: str
    step: str
    value: float  # share of failures 0.0-1.0, or seconds
    usual: float
    units: int

    def __str__(self) -> str:
        if self.step:
            return (
                f"{self.where}: {self.step} takes {self.value:.1f} s, elsewhere {self.usual:.1f} s, {self.units} times"
                " in a row; look at cable and port"
            )
        return (
            f"{self.where}: {round(self.value * self.units)} of the last {self.units} units failed, elsewhere"
            f" {self.usual * 100:.1f} %; look at it before more do"
        )


def drifts(walked: Sequence[Walked]) -> tuple[Drift, ...]:
    """Return what is out of its control limits in ``walked``, oldest first; failures before times."""
    of_slots, of_batches = _grouped(walked, lambda one: one.place), _grouped(walked, lambda one: f"batch {one.batch}")
    places = len(of_slots) + len(of_batches)
    found = [
        drift
        for groups, last in ((of_slots, LAST), (of_batches, LAST_OF_BATCH))
        for where, own in groups.items()
        if (drift := _failing(where, own, walked, places, last)) is not None
    ]
    return (*found, *(drift for where, own in of_slots.items() for drift in _slow(where, own, walked)))


def _grouped(walked: Iterable[Walked], key: Callable[[Walked], str]) -> dict[str, list[Walked]]:
    groups: dict[str, list[Walked]] = {}
    for one in walked:
        groups.setdefault(key(one), []).append(one)
    return groups


def _failing(where: str, own: Sequence[Walked], walked: Sequence[Walked], places: int, most: int) -> Drift | None:
    mine = {id(one) for one in own}
    others = {one.unit: one.is_bad for one in walked if id(one) not in mine}
    last = list({one.unit: one.is_bad for one in own}.values())[-most:]
    bad, usual = sum(last), (sum(others.values()) + 0.5) / (len(others) + 1)
    if bad < MIN_BAD or len(others) < MIN_OTHERS or bad / len(last) <= usual:
        return None
    return Drift(where, "", bad / len(last), usual, len(last)) if tail(bad, len(last), usual) < ALPHA / places else None


def tail(bad: int, units: int, share: float) -> float:
    """Return the probability of ``bad`` or more failures among ``units`` of which each fails with ``share``."""
    return math.fsum(
        math.comb(units, count) * share**count * (1 - share) ** (units - count) for count in range(bad, units + 1)
    )


def _slow(where: str, own: Sequence[Walked], walked: Sequence[Walked]) -> Iterator[Drift]:
    for step in dict.fromkeys(step for one in own for step in one.seconds):
        run = [one.seconds[step] for one in own if step in one.seconds][-RUN:]
        others = [one.seconds[step] for one in walked if one.place != where and step in one.seconds]
        if len(run) < RUN or len(others) < MIN_OTHERS:
            continue
        logs = [math.log(max(seconds, 0.001)) for seconds in others]
        centre = statistics.median(logs)
        deviation = 1.4826 * statistics.median(abs(one - centre) for one in logs)
        usual, value = math.exp(centre), statistics.median(run)
        is_worth = value - usual >= max(WORTH[0], WORTH[1] * usual)
        if is_worth and math.log(max(min(run), 0.001)) > centre + deviation:
            yield Drift(where, step, value, usual, len(run))


_RECENT = """SELECT slot, port_path, coalesce(batch, '') AS batch, coalesce(device_id, attempt) AS unit,
    verdict IN ('FAIL', 'ERROR') AS is_bad,
    (SELECT json_group_object(step, seconds) FROM (SELECT step, seconds FROM steps WHERE steps.attempt = a.attempt
        AND outcome = 'done' ORDER BY number)) AS seconds
    FROM (SELECT * FROM attempts WHERE verdict IN ('PASS', 'FAIL', 'ERROR', 'PENDING')
        AND rowid > (SELECT max(rowid) FROM attempts) - ? ORDER BY rowid DESC LIMIT ?) AS a ORDER BY started_seq"""


def recent(db: sqlite3.Connection, attempts: int = RECENT) -> tuple[Walked, ...]:
    """Return the last ``attempts`` that say something of their place, oldest first."""
    return tuple(
        Walked(
            row["slot"], row["port_path"], row["batch"], row["unit"], bool(row["is_bad"]), json.loads(row["seconds"])
        )
        for row in db.execute(_RECENT, (2 * attempts, attempts))
    )
