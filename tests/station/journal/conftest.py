from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.journal_story import everything, opened

from drivers.clock import SimulatedClock
from station.journal import Journal


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def journal(data: Path, clock: SimulatedClock) -> Iterator[Journal]:
    """A journal on a real file, with batch B1 open."""
    with Journal.open(data, "bench-1", clock) as journal:
        journal.record(opened())
        yield journal


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory of a station that stopped, something in every table; for reading only."""
    place = tmp_path_factory.mktemp("told")
    with Journal.open(place / "journal", "bench-1", SimulatedClock()) as journal:
        journal.record(*everything())
    return place


@pytest.fixture
def place(told: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    return Path(shutil.copytree(told, tmp_path / "place"))
