"""A shift without internet: what it leaves owed, how the outbox gets rid of it, and whether units on the bench feel it.

The whole bench in simulated time, with the real limits of the cloud. ``calls``, ``lost`` and ``doubled`` are of the
units that were set aside.
"""

from __future__ import annotations

import gc
import statistics
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from line_bench import BORON, LineBench, line_bench

from station.engine.events import AttemptFinished, CloudStateChanged
from station.model import Verdict
from station.settings.config import REQUESTS_PER_S

ADD, RENAME = "POST /v1/products/:p/devices", "PUT /v1/products/:p/devices/:id"
SLOTS = 16
LOOK_S = 1.0
AWAY_S = 300.0
"""How much longer the cloud stays away after the last round of units began: all of them are set aside by then."""
MOST_CALLS, SLOWER = 4.0, 0.1
QUIET_ROUNDS = 2
"""Rounds of units that are walked while nothing is owed, to compare with."""


@dataclass(frozen=True)
class Shift:
    """What was measured. Times in simulated seconds."""

    units: int
    set_aside: int
    away_s: float
    drained_s: float
    requests: int  # from the return of the cloud until nothing was owed, without those of the units on the bench
    refused: int  # answers 429
    lost: int
    doubled: int
    quiet_s: tuple[float, ...]  # how long walks took while nothing was owed
    busy_s: tuple[float, ...]  # and while the outbox worked

    @property
    def calls(self) -> float:
        return self.requests / self.units

    @property
    def slower(self) -> float:
        """Return how much longer the median walk takes while work is owed, as a share: 0.1 is a tenth."""
        return statistics.median(self.busy_s) / statistics.median(self.quiet_s) - 1

    @property
    def is_good(self) -> bool:
        """Say whether all is as it was promised."""
        return not (self.lost or self.doubled or self.refused) and self.calls <= MOST_CALLS and self.slower < SLOWER

    def __str__(self) -> str:
        return (
            f"{self.set_aside} of {self.units} units set aside in {self.away_s / 3600:.1f} h without internet;"
            f" all done {self.drained_s:.0f} s after its return: {self.calls:.2f} requests a unit,"
            f" {self.refused} answers 429, {self.lost} lost, {self.doubled} doubled;\n"
            f"walks take {statistics.median(self.busy_s):.1f} s while work is owed ({len(self.busy_s)} walks),"
            f" {statistics.median(self.quiet_s):.1f} s without ({len(self.quiet_s)}): {100 * self.slower:+.1f} %"
        )


def shift(
    directory: Path, units: int, hours: float, tell: Callable[[str], None] = lambda _: None, *, slots: int = SLOTS,
    requests_per_s: float = REQUESTS_PER_S,
) -> Shift:  # fmt: skip
    """Live through a shift of so many ``units`` in so many ``hours``. Fewer of them notice more with fewer requests."""
    with line_bench(directory, BORON, slots=slots, traces=False, requests_per_s=requests_per_s) as bench:
        rounds = _Rounds(bench)
        quiet = [seconds for _ in range(QUIET_ROUNDS) for seconds in rounds.walk(slots, Verdict.PASS)]
        begun, first = bench.clock.now(), rounds.walked
        rounds.pace_s = hours * 3600.0 * slots / units
        while rounds.walked - first < units:
            bench.cloud.down_for(rounds.pace_s + AWAY_S)
            rounds.walk(min(slots, units - (rounds.walked - first)), Verdict.PENDING)
            tell(f"{rounds.walked - first} of {units} set aside")
        owing = rounds.done[first:]
        away_s = bench.clock.now() - begun
        seen = len(bench.cloud.requests())
        bench.wait(lambda event: isinstance(event, CloudStateChanged) and event.reachable, since=bench.mark())
        back, busy, rounds.pace_s = bench.clock.now(), list[float](), 0.0
        while bench.station.journal.waiting():
            walks = rounds.walk(slots, None)
            busy += walks if bench.station.journal.waiting() or not busy else []
            tell(f"{bench.station.journal.waiting()} steps owed {bench.clock.now() - back:.0f} s after the return")
            assert bench.clock.now() - back < 24 * 3600.0, "the outbox does not end"
        return _measured(bench, rounds, owing, away_s, back, seen, quiet, busy)


def _measured(
    bench: LineBench, rounds: _Rounds, owing: list[str], away_s: float, back: float, seen: int, quiet: list[float],
    busy: list[float],
) -> Shift:  # fmt: skip
    since = bench.cloud.requests()[seen:]
    at_bench = set(rounds.done) - set(owing)
    settled = [at for at, event in bench.events if type(event).__name__ == "OutboxSettled" and event.device_id in owing]
    renamed = Counter(one.path.rpartition("/")[2] for one in since if one.route == RENAME and one.had_effect)
    with bench.reader() as journal:
        ends = {unit: journal.unit(unit) for unit in owing}
        lost = sum(known is None or known.attempts[-1].verdict is not Verdict.PASS for known in ends.values())
    return Shift(
        units=len(owing), set_aside=len(owing), away_s=away_s, drained_s=max(settled) - back,
        requests=sum(not any(unit in f"{one.path} {one.body}" for unit in at_bench) for one in since),
        refused=sum(one.status == 429 for one in bench.cloud.requests()), lost=lost,
        doubled=sum(count - 1 for unit, count in renamed.items() if unit in owing), quiet_s=tuple(quiet),
        busy_s=tuple(busy),
    )  # fmt: skip


class _Rounds:
    """Fills the slots with new units, again and again. ``done``: their Device IDs in order."""

    def __init__(self, bench: LineBench) -> None:
        self._bench = bench
        self.pace_s = 0.0  # a round begins no sooner after the one before
        self.done: list[str] = []

    @property
    def walked(self) -> int:
        return len(self.done)

    def walk(self, count: int, wanted: Verdict | None) -> list[float]:
        """Walk ``count`` new units at once; return how many seconds each took. All end ``wanted``, if that is said."""
        bench, mark, begun = self._bench, self._bench.mark(), self._bench.clock.now()
        units = [bench.finished_unit(BORON, self.walked + number) for number in range(1, count + 1)]
        for slot, unit in enumerate(units, 1):
            bench.plug(unit, slot)
        ends: list[AttemptFinished] = [bench.wait_finished(slot, since=mark) for slot in range(1, count + 1)]
        bench.sleep(LOOK_S)
        for slot in range(1, count + 1):
            bench.unplug(slot)
        bench.sleep(LOOK_S)
        self.done += [unit.device_id for unit in units]
        pace_s = self.pace_s - (bench.clock.now() - begun)
        for unit in units:
            bench.units.remove(unit)
        del units
        bench.sleep(max(0.0, pace_s))
        gc.collect()  # a unit is one big ring of references; thousands of flash memories do not fit into a computer's
        verdicts = {end.verdict for end in ends}
        assert wanted is None or verdicts == {wanted}, [end.reason for end in ends]
        return [end.seconds for end in ends]
