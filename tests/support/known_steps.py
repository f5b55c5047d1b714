"""The steps of this station, for tests that read profiles or look at the order of a walk."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from drivers.platforms import Platform
from station.engine.walk import StepPlan
from station.settings import profile
from station.settings.profile import Kind, Profile
from station.steps.table import StepTable

STEPS = StepTable.found()


def load_profile(path: Path) -> Profile:
    return profile.load_profile(path, STEPS.rules)


def parse_profile(raw: bytes, name: str = "profile") -> Profile:
    return profile.parse_profile(raw, name, STEPS.rules)


def steps_of(found: Profile, platform: Platform | None = None) -> tuple[StepPlan, ...]:
    return STEPS.plans(found, platform)


def step_plans(kind: Kind, off: Collection[str] = ()) -> tuple[StepPlan, ...]:
    """The order of ``kind`` without the steps that are ``off``, whatever a profile would say."""
    return STEPS.plans_without(kind, off, {})
