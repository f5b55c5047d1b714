"""What a hook is told of a journal, and from where on: the worker alone, beside a real journal."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from support.journal_story import finished, opened, started

from drivers.clock import CancelToken, SimulatedClock
from station.engine.events import Event
from station.hooks.channel import Hook
from station.hooks.worker import AT_ONCE, HookWorker
from station.journal import Journal
from station.journal.following import Following
from station.settings.outside import FINISHED

PLACE = "hook-mes"


@dataclass
class Other:
    """The other side: takes what it is told."""

    told: list[str] = field(default_factory=list)

    def send(self, body: bytes, key: str, timeout_s: float, cancel: CancelToken) -> bytes:
        self.told.append(json.loads(body)["attempt"])
        return b""

    def look(self, timeout_s: float) -> None: ...


def walks(first: int, count: int) -> tuple[Event, ...]:
    names = [f"a-{number}" for number in range(first, first + count)]
    return tuple(event for name in names for event in (started(name), finished(name)))


def tell(journal: Journal, clock: SimulatedClock, folder: Path, *story: Event) -> list[str]:
    """Return the attempts that the hook is told of while ``story`` happens."""
    other = Other()
    with clock.registered():
        worker = HookWorker(
            Hook("mes", frozenset({FINISHED}), other), Following(journal), clock, folder, lambda _event: None
        )
        worker.start()
        journal.record(*story)
        worker.saw(story[-1])
        clock.sleep(600.0)
        worker.stop()
    return other.told


def test_of_many_entries_none_is_left_out(tmp_path: Path) -> None:
    clock, count = SimulatedClock(), 2 * AT_ONCE + 50
    with Journal.open(tmp_path / "journal", "bench-1", clock) as journal:
        told = tell(journal, clock, tmp_path, opened(), *walks(0, count))
    assert told == [f"a-{number}" for number in range(count)]


def test_where_an_older_journal_was_put_back_it_begins_with_what_happens_now(tmp_path: Path) -> None:
    clock = SimulatedClock()
    with Journal.open(tmp_path / "journal", "bench-1", clock) as journal:
        journal.record(opened(), *walks(0, 2))
        (tmp_path / PLACE).write_text("100000\n")
        assert tell(journal, clock, tmp_path, *walks(2, 1)) == ["a-2"]
