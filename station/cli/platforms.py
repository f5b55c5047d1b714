"""Implements ``station platforms``: what is supported, how well, and which tests show it.

Nothing here is claimed by hand: ``shown.json`` is written by ``make shows`` from the tests that passed.
"""

from __future__ import annotations

import argparse
import enum
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

from drivers.platforms import OTHER_DEVICES, OsRange, Platform, platforms

from .telling import standard_output, table, tell_all

SHOWN_FILE = "shown.json"


class Tier(enum.StrEnum):
    """How well a platform is supported; each tier has to be shown by tests of its own."""

    BRONZE = "bronze"  # identified, and refused nicely where it does not belong
    SILVER = "silver"  # the whole walk on virtual units
    GOLD = "gold"  # a foreign client agrees with its virtual units
    PLATINUM = "platinum"  # a physical unit was walked


_MEANINGS = {
    Tier.BRONZE: "identified, and refused nicely where it does not belong",
    Tier.SILVER: "walked as a virtual unit, from its box to PASS",
    Tier.GOLD: "a program of somebody else agrees with its virtual units",
    Tier.PLATINUM: "a physical unit was walked",
}


class Status(enum.StrEnum):
    """Where a platform stands in one tier."""

    DONE = "done"
    NOT_APPLICABLE = "not applicable"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Supported:
    """One line of the table. ``tests``: those that show each tier, without their parameters."""

    slug: str
    name: str
    id: int | None  # None: no unit, but recognised
    device_os: str
    status: Mapping[Tier, Status]
    tests: Mapping[Tier, tuple[str, ...]]


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = parsers.add_parser("platforms", help="which units are supported, how well, and what shows it")
    parser.add_argument("--json", action="store_true", help="one platform a line as JSON, with the tests")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    rows = supported(read_shown())
    if arguments.json:
        with standard_output() as file:
            file.writelines(json.dumps(_document(row)) + "\n" for row in rows)
    else:
        tell_all(_lines(rows))
    return 0


def read_shown() -> dict[str, dict[str, list[str]]]:
    """Read which tests show which tier of which platform: tier -> slug -> tests."""
    text = resources.files("station").joinpath(SHOWN_FILE).read_text("utf-8")
    found: dict[str, dict[str, list[str]]] = json.loads(text)
    return found


def supported(shown: Mapping[str, Mapping[str, list[str]]]) -> list[Supported]:
    """Put together the lines: platforms by id, then what is recognised and is no unit."""
    rows = [_row(row.slug, row.name, row.id, _versions(row.device_os), _unreachable(row), shown) for row in platforms()]
    others = dict.fromkeys(one.name for one in OTHER_DEVICES.values())
    beyond = frozenset({Tier.SILVER, Tier.GOLD, Tier.PLATINUM})  # it is refused, and nothing else
    return rows + [_row(name.lower().replace(" ", "-"), name, None, "", beyond, shown) for name in others]


def _row(
    slug: str, name: str, number: int | None, device_os: str, unreachable: frozenset[Tier],
    shown: Mapping[str, Mapping[str, list[str]]],
) -> Supported:  # fmt: skip
    tests = {tier: tuple(shown.get(tier, {}).get(slug, ())) for tier in Tier}
    status = {
        tier: Status.DONE if tests[tier] else Status.NOT_APPLICABLE if tier in unreachable else Status.OPEN
        for tier in Tier
    }
    return Supported(slug, name, number, device_os, status, tests)


def _unreachable(row: Platform) -> frozenset[Tier]:
    """Return the tiers that do not apply: nobody outside the vendor has a unit that was never sold."""
    return frozenset() if row.was_sold else frozenset({Tier.PLATINUM})


def _versions(range_: OsRange) -> str:
    """Write the range as the first version and the first one outside: ``1.1.0 - <1.5.0``; open ends stay empty."""
    since, before = (str(end).removesuffix("-0") if end else "" for end in (range_.since, range_.before))
    return f"{since} -" + (f" <{before}" if before else "")


def _lines(rows: list[Supported]) -> Iterator[str]:
    heads = ("id", "platform", "called", "Device OS", *Tier)
    body = [
        ("" if r.id is None else str(r.id), r.name, r.slug, r.device_os, *(r.status[tier] for tier in Tier))
        for r in rows
    ]
    yield from table(heads, body)
    for tier in Tier:
        tests = dict.fromkeys(test for row in rows for test in row.tests[tier])
        yield ""
        yield f"{tier}: {_MEANINGS[tier]}"
        yield from (f"  {test}" for test in tests or ("no test shows it yet",))


def _document(row: Supported) -> dict[str, object]:
    return {
        "id": row.id, "platform": row.name, "slug": row.slug, "device_os": row.device_os,
        "tiers": {tier: {"status": row.status[tier], "tests": list(row.tests[tier])} for tier in Tier},
    }  # fmt: skip
