"""One seeded shift as plain data: which units, what is wrong with them, and what goes wrong around them.

A story is drawn from a seed by `draw`, printed as one line of JSON, replayed from it, and shrunk by removing parts.
Each seed draws a *swarm*: it disables most kinds of trouble and lets the others happen often, because
evenly mixed faults rarely coincide in pairs.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from line_bench import Recipe
from support.tested import LIMITS, METER, Trial

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
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

    def recipe(self) -> Recipe:
        kind = functools.partial(Trial, tests=LIMITS + METER) if self.tested else Recipe
        return kind(
            self.platform, kind=self.kind, offline=self.offline, label=self.label, claim=self.claim,
            online=self.online, wifi=self.wifi, device_os=self.device_os,
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
            parts=tuple(Part(**_tuples(one)) for one in row["parts"]),
            troubles=tuple(Trouble(**one) for one in row["troubles"]),
        )  # fmt: skip


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


# --- drawing --------------------------------------------------------------------------------


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


WIFI_TROUBLE_SECONDS: Mapping[str, tuple[float, float]] = {"wifi-down": (20, 400), "wifi-password": (20, 200)}
"""The same for the access point of the bench. Each at most once in a shift: what is down for all fails nobody."""


def draw(seed: int) -> Story:
    """Draw the story of ``seed``, the same on every machine."""
    dice = random.Random(f"shift {seed}")
    lots = _lots(dice)
    slots = dice.choice((1, 2, 2, 3, 4))
    orders = _swarm(dice, tuple(ORDERS))
    troubles = _swarm(dice, tuple(TROUBLE_SECONDS))
    flaws = _swarm(dice, FLAWS)
    slips = _swarm(dice, SLIPS)
    numbers = iter(range(1, 1000))
    parts: list[Part] = []
    for slot in range(1, slots + 1):
        for _ in range(dice.randint(1, 3)):
            lot = dice.choice(lots)
            possible = tuple(flaw for flaw in flaws if _is_possible(flaw, lot, lots))
            parts.append(_part(dice, next(numbers), slot, lot, orders, possible, slips))
    lots, parts = _with_tests(random.Random(f"tests {seed}"), lots, parts)
    lots, parts = _with_kin(random.Random(f"kin {seed}"), lots, parts)
    length = 60.0 * len(parts) / slots + 60
    happen = [_trouble(dice, kind, length) for kind in troubles for _ in range(dice.choice((1, 1, 2, 3)))]
    parts, more = _with_wifi(random.Random(f"wifi {seed}"), lots, parts, length)
    happen += more
    return Story(seed, slots, lots, tuple(parts), tuple(sorted(happen, key=lambda trouble: trouble.at)))


def _with_tests(dice: random.Random, lots: tuple[Lot, ...], parts: list[Part]) -> tuple[tuple[Lot, ...], list[Part]]:
    """Let some lots test their units; of those, some find what nothing else finds, or are told nonsense once."""
    lots = tuple(dataclasses.replace(lot, tested=dice.random() < 0.35) for lot in lots)
    tested = {lot.platform for lot in lots if lot.tested}
    found: list[Part] = []
    for part in parts:
        flaw, faults = dice.choice(TEST_FLAWS), (f"do=app,{dice.choice(TEST_FAULTS)},times=1",)
        is_bad, is_odd = dice.random() < 0.25 and not part.flaw, dice.random() < 0.4
        if part.platform in tested:
            part = dataclasses.replace(
                part, flaw=flaw if is_bad else part.flaw, faults=part.faults + (faults if is_odd else ())
            )
        found.append(part)
    return lots, found


def _with_wifi(
    dice: random.Random, lots: tuple[Lot, ...], parts: list[Part], length_s: float
) -> tuple[list[Part], list[Trouble]]:
    """Let the access point of some shifts fail, and some units that have to join it hear nothing."""
    joining = {lot.platform for lot in lots if lot.wifi}
    if not joining or dice.random() < 0.4:
        return parts, []
    kinds = [kind for kind in WIFI_TROUBLE_SECONDS if dice.random() < 0.5]
    troubles = [
        Trouble(kind, round(dice.uniform(0, length_s), 1), round(dice.uniform(*WIFI_TROUBLE_SECONDS[kind]), 1))
        for kind in kinds
    ]
    found = []
    for part in parts:
        is_deaf = dice.random() < 0.2 and part.platform in joining and not part.flaw
        found.append(dataclasses.replace(part, flaw=WIFI_FLAWS[0]) if is_deaf else part)
    return found, troubles


KIN = {"argon": ("p2",), "boron": ("msom", "trackerm")}
"""Platforms of other families with the same radios, or more."""
KIN_OS = {"3.3.1": "5.5.0", "4.1.0": "5.5.0", "6.1.1": "6.2.0"}
"""What they hold in place of a Device OS that never was theirs, in the same order."""


def _with_kin(dice: random.Random, lots: tuple[Lot, ...], parts: list[Part]) -> tuple[tuple[Lot, ...], list[Part]]:
    """Let some shifts be of another family: the same stories, told of other units."""
    if dice.random() >= 0.35 or any(lot.platform not in KIN for lot in lots):
        return lots, parts
    kin = {platform: dice.choice(others) for platform, others in KIN.items()}
    swapped = tuple(
        dataclasses.replace(lot, platform=kin[lot.platform], device_os=KIN_OS.get(lot.device_os, lot.device_os))
        for lot in lots
    )
    return swapped, [
        dataclasses.replace(
            part,
            platform=kin.get(part.platform, part.platform),
            factory_os=KIN_OS.get(part.factory_os, part.factory_os),
        )
        for part in parts
    ]


def _trouble(dice: random.Random, kind: str, length_s: float) -> Trouble:
    at, seconds = dice.uniform(0, length_s), dice.uniform(*TROUBLE_SECONDS[kind])
    return Trouble(kind, round(at, 1), round(seconds, 1), dice.randint(0, 99))


def _swarm(dice: random.Random, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Draw none of the kinds, or one to three of them."""
    return tuple(dice.sample(kinds, k=min(len(kinds), dice.choice((0, 1, 1, 2, 3)))))


def _lots(dice: random.Random) -> tuple[Lot, ...]:
    lots = [_lot(dice, platform) for platform in dice.choice(LOTS)]
    return tuple(lots)


def _lot(dice: random.Random, platform: str) -> Lot:
    kind = "developer" if platform == "argon" and dice.random() < 0.2 else "product"
    claim = kind == "developer" or dice.random() < 0.2
    has_wifi, has_cellular = (
        getattr(platform_by_slug(platform), name) for name in ("sets_wifi_in_listening_mode", "has_cellular")
    )
    wifi = has_wifi and (kind == "developer" or dice.random() < 0.6)
    online = kind == "developer" or ((wifi or has_cellular) and dice.random() < 0.25)
    queues = not (online or wifi) and dice.random() < 0.7  # with Wi-Fi a unit would be online before its membership
    return Lot(
        platform, kind, "queue" if queues else "hold", label=dice.random() < 0.4, claim=claim, online=online,
        wifi=wifi, device_os=dice.choice(DEVICE_OS[platform]),
    )  # fmt: skip


def _part(
    dice: random.Random,
    number: int,
    slot: int,
    lot: Lot,
    orders: tuple[str, ...],
    flaws: tuple[str, ...],
    slips: tuple[str, ...],
) -> Part:
    stage = dice.choices(tuple(STAGES), tuple(STAGES.values()))[0]
    flaw = dice.choice(flaws) if flaws and dice.random() < 0.35 else ""
    if flaw == "worn-flash":
        stage = "old-app"  # worn flash shows only when something is written
    elif flaw == "protected":
        stage = "finished"  # only a unit that runs a new Device OS can be protected
    platform = next(name for name in DEVICE_OS if name != lot.platform) if flaw == "wrong-platform" else lot.platform
    transfers = {"finished": 60, "old-app": 130, "fresh": 1300, "in-dfu": 400}[stage]
    count = dice.choice((0, 1, 1, 2, 3)) if orders else 0
    scans = dice.choice((0, 1, 1, 2)) if slips and lot.label and flaw != "bad-label" else 0
    return Part(
        number, platform, slot, stage, dice.choice(_factory_os(platform, lot.device_os)), flaw,
        faults=tuple(ORDERS[kind](dice, transfers) for kind in dice.choices(orders, k=count)) if count else (),
        slips=tuple(dice.choices(slips, k=scans)) if scans else (),
    )  # fmt: skip


def _factory_os(platform: str, device_os: str) -> tuple[str, ...]:
    """Return what new units of ``platform`` may hold when their profile says ``device_os``."""
    made = synthetic.versions(platform_by_slug(platform).id)
    return tuple(version for version in FACTORY_OS[device_os] if version in made) or (device_os,)


def _is_possible(flaw: str, lot: Lot, lots: tuple[Lot, ...]) -> bool:
    """Return whether a unit of that lot can have the flaw, and its profile has a step that detects it."""
    match flaw:
        case "wrong-platform":
            return len(lots) == 1
        case "other-product" | "quarantined":
            return platform_by_slug(lot.platform).has_cellular and lot.kind == "product"
        case "bad-label":
            return lot.label
        case "dead-sim":
            return platform_by_slug(lot.platform).has_cellular
        case "protected":
            return lot.device_os.startswith("6.")
        case _:
            return True
