"""Listening mode in an attempt: left at once where the unit obeys, kept where somebody's hands were needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from support.device_bench import DeviceBench, device_bench

from drivers.clock import CancelToken, Clock, Deadline
from drivers.errors import Disconnected
from drivers.identity import Secret
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import StoredNetwork
from station.steps.shared.listening import Listening
from station.words.say import Say


@pytest.fixture
def bench() -> Iterator[DeviceBench]:
    with device_bench() as made:
        yield made


SET_UP = (StoredNetwork("at home", Secret("of its first owner")),)


@dataclass
class Person:
    """Asks for hands, and has a pair."""

    bench: DeviceBench
    unit: VirtualUnit
    asked: list[str] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return self.bench.clock

    @property
    def cancel(self) -> CancelToken:
        return self.bench.clock.token()

    @property
    def deadline(self) -> Deadline:
        return self.bench.within(120.0)

    @contextmanager
    def hands(self, say: Say, led: str = "") -> Iterator[None]:
        self.asked.append(f"{say.key} {' '.join(say.values)} {led}")
        self.unit.hold_mode_button()
        yield


def photon(bench: DeviceBench, device_os: str) -> tuple[VirtualUnit, Person, Listening]:
    unit = bench.plug(make_spec("photon", 7, 1, device_os, networks=SET_UP))
    bench.clock.sleep(10.0)
    assert unit.mode is UnitMode.NORMAL
    return unit, Person(bench, unit), Listening(bench.device())


def test_a_unit_that_obeys_runs_its_application_again_after_each_block(bench: DeviceBench) -> None:
    unit, person, listening = photon(bench, "1.5.2")
    for _ in range(2):
        with listening.during(person):
            assert unit.mode is UnitMode.LISTENING
        assert unit.mode is UnitMode.NORMAL
    assert (person.asked, listening.is_by_hand) == ([], False)


@pytest.mark.rule("H1")
def test_hands_are_asked_for_once_and_what_they_did_holds_until_it_is_given_back(bench: DeviceBench) -> None:
    unit, person, listening = photon(bench, "0.4.9")
    for _ in range(3):
        with listening.during(person):
            assert unit.mode is UnitMode.LISTENING
        assert unit.mode is UnitMode.LISTENING
    assert person.asked == ["listening_by_hand SETUP blinking dark blue"]
    listening.give_back(person)
    assert unit.mode is UnitMode.NORMAL
    listening.give_back(person)
    with listening.during(person):
        assert len(person.asked) == 2


def test_a_step_that_fails_leaves_what_hands_did_to_the_next_one(bench: DeviceBench) -> None:
    unit, person, listening = photon(bench, "0.4.9")
    with pytest.raises(Disconnected), listening.during(person):
        raise Disconnected("of the step")
    assert (unit.mode, listening.is_by_hand) == (UnitMode.LISTENING, True)


def test_a_restart_ends_it(bench: DeviceBench) -> None:
    unit, person, listening = photon(bench, "0.4.9")
    with listening.during(person):
        pass
    unit.restart()
    bench.clock.sleep(10.0)
    assert (unit.mode, listening.is_by_hand) == (UnitMode.NORMAL, False)
    with listening.during(person):
        assert unit.mode is UnitMode.LISTENING
    assert len(person.asked) == 2


def test_a_unit_found_listening_is_left_so(bench: DeviceBench) -> None:
    unit, person, listening = photon(bench, "0.4.9")
    unit.hold_mode_button()
    bench.clock.sleep(5.0)
    with listening.during(person):
        pass
    listening.give_back(person)
    assert (unit.mode, person.asked) == (UnitMode.LISTENING, [])
