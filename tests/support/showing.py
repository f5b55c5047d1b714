"""Marks cases of tests with the tier of a platform they show (`make shows`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def showing(tier: str, cases: Iterable[Any], slug_of: Callable[[Any], str] = lambda case: case.slug) -> list[Any]:
    """Parameters of a test, one case a platform or more: each shows ``tier`` for its platform."""
    made = []
    for case in cases:
        slug, values = slug_of(case), case if isinstance(case, tuple) else (case,)
        name = "-".join([slug, *(str(value) for value in values if isinstance(value, str) and value != slug)])
        made.append(pytest.param(*values, marks=pytest.mark.shows(tier, slug), id=name))
    return made
