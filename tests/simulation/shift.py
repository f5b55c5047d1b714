"""Runs one story on a whole line bench in simulated time: an operator at every slot, trouble, then a quiet end.

In the *safety phase* everything in the story goes wrong, and no verdict may be false. Then all
faults end, and in the *liveness phase* every unit without a final verdict is walked again: the good ones must pass,
the bad ones must be found, all owed work must end.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from line_bench import LineBench, line_bench, shown

from station.engine.events import AttemptFinished, ScanRead
from station.model import Verdict

from .drawing import draw
from .floor import Floor
from .hands import Hands, walk_all
from .oracles import ENDINGS, MENDED, Bugs, Violation, check_effects, check_pass
from .story import Part, Story
from .units import make_unit
from .world import World

SAFETY_WALKS, LIVENESS_WALKS = 3, 3
"""Maximum walks of a unit without a final verdict, in each phase."""
OWED_S = 24 * 3600.0
"""How long owed work of good units may take once nothing blocks it any more."""


@dataclass(slots=True)
class Figures:
    """The results of one shift."""

    seed: int
    verdicts: Counter[str] = field(default_factory=Counter)  # attempts of good units
    causes: Counter[str] = field(default_factory=Counter)  # of theirs that are neither PASS nor PENDING
    units: Counter[str] = field(default_factory=Counter)  # "good" and each flaw
    scans: int = 0
    scans_again: int = 0
    simulated_s: float = 0.0
    wall_s: float = 0.0
    violation: str = ""
    kind: str = ""
    trace: str = ""  # the last events of a shift that violated an oracle; not kept

    def to_json(self) -> str:
        kept = [one.name for one in dataclasses.fields(self) if one.name != "trace"]
        return json.dumps({name: getattr(self, name) for name in kept})

    @classmethod
    def from_json(cls, text: str) -> Figures:
        row = json.loads(text)
        return cls(**row | {name: Counter(row[name]) for name in ("verdicts", "causes", "units")})


@contextmanager
def judged(figures: Figures) -> Iterator[Callable[[LineBench], None]]:
    """Record in ``figures`` how the story of the block ends; a violated oracle is never raised.

    Yields what the block calls with its bench, for the time there and the last events of a violation.
    """
    bugs, root = Bugs(), logging.getLogger()
    root.addHandler(bugs)
    began = time.monotonic()
    benches: list[LineBench] = []
    try:
        yield benches.append
        if bugs.seen:
            raise Violation("bug", bugs.seen[0])
    except Violation as error:
        figures.violation, figures.kind = str(error), error.kind
    except AssertionError as error:  # what the bench itself checks when it closes
        figures.violation, figures.kind = f"bench: {error}", "bench"
    finally:
        root.removeHandler(bugs)
    figures.wall_s = time.monotonic() - began
    for bench in benches:
        figures.simulated_s = bench.clock.now()
        if figures.violation:
            figures.trace = "\n".join(f"{at:9.2f} {shown(event)}" for at, event in bench.events[-80:])


def run(story: Story) -> Figures:
    """Run a story to its end; a violated oracle is recorded in the figures, never raised."""
    figures = Figures(story.seed)
    with judged(figures) as watch, tempfile.TemporaryDirectory(prefix="shift-") as folder:
        recipes = tuple(lot.recipe() for lot in story.lots)

        def measure(told: Mapping[str, Any]) -> str:
            unit = next(one for one in bench.units if one.device_id == told["device_id"])
            return f"idle_ma={unit.sensors['idle_ma']}"

        instruments = {"power-meter": measure}
        with line_bench(Path(folder), *recipes, slots=story.slots, traces=False, instruments=instruments) as bench:
            watch(bench)
            _Shift(bench, story, figures).run()
    return figures


def run_seed(seed: int) -> Figures:
    """Draw the story of ``seed`` and run it."""
    return run(draw(seed))


class _Shift:
    """One story in progress."""

    def __init__(self, bench: LineBench, story: Story, figures: Figures) -> None:
        self.bench, self.story, self.figures = bench, story, figures
        recipes = {recipe.platform: recipe for recipe in bench.recipes}
        self.units = {part.number: make_unit(bench, part, recipes) for part in story.parts}
        self.floor = Floor(bench, story, recipes, self.units, bench.clock.token())
        self.world = World(self.floor)
        bench.station.client._rng = random.Random(story.seed)

    # --- the phases ---

    def run(self) -> None:
        self.world.start()
        try:
            self._walk_all(self.story.parts, SAFETY_WALKS)
        finally:
            self.world.heal()
        for unit in self.units.values():
            unit.faults.withdraw()
        for part in self.story.parts:  # one at a time, so that they cannot interfere
            if self.floor.final.get(part.number) not in self._endings(part):
                self._walk_all((part,), LIVENESS_WALKS)
        self._wait_owed()
        self._check()

    def _walk_all(self, parts: tuple[Part, ...], walks: int) -> None:
        walk_all(self.floor, parts, lambda slot, its: Hands(self.floor, slot, its, walks))

    def _wait_owed(self) -> None:
        until = self.bench.clock.now() + OWED_S
        while any(self._is_owed(part) for part in self.story.parts) and self.bench.clock.now() < until:
            self.bench.sleep(60.0)

    def _is_owed(self, part: Part) -> bool:
        return not part.flaw and self.verdict(part) is Verdict.PENDING

    # --- what came out ---

    def verdict(self, part: Part) -> Verdict | None:
        """Return the unit's last PASS, PENDING or FAIL in the journal, else how its last attempt ended."""
        with self.bench.reader() as journal:
            known = journal.unit(self.units[part.number].device_id)
        verdicts = [one.verdict for one in known.attempts if one.verdict is not None] if known is not None else []
        judged = [one for one in verdicts if one <= Verdict.FAIL]
        return next(reversed(judged or verdicts), None)

    def _endings(self, part: Part) -> frozenset[Verdict]:
        if not part.flaw:
            return frozenset({Verdict.PASS, Verdict.PENDING})
        return ENDINGS[part.flaw] | ({Verdict.PASS} if part.flaw in MENDED else frozenset())

    def _check(self) -> None:
        self._count()
        for part in self.story.parts:
            verdict = self.floor.final.get(part.number) if part.flaw == "wrong-platform" else self.verdict(part)
            if verdict is Verdict.PASS:
                check_pass(self.bench, part, self.units[part.number], self.floor.recipes[part.platform], is_here=False)
            elif not part.flaw:
                kind = "false FAIL" if verdict is Verdict.FAIL else "never ended"
                raise Violation(kind, f"good unit {part.number} ended {verdict and verdict.name}; {self._why(part)}")
            if verdict not in self._endings(part):
                raise Violation("missed", f"unit {part.number} is {part.flaw} and ended {verdict and verdict.name}")
            if part.flaw == "wrong-platform" and (self.verdict(part) or self.units[part.number].score.flash_writes):
                raise Violation("touched", f"no batch takes unit {part.number}, and something was done to it")
        check_effects(self.bench)

    def _why(self, part: Part) -> str:
        with self.bench.reader() as journal:
            owed = [f"{one.item.action}: {one.last_error}" for one in journal.owed()]
            known = journal.unit(self.units[part.number].device_id)
        walks = [(one.failed_step, one.reason) for one in known.attempts] if known is not None else []
        return f"owed {owed}, walks {walks}"

    def _count(self) -> None:
        figures = self.figures
        figures.units = Counter(part.flaw or "good" for part in self.story.parts)
        parts = {self.units[part.number].device_id: part for part in self.story.parts}
        for _, event in self.bench.events:
            if isinstance(event, AttemptFinished):
                part = parts.get(event.device_id or "")
                if part is not None and not part.flaw:
                    figures.verdicts[event.verdict.name] += 1
                    if event.verdict >= Verdict.FAIL:
                        figures.causes[f"{event.verdict.name} {event.failed_step} {event.sentence}"] += 1
            elif isinstance(event, ScanRead):
                figures.scans += 1
                figures.scans_again += not event.accepted
