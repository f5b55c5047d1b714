"""The updates that are swept, how long an undisturbed walk of each is, and what became of a unit in the end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from line_bench import LineBench, Recipe, line_bench

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.flash import Touch
from drivers.virtual.unit import VirtualUnit
from drivers.wire.image.host import parse_image
from station.engine.records import WriteIntended
from station.model import Verdict

ROUNDS = 8
"""Attempts after which a unit that is not done counts as given up."""


@dataclass(frozen=True)
class Update:
    """A unit that came with Device OS ``old`` and gets ``new``, all of its modules and an application."""

    slug: str
    old: str
    new: str
    ncp: int | None = None  # version of the co-processor's firmware, where the profile names one
    is_whole: bool = False  # swept at every single write; the others at some, drawn by seed
    needs_rate: bool = False  # listens after a touch with 28800 baud, which a pseudo-terminal cannot pass on in time

    def __str__(self) -> str:
        return f"{self.slug} {self.old} -> {self.new}" + ("" if self.ncp is None else f" + ncp {self.ncp}")

    @property
    def recipe(self) -> Recipe:
        number = platform_by_slug(self.slug).id
        ncp = () if self.ncp is None else (synthetic.ncp_firmware(number, self.ncp),)
        modules = (*synthetic.release(number, self.new), *ncp)
        return Recipe(self.slug, device_os=self.new, modules=modules, wifi=False)


UPDATES = (
    Update("photon", "0.5.5", "2.3.1", is_whole=True),
    Update("photon", "2.3.1", "3.3.1"),
    Update("p1", "1.5.2", "2.3.1"),
    Update("electron", "0.7.0", "3.3.1", needs_rate=True),
    Update("electron", "2.3.1", "3.3.1"),
    Update("argon", "1.4.4", "6.3.4", ncp=9),
    Update("boron", "3.3.1", "6.3.4", is_whole=True),
    Update("xenon", "0.8.0-rc.27", "1.5.2"),
    Update("b5som", "6.1.0", "6.3.4"),
    Update("tracker", "3.3.1", "6.3.4", ncp=9, is_whole=True),
    Update("p2", "5.0.1", "6.3.4", is_whole=True),
    Update("msom", "6.2.0", "6.3.4"),
)
"""At least one of each family, and of each order in which the planner writes. Whole: one a family, and the Tracker."""


@dataclass(frozen=True)
class Module:
    """A module of an update, and the writes of an undisturbed walk in which it arrives, counted from 1."""

    name: str  # of its file
    first: int
    last: int

    @property
    def places(self) -> dict[str, int]:
        return {"first": self.first, "middle": (self.first + self.last) // 2, "last": self.last}


@dataclass(frozen=True)
class Length:
    """An undisturbed walk: its flash operations, those of the unit's own boots included, and control transfers."""

    operations: int
    transfers: int
    modules: tuple[Module, ...]  # the writes are those a host causes


@contextmanager
def bench_for(update: Update, *faults: str) -> Iterator[tuple[LineBench, VirtualUnit]]:
    """A bench of its own, and the unit of ``update`` out of its box."""
    with tempfile.TemporaryDirectory() as folder, line_bench(Path(folder), update.recipe, traces=False) as bench:
        yield bench, bench.unit(update.slug, 1, update.old, faults=faults)


def measured(update: Update) -> Length:
    """Walk the update without any trouble. Raises `AssertionError` if it does not end well."""
    names = {file.name for file in update.recipe.files()}
    writes: list[str] = []  # the module that was announced last before each
    with bench_for(update) as (bench, unit):
        note = unit.score.on_host_write
        assert note is not None

        def count(touch: Touch) -> None:
            note(touch)
            announced = (e.what.split()[0] for _, e in reversed(bench.events) if isinstance(e, WriteIntended))
            writes.append(next((name for name in announced if name in names), ""))

        unit.score.on_host_write = count
        walk = bench.walk(unit)
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        found = [name for name in dict.fromkeys(writes) if name]
        modules = (Module(one, writes.index(one) + 1, len(writes) - writes[::-1].index(one)) for one in found)
        return Length(sum(unit.score.operations.values()), walk.transfers, tuple(modules))


@dataclass(frozen=True)
class Ended:
    """What became of the unit of a story. ``problem``: "" when nothing is wrong with that."""

    verdicts: tuple[str, ...]
    by_hand: int = 0  # how often its buttons were needed
    is_lost: bool = False  # only a debugger helps
    problem: str = ""

    @property
    def word(self) -> str:
        return "problem" if self.problem else "lost" if self.is_lost else "hands" if self.by_hand else "pass"


def shortfall(update: Update, unit: VirtualUnit) -> str:
    """Say what a unit that passed does not hold, or what was touched that nobody may touch; "" if all is well."""
    for file in update.recipe.files():
        image = parse_image(file.data, file.name)
        flash = unit.memory.ncp if image.start == 0 and unit.memory.ncp is not None else unit.memory.internal
        if flash.read(image.flash_address, len(image.flash_bytes)) != image.flash_bytes:
            return f"passed without {file.name}"
    return "".join(f"touched {one}" for one in unit.score.forbidden)
