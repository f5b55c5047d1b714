"""Rules of chapter H on the whole line: set-up, listening mode and DFU, asked for, by hand, and lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from line_bench import (
    ARGON,
    BORON,
    LineBench,
    Recipe,
    line_bench,
    replace,
)
from support.odd_rates import UsualRates
from support.walk_looks import is_before, passed, when

from drivers.virtual.boot import BootRequest
from drivers.virtual.dct import SETUP_DONE
from drivers.virtual.flash import Who
from drivers.virtual.unit import UnitMode
from station.engine.events import HandsDone, HandsNeeded, WireTraced
from station.model import Verdict

NO_CLOUD_WAIT = replace(ARGON, online=False)
ARGON_3 = replace(ARGON, device_os="3.3.1")


# --- H: set-up ----------------------------------------------------------------------------------------


@pytest.mark.rule("H0")
@pytest.mark.rule("H7")
def test_on_3_x_setup_done_comes_after_wifi_and_before_the_wait_for_online(tmp_path: Path) -> None:
    """The unit restarts in between and still comes online, as it does not listen any more."""
    with line_bench(tmp_path, ARGON_3) as bench:
        unit = bench.unit("argon")
        assert unit.memory.dct.get("setup_done") != SETUP_DONE
        walk = passed(bench.walk(unit))
        assert walk.outcomes["setup_done"] == "done"
        assert is_before(walk, "wifi", "setup_done")
        assert is_before(walk, "setup_done", "online")
        assert unit.memory.dct.get("setup_done") == SETUP_DONE


@pytest.mark.rule("H7")
@pytest.mark.rule("H8")
@pytest.mark.parametrize(("device_os", "outcome"), [("3.3.1", "done"), ("4.1.0", "skipped"), ("6.3.4", "skipped")])
def test_setup_done_is_decided_by_the_device_os_after_updating(device_os: str, outcome: str, tmp_path: Path) -> None:
    recipe = replace(NO_CLOUD_WAIT, device_os=device_os)
    with line_bench(tmp_path, recipe) as bench:
        walk = passed(bench.walk(bench.unit("argon", device_os="3.3.1")))
        assert walk.outcomes["setup_done"] == outcome
        asked = [event.line for event in walk_trace(bench) if "_DEVICE_SETUP_DONE" in event.line]
        assert bool(asked) is (outcome == "done")


def walk_trace(bench: LineBench) -> list[WireTraced]:
    return [event for _, event in bench.events if isinstance(event, WireTraced)]


@pytest.mark.rule("H9")
def test_setup_done_of_a_unit_found_in_dfu_is_set_after_it_left_dfu(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(ARGON_3, online=False)) as bench:
        unit = bench.unit("argon", arrives=BootRequest.DFU)
        walk = passed(bench.walk(unit))
        assert walk.outcomes["setup_done"] == "done"
        assert unit.memory.dct.get("setup_done") == SETUP_DONE


@pytest.mark.rule("H10")
def test_a_set_up_mark_that_is_lost_over_the_restart_fails_the_unit(tmp_path: Path) -> None:
    with line_bench(tmp_path, replace(ARGON_3, online=False)) as bench:
        unit = bench.unit("argon")
        when(
            bench,
            lambda event: event.kind == "WriteConfirmed" and getattr(event, "what", "") == "set setup-done",
            lambda: unit.memory.dct.set("setup_done", b"\xff", Who.SYSTEM),
        )
        walk = bench.walk(unit)
        assert (walk.verdict, walk.finished.failed_step) == (Verdict.FAIL, "setup_done")
        assert walk.finished.sentence == "listening_after_setup"


@pytest.mark.rule("H10")
def test_an_argon_that_listens_because_it_knows_no_network_is_no_fault_of_setup_done(tmp_path: Path) -> None:
    recipe = replace(ARGON_3, online=False, wifi=False)
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.unit("argon")
        bench.plug(unit)
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        assert unit.mode is UnitMode.LISTENING


@pytest.mark.rule("H5")
def test_wifi_is_only_for_platforms_whose_credentials_are_set_while_they_listen(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON, ARGON, slots=1) as bench:
        assert "wifi" not in passed(bench.walk(bench.finished_unit(BORON))).steps
        assert "wifi" in passed(bench.walk(bench.finished_unit(ARGON))).steps


@pytest.mark.rule("H1")
def test_listening_mode_is_entered_by_request_where_only_the_console_tells_and_left_again(tmp_path: Path) -> None:
    """Below 5.8.0 no request tells the IMEI of a Boron."""
    recipe = replace(BORON, device_os="4.1.0")
    with line_bench(tmp_path, recipe) as bench:
        unit = bench.finished_unit(recipe)
        bench.plug(unit)
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        walk = bench.told(finished)
        imei = next(f for e in walk.events if e.kind == "UnitIdentified" for f in e.facts if f.name == "imei")  # type: ignore[attr-defined]
        assert (imei.value, imei.source) == (str(unit.spec.imei), "console i")
        assert unit.mode is UnitMode.NORMAL


@pytest.mark.rule("H1")
@pytest.mark.parametrize("refusal", ["do=stall,times=4", "do=reject,code=0,times=1"])
def test_a_unit_that_does_not_obey_is_brought_to_listening_by_hand_and_goes_on(refusal: str, tmp_path: Path) -> None:
    recipe = replace(BORON, device_os="4.1.0")
    with line_bench(tmp_path, recipe) as bench:
        bench.open_port = UsualRates.opener(bench.bus)
        unit = bench.finished_unit(recipe, faults=(f"at=request:70,{refusal}",))
        bench.plug(unit)
        asked = bench.wait_for(HandsNeeded, sentence="listening_by_hand")
        assert asked.led == "blinking dark blue"  # type: ignore[attr-defined]
        bench.sleep(4.0)
        unit.hold_mode_button()
        bench.wait_for(HandsDone, since=bench.place_of(asked))
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        assert unit.mode is UnitMode.NORMAL


@pytest.mark.rule("H3")
@pytest.mark.parametrize("refusal", ["do=stall,times=4", "do=reject,code=0,times=3"])  # or it says yes, and stays
def test_a_unit_that_refuses_dfu_is_brought_there_by_hand_and_goes_on(refusal: str, tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        bench.open_port = UsualRates.opener(bench.bus)
        unit = bench.unit(faults=(f"at=request:50,{refusal}",))
        bench.plug(unit)
        asked = bench.wait_for(HandsNeeded, sentence="dfu_by_hand")
        assert asked.led == "blinking yellow"  # type: ignore[attr-defined]
        bench.sleep(6.0)
        unit.press_mode_button()
        bench.wait_for(HandsDone, since=bench.place_of(asked))
        finished = bench.wait_finished()
        assert finished.verdict is Verdict.PASS, finished.reason
        assert bench.told(finished).outcomes["dfu"] == "done"
        assert "this computer cannot set 14400 baud" in bench.told(finished).steps["dfu"].proof


@pytest.mark.rule("H3")
def test_a_unit_that_refuses_the_request_goes_into_dfu_by_the_line_rate(tmp_path: Path) -> None:
    with line_bench(tmp_path, BORON) as bench:
        walk = bench.walk(bench.unit(faults=("at=request:50,do=stall,times=4",)))
        assert walk.verdict is Verdict.PASS, walk.finished.reason
        assert not walk.of(HandsNeeded)


@pytest.mark.rule("H3")
def test_a_unit_nobody_brings_to_dfu_is_not_judged(tmp_path: Path) -> None:
    """One that takes nothing by request, that is: any other does without DFU then."""
    with line_bench(tmp_path, Recipe("photon", device_os="2.3.1")) as bench:
        bench.open_port = UsualRates.opener(bench.bus)
        bench.plug(bench.unit("photon", 1, "0.7.0"))
        finished = bench.wait_finished()
        assert (finished.verdict, finished.failed_step) == (Verdict.ERROR, "dfu")
