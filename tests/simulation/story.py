"""One seeded shift as plain data: which units, what is wrong with them, and what goes wrong around them.

A story is drawn from a seed by `drawing.draw`, printed as one line of JSON, replayed from it, and shrunk by removing
parts.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from line_bench import SSID, Recipe
from support.tested import LIMITS, METER, Trial

from drivers.virtual.faults import ERRNOS

STAGES: Mapping[str, float] = {
    "finished": 0.35,  # already has everything the profile requires
    "old-app": 0.35,  # the right Device OS with another application
    "fresh": 0.2,  # as it comes out of its box
    "in-dfu": 0.1,  # holds everything, and arrives in DFU
}
"""State in which a unit arrives at the station -> probability."""

FLAWS = (
    "wrong-platform", "foreign-owner", "other-product", "wrong-record", "bad-label", "worn-flash", "protected",
    "dead-sim", "quarantined",
)  # fmt: skip
"""What makes a unit bad; `units` plants each, `oracles` defines how it has to end."""

TEST_FLAWS = ("weak-battery", "hungry")
"""What only the tests of a profile find."""

TEST_FAULTS = ("says=garbage", "says=silence", "says=unknown", "says=vbat:9.9", "says=vbat:broken")
"""What an application may answer once in place of the truth."""

WIFI_FLAWS = ("deaf",)
"""What only a unit that has to join a network shows."""

WITHOUT_DFU = ("do=no-dfu", "do=denied")
"""Why a unit, or a computer, has to do without DFU."""

TYPED: Mapping[str, tuple[str, ...]] = {
    "reads": ("i", "v"), "password": ("w", SSID, "not that one"), "restarts": ("L",), "nothing": ()
}  # fmt: skip
"""What may be typed at the console of a unit that passed."""

SLIPS = ("neighbour", "before", "order-code", "layout", "double", "prefix", "lot", "noise", "unknown")
"""What may be scanned by mistake before the right label."""

PASSING_CODES = (-110, -160, -210, -221, -260)
"""Transient results of control requests (reference usb-and-serial 4.12)."""

DEVICE_OS: Mapping[str, tuple[str, ...]] = {
    "boron": ("6.3.4", "6.3.4", "6.1.1", "5.8.0"), "argon": ("6.3.4", "6.3.4", "5.8.0", "3.3.1"),
    "bsom": ("6.3.4", "5.8.0"), "b5som": ("6.3.4", "5.9.0", "3.3.1"), "tracker": ("6.3.4", "4.2.0"),
    "esomx": ("6.3.4", "5.8.0"), "electron2": ("6.3.4",), "asom": ("3.3.1",),
}  # fmt: skip
"""Device OS of profiles, by platform: a BRN404X or B404X needs at least 4.0.1 (D9)."""
FACTORY_OS = {
    "6.3.4": ("2.3.1", "3.3.1", "4.1.0", "6.1.1"),
    "6.1.1": ("3.3.1", "5.8.0"),
    "5.9.0": ("2.0.1", "3.3.1", "5.5.0"),
    "5.8.0": ("2.3.1", "3.3.1", "4.1.0"),
    "4.2.0": ("3.3.1", "4.1.0"),
    "3.3.1": ("2.3.1", "3.3.1"),
}
"""Device OS of new units, by the Device OS of their profile: never a newer one."""
LOTS = (
    *((("boron",), ("argon",), ("boron", "argon")) * 2),
    ("bsom",), ("b5som",), ("tracker",), ("esomx",), ("electron2",), ("asom",), ("argon", "bsom"), ("boron", "b5som"),
)  # fmt: skip
"""Platforms whose batches are open side by side."""


@dataclass(frozen=True, slots=True)
class Lot:
    """One batch of the shift: the choices of its profile."""

    platform: str
    kind: str = "product"
    offline: str = "queue"
    label: bool = False
    claim: bool = False
    online: bool = False
    wifi: bool = False
    device_os: str = "6.3.4"
    tested: bool = False
    keeps: bool = False  # the profile leaves ``device_os``, which its units hold, as it is
    released: bool = False  # its units take a later version of their firmware over the air

    def recipe(self) -> Recipe:
        kind = functools.partial(Trial, tests=LIMITS + METER) if self.tested else Recipe
        return kind(
            self.platform, kind=self.kind, offline=self.offline, label=self.label, claim=self.claim,
            online=self.online, wifi=self.wifi, device_os=None if self.keeps else self.device_os,
            keeps=self.device_os if self.keeps else "", released=5 if self.released else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One unit: its slot, its state on arrival, its flaw if any, and the faults injected into it.

    ``faults``: in the grammar of `drivers.virtual.faults`. ``slips``: keys of `SLIPS`, scanned one after the other
    before the right label.
    """

    number: int
    platform: str
    slot: int
    stage: str
    factory_os: str = "3.3.1"
    flaw: str = ""
    faults: tuple[str, ...] = ()
    slips: tuple[str, ...] = ()
    by_hand: str = ""  # a key of `TYPED`: what somebody does at its console once it passed


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault outside the units, at ``at`` simulated seconds, for ``seconds``."""

    kind: str  # a key of `TROUBLE_SECONDS`
    at: float
    seconds: float
    detail: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """A whole shift."""

    seed: int
    slots: int
    lots: tuple[Lot, ...]
    parts: tuple[Part, ...]
    troubles: tuple[Trouble, ...]

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Story:
        """Read a printed story back; raises `ValueError` or `TypeError` for anything else."""
        row = json.loads(text)
        return cls(
            seed=row["seed"], slots=row["slots"], lots=tuple(Lot(**one) for one in row["lots"]),
            parts=tuple(Part(**tuples(one)) for one in row["parts"]),
            troubles=tuple(Trouble(**one) for one in row["troubles"]),
        )  # fmt: skip

    def shorter(self) -> Iterator[Story]:
        """Yield every story with one element less, the large elements first."""
        for part in self.parts:
            if len(self.parts) > 1:
                yield dataclasses.replace(self, parts=tuple(one for one in self.parts if one is not part))
        for trouble in self.troubles:
            yield dataclasses.replace(self, troubles=tuple(one for one in self.troubles if one is not trouble))
        for part in self.parts:
            for simpler in (
                *((dataclasses.replace(part, by_hand=""),) if part.by_hand else ()),
                *(dataclasses.replace(part, faults=_without(part.faults, n)) for n in range(len(part.faults))),
                *(dataclasses.replace(part, slips=_without(part.slips, n)) for n in range(len(part.slips))),
            ):
                yield dataclasses.replace(self, parts=tuple(simpler if one is part else one for one in self.parts))


def _without(things: tuple[str, ...], place: int) -> tuple[str, ...]:
    return things[:place] + things[place + 1 :]


def tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


# --- kinds of faults and trouble --------------------------------------------------------------


Order = Callable[[random.Random, int], str]
"""Draws the text of one fault, for a unit with about that many control transfers."""


def _moment(dice: random.Random, transfers: int) -> str:
    return f"at=control:{dice.randint(1, transfers)}"


ORDERS: Mapping[str, Order] = {
    "stall": lambda d, n: f"{_moment(d, n)},do=stall,times={d.choice((1, 1, 2))}",
    "reject": lambda d, n: f"{_moment(d, n)},do=reject,code={d.choice(PASSING_CODES)},times={d.choice((1, 1, 2))}",
    "io": lambda d, n: (
        f"{_moment(d, n)},do=error,errno={d.choice(tuple(ERRNOS))},lost={d.choice(('request', 'reply'))}"
        f",times={d.choice((1, 1, 2))}"
    ),
    "garbage": lambda d, n: f"{_moment(d, n)},do=garbage",
    "busy": lambda d, n: f"{_moment(d, n)},do=busy,times={d.randint(1, 3)}",
    "slow": lambda d, n: f"{_moment(d, n)},do=slow,by=0.2,for={d.randint(2, 8)}",
    "hang": lambda d, n: f"{_moment(d, n)},do=hang,for={d.randint(1, 6)}",
    "pull": lambda d, n: f"{_moment(d, n)},do=unplug,for={d.choice((0.3, 2, 10))}",
    "pull-later": lambda d, _: f"at=plug:{d.randint(1, 25)},do=unplug,for={d.choice((0.5, 5))}",
    "powercut": lambda d, n: f"{_moment(d, n)},do=powercut,for={d.choice((1, 3))}",
    "torn": lambda d, n: f"at=flash:{d.randint(1, max(1, n // 12))},do=torn,for=2",
    "flash-once": lambda d, n: f"at=dfu-write:{d.randint(1, max(1, n // 14))},do=fail",
}
"""Faults of one unit. All of them are transient: a good unit stays good."""

TROUBLE_SECONDS: Mapping[str, tuple[float, float]] = {
    "cloud-down": (20, 400), "portal": (20, 300), "redirect": (20, 300), "firewall": (20, 300), "sick": (5, 60),
    "busy": (5, 60), "drop-before": (10, 60), "drop-after": (10, 60), "slow": (10, 40), "lie": (10, 40),
    "lag": (10, 60), "team": (20, 300), "token": (20, 200), "locked": (5, 90), "full": (5, 90), "restart": (1, 10),
    "clock": (0, 0),
}  # fmt: skip
"""Kinds of trouble outside the units -> range of their duration in seconds."""


DEATH_SECONDS: Mapping[str, tuple[float, float]] = {"killed": (1, 10), "told": (1, 10)}
"""The same for the station's process: kill -9, and a closed terminal."""

BATCH_SECONDS: Mapping[str, tuple[float, float]] = {"no-batch": (5, 300)}
"""The same for a batch that is not open: its units wait, and go on by themselves."""

WIFI_TROUBLE_SECONDS: Mapping[str, tuple[float, float]] = {"wifi-down": (20, 400), "wifi-password": (20, 200)}
"""The same for the access point of the bench. Each at most once in a shift: what is down for all fails nobody."""
