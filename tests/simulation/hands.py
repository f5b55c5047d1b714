"""The simulated operator of one slot: plugs units in, scans, presses buttons, reads verdicts, and makes mistakes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping

from support.spoken import ENGLISH

from drivers.clock import ClockThread
from drivers.errors import Cancelled
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import VirtualUnit
from station.engine.commands import CloseConsole, OpenConsole, Scan, TypeConsole
from station.engine.console_events import ConsoleClosed, ConsoleOpened
from station.engine.events import AttemptFinished, AttemptStarted, Event, HandsDone, HandsNeeded, StepHeld
from station.model import SlotInfo, Verdict
from station.view.look import Look
from station.view.reduce import replay
from station.view.state import BenchState

from .floor import Floor
from .oracles import Violation, check_pass
from .story import TYPED, Part

PATIENCE_S = 3 * 3600.0
"""How long a unit may stay in its slot without a verdict before it counts as hung."""
REACTION_S = 2.0
RETURN_S = 20.0
"""How long a unit that was pulled, or a station that was stopped, may take to come back."""
OPENS_S = 120.0
"""How long somebody waits for a console."""
SCANS = 12
"""Scans before the operator gives up."""


def label_of(unit: VirtualUnit) -> str:
    """Return what the label on the unit says: its Device ID where it never had a serial number (A4)."""
    return unit.label if unit.spec.serial is not None or "wrong-label" in unit.faults.lasting else unit.device_id


class Hands:
    """The operator of one slot: plugs in, scans, presses buttons, reads the verdict, unplugs."""

    def __init__(self, floor: Floor, slot: int, parts: tuple[Part, ...], walks: int) -> None:
        self._floor, self._bench, self.slot, self._parts, self._walks = floor, floor.bench, slot, parts, walks
        self._mark = 0
        self._before: VirtualUnit | None = None
        self._is_by_hand = False  # the last verdict says to bring the unit into DFU with its buttons
        self._touched: set[int] = set()  # units that somebody worked on by hand
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
            self._floor.broken(error)
        except Cancelled:
            return
        except Exception as error:
            self._floor.broken(Violation("harness", f"{type(error).__name__}: {error}"))

    def _see_through(self, part: Part) -> None:
        unit = self._floor.units[part.number]
        for _ in range(self._walks):
            verdict = self._visit(part, unit)
            self._floor.final[part.number] = verdict
            if verdict <= Verdict.FAIL:
                break
        self._before = unit

    def _visit(self, part: Part, unit: VirtualUnit) -> Verdict:
        """Plug in, wait for a verdict, unplug, and return the verdict."""
        self._bench.unplug(self.slot)  # a unit that was pulled before may have come back meanwhile
        self._mark = self._bench.mark()
        self._bench.plug(unit, self.slot)
        if self._is_by_hand:  # it restarts over and over, and would never show
            unit.press_mode_button()
        finished = self._wait_verdict(part, unit)
        self._is_by_hand = finished.sentence == "dfu_by_hand"
        if finished.verdict is Verdict.PASS:
            self._check_pass(part, unit)
        if finished.verdict is Verdict.FAIL and not self._may_fail(part, finished):
            raise Violation("false FAIL", f"good unit {part.number}: {finished.failed_step}: {finished.reason}")
        is_touched = finished.verdict is Verdict.PASS and self._works_by_hand(part, unit, finished)
        self._pause()
        self._bench.unplug(self.slot)
        self._pause()
        return self._visit(part, unit) if is_touched else finished.verdict

    def _works_by_hand(self, part: Part, unit: VirtualUnit, passed: AttemptFinished) -> bool:
        """Type what the story says at the unit's console, once; from then on, no slot shows a PASS without a walk."""
        if not part.by_hand or part.number in self._touched:
            return False
        mark = self._bench.mark()
        self._bench.command(OpenConsole(self.slot, passed.attempt or "", unit.device_id))
        self._bench.find(
            lambda event: event.slot == self.slot and isinstance(event, ConsoleOpened | ConsoleClosed),
            since=mark, within=OPENS_S, cancel=self._floor.token,
        )  # fmt: skip
        for text in TYPED[part.by_hand]:
            self._bench.command(TypeConsole(self.slot, text))
            self._pause()
        self._bench.command(CloseConsole(self.slot))
        told = [event for _, event in self._bench.events]
        own = [event for event in told[mark:] if event.slot == self.slot]
        if not any(isinstance(event, ConsoleOpened) for event in own):
            return False  # nobody could open it
        self._touched.add(part.number)
        slots = [SlotInfo(number, f"1-{number}") for number in range(1, self._bench.count + 1)]
        shown = replay(BenchState.of(slots, ENGLISH), told).slot(self.slot)
        is_walked = any(isinstance(event, AttemptStarted) for event in own)
        if shown is not None and shown.look in (Look.PASS, Look.PENDING) and not is_walked:
            raise Violation("false PASS", f"unit {part.number} was worked on by hand and shows {shown.look.name}")
        return True

    def _check_pass(self, part: Part, unit: VirtualUnit) -> None:
        """Raise `Violation` for a PASS that is not true."""
        check_pass(self._bench, part, unit, self._floor.recipes[part.platform], is_here=True)

    def _may_fail(self, part: Part, _finished: AttemptFinished) -> bool:
        """Return whether that verdict is no false one."""
        return bool(part.flaw)

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
                case HandsNeeded(sentence="scan_label" | "scan_printed" | "label_in_doubt"):
                    asked = True
                case HandsNeeded(sentence="dfu_by_hand"):
                    self._pause()
                    unit.press_mode_button()
                case HandsNeeded(sentence="reset_by_hand"):
                    self._pause()
                    with unit.condition:
                        unit.restart()
                case HandsNeeded(sentence="listening_by_hand"):
                    self._pause()
                    unit.hold_mode_button()
                case HandsDone():
                    asked = False
                case HandsNeeded(sentence="wrong_platform" | "no_profile" | "no_batch") if (
                    part.flaw == "wrong-platform"
                ):
                    return AttemptFinished(at=event.at, slot=self.slot, verdict=Verdict.ABORTED)
                case AttemptFinished() if event.device_id in (None, unit.device_id):
                    asked = False
                    if event.verdict <= Verdict.FAIL or not self._begins_again():
                        return event

    def _given_up(self, part: Part) -> AttemptFinished:
        """End a walk without a verdict for hours: allowed only for a bad unit whose slot says what it waits for."""
        own = [event for _, event in self._bench.events[self._mark :] if event.slot == self.slot]
        if part.flaw and any(isinstance(event, StepHeld) for event in own):
            return AttemptFinished(at=self._bench.clock.utc(), slot=self.slot, verdict=Verdict.PENDING)
        raise Violation("hung", f"unit {part.number} stayed in slot {self.slot} without a verdict")

    def _begins_again(self) -> bool:
        """Return whether the unit (or the station) comes back on its own and another attempt starts."""
        mark = self._mark
        until = self._bench.clock.now() + RETURN_S
        while (event := self._next(until - self._bench.clock.now())) is not None:
            if isinstance(event, AttemptStarted):
                return True
        self._mark = max(mark, self._mark)
        return False

    def _next(self, within: float) -> Event | None:
        """Return the next event of this slot; None after ``within`` seconds."""
        place = self._bench.find(
            lambda event: event.slot == self.slot, since=self._mark, within=within, cancel=self._floor.token
        )
        if place is None:
            return None
        self._mark = place + 1
        return self._bench.events[place][1]

    def _pause(self) -> None:
        self._bench.clock.sleep(REACTION_S, self._floor.token)

    def _texts(self, part: Part, unit: VirtualUnit) -> Iterator[str]:
        """Yield what is scanned, in order: the mistakes, then the unit's label, repeatedly."""
        slips = (_SLIPS[slip](self, unit) for slip in part.slips)
        return itertools.islice(itertools.chain(slips, itertools.repeat(label_of(unit))), SCANS)

    def neighbour(self) -> str:
        """Return the label of a unit in another slot, else an unknown one."""
        others = [u for u in self._floor.units.values() if u.port is not None and str(u.port) != f"1-{self.slot}"]
        return self._label_of(others[0] if others else None)

    def before(self) -> str:
        return self._label_of(self._before)

    def _label_of(self, other: VirtualUnit | None) -> str:
        """Return a unit's label if the journal has its serial number, else an unknown label, as in `unknown`."""
        with self._bench.reader() as journal:
            known = journal.unit(other.device_id) if other is not None else None
        return other.spec.label if other is not None and known is not None and known.fact("serial") else self.unknown()

    def unknown(self) -> str:
        """Return an unknown label, a different one each time: the same one twice would be a mismatch."""
        return make_spec("boron", 99, next(self._floor.strangers)).label


_Slip = Callable[[Hands, VirtualUnit], str]
_QWERTZ = str.maketrans("YZyz-", "ZYzyß")
_SLIPS: Mapping[str, _Slip] = {
    "neighbour": lambda hands, unit: hands.neighbour(),
    "before": lambda hands, unit: hands.before(),
    "order-code": lambda hands, unit: "BRN404XKIT",
    "layout": lambda hands, unit: label_of(unit).translate(_QWERTZ),
    "double": lambda hands, unit: label_of(unit).split()[0] * 2,
    "prefix": lambda hands, unit: f"]d1{label_of(unit)}",
    "lot": lambda hands, unit: "LOT20261122",
    "noise": lambda hands, unit: "à&é\"(ABEZW-Y4JRW",
    "unknown": lambda hands, unit: hands.unknown(),
}  # fmt: skip


def walk_all(floor: Floor, parts: Iterable[Part], hands_of: Callable[[int, tuple[Part, ...]], Hands]) -> None:
    """Have ``hands_of`` each slot walk its ``parts``, all slots at once; raises the first `Violation`."""
    by_slot: dict[int, list[Part]] = {}
    for part in parts:
        by_slot.setdefault(part.slot, []).append(part)
    hands = [hands_of(slot, tuple(its)) for slot, its in sorted(by_slot.items())]
    for one in hands:
        one.start()
    for one in hands:
        one.join()
    if floor.violations:
        raise floor.violations[0]
