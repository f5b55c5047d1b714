"""A slot with something that is no unit says what it is: nobody judges it, nobody talks to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import BORON, LineBench, line_bench
from support.other_things import OtherThing
from support.showing import showing
from support.spoken import ENGLISH, in_english

from station.engine.events import AttemptStarted, Event, UnitArrived, UnitLeft, UnmappedPort
from station.model import Verdict
from station.view.look import Look
from station.view.reduce import replay
from station.view.state import BenchState, SlotState


def seen(bench: LineBench, kind: type[Event]) -> list[Event]:
    return [event for _, event in bench.events if isinstance(event, kind)]


OTHERS = [
    ("2b04:c02a", "This is a Tachyon."), ("1d50:607d", "This is a Core."),
    ("05c6:9008", "This is a Tachyon in EDL mode."), ("0403:6010", "This is a programmer shield."),
    ("0d28:0204", "This is a Particle Debugger."), ("2b04:c0ff", "This is a new Particle product."),
]  # fmt: skip


SLUGS = {
    "2b04:c02a": "tachyon", "1d50:607d": "core", "05c6:9008": "tachyon-in-edl-mode", "0403:6010": "programmer-shield",
    "0d28:0204": "particle-debugger",
}  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "first_line"), [*showing("bronze", OTHERS[:-1], lambda case: SLUGS[case[0]]), OTHERS[-1]]
)
def test_a_slot_says_what_was_plugged_into_it_and_walks_the_next_unit(
    shown: str, first_line: str, tmp_path: Path
) -> None:
    with line_bench(tmp_path, BORON) as bench:
        thing = OtherThing(shown, bench.clock)
        bench.bus.plug("1-1", thing)
        bench.sleep(3.0)
        (arrived,) = seen(bench, UnitArrived)
        assert isinstance(arrived, UnitArrived)
        said = ENGLISH.say(arrived.say)
        assert said is not None
        assert said.lines == (first_line, "It does not belong here.", "Take it out.")
        assert f"({shown})" in (in_english(arrived) or "")
        slot = replay(BenchState((SlotState(1, "1-1"),), ENGLISH), [event for _, event in bench.events]).slots[0]
        assert (slot.look, slot.verdict) == (Look.HANDS, None)
        bench.bus.unplug("1-1")
        bench.sleep(3.0)
        assert thing.transfers == []
        assert (seen(bench, AttemptStarted), len(seen(bench, UnitLeft))) == ([], 1)
        slot = replay(BenchState((SlotState(1, "1-1"),), ENGLISH), [event for _, event in bench.events]).slots[0]
        assert slot.look is Look.EMPTY
        walk = bench.walk(bench.unit("boron", 1, "6.3.4"))
        assert walk.verdict is Verdict.PASS


@pytest.mark.parametrize("shown", [shown for shown, _ in OTHERS])
def test_on_a_port_without_a_slot_it_is_no_news_for_the_operator(shown: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.bus.plug("1-7", OtherThing(shown, bench.clock))
        bench.sleep(3.0)
        assert seen(bench, UnitArrived) == seen(bench, UnmappedPort) == []


@pytest.mark.parametrize(("shown", "takes_a_slot"), [("2b04:c02a", True), ("0403:6010", False), ("0d28:0204", False)])
def test_a_tool_plugged_in_beside_the_units_takes_no_slot_by_itself(
    shown: str, takes_a_slot: bool, tmp_path: Path
) -> None:
    bench = LineBench(tmp_path, BORON, slots=2)
    bench.unbound = frozenset({1, 2})
    bench.build()
    try:
        bench.bus.plug("1-5", OtherThing(shown, bench.clock))
        bench.sleep(3.0)
        assert [event.slot for event in seen(bench, UnitArrived)] == ([1] if takes_a_slot else [])
    finally:
        bench.close()
