"""A bench screen over a real journal, as the supervisor's tests want it: with owed work, failures, closed batches."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from drivers.clock import SimulatedClock
from station.cli.records import JournalRecords
from station.engine import events as ev
from station.engine.records import UnitsExpected
from station.journal import Journal
from station.model import Outcome, Verdict
from station.tui.app import BenchApp
from station.view.records import Records
from station.words.say import Say
from support.journal_story import at, finished, identified, opened, pending, started, step, walked
from support.screen_pilot import BenchPilot, press, running, tell
from support.screen_story import Story

_SAYS = {Verdict.PASS: Say("pass"), Verdict.FAIL: Say("wifi_join_failed")}


def serial(number: int) -> str:
    return f"P044AB12345{number:02d}"


def tell_journal(directory: Path, units: int = 40) -> None:
    """Record an open batch with every kind of end and ``units`` units in all, and two closed ones."""
    with Journal.open(directory, "bench-1", SimulatedClock()) as journal:
        journal.record(opened("OLD", target=2), *_closed_units("OLD", 80))
        journal.close_batch("OLD")
        journal.record(opened("OLDER", target=None))
        journal.close_batch("OLDER")
        expected = tuple(serial(number) for number in (1, 2, 3, 98, 99))
        journal.record(opened("B1", target=500))
        journal.record(UnitsExpected(at=at(), batch="B1", file="tray.csv", sha256="0" * 64, units=expected))
        for number in range(1, units + 1):
            attempt = f"a-{number}"
            journal.record(
                started(attempt, number, seconds=60.0 * number), identified(attempt, number, serial=serial(number))
            )
            bad = number % 10 == 3
            journal.record(
                step(attempt, "wifi", Outcome.FAILED if bad else Outcome.DONE),
                _ended(attempt, number, Verdict.FAIL if bad else Verdict.PASS),
            )
        journal.record(*pending("a-owes", "product_add", "name", unit=70))


def _ended(attempt: str, number: int, verdict: Verdict) -> ev.AttemptFinished:
    told = finished(attempt, verdict, number, "the unit cannot join" if verdict is Verdict.FAIL else "")
    return ev.AttemptFinished(
        at=at(60.0 * number + 30), slot=told.slot, device_id=told.device_id, attempt=attempt, verdict=verdict,
        batch="B1", failed_step="wifi" if verdict is Verdict.FAIL else "", reason=told.reason, seconds=30.0,
        say=_SAYS[verdict],
    )  # fmt: skip


def _closed_units(batch: str, number: int) -> list[ev.Event]:
    _, *rest = walked(f"a-{number}", number)
    return [started(f"a-{number}", number, batch=batch), *rest]


@contextlib.asynccontextmanager
async def supervised(
    directory: Path,
    size: tuple[int, int] = (120, 40),
    make: Callable[[Journal, Path], Records] = JournalRecords,
    **options: object,
) -> AsyncIterator[tuple[Story, BenchApp, BenchPilot]]:
    """Show the bench over the journal in ``directory``, its open batches told of."""
    story = Story(2)
    with Journal.open(directory, "bench-1", SimulatedClock()) as journal:
        records = make(journal, directory / "exports")
        app = story.app(records=records, profiles=("boron-product", "argon-product"), **options)
        async with running(app, size) as pilot:
            for record in journal.open_batches():
                told = ev.BatchOpened(at=record.opened_at, batch=record.batch, title=record.title)
                await tell(pilot, app, told, journal.progress(record.batch.id, at()))
            yield story, app, pilot


async def keys(pilot: BenchPilot, *pressed: str) -> None:
    """Press keys, and wait for what each of them asks the records."""
    for key in pressed:
        await press(pilot, key)
        await answered(pilot)


async def answered(pilot: BenchPilot) -> None:
    """Wait until all questions are answered and drawn."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
