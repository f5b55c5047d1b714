"""Runs one story on a whole bench in simulated time: hands at every slot, trouble around them, then a quiet end.

The *safety phase* lets everything go wrong that the story says; whatever happens, no verdict may be false. Then all
faults end, and in the *liveness phase* every unit that is not through is walked again: the good ones must pass, the
bad ones must be told, all owed work must end.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import itertools
import json
import logging
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from journal_trouble import JournalTrouble
from line_bench import OTHER_PRODUCT, PRODUCTS, LineBench, Recipe, line_bench, shown

from drivers.clock import ClockThread
from drivers.errors import Cancelled
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.factory import make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.flash import FlashFailed, FlashStep, Operation
from drivers.virtual.layout import USER_END, USER_START, Chip
from drivers.virtual.unit import VirtualUnit
from station.cloud.virtual.faults import Fault, FaultKind
from station.engine.commands import Scan
from station.engine.events import AttemptFinished, AttemptStarted, Event, HandsDone, HandsNeeded, ScanRead, StepHeld
from station.model import Verdict

from .oracles import ENDINGS, MENDED, Bugs, Violation, check_effects, check_pass
from .story import Part, Story, Trouble, draw

SAFETY_WALKS, LIVENESS_WALKS = 3, 3
"""How often a hand plugs a unit in again that has no verdict yet: in each phase."""
PATIENCE_S = 3 * 3600.0
"""How long a unit may stay in its slot without a verdict before it counts as hung."""
OWED_S = 24 * 3600.0
"""How long owed work of good units may take once nothing hinders it any more."""
REACTION_S = 2.0
RETURN_S = 20.0
"""How long a unit that was pulled, or a station that was stopped, may take to be back."""
SCANS = 12


@dataclass(slots=True)
class Figures:
    """What one shift came to."""

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
    told: str = ""  # the last events of a shift that broke an oracle; not kept

    def to_json(self) -> str:
        return json.dumps({one.name: getattr(self, one.name) for one in dataclasses.fields(self) if one.name != "told"})

    @classmethod
    def from_json(cls, text: str) -> Figures:
        told = json.loads(text)
        return cls(**told | {name: Counter(told[name]) for name in ("verdicts", "causes", "units")})


def run(story: Story) -> Figures:
    """Run a story to its end; a broken oracle is in the figures, never raised."""
    figures = Figures(story.seed)
    bugs, root = Bugs(), logging.getLogger()
    root.addHandler(bugs)
    began = time.monotonic()
    shift: _Shift | None = None
    try:
        with tempfile.TemporaryDirectory(prefix="shift-") as folder:
            recipes = tuple(lot.recipe() for lot in story.lots)
            with line_bench(Path(folder), *recipes, slots=story.slots, traces=False) as bench:
                shift = _Shift(bench, story, figures)
                shift.run()
        if bugs.seen:
            raise Violation("bug", bugs.seen[0])
    except Violation as error:
        figures.violation, figures.kind = str(error), error.kind
    except AssertionError as error:  # what the bench itself checks when it closes
        figures.violation, figures.kind = f"bench: {error}", "bench"
    finally:
        root.removeHandler(bugs)
    figures.wall_s = time.monotonic() - began
    if shift is not None:
        figures.simulated_s = shift.bench.clock.now()
        if figures.violation:
            figures.told = shift.told()
    return figures


def run_seed(seed: int) -> Figures:
    """Draw the story of ``seed`` and run it."""
    return run(draw(seed))


class _Shift:
    """One story under way."""

    def __init__(self, bench: LineBench, story: Story, figures: Figures) -> None:
        self.bench, self.story, self.figures = bench, story, figures
        self.recipes: Mapping[str, Recipe] = {recipe.platform: recipe for recipe in bench.recipes}
        self.units = {part.number: self._make(part) for part in story.parts}
        self.parts = {self.units[part.number].device_id: part for part in story.parts}
        self.final: dict[int, Verdict] = {}
        self.token = bench.clock.token()  # set by the first broken oracle: everybody goes home
        self.world = _World(self)
        self.violations: list[Violation] = []
        self.strangers = itertools.count()
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
        for part in self.story.parts:  # one by one: nobody hinders anybody any more
            if self.final.get(part.number) not in self._endings(part):
                self._walk_all((part,), LIVENESS_WALKS)
        self._wait_owed()
        self._check()

    def _walk_all(self, parts: tuple[Part, ...], walks: int) -> None:
        hands = [
            _Hands(self, slot, tuple(part for part in parts if part.slot == slot), walks)
            for slot in sorted({part.slot for part in parts})
        ]
        for one in hands:
            one.start()
        for one in hands:
            one.join()
        if self.violations:
            raise self.violations[0]

    def _wait_owed(self) -> None:
        until = self.bench.clock.now() + OWED_S
        while any(self._is_owed(part) for part in self.story.parts) and self.bench.clock.now() < until:
            self.bench.sleep(60.0)

    def _is_owed(self, part: Part) -> bool:
        return not part.flaw and self.verdict(part) is Verdict.PENDING

    # --- what came out ---

    def verdict(self, part: Part) -> Verdict | None:
        """The last verdict anybody gave the unit, as the journal has it now; else how its last attempt ended."""
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
            verdict = self.final.get(part.number) if part.flaw == "wrong-platform" else self.verdict(part)
            if verdict is Verdict.PASS:
                check_pass(self.bench, part, self.units[part.number], self.recipes[part.platform], is_here=False)
            elif not part.flaw:
                kind = "false FAIL" if verdict is Verdict.FAIL else "never ended"
                raise Violation(kind, f"good unit {part.number} ended {verdict and verdict.name}; {self._why(part)}")
            if verdict not in self._endings(part):
                raise Violation("missed", f"unit {part.number} is {part.flaw} and ended {verdict and verdict.name}")
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
        for _, event in self.bench.events:
            if isinstance(event, AttemptFinished):
                part = self.parts.get(event.device_id or "")
                if part is not None and not part.flaw:
                    figures.verdicts[event.verdict.name] += 1
                    if event.verdict >= Verdict.FAIL:
                        figures.causes[f"{event.verdict.name} {event.failed_step} {event.sentence}"] += 1
            elif isinstance(event, ScanRead):
                figures.scans += 1
                figures.scans_again += not event.accepted

    def told(self) -> str:
        """The last events, for whoever looks into a violation."""
        return "\n".join(f"{at:9.2f} {shown(event)}" for at, event in self.bench.events[-60:])

    # --- units ---

    def _make(self, part: Part) -> VirtualUnit:
        recipe = self.recipes.get(part.platform) or next(iter(self.recipes.values()))
        settings: dict[str, Any] = {}
        if part.flaw == "protected":
            settings["is_protected"] = True
        if part.stage == "in-dfu":
            settings["arrives"] = BootRequest.DFU
        if part.flaw == "wrong-platform" or part.stage == "fresh":
            unit = self.bench.unit(part.platform, part.number, part.factory_os, **settings)
        elif part.stage == "old-app":
            modules = (
                *(file.data for file in recipe.release()),
                synthetic.application(recipe.platform_id, recipe.device_os or "3.3.1", seed="other").data,
            )
            unit = self.bench.finished_unit(recipe, part.number, modules=modules, networks=(), **settings)
        else:
            unit = self.bench.finished_unit(recipe, part.number, **settings)
        unit.order(*(parse_fault(fault) for fault in part.faults))
        if part.flaw in _FLAWS:
            _FLAWS[part.flaw](self.bench, unit)
        return unit


def _worn(_: LineBench, unit: VirtualUnit) -> None:
    """No byte of the application's pages can be programmed, however often it is tried."""

    def fault(step: FlashStep) -> None:
        if step.chip is Chip.INTERNAL and step.operation is Operation.PROGRAM and USER_START <= step.address < USER_END:
            raise FlashFailed("worn out")
        unit._flash_step(step)

    unit.memory.set_fault(fault)


_FLAWS: Mapping[str, Callable[[LineBench, VirtualUnit], object]] = {
    "foreign-owner": lambda b, u: b.cloud.edit_device(u.spec.device_id, owner="stranger@example.net"),
    "other-product": lambda b, u: b.cloud.edit_device(u.spec.device_id, product_id=OTHER_PRODUCT),
    "wrong-record": lambda b, u: b.cloud.edit_device(
        u.spec.device_id, serial_number="P044ABWRONG0001", product_id=PRODUCTS.get(u.spec.platform.slug)
    ),
    "bad-label": lambda _, u: u.order(parse_fault("do=wrong-label")),
    "worn-flash": _worn,
    "dead-sim": lambda b, u: b.cloud.edit_sim(u.spec.iccid, will_fail=10**6) if u.spec.iccid else None,
    "quarantined": lambda b, u: b.cloud.edit_device(
        u.spec.device_id, product_id=PRODUCTS["boron"], quarantined=1
    ),
}  # fmt: skip
"""How each flaw is planted; the others are settings of the unit."""


class _Hands:
    """Whoever works at one slot: plugs in, scans, presses buttons, reads the verdict, unplugs."""

    def __init__(self, shift: _Shift, slot: int, parts: tuple[Part, ...], walks: int) -> None:
        self._shift, self._bench, self.slot, self._parts, self._walks = shift, shift.bench, slot, parts, walks
        self._mark = 0
        self._before: VirtualUnit | None = None
        self._thread: ClockThread | None = None

    def start(self) -> None:
        self._thread = self._bench.clock.thread(f"hands-{self.slot}", self._run)

    def join(self) -> None:
        assert self._thread is not None
        self._thread.join()

    def _run(self) -> None:
        try:
            for part in self._parts:
                self._see_through(part)
        except Violation as error:
            self._shift.violations.append(error)
            self._shift.token.cancel()
        except Cancelled:
            return
        except Exception as error:
            self._shift.violations.append(Violation("harness", f"{type(error).__name__}: {error}"))
            self._shift.token.cancel()

    def _see_through(self, part: Part) -> None:
        unit = self._shift.units[part.number]
        for _ in range(self._walks):
            verdict = self._visit(part, unit)
            self._shift.final[part.number] = verdict
            if verdict <= Verdict.FAIL:
                break
        self._before = unit

    def _visit(self, part: Part, unit: VirtualUnit) -> Verdict:
        """Plug in once and stay until there is a verdict; returns it, with the unit unplugged again."""
        self._bench.unplug(self.slot)  # whoever was pulled before may have come back by itself meanwhile
        self._mark = self._bench.mark()
        self._bench.plug(unit, self.slot)
        finished = self._wait_verdict(part, unit)
        if finished.verdict is Verdict.PASS:
            check_pass(self._bench, part, unit, self._shift.recipes[part.platform], is_here=True)
        if finished.verdict is Verdict.FAIL and not part.flaw:
            raise Violation("false FAIL", f"good unit {part.number}: {finished.failed_step}: {finished.reason}")
        self._pause()
        self._bench.unplug(self.slot)
        self._pause()
        return finished.verdict

    def _wait_verdict(self, part: Part, unit: VirtualUnit) -> AttemptFinished:
        until = self._bench.clock.now() + PATIENCE_S
        texts = self._texts(part, unit)
        asked = False
        while True:
            event = self._next(3.0 if asked else until - self._bench.clock.now())
            match event:
                case None if asked:
                    text = next(texts, None)
                    asked = text is not None
                    if text is not None:
                        self._bench.command(Scan(text))
                case None:
                    return self._given_up(part)
                case HandsNeeded(sentence="scan_label"):
                    asked = True
                case HandsNeeded(sentence="dfu_by_hand"):
                    self._pause()
                    unit.press_mode_button()
                case HandsNeeded(sentence="listening_by_hand"):
                    self._pause()
                    unit.hold_mode_button()
                case HandsDone():
                    asked = False
                case AttemptFinished() if event.device_id in (None, unit.device_id):
                    asked = False
                    if event.verdict <= Verdict.FAIL or not self._begins_again():
                        return event

    def _given_up(self, part: Part) -> AttemptFinished:
        """Nothing for hours: a bad unit may wait for whoever can mend it, if the slot says so."""
        own = [event for _, event in self._bench.events[self._mark :] if event.slot == self.slot]
        if part.flaw and any(isinstance(event, StepHeld) for event in own):
            return AttemptFinished(at=self._bench.clock.utc(), slot=self.slot, verdict=Verdict.PENDING)
        raise Violation("hung", f"unit {part.number} stayed in slot {self.slot} without a verdict")

    def _begins_again(self) -> bool:
        """Whether the unit (or the station) comes back by itself and is walked again."""
        mark = self._mark
        until = self._bench.clock.now() + RETURN_S
        while (event := self._next(until - self._bench.clock.now())) is not None:
            if isinstance(event, AttemptStarted):
                return True
        self._mark = max(mark, self._mark)
        return False

    def _next(self, within: float) -> Event | None:
        """The next event of this slot, None after ``within`` seconds."""
        events, clock = self._bench.events, self._bench.clock
        until = clock.now() + within
        with self._bench._news:
            while True:
                while self._mark < len(events):
                    event = events[self._mark][1]
                    self._mark += 1
                    if event.slot == self.slot:
                        return event
                left = until - clock.now()
                if left <= 0:
                    return None
                self._bench._news.wait(left, self._shift.token)

    def _pause(self) -> None:
        self._bench.clock.sleep(REACTION_S, self._shift.token)

    def _texts(self, part: Part, unit: VirtualUnit) -> Iterator[str]:
        """What this hand scans, in order: its slips, then the label of the unit, again and again."""
        slips = (_SLIPS[slip](self, unit) for slip in part.slips)
        return itertools.islice(itertools.chain(slips, itertools.repeat(unit.label)), SCANS)

    def neighbour(self) -> str:
        """The label of a unit in another slot, or of one that was never here."""
        others = [u for u in self._shift.units.values() if u.port is not None and str(u.port) != f"1-{self.slot}"]
        return others[0].spec.label if others else self.unknown()

    def before(self) -> str:
        return self._before.spec.label if self._before is not None else self.unknown()

    def unknown(self) -> str:
        """A label nobody knows, another one each time: the same one twice would be a verdict."""
        return make_spec("boron", 99, next(self._shift.strangers)).label


_Slip = Callable[[_Hands, VirtualUnit], str]
_QWERTZ = str.maketrans("YZyz-", "ZYzyß")
_SLIPS: Mapping[str, _Slip] = {
    "neighbour": lambda hands, unit: hands.neighbour(),
    "before": lambda hands, unit: hands.before(),
    "order-code": lambda hands, unit: "BRN404XKIT",
    "layout": lambda hands, unit: unit.spec.label.translate(_QWERTZ),
    "double": lambda hands, unit: str(unit.spec.serial) * 2,
    "prefix": lambda hands, unit: f"]d1{unit.spec.label}",
    "lot": lambda hands, unit: "LOT20261122",
    "noise": lambda hands, unit: "à&é\"(ABEZW-Y4JRW",
    "unknown": lambda hands, unit: hands.unknown(),
}  # fmt: skip


class _World:
    """What goes wrong around the units, begun and ended in time."""

    def __init__(self, shift: _Shift) -> None:
        self._shift, self._bench = shift, shift.bench
        self._active: dict[Trouble, tuple[Fault, ...]] = {}
        self._kept: dict[str, list[tuple[object, ...]]] = {}
        self._journal: JournalTrouble | None = None
        self._thread: ClockThread | None = None

    def start(self) -> None:
        self._thread = self._bench.clock.thread("world", self._run)

    def heal(self) -> None:
        """Wait until the last trouble has ended."""
        assert self._thread is not None
        self._thread.join()
        self._free()

    def _run(self) -> None:
        moments = [(trouble.at, 0, trouble) for trouble in self._shift.story.troubles]
        moments += [(trouble.at + trouble.seconds, 1, trouble) for trouble in self._shift.story.troubles]
        with contextlib.suppress(Cancelled):
            for at, is_end, trouble in sorted(moments, key=lambda one: one[:2]):
                self._bench.clock.sleep(max(0.0, at - self._bench.clock.now()), self._shift.token)
                (self._end if is_end else self._begin)(trouble)

    def _begin(self, trouble: Trouble) -> None:
        faults = _CLOUD_FAULTS.get(trouble.kind)
        if faults is not None:
            self._active[trouble] = faults(trouble)
            self._order()
            return
        match trouble.kind:
            case "cloud-down":
                self._bench.cloud.down_for(trouble.seconds)
            case "team" | "token":
                self._take(_TABLES[trouble.kind])
            case "restart":
                self._free()
                self._bench.stop()
            case "clock":
                self._bench.clock._epoch += datetime.timedelta(minutes=trouble.detail - 40)
            case "locked" if self._bench._is_running:
                self._trouble().lock()
            case "full" if self._bench._is_running:
                self._trouble().fill()

    def _end(self, trouble: Trouble) -> None:
        if self._active.pop(trouble, None) is not None:
            self._order()
            return
        match trouble.kind:
            case "team" | "token":
                self._give_back(_TABLES[trouble.kind])
            case "locked" | "full":
                self._free()
            case "restart" if not self._bench._is_running:
                self._bench.start(*self._bench.recipes)
                self._bench.station.client._rng = random.Random(trouble.at)

    def _trouble(self) -> JournalTrouble:
        if self._journal is None:
            self._journal = JournalTrouble(self._bench.station.journal)
        return self._journal

    def _free(self) -> None:
        if self._journal is not None:
            self._journal.free()
            self._journal = None

    def _order(self) -> None:
        """All open cloud faults anew: an order of one kind cannot be taken back alone."""
        self._bench.cloud.cancel_faults()
        for faults in self._active.values():
            for fault in faults:
                self._bench.cloud.order(fault)

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
