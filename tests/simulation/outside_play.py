"""Plays one `OutsideStory` on a whole line bench in simulated time: a label printer and a MES that have their moods.

No PASS without the label of this very unit, no refusal without the MES's word about it given twice, everything told at
least once under one key, and no slot held longer than the hook's time. Then all is well again, and every good unit has
to pass.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from line_bench import LineBench, line_bench
from support.labelled import FAIL, Labelled

from drivers.virtual.printers import Label, Says, VirtualPrinter
from drivers.virtual.unit import VirtualUnit
from station.engine.commands import CloseBatch
from station.engine.events import AttemptFinished, StepFinished
from station.hooks import Hook, HookTrouble
from station.hooks.question import AGAIN_S
from station.labels import LabelPrinter
from station.model import Verdict

from .floor import Floor
from .hands import Hands, walk_all
from .oracles import Violation, check_effects
from .outside_story import MES, PRINTER, OutsideStory, draw_outside
from .shift import LIVENESS_WALKS, SAFETY_WALKS, Figures, judged
from .story import Part, Trouble
from .units import make_unit
from .virtual_mes import VirtualMes
from .world import World

TOLD_S = 600.0
"""How long a MES that is well again may wait for the last message."""
IDENTIFY_S = 45.0
"""How long a unit takes to be identified without the MES, a fact against it read again for half a minute."""
EVENTS = frozenset({"unit_arrived", "may_start", "finished", "batch_closed"})


def run_outside(story: OutsideStory) -> Figures:
    """Play a story to its end; a violated oracle is recorded in the figures, never raised."""
    figures = Figures(story.seed)
    with (
        judged(figures) as watch,
        tempfile.TemporaryDirectory(prefix="outside-") as folder,
        line_bench(Path(folder), slots=story.slots, traces=False) as bench,
    ):
        watch(bench)
        _Play(bench, story, figures, Path(folder)).run()
    return figures


def run_outside_seed(seed: int) -> Figures:
    """Draw the story of ``seed`` and play it."""
    return run_outside(draw_outside(seed))


class _Outside(World):
    """The printer and the MES, besides the station's process."""

    def __init__(self, floor: Floor, printer: VirtualPrinter, mes: VirtualMes) -> None:
        super().__init__(floor)
        self.printer, self.mes, self._now = printer, mes, list[Trouble]()

    def _begin(self, trouble: Trouble) -> None:
        if trouble.kind == "half":
            self.printer.drops_after = 20 + 3 * trouble.detail
        elif trouble.kind in PRINTER or trouble.kind in MES:
            self._now.append(trouble)
            self.printer.fails_within = "is_off" if trouble.kind == "cut" else self.printer.fails_within
            self._set()
        else:
            super()._begin(trouble)

    def _end(self, trouble: Trouble) -> None:
        if trouble in self._now:
            self._now.remove(trouble)
            self._set()
        else:
            super()._end(trouble)

    def _set(self) -> None:
        """Bring printer and MES into the troubles of now; the latest mood of the MES counts."""
        kinds, printer = {one.kind for one in self._now}, self.printer
        printer.paper = 0 if "paper" in kinds else None
        printer.is_head_open, printer.has_no_ribbon = "head" in kinds, "ribbon" in kinds
        printer.is_paused, printer.is_away, printer.is_hanging = (one in kinds for one in ("paused", "away", "hanging"))
        printer.is_off = "off" in kinds or ("cut" in kinds and printer.is_off)
        printer.fails_within = printer.fails_within if "cut" in kinds else ""
        printer.is_stuck, printer.others = "stuck" in kinds, int("counts-wrong" in kinds)
        printer.takes_s = 4.0 if "slow-print" in kinds else 0.0
        stammers = [one for one in self._now if one.kind == "stammers"]
        printer.says = _STAMMERS[stammers[-1].detail % len(_STAMMERS)] if stammers else _plain
        units = self._floor.units.values() if "misprint" in kinds else ()
        printer.misprints = {unit.device_id: _one_off(unit.device_id) for unit in units}
        moods = [one for one in self._now if one.kind in MES]
        self.mes.mood, self.mes.detail = (moods[-1].kind, moods[-1].detail) if moods else ("", 0)

    def heal(self) -> None:
        super().heal()
        self.printer.drops_after = None


def _plain(answer: bytes) -> Sequence[tuple[float, bytes]]:
    return ((0.0, answer),)


_STAMMERS: Sequence[Says] = (
    lambda answer: [(0.0, answer), (0.0, answer)],
    lambda answer: [(0.0, answer), (0.8, answer)],
    lambda answer: [(0.5, answer), (1.3, answer)],
    lambda answer: [(at * 0.003, answer[at : at + 10]) for at in range(0, len(answer), 10)],
    lambda answer: [(0.0, b"\x02" + answer), (0.4, answer)],
)
"""How a printer may answer that does not just answer."""


def _one_off(device_id: str) -> str:
    return device_id[:-1] + ("0" if device_id[-1] != "0" else "1")


class _Operator(Hands):
    """Sticks on what came out of the printer and scans it, after some mistakes."""

    def __init__(self, play: _Play, slot: int, parts: tuple[Part, ...], walks: int) -> None:
        super().__init__(play.floor, slot, parts, walks)
        self._play = play

    def _texts(self, part: Part, unit: VirtualUnit) -> Iterator[str]:
        for slip in part.slips:
            yield _SLIPS[slip](self, unit)
        for _ in range(8):
            label = next(reversed(self._play.labels_of(unit)), None)
            yield label.scanned[0] if label is not None else self._reprint(unit)

    def _reprint(self, unit: VirtualUnit) -> str:
        """Say that none came out, and let one be printed."""
        self._play.reprints[unit.device_id] += 1
        return "CMD:REPRINT"

    def _check_pass(self, part: Part, unit: VirtualUnit) -> None:
        """A unit that the MES does not want may pass while it does not say so."""
        super()._check_pass(dataclasses.replace(part, flaw="") if part.flaw == "refused" else part, unit)

    def _may_fail(self, part: Part, finished: AttemptFinished) -> bool:
        return bool(part.flaw) or self._play.is_outside(finished)


_SLIPS: Mapping[str, Callable[[_Operator, VirtualUnit], str]] = {
    "maker": lambda _, unit: unit.label,
    "neighbour": lambda hands, _: hands.neighbour(),
    "unknown": lambda hands, _: hands.unknown(),
    "order-code": lambda hands, _: "BRN404XKIT",
    "noise": lambda hands, _: 'à&é"(ABEZW-Y4JRW',
    "half": lambda hands, unit: unit.device_id[:11],
}


class _Play:
    """One story in progress."""

    def __init__(self, bench: LineBench, story: OutsideStory, figures: Figures, folder: Path) -> None:
        self.bench, self.story, self.figures = bench, story, figures
        self.recipe = Labelled(
            folder=folder, revision=9, verify=story.verify, fail_template=FAIL if story.fail_label else ""
        )
        recipes = {self.recipe.platform: self.recipe}
        self.reprints = Counter[str]()  # labels that a person asked for, by Device ID
        self.units = {part.number: make_unit(bench, part, recipes) for part in story.parts}
        refused = [self.units[part.number].device_id for part in story.parts if part.flaw == "refused"]
        self.printer, self.mes = VirtualPrinter(bench.clock), VirtualMes(bench.clock, refused)
        self.floor = Floor(bench, story, recipes, self.units, bench.clock.token())
        self.world = _Outside(self.floor, self.printer, self.mes)
        hook = Hook("mes", EVENTS, _Reached(bench, self.mes), story.timeout_s, story.holds)
        bench.settings["hooks"] = lambda _programs: (hook,)
        bench.settings["printers"] = lambda clock: {"bench": LabelPrinter("bench", self._connect, clock)}
        bench.restart(self.recipe)
        bench.station.client._rng = random.Random(story.seed)

    def _connect(self, timeout_s: float) -> Any:
        if self.bench.is_dead:
            raise ConnectionResetError(104, "the process is gone")
        return self.printer.connect(timeout_s)

    def run(self) -> None:
        self.world.start()
        try:
            self._walk_all(self.story.parts, SAFETY_WALKS)
        finally:
            self.world.heal()
        for part in self.story.parts:
            if self.floor.final.get(part.number) is not Verdict.PASS and part.flaw != "other-product":
                self._walk_all((part,), LIVENESS_WALKS)
        self.bench.command(CloseBatch(self.recipe.batch))
        self._wait_told()
        self._check()

    def _walk_all(self, parts: tuple[Part, ...], walks: int) -> None:
        walk_all(self.floor, parts, lambda slot, its: _Operator(self, slot, its, walks))

    # --- what came out ---

    def labels_of(self, unit: VirtualUnit) -> list[Label]:
        """Return the labels of a unit that passed, in the order they came out."""
        return [one for one in self.printer.labels if str(unit.spec.serial) in one.text and "FAIL" not in one.text]

    def is_outside(self, finished: AttemptFinished) -> bool:
        """Whether a FAIL is not about the unit: the MES refused it twice, or a code was printed wrong."""
        if finished.sentence == "hook_refused":
            return self.mes.refusals(finished.attempt or "") >= 2
        codes = [label.scanned for unit in self.units.values() for label in self.labels_of(unit)]
        right = {(unit.device_id,) for unit in self.units.values()}
        return finished.sentence == "wrong_label" and any(code not in right for code in codes)

    def _finished(self) -> list[tuple[float, AttemptFinished]]:
        return [(at, event) for at, event in self.bench.events if isinstance(event, AttemptFinished)]

    def _check(self) -> None:
        self.figures.units.update(part.flaw or "good" for part in self.story.parts)
        for _, event in self._finished():
            self.figures.verdicts[event.verdict.name] += 1
            self._check_refusal(event)
        for part in self.story.parts:
            self._check_ending(part)
        for at, event in self._finished():
            if event.verdict is Verdict.PASS:
                self._check_label(at, event)
        self._check_order()
        self._check_once()
        self._check_fail_labels()
        self._check_told()
        if not self.story.holds:
            self._check_time()
        check_effects(self.bench)

    def _check_ending(self, part: Part) -> None:
        verdict = self.floor.final[part.number]
        wanted = {"": {Verdict.PASS}, "refused": {Verdict.PASS, Verdict.FAIL}, "other-product": {Verdict.FAIL}}
        if verdict not in wanted[part.flaw]:
            raise Violation("never ended", f"unit {part.number} ({part.flaw or 'good'}) ended {verdict.name}")

    def _check_refusal(self, event: AttemptFinished) -> None:
        said = self.mes.refusals(event.attempt or "")
        if event.sentence == "hook_refused" and said < 2:
            raise Violation("refused", f"{event.device_id} was refused, and the MES said so {said} times")
        if event.verdict is Verdict.PASS and said >= 2:
            raise Violation("false PASS", f"{event.device_id} passed, and the MES refused it")

    def _check_label(self, at: float, event: AttemptFinished) -> None:
        """A unit that passed has its label; where labels are scanned back, one with the right code."""
        unit = next(one for one in self.units.values() if one.device_id == event.device_id)
        codes = [one.scanned for one in self.labels_of(unit) if one.at <= at]
        if not codes or (self.story.verify and (unit.device_id,) not in codes):
            raise Violation("no label", f"{unit.device_id} passed with the labels {codes}")

    def _check_order(self) -> None:
        """No label of a unit that passed comes out before its final check matched (N6)."""
        looked = [
            (at, event.device_id)
            for at, event in self.bench.events
            if isinstance(event, StepFinished) and event.step == "final_check" and event.outcome.value != "failed"
        ]
        for unit in self.units.values():
            for label in self.labels_of(unit):
                if not any(at <= label.at and who == unit.device_id for at, who in looked):
                    raise Violation("N6", f"a label of {unit.device_id} came out before its final check")

    def _check_once(self) -> None:
        """No second label of a unit comes out unless a person asked for it, or the first had a wrong code."""
        for unit in self.units.values():
            count = sum(one.scanned == (unit.device_id,) for one in self.labels_of(unit))
            asked = self.reprints[unit.device_id]
            if count > 1 + asked:
                raise Violation("two labels", f"{unit.device_id} has {count} labels, a person asked for {asked}")

    def _check_fail_labels(self) -> None:
        """Each FAIL has its label, or is named as one without, whatever ended the station."""
        if not self.story.fail_label:
            return
        printed = "\n".join(label.text for label in self.printer.labels if label.text.startswith("FAIL "))
        with self.bench.reader() as journal:
            rows = [(row.kind, row.values()) for row in journal.entries()]
        missed = {one for kind, values in rows if kind == "LabelsMissed" for one in values["attempts"]}
        for kind, values in rows:
            if kind != "AttemptFinished" or values["verdict"] != "FAIL" or not values.get("batch"):
                continue
            ids = (values["device_id"], _one_off(values["device_id"]))  # a misprint is one anywhere
            if values["attempt"] not in missed and not any(f"FAIL {one}" in printed for one in ids):
                raise Violation("no FAIL label", f"{values['device_id']} failed, has no label, and nobody said so")

    def _expected(self) -> list[tuple[str, dict[str, Any]]]:
        """Return key and values of every entry the MES is told of, counted from the journal itself."""
        kinds = {"UnitIdentified", "AttemptFinished", "AttemptAbandoned", "VerdictRevised", "BatchClosed"}
        arrived: set[str] = set()
        found = []
        with self.bench.reader() as journal:
            for row in journal.entries():
                values = row.values()
                is_again = row.kind == "UnitIdentified" and values["attempt"] in arrived
                if row.kind in kinds and not is_again:
                    found.append((f"{row.station_id}-{row.seq:09d}", values))
                if row.kind == "UnitIdentified":
                    arrived.add(values["attempt"])
        return found

    def _wait_told(self) -> None:
        until = self.bench.clock.now() + TOLD_S
        while len(self.mes.taken()) < len(self._expected()) and self.bench.clock.now() < until:
            self.bench.sleep(10.0)
        self.bench.sleep(60.0)  # labels that wait for the printer

    def _check_told(self) -> None:
        expected, taken = self._expected(), self.mes.taken()
        if [key for key, _ in expected] != taken:
            missed = [key for key, _ in expected if key not in taken]
            raise Violation("not told", f"{len(missed)} of {len(expected)} entries, in order: {missed[:3]} {taken[:3]}")
        for key, told in itertools.groupby(sorted(self.mes.heard, key=lambda one: one.key), lambda one: one.key):
            said = {(one.message["event"], one.message.get("seq"), one.message.get("verdict")) for one in told}
            if len(said) > 1:
                raise Violation("two messages", f"{key} was used for {said}")

    def _check_time(self) -> None:
        """From the first question about a unit to the end of its first step: never longer than two questions take."""
        most_s = 2 * self.story.timeout_s + AGAIN_S + IDENTIFY_S
        asked: dict[str, float] = {}
        for one in self.mes.heard:
            if one.message["event"] == "may_start":
                asked.setdefault(one.message["attempt"], one.began)
        for at, event in self.bench.events:
            if isinstance(event, StepFinished) and event.step == "identify" and event.attempt in asked:
                took = at - asked[event.attempt]
                if took > most_s:
                    raise Violation(
                        "held", f"{event.device_id} waited {took:.0f} s for the MES, at most {most_s:.0f} s"
                    )


class _Reached:
    """The way to the MES of a station that is alive."""

    def __init__(self, bench: LineBench, mes: VirtualMes) -> None:
        self._bench, self._mes = bench, mes

    def send(self, body: bytes, key: str, timeout_s: float, cancel: Any) -> bytes:
        if self._bench.is_dead:
            raise HookTrouble("the process is gone")
        return self._mes.send(body, key, timeout_s, cancel)

    def look(self, timeout_s: float) -> None:
        self._mes.look(timeout_s)
