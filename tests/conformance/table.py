"""The table at the end of a run: which foreign client did what with units of which chip family.

A test says it with the marker ``operation(client, what)``; the family is that of its parameter ``platform``, or of
the marker's further arguments. Tests in a process of their own print the same rows, and `parsed` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

import pytest

from drivers.platforms import platform_by_slug

FAMILIES = ("stm32", "nrf", "rtl")
PROPERTY = "conformance"
Cell = tuple[str, str, str]
"""Client, operation, family."""
_GOOD, _BAD, _NONE = "ok", "FAILED", "-"
_TITLE = "client | operation"


def cells(item: pytest.Item) -> list[Cell]:
    """Return what a test shows if it passes."""
    found = []
    for mark in item.iter_markers("operation"):
        client, what, *platforms = mark.args
        if not platforms:
            parameters = getattr(item, "callspec").params  # noqa: B009 - of tests with parameters only
            platforms = [parameters["platform"]]
        found += [(client, what, platform_by_slug(slug).family) for slug in platforms]
    return found


def rows(reports: Iterable[pytest.TestReport]) -> Iterator[str]:
    """Return the lines of the table; nothing where no test had the marker."""
    seen: dict[tuple[str, str], dict[str, str]] = {}
    for report in reports:
        if report.when != "call" and report.passed:
            continue
        for name, value in report.user_properties:
            if name != PROPERTY:
                continue
            cell = cast(Cell, value)
            client, what, family = cell
            outcomes = seen.setdefault((client, what), {})
            outcome = _GOOD if report.passed else _BAD if report.failed else "skipped"
            outcomes[family] = outcome if outcomes.get(family) in (None, _GOOD) else outcomes[family]
    if seen:
        yield " | ".join([_TITLE, *FAMILIES])
    for (client, what), outcomes in sorted(seen.items()):
        yield " | ".join([client, what, *(outcomes.get(family, _NONE) for family in FAMILIES)])


def parsed(text: str) -> list[Cell]:
    """Read from the output of a process the cells that were good in it."""
    lines = [line.split(" | ") for line in text.splitlines()]
    at = next((number for number, line in enumerate(lines) if line[:2] == _TITLE.split(" | ")), len(lines))
    return [
        (client, what, family)
        for client, what, *outcomes in (line for line in lines[at + 1 :] if len(line) == 2 + len(FAMILIES))
        for family, outcome in zip(FAMILIES, outcomes, strict=True)
        if outcome == _GOOD
    ]
