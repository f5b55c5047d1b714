"""How benchmarks report: rows side by side on the terminal, nothing asserted about time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Report = Callable[[str, str], None]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Print one row: what was measured, and what it came to."""

    def row(what: str, result: str) -> None:
        with capsys.disabled():
            print(f"\n{what:52} {result:>28}", end="")  # noqa: T201

    return row
