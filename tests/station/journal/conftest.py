from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.journal_story import opened

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
