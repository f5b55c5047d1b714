"""Whoever sits at the virtual bench: sees an ordered fault through to its end, and scans what lies before them."""

from __future__ import annotations

import datetime
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.known_steps import load_profile

from drivers.clock import SimulatedClock
from drivers.virtual import factory
from drivers.virtual.factory import UnitSpec
from drivers.virtual.faults import parse_fault
from station.cli.main import main
from station.demo import Demo, DemoOptions
from station.engine.commands import RetrySlot
from station.engine.events import AttemptFinished, AttemptStarted, Event, StepHeld, StepResumed, UnitLeft
from station.model import Verdict
from station.paths import find_profile

ONCE = ("demo", "--headless", "--once", "--units", "1", "--json")
BORON = ("--profile", "boron-product")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    main((*ONCE, *words))
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def finished(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["kind"] == "AttemptFinished"]


@pytest.mark.parametrize("fault", ["powercut", "powercut,for=30", "unplug,for=5", "unplug,for=90"])
def test_hands_wait_for_a_unit_that_comes_back_however_long_it_takes(
    fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    events = told(capsys, *BORON, "--fault", f"at=plug:6,do={fault}")
    assert [one["verdict"] for one in finished(events)] == ["ABORTED", "PASS"]
    assert len({one["device_id"] for one in finished(events)}) == 1
    assert events[-1]["units"] == {"PASS": 1}


def test_hands_that_look_at_a_verdict_see_a_fault_that_happens_meanwhile(capsys: pytest.CaptureFixture[str]) -> None:
    events = told(capsys, *BORON)
    plugged = moment(events[0]) + 0.2  # when the first hand plugs in
    (passed,) = finished(events)
    events = told(capsys, *BORON, "--fault", f"at=plug:{moment(passed) - plugged + 1.0:.1f},do=powercut")
    assert [one["verdict"] for one in finished(events)] == ["PASS", "PASS"]


@pytest.mark.parametrize("units", ["1", "2"])
def test_a_demo_whose_unit_stays_dark_ends_and_says_so(units: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = main((*ONCE[:3], "--units", units, *BORON, "--fault", "unit=1,at=plug:0.5,do=unplug"))
    said = capsys.readouterr()
    assert status == 1
    assert "slot 1 never came up" in said.err
    assert said.out.count("PASS in") == int(units) - 1 + (units == "2"), "the others are walked, and counted"


def moment(event: dict[str, Any]) -> float:
    return datetime.datetime.fromisoformat(event["at"]).timestamp()


@pytest.mark.parametrize("away_s", [5.0, 5.1, 5.2, 5.3, 5.4])
def test_hands_do_not_pull_a_unit_that_has_just_come_back_and_is_not_walked_yet(away_s: float) -> None:
    fault = parse_fault(f"at=plug:6,do=unplug,for={away_s}")
    options = DemoOptions(
        (load_profile(find_profile("boron-product")),), units=1, faults=(fault,), once=True, show_s=0.5
    )
    clock = SimulatedClock()
    events: list[Event] = []
    with clock.registered():
        demo = Demo(options, clock, {})
        demo.station.bus.subscribe(events.append)
        demo.open_batches()
        demo.start()
        demo.wait_done()
        demo.abandon()
    verdicts = [event.verdict for event in events if isinstance(event, AttemptFinished)]
    assert verdicts == [Verdict.ABORTED, Verdict.PASS]


def test_hands_do_not_wait_for_a_unit_that_never_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    events = told(capsys, *BORON, "--fault", "at=plug:6,do=unplug")
    assert [one["verdict"] for one in finished(events)] == ["ABORTED"]
    assert events[-1]["seconds"] < 30


@pytest.mark.parametrize("at", ["plug:6", "dfu-write:20"])
@pytest.mark.parametrize("platform", ["boron", "argon"])
def test_the_unit_that_took_the_place_of_another_is_scanned_known_to_the_cloud_and_passes(
    at: str, platform: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (*BORON, "--profile", "argon-product", "--fault", f"at={at},do=swap,with={platform}")
    first, second = finished(told(capsys, *words))
    assert (first["verdict"], second["verdict"], second["reason"]) == ("ABORTED", "PASS", "")
    assert first["device_id"] != second["device_id"]


def test_a_demo_with_a_unit_that_no_batch_takes_ends_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """The first unit is swapped for an Argon before it is looked at: the hands read the slot, and take it out."""
    words = (*BORON, "--fault", "at=plug:0.6,do=swap,with=argon")
    assert main((*ONCE[:-1], *words)) == 1
    said = capsys.readouterr()
    assert "YOUR TURN: This is an Argon. This batch wants Boron. Take it out." in said.out
    assert said.out.rstrip().splitlines()[-1].startswith("no unit in ")
    assert "slot 1 had a unit that no open batch takes; it was taken out" in said.err
    events = told(capsys, *words)
    assert finished(events) == []
    assert events[-1]["seconds"] < 60


def test_what_is_written_to_the_unit_that_took_the_place_of_another_is_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    alone = told(capsys, *BORON)[-1]
    both = told(capsys, *BORON, "--fault", "at=plug:1.5,do=swap")[-1]
    assert both["flash_writes"] == alone["flash_writes"] > 0
    assert both["transfers"] >= alone["transfers"]


def test_hands_that_are_asked_to_scan_again_do_so(capsys: pytest.CaptureFixture[str]) -> None:
    """The label is another unit's, and of nobody known: the second look believes it."""
    events = told(capsys, *BORON, "--fault", "unit=1,do=wrong-label")
    assert [one["sentence"] for one in events if one["kind"] == "HandsNeeded"] == ["scan_label", "label_differs"]
    assert [(one["verdict"], one["sentence"]) for one in finished(events)] == [("FAIL", "wrong_label")]


def test_hands_leave_a_unit_that_did_not_pass_for_the_technician_who_walks_it_again() -> None:
    """The unit puts the station off so long that the first walk gives up; the second passes, and it is taken out."""
    options = DemoOptions(
        (load_profile(find_profile("boron-product")),), units=1, once=True, keeps_bad=True,
        faults=(parse_fault("at=request:20,do=reject,times=8"),),
    )  # fmt: skip
    clock, events = SimulatedClock(), list[Event]()
    with clock.registered():
        demo = Demo(options, clock, {})
        demo.station.bus.subscribe(events.append)
        demo.open_batches()
        demo.start()
        clock.sleep(3600)
        stays = not any(isinstance(event, UnitLeft) for event in events)
        demo.station.send(RetrySlot(1))
        demo.wait_done()
        demo.abandon()
    assert stays
    assert [one.verdict for one in events if isinstance(one, AttemptFinished)] == [Verdict.ERROR, Verdict.PASS]


def test_units_are_kept_only_where_somebody_can_walk_them_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert main((*ONCE, *BORON, "--keep-bad")) == 2
    assert "--keep-bad" in capsys.readouterr().err


def test_a_lock_on_the_record_of_a_demo_takes_none_of_its_faster_time(tmp_path: Path) -> None:
    """Somebody looks into the journal for a real second: that is no ten minutes to whoever sits at the demo."""
    clock = SimulatedClock()
    options = DemoOptions((load_profile(find_profile("boron-product")),), units=1, once=True, data_dir=tmp_path)
    events: list[Event] = []
    with clock.registered():
        demo = Demo(options, clock, {})
        with closing(
            sqlite3.connect(demo.journal_dir / "journal.db", isolation_level=None, check_same_thread=False)
        ) as other:

            def saw(event: Event) -> None:
                events.append(event)
                if isinstance(event, AttemptStarted):
                    other.execute("BEGIN IMMEDIATE")
                elif isinstance(event, StepHeld):
                    other.execute("ROLLBACK")

            demo.station.bus.subscribe(saw)
            demo.open_batches()
            demo.start()
            demo.wait_done()
            demo.abandon()
    held = next(event for event in events if isinstance(event, StepHeld))
    resumed = next(event for event in events if isinstance(event, StepResumed))
    assert (held.sentence, held.at) == ("journal_locked", resumed.at)
    assert [event.verdict for event in events if isinstance(event, AttemptFinished)] == [Verdict.PASS]


def test_a_demo_walks_the_units_that_its_maker_of_units_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, int, int, str]] = []

    def make_spec(slug: str, seed: int, number: int, device_os: str) -> UnitSpec:
        made.append((slug, seed, number, device_os))
        return factory.make_spec(slug, seed, number + 7, device_os)

    monkeypatch.setattr("station.demo.make_spec", make_spec)
    clock, events = SimulatedClock(), list[Event]()
    options = DemoOptions((load_profile(find_profile("boron-product")),), units=1, once=True)
    with clock.registered():
        demo = Demo(options, clock, {})
        demo.station.bus.subscribe(events.append)
        demo.open_batches()
        demo.start()
        demo.wait_done()
        demo.abandon()
    (finished,) = [event for event in events if isinstance(event, AttemptFinished)]
    assert set(made) == {("boron", 1, 1, options.factory_os)}
    assert finished.device_id == str(factory.make_spec("boron", 1, 8, options.factory_os).device_id)
