"""How benchmarks report: rows side by side on the terminal, nothing asserted about time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Report = Callable[[str, str], None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print one line."""

    def line(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", end="")  # noqa: T201

    return line


@pytest.fixture
def report(say: Callable[[str], None]) -> Report:
    """Print one row: what was measured, and what it came to."""
    return lambda what, result: say(f"{what:52} {result:>28}")
