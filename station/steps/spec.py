"""What one step says of itself: its place in the order, when it applies, how long it may take, what it does.

A step is one file with a value `SPEC`; a plug-in brings one by an entry point of the group ``station.steps``.
Order, profile rules, help and the lanes of a walk are derived from these values by `station.steps.table`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from drivers.platforms import Platform

from ..engine.step import StepContext, StepResult
from ..engine.walk import Lane
from ..settings.profile import Kind, Profile
from ..settings.profile_sections import ProfileSection
from .shared.cloudwork import CloudAct, CloudRecord
from .shared.listing import Listing
from .shared.session import StationSession, UnitSession

UnitAct = Callable[[UnitSession, StepContext], StepResult]
StationAct = Callable[[StationSession, StepContext], StepResult]
Applies = Callable[[Profile, Platform], bool]
After = Mapping[Kind, tuple[str, ...]]
Ahead = Callable[[Sequence[tuple[CloudRecord, StepContext]]], None]

UNIT_LANE = "*unit lane*"
"""In `StepSpec.after`: every step that speaks to the unit."""
ALL_OTHERS = "*all others*"
"""In `StepSpec.after`: every step that is not itself behind this one."""


def always(_profile: Profile, _platform: Platform) -> bool:
    """The step applies to every unit of a profile that has it."""
    return True


def in_both(*steps: str) -> After:
    """Behind ``steps`` in the order of a product unit and of a developer unit."""
    return dict.fromkeys(Kind, steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """One step. ``limit_s``: how long one try may take if the profile says nothing (it may say 5 s to 24 h).

    ``after``: by kind of profile, the steps before it; a kind that is missing has no such step. What a step that is
    off or does not apply waited for, its followers wait for.
    """

    lane: ClassVar[Lane]
    name: str
    title: str  # in English, where no language has words for it
    limit_s: float
    after: After
    applies: Applies = always
    may_be_off: bool = False  # a profile may say [steps.NAME] enabled = false
    needs_identity: bool = False  # waits until a unit that arrived in DFU has run and shown its serial number
    section: tuple[str, type[ProfileSection]] | None = None  # its own section of the profile, by its key
    draws_power: bool = False  # a cellular unit takes a share of the bench's power at it: it is written, or transmits
    scopes: tuple[str, ...] = ()  # what an API user's token needs for it, on the routes of a product (cloud-api 2.6)
    only_for_people: Callable[[Profile], bool] = lambda _: False  # it asks the cloud what no API user may
    visit: str = ""  # steps of one name here share one visit to a mode of the unit: repeated only together


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStep(StepSpec):
    """A step that speaks to the unit over USB."""

    lane: ClassVar[Lane] = Lane.UNIT
    act: UnitAct
    needs_online: bool = False  # left out of a walk that ends before its unit can come online


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudStep(StepSpec):
    """A step that speaks to the cloud only, so that it can be finished without the unit."""

    lane: ClassVar[Lane] = Lane.CLOUD
    act: CloudAct
    listing: Listing | None = None  # for many units that owe it at once: reads what ``act`` looks at
    ahead: Ahead | None = None  # for such units: sends what is missing for all, before any is read back


@dataclass(frozen=True, slots=True, kw_only=True)
class StationStep(StepSpec):
    """A step that works with what stands beside the unit: it may know who the unit is, and asks it nothing."""

    lane: ClassVar[Lane] = Lane.STATION
    act: StationAct
    only_when_all_matched: bool = False  # left out of a walk without a last look that matched, or that owes something
