"""Deals trouble out over the units of a demo: the same trouble to the same units for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drivers.virtual.faults import Fault, parse_fault


@dataclass(frozen=True, slots=True)
class Trouble:
    """A kind of trouble and how a virtual unit comes by it. ``platform``: of units that can have it, "" for all."""

    name: str
    fault: str
    platform: str = ""


TROUBLES = (
    Trouble("unplugged while it is written", "at=dfu-write:40,do=unplug"),
    Trouble("label of another unit", "do=wrong-label", "boron"),
    Trouble("answers are garbage", "at=request:20,do=garbage,times=1000"),
    Trouble("weak Wi-Fi antenna", "do=weak", "argon"),
    Trouble("bad cable", "at=request:21,do=error,times=60"),
    Trouble("another unit in its place", "at=dfu-erase:3,do=swap"),
    Trouble("enters DFU mode only by hand", "do=no-dfu"),
    Trouble("one flash write fails", "at=dfu-write:30,do=fail"),
    Trouble("power cut while it is written", "at=dfu-write:20,do=powercut,for=2"),
)
"""In the order in which they are dealt: `deal` with 7 leaves the last ones out."""


def deal(kinds: int, units: int, seed: int, slug_of: Callable[[int], str]) -> tuple[Fault, ...]:
    """Return the faults of a demo of ``units`` units: each of the first ``kinds`` of `TROUBLES` once in ten units.

    ``slug_of``: the platform of a unit, by its number from 1. No unit has two kinds of trouble.
    """
    rounds = max(1, round(units / (10 * kinds)) if kinds else 0)
    return tuple(_dealt(TROUBLES[:kinds] * rounds, list(range(1, units + 1)), random.Random(seed), slug_of))


def _dealt(
    troubles: tuple[Trouble, ...], free: list[int], rng: random.Random, slug_of: Callable[[int], str]
) -> Iterator[Fault]:
    for one in troubles:
        fitting = [number for number in free if one.platform in ("", slug_of(number))]
        if fitting:
            free.remove(number := rng.choice(fitting))
            yield parse_fault(f"unit={number},{one.fault}")
