"""Plays one `BenchStory` on a whole line bench in simulated time, and judges it by what reached units and cloud.

First the moves of the story, made on time whatever the station says. Then the trouble is over: one unit after the
other is plugged in and its label scanned when asked, and every good one has to end PASS.
"""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from line_bench import LineBench, line_bench

from drivers.identity import PortPath
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from station.engine.commands import RetrySlot, Scan, StopSlot
from station.engine.events import (
    AttemptFinished,
    Event,
    HandsNeeded,
    ScanRead,
)
from station.model import Verdict

from .bench_story import BenchStory, Move, draw_bench
from .hands import PATIENCE_S, REACTION_S, label_of
from .oracles import Violation, check_effects, check_pass
from .shift import Figures, judged
from .story import Part
from .units import make_unit
from .witness import Witness

MOMENT_S = 20.0
"""How long a move waits for its moment; after that it is made anyway."""
LOOKS = 4
"""Scans of one label before the operator gives up."""
WALKS = 3
"""Walks in which a good unit has to pass once the trouble is over."""


def run_bench(story: BenchStory) -> Figures:
    """Play a story to its end; a violated oracle is recorded in the figures, never raised."""
    figures = Figures(story.seed)
    with (
        judged(figures) as watch,
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        line_bench(Path(folder), story.lot.recipe(), slots=story.slots, traces=False) as bench,
    ):
        watch(bench)
        _Play(bench, story, figures).run()
    return figures


def run_bench_seed(seed: int) -> Figures:
    """Draw the bench story of ``seed`` and play it."""
    return run_bench(draw_bench(seed))


class _Play:
    """One story in progress."""

    def __init__(self, bench: LineBench, story: BenchStory, figures: Figures) -> None:
        self.bench, self.story, self.figures = bench, story, figures
        (self.recipe,) = bench.recipes
        self.witness = Witness(bench, labels=story.lot.label)
        self.units = {part.number: make_unit(bench, part, {story.lot.platform: self.recipe}) for part in story.parts}
        self._copies = dict(story.copies)
        self._numbers = {unit.device_id: number for number, unit in self.units.items()}
        self._strangers = itertools.count()
        self._doubtful: set[str] = set()  # labels of nobody known that were shown to a good unit
        self._judged = 0  # events looked at
        for unit in self.units.values():
            self.witness.watch(unit)
        bench.station.bus.subscribe(self._press)

    def run(self) -> None:
        for move in self.story.moves:
            self._await(move)
            _MOVES[move.act](self, move)
            self._judge()
        self.bench.sleep(REACTION_S)
        for slot in range(1, self.story.slots + 1):
            self.bench.unplug(slot)
        self.bench.sleep(REACTION_S)
        for part in self.story.parts:
            self._end(part)
        self._judge()
        check_effects(self.bench)
        self.figures.units.update("bad" if self.story.is_bad(part.number) else "good" for part in self.story.parts)

    # --- moves ---

    def _await(self, move: Move) -> None:
        """Wait for the moment of a move; not for ever, as it may never come."""
        until = self.bench.clock.now() + MOMENT_S
        mark = self.bench.mark()
        is_there: Callable[[], bool] = {
            "now": lambda: True,
            "asked": lambda: self._asking() == move.slot,
            "away": lambda: self._is_away(move.slot),
            "events": lambda: sum(e.slot == move.slot for _, e in self.bench.events[mark:]) >= move.detail,
        }[move.moment]
        while not is_there() and self.bench.clock.now() < until:
            self.bench.sleep(0.1)
        if move.after:
            self.bench.sleep(move.after)

    def _asking(self) -> int:
        """Return the slot that asks for a label now, 0 for none."""
        return next((one.slot.number for one in self.bench.station.line.runners if one.is_waiting_scan), 0)

    def _is_away(self, slot: int) -> bool:
        unit = self._unit_in(slot)
        return unit is not None and unit.presence is None and unit.report is not None

    def _unit_in(self, slot: int) -> VirtualUnit | None:
        unit = self.bench.bus.unit_at(PortPath(f"1-{slot}"))
        return unit if isinstance(unit, VirtualUnit) else None

    def _plug(self, move: Move) -> None:
        unit = self.units[move.unit] if move.unit else self._unit_in(move.slot)
        if unit is None or (unit.port is not None and str(unit.port) != f"1-{move.slot}"):
            return  # a shorter story may have left it elsewhere
        self.bench.unplug(move.slot)
        if move.detail % 4:  # else at the very same moment: the bus may see no gap
            self.bench.sleep(move.detail / 8)
        self._put(unit, move.slot)

    def _put(self, unit: VirtualUnit, slot: int) -> None:
        self.witness.plugged(unit, slot)
        self.bench.plug(unit, slot)

    def _unplug(self, move: Move) -> None:
        self.bench.unplug(move.slot)

    def _retry(self, move: Move) -> None:
        self.bench.command(RetrySlot(move.slot))

    def _stop(self, move: Move) -> None:
        self.bench.command(StopSlot(move.slot))

    # --- scans ---

    def _scan(self, move: Move) -> None:
        unit = self._unit_in(move.slot)
        if unit is not None:
            text = _TEXTS[move.text](self, unit, move)
            self._show(text, move.slot if move.typed else None)
            is_hand = move.detail % 3 == 0  # a person scans again, more slowly than a scanner that repeats itself
            for seconds in move.again:
                self.bench.sleep(seconds * 5 if is_hand else seconds)
                text = _TEXTS[move.text](self, unit, move) if is_hand else text
                self._show(text, move.slot if move.typed else None)

    def _show(self, text: str, slot: int | None = None) -> None:
        for unit in self.units.values():
            if any(number and str(number).lower() in text.lower() for number in _numbers_of(unit)):
                self.witness.scanned(unit)
        self.bench.command(Scan(text, slot))

    def printed(self, number: int) -> str:
        """Return what the label on that unit says."""
        return label_of(self.units[self._copies.get(number, number)])

    def own(self, unit: VirtualUnit, move: Move) -> str:
        return self._once(self._numbers[unit.device_id], move.slot)

    def _once(self, number: int, slot: int) -> str:
        """Return the label of that unit, unless it would be the second look at a label of nobody known here.

        The same one twice is a mismatch (design 2.1), and it may be another unit that is asked about.
        """
        text = self.printed(number)
        if self._asking() == slot and self._unit_in(slot) is self.units[number]:
            return text
        owner = self._owner_of(number)
        with self.bench.reader() as journal:
            known = journal.unit(owner.device_id) if owner is not None else None
        if known is not None and (text == known.device_id or known.fact("serial")):
            return text
        if text in self._doubtful:
            return self.unknown()
        self._doubtful.add(text)
        return text

    def _owner_of(self, number: int) -> VirtualUnit | None:
        """Return the unit whose label that unit carries; None for one that nobody has."""
        unit = self.units[self._copies.get(number, number)]
        return None if "wrong-label" in unit.faults.lasting else unit

    def neighbour(self, unit: VirtualUnit, move: Move) -> str:
        others = [n for n, other in self.units.items() if other is not unit and other.port is not None]
        return self._some(others, move)

    def passed(self, unit: VirtualUnit, move: Move) -> str:
        done = {e.device_id for _, e in self.bench.events if isinstance(e, AttemptFinished)}
        return self._some([n for n, one in self.units.items() if one.device_id in done and one is not unit], move)

    def tray(self, unit: VirtualUnit, move: Move) -> str:
        return self._some([n for n, one in self.units.items() if one.port is None], move)

    def _some(self, numbers: list[int], move: Move) -> str:
        return self._once(numbers[move.detail % len(numbers)], move.slot) if numbers else self.unknown()

    def unknown(self) -> str:
        return make_spec("boron", 99, next(self._strangers)).label

    def card(self, unit: VirtualUnit, move: Move) -> str:
        """Return the number of its SIM card: true whatever label a unit has, so a bad one is not asked by it."""
        is_bad = self.story.is_bad(self._numbers[unit.device_id])
        return self.own(unit, move) if is_bad or unit.spec.iccid is None else str(unit.spec.iccid)

    def device_id(self, unit: VirtualUnit, move: Move) -> str:
        is_bad = self.story.is_bad(self._numbers[unit.device_id])
        return self.own(unit, move) if is_bad else unit.device_id

    # --- the end ---

    def _end(self, part: Part) -> None:
        number = part.number
        unit, slot = self.units[number], 1 + number % self.story.slots
        for _ in range(WALKS):
            verdict = self._walk(unit, slot, number)
            if verdict in (Verdict.PASS, Verdict.FAIL):
                break
        if self.story.is_bad(number):
            return
        if verdict is not Verdict.PASS:
            raise Violation("never ended", f"good unit {number} ended {verdict.name} once the trouble was over")
        check_pass(self.bench, part, unit, self.recipe, is_here=False)

    def _walk(self, unit: VirtualUnit, slot: int, number: int) -> Verdict:
        mark, looks = self.bench.mark(), 0
        self._put(unit, slot)
        while True:
            event = self.bench.wait(
                lambda e: e.slot == slot and (isinstance(e, AttemptFinished) or _asks_label(e)),
                since=mark, within=PATIENCE_S,
            )  # fmt: skip
            mark = self.bench.place_of(event) + 1
            if isinstance(event, AttemptFinished):
                break
            self.bench.sleep(REACTION_S)
            looks += 1
            if self._asking() == slot and looks <= LOOKS:
                self._show(self.printed(number))
        self._judge()
        self.bench.sleep(REACTION_S)
        self.bench.unplug(slot)
        self.bench.sleep(REACTION_S)
        return event.verdict

    def _press(self, event: Event) -> None:
        """Press what a slot asks for, as the operator beside it would."""
        if isinstance(event, HandsNeeded) and event.sentence in ("dfu_by_hand", "listening_by_hand"):
            unit = self._unit_in(event.slot)
            if unit is not None:
                press = unit.press_mode_button if event.sentence == "dfu_by_hand" else unit.hold_mode_button
                self.bench.bus.at(REACTION_S, press)

    # --- what must be true ---

    def _judge(self) -> None:
        """Look at all verdicts and writes since the last time. Raises `Violation`."""
        events = self.bench.events[self._judged :]
        self._judged += len(events)
        for _, event in events:
            if isinstance(event, ScanRead):
                self.figures.scans += 1
                self.figures.scans_again += not event.accepted
            if not isinstance(event, AttemptFinished):
                continue
            number = self._numbers.get(event.device_id or "", 0)
            is_bad = self.story.is_bad(number)
            if event.verdict is Verdict.FAIL and not is_bad:
                raise Violation("false FAIL", f"good unit {number}: {event.failed_step}: {event.reason}")
            if event.verdict is Verdict.PASS and is_bad:
                raise Violation("false PASS", f"unit {number} has another label and passed")
            if not is_bad:
                self.figures.verdicts[event.verdict.name] += 1
                if event.verdict > Verdict.FAIL:
                    self.figures.causes[f"{event.verdict.name} {event.failed_step} {event.sentence}"] += 1
        if self.witness.doubts:
            raise Violation("doubt", self.witness.doubts[0])


def _asks_label(event: Event) -> bool:
    return isinstance(event, HandsNeeded) and event.waits_for_scan


def _numbers_of(unit: VirtualUnit) -> tuple[object, ...]:
    spec = unit.spec
    return (spec.serial, spec.device_id, spec.iccid, spec.imei)


_MOVES: Mapping[str, Callable[[_Play, Move], None]] = {
    "plug": _Play._plug, "swap": _Play._plug, "replug": _Play._plug, "unplug": _Play._unplug,
    "retry": _Play._retry, "stop": _Play._stop, "scan": _Play._scan,
}  # fmt: skip
_QWERTZ = str.maketrans("YZyz-_", "ZYzyß?")
_AZERTY = str.maketrans("AQZWaqzw1234567890", "QAWZqawz&é\"'(-è_çà")
_Text = Callable[[_Play, VirtualUnit, Move], str]
_TEXTS: Mapping[str, _Text] = {
    "label": _Play.own,
    "number": lambda play, unit, move: play.own(unit, move).split()[0],
    "device-id": _Play.device_id,
    "card": _Play.card,
    "neighbour": _Play.neighbour,
    "passed": _Play.passed,
    "tray": _Play.tray,
    "unknown": lambda play, unit, move: play.unknown(),
    "half": lambda play, unit, move: play.own(unit, move)[: 2 * move.detail],
    "double": lambda play, unit, move: play.own(unit, move) * 2,
    "triple": lambda play, unit, move: "\n".join([play.own(unit, move)] * 3),
    "prefix": lambda play, unit, move: f"]d1{play.own(unit, move)}",
    "gs1": lambda play, unit, move: f"(21){play.own(unit, move).split()[0]}",
    "qwertz": lambda play, unit, move: play.own(unit, move).translate(_QWERTZ),
    "azerty": lambda play, unit, move: play.own(unit, move).translate(_AZERTY),
    "caps": lambda play, unit, move: play.own(unit, move).swapcase(),
    "secret": lambda play, unit, move: play.own(unit, move).split()[-1],
    "order-code": lambda play, unit, move: "BRN404XKIT",
    "lot": lambda play, unit, move: "LOT20261122",
    "noise": lambda play, unit, move: _noise(move.detail),
    "badge": lambda play, unit, move: f"OP:{move.detail:04}",
    "batch": lambda play, unit, move: f"BATCH:B-{move.detail}",
}  # fmt: skip


def _noise(detail: int) -> str:
    dice = random.Random(detail)
    return "".join(chr(dice.choice((dice.randint(0x20, 0x7E), dice.randint(0xA0, 0x17F)))) for _ in range(3 * detail))
