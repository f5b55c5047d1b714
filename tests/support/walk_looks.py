"""What the tests of rules look for in one walk: that it passed, what came before what, when a unit was online."""

from __future__ import annotations

from collections.abc import Callable

from line_bench import (
    LineBench,
    Walk,
)

from drivers.virtual.unit import VirtualUnit
from station.engine.events import Event, StepFinished, StepStarted
from station.model import Verdict


def passed(walk: Walk) -> Walk:
    assert walk.verdict is Verdict.PASS, walk.finished
    return walk


def place(walk: Walk, kind: type[Event], step: str) -> int:
    return next(n for n, e in enumerate(walk.events) if isinstance(e, kind) and getattr(e, "step", "") == step)


def is_before(walk: Walk, first: str, second: str) -> bool:
    """``first`` had ended when ``second`` began."""
    return place(walk, StepFinished, first) < place(walk, StepStarted, second)


def when(bench: LineBench, wanted: Callable[[Event], bool], act: Callable[[], object]) -> None:
    """Do ``act`` the first time ``wanted`` is told, before the station goes on."""
    seen: list[Event] = []

    def look(event: Event) -> None:
        if not seen and wanted(event):
            seen.append(event)
            act()

    bench.station.bus.subscribe(look)


def online_after(bench: LineBench, unit: VirtualUnit, step: str) -> list[bool]:
    """Whether the cloud saw the unit online when ``step`` finished: one entry, filled by the walk."""
    seen: list[bool] = []
    when(
        bench,
        lambda event: isinstance(event, StepFinished) and event.step == step,
        lambda: seen.append(bool(bench.cloud.device(unit.spec.device_id)["connected"])),  # type: ignore[index]
    )
    return seen
