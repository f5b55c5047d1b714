"""``station demo --units 18``: one unit of every platform and a second Photon, all PASS; the old one needs hands."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from support.known_steps import STEPS

from drivers.clock import SimulatedClock
from drivers.platforms import Platform, platform_by_slug, platforms
from drivers.virtual.radio import WifiStore
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.world import StoredNetwork
from drivers.wire.messages.tables import WifiSecurity
from station.cli.main import main
from station.demo import Arrival, Demo, DemoOptions, tray, tray_profiles
from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    HandsDone,
    HandsNeeded,
    StepFinished,
    UnitIdentified,
)
from station.model import Outcome, Verdict
from station.steps.product_add import Product

EVERY = tray()


class Ran:
    """A demo that ran to its end, its units unplugged."""

    def __init__(self, arrivals: tuple[Arrival, ...], **options: Any) -> None:
        self.profiles = tray_profiles(arrivals, STEPS.rules)
        self.events: list[Event] = []
        self.units: dict[int, VirtualUnit] = {}
        self.networks: dict[int, dict[str, StoredNetwork]] = {}  # what each unit knew when it had its verdict
        clock = SimulatedClock()
        with clock.registered():
            made = DemoOptions(self.profiles, arrivals=arrivals, once=True, **({"units": len(arrivals)} | options))
            self.demo = demo = Demo(made, clock, {})
            demo.station.bus.subscribe(self._saw)
            try:
                demo.open_batches()
                demo.start()
                demo.wait_settled()
                demo.check()
            finally:
                demo.stop_station()
        self.summary = demo.summary({}, 0.0)

    def _saw(self, event: Event) -> None:
        if isinstance(event, AttemptStarted | AttemptFinished):
            unit = self.demo.bus.unit_at(f"1-{event.slot}")
            assert isinstance(unit, VirtualUnit)
            self.units[event.slot] = unit
            if unit.spec.platform.has_wifi:
                self.networks[event.slot] = {network.ssid: network for network in WifiStore(unit).networks()}
        self.events.append(event)

    def of(self, kind: type[Event], slot: int) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind) and event.slot == slot]


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    ran = Ran(EVERY)
    yield ran
    ran.demo.close()


def rows() -> list[Any]:
    return [
        pytest.param(slot, platform_by_slug(arrival.slug), id=f"{slot}-{arrival.slug}")
        for slot, arrival in enumerate(EVERY, 1)
    ]


def test_the_tray_holds_every_platform_and_one_more_photon() -> None:
    assert Counter(arrival.slug for arrival in EVERY) == Counter(row.slug for row in platforms()) + Counter(["photon"])
    assert len(EVERY) == 18


@pytest.mark.parametrize(("slot", "row"), rows())
def test_every_unit_passes_in_the_batch_and_the_product_of_its_platform(slot: int, row: Platform, ran: Ran) -> None:
    (finished,) = ran.of(AttemptFinished, slot)
    assert finished.verdict is Verdict.PASS, finished
    (started,) = ran.of(AttemptStarted, slot)
    assert started.batch == f"demo-widget-{row.slug}"
    identified = ran.of(UnitIdentified, slot)[-1]
    assert identified.platform == row.name
    unit = ran.units[slot]
    assert identified.label == str(unit.spec.serial or unit.device_id)
    profile = next(profile for profile in ran.profiles if row in profile.platforms)
    product, record = profile.section(Product), ran.demo.cloud.device(unit.spec.device_id)
    assert record is not None
    assert product is not None
    assert record["product_id"] == product.id
    assert record["name"] == str(unit.spec.serial or f"{row.slug}-{unit.device_id[-6:]}")


@pytest.mark.parametrize(("slot", "row"), rows())
def test_every_unit_gets_what_its_platform_has(slot: int, row: Platform, ran: Ran) -> None:
    outcomes = {event.step: event.outcome for event in ran.of(StepFinished, slot)}
    assert outcomes["firmware"] is Outcome.DONE
    assert (outcomes.get("wifi") is Outcome.DONE) == row.sets_wifi_in_listening_mode
    assert (outcomes.get("sim") in (Outcome.ALREADY, Outcome.DONE)) == row.has_cellular
    unit = ran.units[slot]
    assert unit.score.forbidden == []
    assert "user-part" in unit.score.writes_by_region()


def test_no_two_units_have_the_same_identity(ran: Ran) -> None:
    assert len({unit.device_id for unit in ran.units.values()}) == 18
    assert len({str(unit.spec.serial) for unit in ran.units.values() if unit.spec.serial}) >= 17


def test_the_old_photon_asks_for_hands_by_button_and_light_and_goes_on(ran: Ran) -> None:
    asked = ran.of(HandsNeeded, 1)
    assert {(event.sentence, event.led) for event in asked} == {("listening_by_hand", "blinking dark blue")}
    assert [event.step for event in asked] == ["identify", "firmware"], "to name it, and once more after its restart"
    assert len(ran.of(HandsDone, 1)) == len(asked)
    told = {fact.name: fact.value for fact in ran.of(UnitIdentified, 1)[-1].facts}
    assert told["device_os"] == "0.4.9"
    assert set(ran.networks[1]) == {"at home", "station-demo"}


def test_nobody_else_is_asked_for_more_than_a_label(ran: Ran) -> None:
    others = [event for event in ran.events if isinstance(event, HandsNeeded) and event.slot != 1]
    assert {event.sentence for event in others} == {"scan_label"}


def test_a_p1_is_a_user_of_the_enterprise_network_and_knows_the_one_of_its_customer(ran: Ran) -> None:
    slot = next(slot for slot, arrival in enumerate(EVERY, 1) if arrival.slug == "p1")
    plant = ran.demo.world.access_points["plant"]
    assert (plant.security, plant.login is not None) == (WifiSecurity.WPA2_ENTERPRISE, True)
    stored = ran.networks[slot]
    assert set(stored) == {"plant", "customer"}
    assert ran.demo.world.admits(stored["plant"]) is plant
    assert "customer" not in ran.demo.world.access_points
    (online,) = [event for event in ran.of(StepFinished, slot) if event.step == "online"]
    assert online.outcome is Outcome.ALREADY


def test_more_units_than_platforms_begin_again_with_the_first() -> None:
    """Two Xenons, their neighbour between them."""
    ran = Ran((Arrival("xenon"), Arrival("xsom")), units=3)
    ran.demo.close()
    walked = [ran.units[slot].spec.platform.slug for slot in (1, 2, 3)]
    assert walked == ["xenon", "xsom", "xenon"]
    assert ran.units[1].device_id != ran.units[3].device_id


# --- the command -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "de", "zh"])
def test_the_command_ends_well_and_says_what_to_do_with_which_light(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("demo", "--units", "9", "--once", "--headless", "--language", language)) == 0
    told = capsys.readouterr().out
    asked = {
        "en": "YOUR TURN: Hold SETUP. Let go at DARK BLUE. (blinking dark blue)",
        "de": "SIE SIND DRAN: SETUP halten bis DUNKELBLAU. (blinkt dunkelblau)",
        "zh": "请操作：按住 SETUP，变深蓝松开。 (深蓝色闪烁)",
    }[language]
    assert asked in told
    assert told.splitlines()[-1].startswith("9 ")


def test_as_json_every_unit_names_its_platform_and_hands_their_light(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("demo", "--units", "10", "--once", "--json")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["platform"] for event in events if event["kind"] == "UnitIdentified"} == {
        row.name for row in platforms()[:10]
    }
    asked = next(event for event in events if event["kind"] == "HandsNeeded" and event["led"])
    assert (asked["slot"], asked["sentence"], asked["led"]) == (1, "listening_by_hand", "blinking dark blue")
    assert events[-1]["units"] == {"PASS": 10}


def test_few_units_and_ordered_profiles_stay_what_they_were(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("demo", "--units", "8", "--once", "--json")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["platform"] for event in events if event["kind"] == "UnitIdentified"} == {"Boron", "Argon"}
    assert main(("demo", "--units", "9", "--once", "--json", "--profile", "argon-product")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["platform"] for event in events if event["kind"] == "UnitIdentified"} == {"Argon"}
