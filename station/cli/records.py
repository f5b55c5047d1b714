"""Answers what the supervisor's screens ask, from the journal of the station, and writes their exports."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from drivers.clock import SystemClock

from ..errors import BadInput
from ..export import EXPORTERS, find_exporter
from ..export.batch_log import batch_log
from ..figures import Figures
from ..journal import BatchRecord, JournalReader, OwedUnit, UnitHistory
from ..journal.export_rows import ExportRow
from ..journal.finding import MIN_END, FoundRow, sought_in
from ..journal.lists import expected_units
from ..journal.pages import closed_batches, failed_units, takt_of, units_like
from ..journal.records import UnitLine
from ..journal.tallies import failures, figures_of, hours, on_no_unit, worked_on
from ..journal.told import lost_its_wire, wire_of_attempt
from ..journal.unit_facts import search_key
from ..model import Verdict
from ..view.records import (
    BatchRow,
    BatchStory,
    Cause,
    Expected,
    Exported,
    Format,
    Hour,
    Identity,
    Life,
    OwedRow,
    Part,
    UnitRow,
    Walk,
)
from .places import check_output, made_dir, output

_MOST_MISSING = 20


class JournalRecords:
    """The `station.view.records.Records` of one journal. Any thread. ``folder``: where exports go."""

    def __init__(self, journal: JournalReader, folder: Path) -> None:
        self._journal, self._folder = journal, folder

    # --- batches ---

    def closed(self, start: int, count: int) -> Part[BatchRow]:
        """Return closed batches, the one closed last first."""
        with self._journal.snapshot() as db:
            records, total = closed_batches(db, start, count)
            rows = tuple(_batch_row(one, figures_of(db, one.batch.id)) for one in records)
        return Part(rows, start, total)

    def story(self, batch: str) -> BatchStory | None:
        """Return how ``batch`` goes, from one snapshot; None where nobody opened it."""
        record = self._journal.batch(batch)
        if record is None:
            return None
        with self._journal.snapshot() as db:
            expected = expected_units(db, batch)
            return BatchStory(
                _batch_row(record, figures_of(db, batch)), takt_of(db, batch),
                tuple(
                    Cause(one.verdict, one.step, one.slot, one.sentence, one.example, one.attempts)
                    for one in failures(db, (batch,))
                ),
                tuple(Hour(one.at, one.judged, one.first_passed) for one in hours(db, (batch,))),
                None if expected is None else Expected(
                    expected.listed, expected.listed - len(expected.missing), expected.missing[:_MOST_MISSING]
                ),
                on_no_unit(db, batch),
                worked_on(db, batch),
            )  # fmt: skip

    # --- units ---

    def find(self, wanted: str, start: int, count: int) -> Part[UnitRow]:
        """Return units with an identity that ends with ``wanted``, else what ``station log find`` finds by it."""
        with self._journal.snapshot() as db:
            lines, total = units_like(db, wanted, start, count)
        is_end = bool(lines) and len(search_key(wanted.strip())) >= MIN_END
        if is_end or not wanted.strip():
            return Part(tuple(map(_unit_row, lines)), start, total)
        page = self._journal.seek(sought_in(wanted, now=SystemClock().utc()), limit=start + count)
        if page.rows or total == 0 or len(wanted.strip()) >= MIN_END:
            found = page.rows[start : start + count]
            return Part(tuple(map(_found_row, found)), start, self._journal.count(page.sought) if page.rows else 0)
        return Part(tuple(map(_unit_row, lines)), start, total)  # too few characters to mean anything yet

    def life(self, device_id: str) -> Life | None:
        """Return all that is known of one unit."""
        found = self._journal.unit(device_id)
        if found is None:
            return None
        walks = tuple(
            Walk(
                UnitRow(
                    found.device_id, found.label, found.platform, one.started_at, one.batch, one.slot, one.verdict,
                    one.failed_step, one.reason, one.by_hand_at is not None,
                ),
                one.operator, one.station_id, one.seconds, self._journal.steps(one.attempt),
                wire_of_attempt(self._journal, one.attempt), lost_its_wire(self._journal, one.attempt),
            )
            for one in reversed(found.attempts)
        )  # fmt: skip
        last = next((walk.row for walk in walks if walk.row.verdict is not None), None)
        unit = UnitRow(
            found.device_id, found.label, found.platform, found.last_seen,
            verdict=None if last is None else last.verdict,
            is_by_hand=last is not None and last.is_by_hand,
        )  # fmt: skip
        owed = (one for one in self._journal.owed_units() if one.owed.item.device_id == found.device_id)
        return Life(unit, found.first_seen, tuple(_identities(found)), walks, tuple(_owed_rows(owed)))

    def owed(self, start: int, count: int) -> Part[OwedRow]:
        """Return units that owe work: those with the same trouble together, the longest waiting first."""
        rows = list(_owed_rows(self._journal.owed_units()))
        waits: dict[tuple[str, str], int] = {}
        for row in rows:
            waits.setdefault((row.mender, row.reason), len(waits))
        rows.sort(key=lambda row: waits[row.mender, row.reason])
        return Part(tuple(rows[start : start + count]), start, len(rows))

    def to_rework(self, start: int, count: int) -> Part[UnitRow]:
        """Return units whose last attempt failed, the newest first."""
        with self._journal.snapshot() as db:
            lines, total = failed_units(db, start, count)
        return Part(tuple(map(_unit_row, lines)), start, total)

    # --- exports ---

    @property
    def formats(self) -> tuple[Format, ...]:
        """Our own formats."""
        return tuple(Format(one.name, one.help) for one in EXPORTERS)

    @property
    def folder(self) -> str:
        """The folder exports go to unless somebody names another."""
        return str(self._folder)

    def export(self, batch: str, name: str, folder: str, went: Callable[[int], None]) -> Exported:
        """Write the log of ``batch``; a file of that name is replaced when the new one is whole. Raises `BadInput`."""
        exporter = find_exporter(name)
        place = Path(folder).expanduser()
        if not folder.strip():
            raise BadInput("no folder is named; type the folder that the file is to lie in")
        path = made_dir(place, "the field folder") / exporter.file_of(batch)
        check_output(path, "the field folder")
        with batch_log(self._journal, batch) as log, output(path, is_binary=exporter.is_binary) as file:
            rows = exporter.write(dataclasses.replace(log, _rows=_watched(log._rows, went)), file)
        return Exported(str(path), rows)


def _watched(
    rows: Callable[..., Iterator[ExportRow]], went: Callable[[int], None]
) -> Callable[..., Iterator[ExportRow]]:
    """Return ``rows`` that also tell ``went`` how many were taken."""

    def watched(**how: bool) -> Iterator[ExportRow]:
        for number, row in enumerate(rows(**how)):
            went(number)
            yield row

    return watched


def _batch_row(record: BatchRecord, figures: Figures) -> BatchRow:
    return BatchRow(record.batch, record.title, figures, record.opened_at, record.closed_at)


def _unit_row(one: UnitLine) -> UnitRow:
    return UnitRow(
        one.device_id, one.label, one.platform, one.at, one.batch, one.slot, one.verdict, one.step, one.reason,
        one.is_by_hand,
    )  # fmt: skip


def _found_row(one: FoundRow) -> UnitRow:
    """Return a row for what was found: a unit with its last attempt, or an attempt with its unit."""
    attempt = one.attempt
    if attempt is None:
        return UnitRow(one.device_id or "", one.label, one.platform, None)
    return UnitRow(
        one.device_id or "", one.label, one.platform, attempt.finished_at or attempt.started_at, attempt.batch,
        attempt.slot, attempt.verdict, attempt.failed_step, attempt.reason, attempt.by_hand_at is not None,
    )  # fmt: skip


def _identities(unit: UnitHistory) -> Iterator[Identity]:
    """Yield each identity with its newest undisputed value."""
    for name in dict.fromkeys(fact.name for fact in unit.facts):
        believed = [fact for fact in unit.facts if fact.name == name and not fact.is_disputed]
        if believed:
            newest = believed[-1]
            yield Identity(name, newest.value, newest.source, unit.earlier(name))


def _owed_rows(found: Iterable[OwedUnit]) -> Iterator[OwedRow]:
    """Yield a row for each attempt that owes work, by the step it is at."""
    attempts: dict[str, list[OwedUnit]] = {}
    for one in found:
        attempts.setdefault(one.owed.item.attempt, []).append(one)
    for attempt, steps in attempts.items():
        first, item = steps[0], steps[0].owed.item
        unit = UnitRow(item.device_id, first.label, "", first.since, first.batch, verdict=Verdict.PENDING)
        actions = tuple(one.owed.item.action for one in steps)
        yield OwedRow(unit, attempt, actions, first.reason, first.mender, first.owed.tries, first.owed.retry_at)
