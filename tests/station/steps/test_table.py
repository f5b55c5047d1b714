"""The table of all steps: what it refuses of a package that brings one more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.known_steps import STEPS

from station.engine.walk import Lane
from station.errors import BadInput
from station.settings.profile import Kind, Profile
from station.settings.profile_sections import ProfileSection, SectionWithDefaults
from station.settings.sections import innermost
from station.steps import identify, local_test, wifi
from station.steps.spec import StepSpec
from station.steps.table import StepTable


class Torque(ProfileSection):
    """How tight the screw is."""


def with_section(key: str) -> StepSpec:
    return replace(wifi.SPEC, name="torque", section=(key, Torque), after={})


def test_a_step_beside_the_unit_stands_before_the_last_look_and_holds_nobody_who_asks_the_unit() -> None:
    for kind in Kind:
        plans = {plan.name: plan for plan in STEPS.plans_without(kind, (), {})}
        assert (plans["tests"].lane, plans["tests"].after) == (Lane.STATION, ("setup_done",))
        assert "tests" in plans["final_check"].after
        assert "tests" not in plans["online"].after
    assert STEPS.station_step("tests").act is local_test.SPEC.act
    assert "tests" not in STEPS.on_unit


def test_two_steps_of_one_name_are_refused() -> None:
    with pytest.raises(BadInput, match="two steps are called identify; remove one of the packages"):
        StepTable([identify.SPEC, replace(wifi.SPEC, name="identify")])


@pytest.mark.parametrize(
    ("key", "owner"),
    [("wifi", "wifi"), ("kind", "the profile itself"), ("steps", "the profile itself"), ("ref", "the profile itself")],
)
def test_a_section_that_is_there_already_is_refused(key: str, owner: str) -> None:
    alone = replace(wifi.SPEC, after={})
    with pytest.raises(BadInput, match=rf"the step torque calls its section \[{key}\], as {owner} does; rename one"):
        StepTable([alone, with_section(key)])
    assert StepTable([alone, with_section("torque")])


def test_the_steps_of_the_house_bring_their_sections_as_others_do() -> None:
    sections = {key: section for rule in STEPS.rules.values() for key, section in rule.sections}
    assert set(sections) == {
        "product", "device_os", "firmware", "wifi", "cloud", "name", "label", "app_test", "tests", "notes", "groups",
        "firmware_lock", "sim", "release", "customer", "print",
    }  # fmt: skip
    own = [innermost(field.annotation) for field in Profile.model_fields.values()]
    assert not [kind for kind in own if issubclass(kind, ProfileSection)]
    assert all(section().model_dump() for section in sections.values() if issubclass(section, SectionWithDefaults))
