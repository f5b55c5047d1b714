"""One unit is disturbed once in the middle of its update, then walked until it is done: what became of it?"""

from __future__ import annotations

import enum
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from line_bench import LineBench, Recipe, line_bench

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode
from drivers.virtual.flash import Touch
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.wire.image.host import parse_image
from station.engine.events import AttemptFinished
from station.model import Verdict

ROUNDS = 8
"""Attempts after which a unit that is not done counts as given up."""
DARK_S = 600.0
"""How long the station may wait for a unit before somebody looks at it: longer than the limit of any step."""


@dataclass(frozen=True)
class Update:
    """A unit that came with Device OS ``old`` and gets ``new``, all of its modules and an application."""

    slug: str
    old: str
    new: str
    ncp: int | None = None  # version of the co-processor's firmware, where the profile names one

    def __str__(self) -> str:
        return f"{self.slug} {self.old} -> {self.new}" + ("" if self.ncp is None else f" + ncp {self.ncp}")

    @property
    def recipe(self) -> Recipe:
        number = platform_by_slug(self.slug).id
        ncp = () if self.ncp is None else (synthetic.ncp_firmware(number, self.ncp),)
        modules = (*synthetic.release(number, self.new), *ncp)
        return Recipe(self.slug, device_os=self.new, modules=modules, wifi=False)


UPDATES = (
    Update("photon", "0.5.5", "2.3.1"),
    Update("photon", "2.3.1", "3.3.1"),
    Update("p1", "1.5.2", "2.3.1"),
    Update("electron", "0.7.0", "3.3.1"),
    Update("electron", "2.3.1", "3.3.1"),
    Update("argon", "1.4.4", "6.3.4", ncp=9),
    Update("boron", "3.3.1", "6.3.4"),
    Update("xenon", "0.8.0-rc.27", "1.5.2"),
    Update("b5som", "6.1.0", "6.3.4"),
    Update("tracker", "3.3.1", "6.3.4", ncp=9),
    Update("p2", "5.0.1", "6.3.4"),
    Update("msom", "6.2.0", "6.3.4"),
)
"""At least one of each family, and of each order in which the planner writes."""


class Harm(enum.StrEnum):
    """What happens at a write."""

    TORN = "torn"  # power is lost in the middle of it
    UNPLUGGED = "unplugged"  # the cable is pulled in the middle of it
    FAILS = "fails"  # flash refuses it once
    LOST = "lost"  # the host's next transfer fails
    BETWEEN = "between"  # power is lost at a transfer, writes before it are whole

    @property
    def fault(self) -> str:
        """Return the fault, its number left open."""
        return {
            Harm.TORN: "at=flash:{},do=torn,for=2", Harm.UNPLUGGED: "at=flash:{},do=unplug,for=2",
            Harm.FAILS: "at=flash:{},do=fail", Harm.LOST: "at=flash:{},do=error,errno=eio",
            Harm.BETWEEN: "at=control:{},do=powercut,for=2",
        }[self]  # fmt: skip


@dataclass(frozen=True)
class Cut:
    """One story."""

    update: Update
    harm: Harm
    number: int  # of the write, or of the transfer

    def __str__(self) -> str:
        return f"{self.update}: {self.harm} at {self.number}"


@dataclass(frozen=True)
class Ended:
    """What became of the unit. ``problem``: "" when nothing is wrong with that."""

    cut: Cut
    verdicts: tuple[str, ...]
    by_hand: int = 0  # how often its buttons were needed
    is_lost: bool = False  # only a debugger helps
    problem: str = ""


@dataclass(frozen=True)
class Length:
    """How many flash operations and control transfers an undisturbed walk has."""

    writes: int
    transfers: int


def measured(update: Update) -> Length:
    """Walk the update without any trouble. Raises `AssertionError` if it does not end well."""
    with tempfile.TemporaryDirectory() as folder, line_bench(Path(folder), update.recipe) as bench:
        unit = bench.unit(update.slug, 1, update.old)
        operations: list[Touch] = []
        counted = unit.score.on_host_write
        assert counted is not None

        def count(touch: Touch) -> None:
            counted(touch)
            operations.append(touch)

        unit.score.on_host_write = count
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        return Length(len(operations), walk.transfers)


def cuts_of(update: Update, every: int = 1) -> Iterator[Cut]:
    """Yield every harm at every ``every``-th write, and as many power cuts between transfers as there are writes."""
    length = measured(update)
    for harm in Harm:
        if harm is not Harm.BETWEEN:
            yield from (Cut(update, harm, number) for number in range(1, length.writes + 1, every))
    step = max(1, length.transfers // length.writes) * every
    yield from (Cut(update, Harm.BETWEEN, number) for number in range(1, length.transfers + 1, step))


def ended(cut: Cut) -> Ended:
    """Live through one story to its end."""
    try:
        with tempfile.TemporaryDirectory() as folder, line_bench(Path(folder), cut.update.recipe) as bench:
            unit = bench.unit(cut.update.slug, 1, cut.update.old, faults=(cut.harm.fault.format(cut.number),))
            return _lived(cut, bench, unit)
    except AssertionError as error:
        return Ended(cut, (), problem=str(error)[:600] or "an assertion failed")


def _lived(cut: Cut, bench: LineBench, unit: VirtualUnit) -> Ended:
    verdicts: list[str] = []
    by_hand, was_told, mark = 0, False, bench.mark()
    bench.plug(unit)
    while len(verdicts) < ROUNDS:
        finished = _next_verdict(bench, mark)
        mark = bench.mark()
        if finished is not None:
            verdicts.append(finished.verdict.name)
            was_told |= _tells_of_hands(finished)
            if finished.verdict is Verdict.PASS:
                return Ended(cut, tuple(verdicts), by_hand, problem=_wrong(cut, unit))
            if finished.verdict is Verdict.FAIL:
                return Ended(cut, tuple(verdicts), by_hand, problem=f"a good unit fails: {finished.reason}")
        if unit.mode is UnitMode.DEAD:
            report = unit.report
            if report is not None and report.mode is BootMode.DEAD and report.bootloader_version is None:
                return Ended(cut, tuple(verdicts), by_hand, is_lost=True, problem="" if was_told else "lost, untold")
            by_hand += 1
            if not was_told:
                return Ended(cut, tuple(verdicts), by_hand, problem="its buttons are needed, which nobody had said")
            unit.press_mode_button()
        elif finished is not None and finished.verdict is Verdict.ERROR:
            bench.unplug()
            bench.sleep(1.0)
            bench.plug(unit)
    return Ended(cut, tuple(verdicts), by_hand, problem="it never gets done")


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
    return "MODE and RESET" in finished.reason or "SWD" in finished.reason


def _wrong(cut: Cut, unit: VirtualUnit) -> str:
    """Say what a unit that passed does not hold, or what was touched that nobody may touch."""
    for file in cut.update.recipe.files():
        image = parse_image(file.data, file.name)
        flash = unit.memory.ncp if image.start == 0 and unit.memory.ncp is not None else unit.memory.internal
        if flash.read(image.flash_address, len(image.flash_bytes)) != image.flash_bytes:
            return f"passed without {file.name}"
    return "".join(f"touched {one}" for one in unit.score.forbidden)
