"""A time in which a cut would leave a dark unit is said before it begins, and named after it happened."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from line_bench import BORON, LineBench, Recipe, line_bench, old_radio, replace
from support.spoken import ENGLISH

from drivers.virtual import synthetic
from drivers.virtual.unit import UnitMode
from station.engine.events import Event, StepProgress
from station.model import Verdict
from station.view.reduce import replay
from station.view.state import BenchState, SlotState
from station.view.tile import Place, compose

LAST_PAGE = 50  # the write of page 0x30000, of a Boron that goes from 3.3.1 to 6.3.4
SAID = "Do not unplug: it would stay dark."


def tile(bench: LineBench, until: Callable[[Event], bool]) -> str:
    """What slot 1 shows after the first event that is ``until``."""
    events = [event for _, event in bench.events]
    end = next(at for at, event in enumerate(events) if until(event)) + 1
    state = replay(BenchState((SlotState(1, "1-1"),), ENGLISH), events[:end])
    slot = next(slot for slot in state.slots if slot.number == 1)
    return "\n".join(line.text for line in compose(slot, Place(60, 20, ENGLISH)).lines)


def is_warning(event: Event) -> bool:
    return isinstance(event, StepProgress) and event.sentence == "would_stay_dark"


def test_a_cut_in_the_last_page_is_warned_of_before_and_named_after_with_the_buttons(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        unit = bench.unit(faults=(f"at=dfu-write:{LAST_PAGE},do=torn,for=2",))
        bench.plug(unit)
        told = bench.wait_finished()
        assert (told.verdict, told.failed_step, told.sentence) == (Verdict.ABORTED, "device_os", "dfu_by_hand")
        assert "0x30000" in told.reason
        assert SAID in tile(bench, is_warning)
        after = tile(bench, lambda event: event is told)
        assert "Hold MODE. Tap RESET. Let go at YELLOW." in after
        bench.sleep(60.0)
        assert unit.mode is UnitMode.DEAD
        mark = bench.mark()
        unit.press_mode_button()  # the one named action
        assert bench.wait_finished(since=mark).verdict is Verdict.PASS


@pytest.mark.parametrize("write", [3, 30, 44])
def test_a_cut_before_it_is_an_ordinary_one(write: int, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.plug(bench.unit(faults=(f"at=dfu-write:{write},do=torn,for=2",)))
        told = bench.wait_finished()
        assert (told.verdict, told.sentence) == (Verdict.ABORTED, "unplugged_too_early")
        mark = bench.mark()
        assert bench.wait_finished(since=mark).verdict is Verdict.PASS


def test_a_cut_after_it_is_an_ordinary_one(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.plug(bench.unit(faults=(f"at=dfu-write:{LAST_PAGE + 2},do=torn,for=2",)))
        assert bench.wait_finished().sentence == "unplugged_too_early"


def test_a_softdevice_written_with_its_system_part_needs_no_warning(tmp_path: Path) -> None:
    """The system part goes invalid before: whatever happens, the unit waits in DFU."""
    recipe = replace(BORON, device_os="6.1.1", has_application=True)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit(modules=old_radio(), faults=("at=dfu-write:20,do=torn,for=2",))
        bench.plug(unit)
        assert bench.wait_finished().sentence == "unplugged_too_early"
        mark = bench.mark()
        assert bench.wait_finished(since=mark).verdict is Verdict.PASS
        assert not any(is_warning(event) for _, event in bench.events)


def aged_bootloader(version: int) -> bytes:
    """A bootloader of a version that cannot resume an interrupted copy of its successor."""
    return synthetic.make_module(13, (2, 0), version, 0xF4000, b"synthetic".ljust(40_000))


@pytest.mark.parametrize(("version", "is_warned"), [(1000, True), (1001, False)])
def test_a_bootloader_that_cannot_resume_its_copy_is_warned_of(version: int, is_warned: bool, tmp_path: Path) -> None:
    release = synthetic.release(13, "6.1.1")
    recipe = Recipe("boron", device_os="6.1.1", modules=release)
    with line_bench(tmp_path, recipe) as bench:
        modules = (aged_bootloader(version), *(file.data for file in synthetic.release(13, "3.3.1")[1:]))
        walk = bench.walk(bench.unit(modules=modules))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        warned = {event.step for event in walk.events if is_warning(event)}  # type: ignore[attr-defined]
        assert warned == ({"dfu"} if is_warned else set())


def test_a_unit_that_does_not_return_from_such_a_copy_needs_a_debugger(tmp_path: Path) -> None:
    recipe = Recipe("boron", device_os="6.1.1", modules=synthetic.release(13, "6.1.1"))
    with line_bench(tmp_path, recipe) as bench:
        modules = (aged_bootloader(1000), *(file.data for file in synthetic.release(13, "3.3.1")[1:]))
        unit = bench.unit(modules=modules)
        bench.plug(unit)
        warned = bench.wait(is_warning)
        bench.wait(lambda event: isinstance(event, StepProgress) and event.share >= 1.0, since=bench.place_of(warned))
        bench.unplug()
        told = bench.wait_finished()
        assert (told.verdict, told.sentence) == (Verdict.ABORTED, "hands_default")
        assert "SWD" in told.reason
        assert dataclasses.asdict(told)["failed_step"] == "dfu"
