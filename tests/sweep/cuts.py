"""One unit is disturbed in the middle of its update, then walked until it is done: what became of it?"""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from dataclasses import dataclass

from line_bench import LineBench
from support.every_transfer import STUMBLES

from drivers.virtual.boot import BootMode
from drivers.virtual.flash import Touch
from drivers.virtual.unit import UnitMode, VirtualUnit
from station.engine.events import AttemptFinished
from station.model import Verdict

from .updates import ROUNDS, Ended, Length, Update, bench_for, shortfall

DARK_S = 600.0
"""How long the station may wait for a unit before somebody looks at it: longer than the limit of any step."""
TEETH = 40
"""Of a comb every 40th transfer fails; moved along 40 times it hits every transfer of a walk."""


class Harm(enum.StrEnum):
    """What happens to the unit."""

    TORN = "torn"  # power is lost in the middle of a flash operation
    UNPLUGGED = "unplugged"  # the cable is pulled in the middle of one
    FAILS = "fails"  # flash refuses it once
    LOST = "lost"  # the host's next transfer after it fails
    BETWEEN = "between"  # power is lost at a transfer, writes before it are whole
    ORPHANED = "orphaned"  # the station is killed in the middle of a write, in simulated time
    STUMBLES = "stumbles"  # one transfer fails, which says nothing about the unit
    COMB = "comb"  # every `TEETH`th transfer fails


_FAULTS = {
    Harm.TORN: "at=flash:{},do=torn,for=2", Harm.UNPLUGGED: "at=flash:{},do=unplug,for=2",
    Harm.FAILS: "at=flash:{},do=fail", Harm.LOST: "at=flash:{},do=error,errno=eio",
    Harm.BETWEEN: "at=control:{},do=powercut,for=2",
}  # fmt: skip
_OF_COMBS = tuple(way for way in STUMBLES if "errno" in way or "stall" in way)
"""What a host's USB stack says. Garbage and silence again and again are what a unit says of itself."""
_OF_THE_BUS = frozenset({Harm.STUMBLES, Harm.COMB})
"""Harms after which the unit passes in its first attempt."""


@dataclass(frozen=True)
class Cut:
    """One story. ``way``: how the transfer fails, where the harm leaves that open."""

    update: Update
    harm: Harm
    number: int  # of the flash operation, or of the transfer
    way: str = ""

    def __str__(self) -> str:
        return f"{self.update}: {self.harm} at {self.number}" + (f" ({self.way})" if self.way else "")

    def faults(self, length: int) -> tuple[str, ...]:
        """Return what disturbs the unit; a comb reaches to transfer ``length``."""
        if self.harm not in _OF_THE_BUS:
            return (_FAULTS[self.harm].format(self.number),) if self.harm in _FAULTS else ()
        last = length if self.harm is Harm.COMB else self.number
        return tuple(f"at=control:{number},{self.way}" for number in range(self.number, last + 1, TEETH))


def cuts_of(update: Update, length: Length, seed: int = 1) -> Iterator[Cut]:
    """Yield every harm at every flash operation or transfer; transfers between which power is cut, as many as writes.

    Each transfer fails alone once, in the way that ``seed`` draws, and in every way as a tooth of a comb.
    """
    for harm in (Harm.TORN, Harm.UNPLUGGED, Harm.FAILS, Harm.LOST):
        yield from (Cut(update, harm, number) for number in range(1, length.operations + 1))
    writes = max(module.last for module in length.modules)
    yield from (Cut(update, Harm.ORPHANED, number) for number in range(1, writes + 1))
    step = max(1, length.transfers // length.operations)
    yield from (Cut(update, Harm.BETWEEN, number) for number in range(1, length.transfers + 1, step))
    yield from (Cut(update, Harm.COMB, tooth, way) for way in _OF_COMBS for tooth in range(1, TEETH + 1))
    dice = random.Random(f"{seed} {update}")
    for number in range(1, length.transfers + 1):
        yield Cut(update, Harm.STUMBLES, number, dice.choice(STUMBLES))


def ended(cut: Cut) -> Ended:
    """Live through one story to its end."""
    try:
        with bench_for(cut.update, *cut.faults(length=3000)) as (bench, unit):
            return _lived(cut, bench, unit)
    except AssertionError as error:
        return Ended((), problem=str(error)[:600] or "an assertion failed")


def _lived(cut: Cut, bench: LineBench, unit: VirtualUnit) -> Ended:
    verdicts: list[str] = []
    by_hand, was_told, mark = 0, False, _begun(cut, bench, unit)
    while len(verdicts) < ROUNDS:
        finished = _next_verdict(bench, mark)
        mark = bench.mark()
        if finished is not None:
            verdicts.append(finished.verdict.name)
            was_told |= _tells_of_hands(finished)
            if finished.verdict is Verdict.PASS:
                return Ended(tuple(verdicts), by_hand, problem=shortfall(cut.update, unit))
            if finished.verdict is Verdict.FAIL:
                return Ended(tuple(verdicts), by_hand, problem=f"a good unit fails: {finished.reason}")
            if cut.harm in _OF_THE_BUS:
                return Ended(tuple(verdicts), by_hand, problem=f"{finished.verdict.name}: {finished.reason}")
        if unit.mode is UnitMode.DEAD:
            report = unit.report
            if report is not None and report.mode is BootMode.DEAD and report.bootloader_version is None:
                return Ended(tuple(verdicts), by_hand, is_lost=True, problem="" if was_told else "lost, untold")
            by_hand += 1
            if not was_told:
                return Ended(tuple(verdicts), by_hand, problem="its buttons are needed, which nobody had said")
            unit.press_mode_button()
        elif finished is not None and finished.verdict is Verdict.ERROR:
            bench.unplug()
            bench.sleep(1.0)
            bench.plug(unit)
    return Ended(tuple(verdicts), by_hand, problem="it never gets done")


def _begun(cut: Cut, bench: LineBench, unit: VirtualUnit) -> int:
    """Plug the unit in, and have its station killed and another one started if so told; return where to look from."""
    mark, note, writes = bench.mark(), unit.score.on_host_write, 0
    if cut.harm is not Harm.ORPHANED:
        bench.plug(unit)
        return mark
    assert note is not None

    def strike(touch: Touch) -> None:
        nonlocal writes
        note(touch)
        writes += 1
        if writes == cut.number:
            bench.die()

    unit.score.on_host_write = strike
    bench.plug(unit)
    until = bench.clock.now() + DARK_S
    while not bench.is_dead:
        assert bench.clock.now() < until, f"there were {writes} writes"
        bench.sleep(0.5)
    unit.score.on_host_write = note
    bench.bury()
    bench.sleep(2.0)
    mark = bench.mark()
    bench.start(*bench.recipes)
    return mark


def _next_verdict(bench: LineBench, mark: int) -> AttemptFinished | None:
    """Wait for the next verdict; None if the unit shows nothing for `DARK_S`."""
    try:
        found = bench.wait_for(AttemptFinished, since=mark, within=DARK_S)
    except AssertionError:
        return None
    assert isinstance(found, AttemptFinished)
    return found


def _tells_of_hands(finished: AttemptFinished) -> bool:
    """Whether the verdict says that this unit will not come back by itself."""
    return " and RESET " in finished.reason or "SWD" in finished.reason
