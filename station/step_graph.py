"""The order of the steps as tables: what comes after what for a product unit and for a developer unit.

Design: the order is a graph (bench design, section 5). A profile switches steps off and sets time
limits; it cannot change the order. What a switched-off step waited for, its followers wait for.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """What a unit becomes."""

    PRODUCT = "product"  # a member of a product
    DEVELOPER = "developer"  # in no product, claimed by a developer account


class Lane(enum.StrEnum):
    """Steps of different lanes may run at the same time."""

    UNIT = "unit"  # speaks to the unit over USB
    CLOUD = "cloud"  # speaks to the cloud only


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step of a profile: its predecessors by name and how long one try may take."""

    name: str
    title: str
    lane: Lane
    after: tuple[str, ...]
    limit_s: float


@dataclass(frozen=True, slots=True)
class StepRow:
    """What is true of a step in every profile."""

    title: str
    lane: Lane
    limit_s: float  # default; a profile may set 5 s to 24 h
    may_be_off: bool = False  # a profile may switch it off with [steps.NAME] enabled = false


STEP_ROWS: Mapping[str, StepRow] = {
    "identify": StepRow("Identify", Lane.UNIT, 90),
    "dfu": StepRow(
        "Enter DFU", Lane.UNIT, 480
    ),  # with what goes first: a bootloader, radio firmware (minutes to apply)
    "device_os": StepRow("Device OS", Lane.UNIT, 480),
    "firmware": StepRow("Firmware", Lane.UNIT, 180),
    "product_add": StepRow("Add to product", Lane.CLOUD, 120),
    "name": StepRow("Name", Lane.CLOUD, 120, may_be_off=True),
    "wifi": StepRow("Wi-Fi", Lane.UNIT, 120),
    "setup_done": StepRow("Setup done", Lane.UNIT, 120),
    "sim": StepRow("SIM", Lane.CLOUD, 720, may_be_off=True),
    "online": StepRow("Online", Lane.CLOUD, 420),
    "claim": StepRow("Claim", Lane.CLOUD, 120),
    "final_check": StepRow("Final check", Lane.CLOUD, 180),
}

DFU_VISIT = frozenset({"dfu", "device_os", "firmware"})
"""Steps that share one visit to DFU mode: one opens it, one closes it."""


def with_companions(step: str) -> frozenset[str]:
    """What must run for one step to be repeated by itself."""
    return frozenset({"identify", step}) | (DFU_VISIT if step in DFU_VISIT else frozenset())


_Graph = tuple[tuple[str, tuple[str, ...]], ...]

_UNIT_PART: _Graph = (
    ("identify", ()),
    ("dfu", ("identify",)),
    ("device_os", ("dfu",)),
    ("firmware", ("device_os",)),
)

GRAPHS: Mapping[Kind, _Graph] = {
    # Every step of the unit lane stands before online, in every profile. That is why online, alone of the
    # cloud lane, may ask the unit: a device serves one thread at a time, and by then no other speaks to it.
    # Membership, name and claim stand before wifi: the unit must not go online before them
    # (C1 C2 F5), and a product unit is claimed while it is still offline (E3).
    Kind.PRODUCT: (
        *_UNIT_PART,
        ("product_add", ("identify",)),
        ("name", ("product_add",)),
        ("claim", ("name",)),
        ("wifi", ("firmware", "claim")),
        ("setup_done", ("wifi",)),
        ("sim", ("setup_done",)),
        ("online", ("sim",)),
        ("final_check", ("online",)),
    ),
    # A developer unit can be claimed only while it is online (E2), and named only by its owner.
    # Setup done comes before the wait for online, not last (H0).
    Kind.DEVELOPER: (
        *_UNIT_PART,
        ("wifi", ("firmware",)),
        ("setup_done", ("wifi",)),
        ("sim", ("setup_done",)),
        ("online", ("sim",)),
        ("claim", ("online",)),
        ("name", ("claim",)),
        ("final_check", ("name",)),
    ),
}


def step_plans(kind: Kind, off: frozenset[str], limits: Mapping[str, float]) -> tuple[StepPlan, ...]:
    """The steps of ``kind`` that are not ``off``, in an order in which every predecessor stands before its follower.

    ``limits``: seconds per step name where they differ from the default.
    """
    before: dict[str, tuple[str, ...]] = {}  # with switched-off steps replaced by what they waited for
    plans: list[StepPlan] = []
    for name, after in GRAPHS[kind]:
        reached = [found for step in after for found in (before[step] if step in off else (step,))]
        before[name] = tuple(dict.fromkeys(reached))
        if name not in off:
            row = STEP_ROWS[name]
            plans.append(StepPlan(name, row.title, row.lane, before[name], limits.get(name, row.limit_s)))
    return tuple(plans)
