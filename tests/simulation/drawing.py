"""Draws the story of a seed, the same on every machine.

Each seed draws a *swarm*: it disables most kinds of trouble and lets the others happen often, because
evenly mixed faults rarely coincide in pairs.
"""

from __future__ import annotations

import dataclasses
import random

from drivers.platforms import OsVersion, Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.wire import requests
from drivers.wire.control.tables import RequestType
from station.firmware.rules import needs_setup_done

from .story import (
    BATCH_SECONDS,
    DEATH_SECONDS,
    DEVICE_OS,
    FACTORY_OS,
    FLAWS,
    LOTS,
    ORDERS,
    SLIPS,
    STAGES,
    TEST_FAULTS,
    TEST_FLAWS,
    TROUBLE_SECONDS,
    TYPED,
    WIFI_FLAWS,
    WIFI_TROUBLE_SECONDS,
    WITHOUT_DFU,
    Lot,
    Part,
    Story,
    Trouble,
)


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
    lots, parts = _with_any_row(random.Random(f"row {seed}"), lots, parts)
    length = 60.0 * len(parts) / slots + 60
    happen = [_trouble(dice, kind, length) for kind in troubles for _ in range(dice.choice((1, 1, 2, 3)))]
    parts, more = _with_wifi(random.Random(f"wifi {seed}"), lots, parts, length)
    happen += more
    happen += _deaths(random.Random(f"deaths {seed}"), length)
    happen += _closed(random.Random(f"closed {seed}"), length)
    parts = _with_held(random.Random(f"held {seed}"), parts)
    parts = _without_dfu(random.Random(f"without {seed}"), lots, parts)
    parts = _by_hand(random.Random(f"hand {seed}"), lots, parts, {trouble.kind for trouble in happen})
    lots = _with_releases(random.Random(f"releases {seed}"), lots)
    return Story(seed, slots, lots, tuple(parts), tuple(sorted(happen, key=lambda trouble: trouble.at)))


def _with_releases(dice: random.Random, lots: tuple[Lot, ...]) -> tuple[Lot, ...]:
    """Let the cloud want later firmware of the units of some lots that can come online at the bench."""
    found = []
    for lot in lots:
        can = lot.kind == "product" and not lot.tested and (lot.wifi or platform_by_slug(lot.platform).has_cellular)
        if can and dice.random() < 0.3:
            lot = dataclasses.replace(lot, released=True, online=True, offline="hold")
        found.append(lot)
    return tuple(found)


BY_REQUEST_SINCE = OsVersion.parse("3.1.0")
"""From here on a unit takes every module by control request, whatever it holds (firmware-and-dfu 2.3)."""


def _without_dfu(dice: random.Random, lots: tuple[Lot, ...], parts: list[Part]) -> list[Part]:
    """Let some good units never come into DFU, or only for a computer that may not open them there."""
    if dice.random() >= 0.3:
        return parts
    fault, wanted = dice.choice(WITHOUT_DFU), {lot.platform: lot.device_os for lot in lots}
    can = [
        part.stage != "in-dfu" and not part.flaw and platform_by_slug(part.platform).family != "stm32"
        and all(OsVersion.parse(one) >= BY_REQUEST_SINCE for one in (part.factory_os, wanted[part.platform]))
        for part in parts
    ]  # fmt: skip
    return [
        dataclasses.replace(part, faults=(*part.faults, fault)) if may and dice.random() < 0.5 else part
        for part, may in zip(parts, can, strict=True)
    ]


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
    telling = {lot.platform for lot in lots if lot.wifi and _tells_whether_it_joined(lot)}
    kinds = [kind for kind in WIFI_TROUBLE_SECONDS if dice.random() < 0.5]
    troubles = [
        Trouble(kind, round(dice.uniform(0, length_s), 1), round(dice.uniform(*WIFI_TROUBLE_SECONDS[kind]), 1))
        for kind in kinds
    ]
    found = []
    for part in parts:
        is_deaf = dice.random() < 0.2 and part.platform in telling and not part.flaw
        found.append(dataclasses.replace(part, flaw=WIFI_FLAWS[0]) if is_deaf else part)
    return found, troubles


def _tells_whether_it_joined(lot: Lot) -> bool:
    """Whether a unit of the lot can be found to be deaf: it says what it has joined, or is waited for online."""
    current = requests.get_current_network()
    return lot.online or platform_by_slug(lot.platform).knows_request(current.type_id, OsVersion.parse(lot.device_os))


def _deaths(dice: random.Random, length_s: float) -> list[Trouble]:
    """Let the station's process die in some shifts, once or twice."""
    kinds = dice.choices(tuple(DEATH_SECONDS), k=dice.choice((1, 1, 2))) if dice.random() < 0.25 else ()
    return [
        Trouble(kind, round(dice.uniform(0, length_s), 1), round(dice.uniform(*DEATH_SECONDS[kind]), 1))
        for kind in kinds
    ]


def _by_hand(dice: random.Random, lots: tuple[Lot, ...], parts: list[Part], troubles: set[str]) -> list[Part]:
    """Let somebody work at the consoles of some units that passed; a password only where the network is as it was."""
    if dice.random() >= 0.3:
        return parts
    kinds = [kind for kind in TYPED if kind != "password"]
    joins = {lot.platform for lot in lots if lot.wifi} if not troubles & set(WIFI_TROUBLE_SECONDS) else set()
    found = []
    for part in parts:
        kind = dice.choice([*kinds, "password"] if part.platform in joins else kinds)
        found.append(dataclasses.replace(part, by_hand=kind) if dice.random() < 0.4 and not part.flaw else part)
    return found


def _closed(dice: random.Random, length_s: float) -> list[Trouble]:
    """Let a batch of some shifts be closed for a while, or be opened only when units are there already."""
    if dice.random() >= 0.3:
        return []
    at, seconds = dice.choice((0.0, round(dice.uniform(0, length_s), 1))), dice.uniform(*BATCH_SECONDS["no-batch"])
    return [Trouble("no-batch", at, round(seconds, 1), dice.randrange(4))]


def _with_held(dice: random.Random, parts: list[Part]) -> list[Part]:
    """Let some protected units stall on their way into DFU, or out of it when they arrive there."""
    found = []
    for part in parts:
        times, moment = dice.randint(1, 4), dice.randint(1, 40)
        if part.flaw == "protected" and dice.random() < 0.5:
            into = (f"at=request:{RequestType.DFU_MODE},do=stall,times={times}",)
            out = (f"at=control:{moment},do=stall,times={times}",)
            stage, faults = dice.choice((("finished", into), ("in-dfu", out)))
            part = dataclasses.replace(part, stage=stage, faults=faults)
        found.append(part)
    return found


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


UPDATES_TO = {
    "stm32": ("2.3.1", "3.3.1"),
    "nrf": ("1.5.2", "3.3.1", "6.3.4", "6.4.1"),
    "rtl": ("5.5.0", "6.3.4", "6.4.1"),
}
"""Device OS of profiles that update units of any row, by family; where none was made, the last one there is."""


def _with_any_row(dice: random.Random, lots: tuple[Lot, ...], parts: list[Part]) -> tuple[tuple[Lot, ...], list[Part]]:
    """Let some shifts be of a platform and Device OS drawn from all there are."""
    if dice.random() >= 0.4:
        return lots, parts
    lot, holds = any_lot(dice)
    found = []
    for part in parts:
        slug = lot.platform if part.flaw != "wrong-platform" else "argon" if lot.platform == "boron" else "boron"
        is_found = part.flaw and (part.flaw == "wrong-platform" or _finds(part.flaw, lot))
        moved = dataclasses.replace(
            part, platform=slug, factory_os=dice.choice(holds), flaw=part.flaw if is_found else "",
            slips=part.slips if lot.label else (),
            faults=tuple(one for one in part.faults if lot.tested or "do=app" not in one),
        )  # fmt: skip
        found.append(moved)
    return (lot,), found


def any_lot(dice: random.Random, keeping: float = 0.5) -> tuple[Lot, tuple[str, ...]]:
    """Draw a profile for any platform, and the Device OS its units may arrive with.

    ``keeping``: how probable a profile is that leaves the Device OS as it is, whichever it is.
    """
    row = dice.choice(platforms())
    keeps, made = dice.random() < keeping, synthetic.versions(row.id)
    if keeps:
        device_os = dice.choice([one for one in made if _can_be_set_up(row, one)])
        holds: tuple[str, ...] = (device_os,)
    else:
        known_good = DEVICE_OS.get(row.slug, UPDATES_TO[row.family])
        device_os = dice.choice([one for one in known_good if one in made] or made[-1:])
        holds = made[: made.index(device_os) + 1]
    wifi = row.sets_wifi_in_listening_mode and dice.random() < 0.6
    online = (wifi or row.has_cellular) and dice.random() < 0.25
    is_testable = row.knows_request(RequestType.APP_CUSTOM, OsVersion.parse(device_os))
    lot = Lot(
        row.slug, offline="hold" if online or wifi or dice.random() < 0.3 else "queue", label=dice.random() < 0.4,
        claim=dice.random() < 0.2, online=online, wifi=wifi, device_os=device_os, keeps=keeps,
        tested=is_testable and dice.random() < 0.3,
    )  # fmt: skip
    return lot, holds


def _can_be_set_up(row: Platform, device_os: str) -> bool:
    """Return whether a unit may keep that Device OS: the first ones of Gen 3 have no request for the setup flag."""
    version = OsVersion.parse(device_os)
    return not needs_setup_done(row, version).needed or row.knows_request(RequestType.IS_DEVICE_SETUP_DONE, version)


def _finds(flaw: str, lot: Lot) -> bool:
    """Return whether a unit can have the flaw, and a profile of that lot detects it."""
    return (lot.tested if flaw in TEST_FLAWS else _is_possible(flaw, lot, (lot,))) and (
        flaw != "protected" or OsVersion.parse(lot.device_os) >= OsVersion.parse("6.0.0")
    )


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
