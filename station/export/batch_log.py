"""The batch log that an exporter writes: rows from the journal, and columns, each declared once with its type.

Independent of file formats.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from ..figures import Figures
from ..journal.answers import lots_of
from ..journal.batch_seal import Signer, seal_key
from ..journal.entries import stamped
from ..journal.export_rows import (
    ExportRow,
    Measured,
    Reading,
    count_tries,
    export_rows,
    measured_values,
    require_batches,
    step_names,
)
from ..journal.passport_rows import Told, told_of
from ..journal.reader import JournalReader
from ..journal.records import AttemptRecord, BatchRecord
from ..journal.tallies import Failure, Hour, failures, figures_of, hours, newest_entry, on_no_unit, worked_on

Value = str | int | float | None
Valued = Callable[[Sequence[ExportRow]], Iterator[Sequence[Value]]]
"""Gives the values of some rows column by column."""


class Type(enum.Enum):
    """Type of a column's values, so that every format can write them in its own way."""

    TEXT = "text"  # preserved character for character
    NUMBER = "number"  # a whole number to sort and filter by; written as text if it is not one, or has over 9 digits
    SECONDS = "seconds"  # a number, or the text of one
    VALUE = "value"  # a measured value: a number in full precision, or a text
    TIME = "time"  # ISO 8601, UTC, milliseconds


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``value`` returns None, or "", for a row without a value in the journal."""

    name: str
    type: Type
    value: Callable[[ExportRow], Value]


COLUMNS = (
    # names as in the vendor's device lists
    Column("Device ID", Type.TEXT, attrgetter("kept.device_id")),
    Column("Device Name", Type.TEXT, attrgetter("shown.name")),
    Column("ICCID", Type.TEXT, attrgetter("shown.iccid")),
    Column("IMEI", Type.TEXT, attrgetter("shown.imei")),
    Column("Serial", Type.TEXT, attrgetter("shown.serial")),
    Column("SKU", Type.TEXT, attrgetter("shown.sku")),
    Column("Wi-Fi MAC Address", Type.TEXT, attrgetter("shown.mac")),
    Column("Groups", Type.TEXT, attrgetter("shown.groups")),
    Column("Owner", Type.TEXT, attrgetter("shown.owner")),
    Column("Device OS Version", Type.TEXT, attrgetter("shown.device_os")),
    Column("Product ID", Type.NUMBER, attrgetter("shown.product_id")),
    Column("Platform ID", Type.NUMBER, attrgetter("shown.platform_id")),
    Column("Platform Name", Type.TEXT, lambda row: row.shown.platform_name or row.shown.platform),
    Column("Firmware Version", Type.NUMBER, attrgetter("shown.firmware_version")),
    # ours
    Column("Batch", Type.TEXT, attrgetter("kept.batch")),
    Column("Attempt", Type.TEXT, attrgetter("kept.attempt")),
    Column("Slot", Type.NUMBER, attrgetter("kept.slot")),
    Column("Operator", Type.TEXT, attrgetter("kept.operator")),
    Column("Profile Released By", Type.TEXT, attrgetter("release")),
    Column("Lots", Type.TEXT, lambda row: ", ".join(lots_of(row.kept.lots))),
    Column("Protection Intended", Type.TEXT, attrgetter("shown.protection_intended")),
    Column("Protection Observed", Type.TEXT, attrgetter("shown.protection")),
    Column("Started", Type.TIME, lambda row: stamped(row.kept.started_at)),
    Column("Finished", Type.TIME, lambda row: stamped(at) if (at := row.kept.finished_at) else None),
    Column("Seconds", Type.SECONDS, attrgetter("kept.seconds")),
    Column("Verdict", Type.TEXT, attrgetter("kept.verdict")),
    Column("Result", Type.TEXT, lambda row: row.result),
    Column("First Judged", Type.TEXT, lambda row: row.judged[0].name if row.judged else None),
    Column("Judged Attempts", Type.NUMBER, lambda row: len(row.judged)),
    Column("Failed Step", Type.TEXT, attrgetter("kept.failed_step")),
    Column("Reason", Type.TEXT, attrgetter("kept.reason")),
    Column("By Hand Since", Type.TIME, lambda row: stamped(at) if (at := row.kept.by_hand_at) else None),
)
"""The columns of every batch; `BatchLog.columns` adds two for each of its steps, and those of measured values."""


SECRET = "Mobile Secret"
"""The column that is there with `BatchLog.secret` only."""


@dataclass(frozen=True, slots=True)
class BatchLog:
    """The log of ``batches``: one row a unit, for its last attempt, or one row an attempt. Valid inside `batch_log`."""

    batches: tuple[str, ...]
    all_attempts: bool
    _step_names: Callable[[], list[str]]
    _measured: Callable[[], tuple[Measured, ...]]
    _rows: Callable[..., Iterator[ExportRow]]
    records: Mapping[str, BatchRecord]
    figures: Mapping[str, Figures]
    """What each batch came to."""
    on_no_unit: Mapping[str, int]
    """How many of its attempts are on a unit that is not known: rows beside the figures."""
    worked_on: Mapping[str, int]
    """How many of its units figures count by a PASS or PENDING that is not proven any more."""
    failures: tuple[Failure, ...]
    hours: tuple[Hour, ...]
    newest: tuple[int, str]
    """The journal's newest entry: its number and its hash, hexadecimal."""
    told: Callable[[AttemptRecord], Told | None]
    """What a passport tells of an attempt."""
    signer: Signer
    tries: Callable[[], int]
    """Counts the tries of steps, those of all attempts."""
    secret: Callable[[str], str] | None = None
    """Gives the kept mobile secret of a unit, by its Device ID, "" if none is kept; None: nobody was allowed to ask."""

    def columns(self) -> tuple[Column, ...]:
        """Return `COLUMNS`, then for each step the outcome of its last try and the seconds of its tries, then values.

        A measured value also has a column for each of its limits; the last column names the values out of limits.
        """
        return self.valued()[0]

    def valued(self) -> tuple[tuple[Column, ...], Valued]:
        """Return the `columns`, and what gives the values of all of them: much faster than asking each."""
        of_values = [column for one in self._measured() for column in _value_columns(one)]
        if of_values:
            of_values.append(Column("Out of Limits", Type.TEXT, _out_of_limits))
        secret = () if self.secret is None else (Column(SECRET, Type.TEXT, self.secret_of),)
        steps = self._step_names()
        of_steps = [column for step in steps for column in _of_step(step)]
        before, after = ([column.value for column in some] for some in ((*COLUMNS, *secret), of_values))

        def values(rows: Sequence[ExportRow]) -> Iterator[Sequence[Value]]:
            yield from ([*map(of, rows)] for of in before)
            yield from _of_all_steps(steps, rows)
            yield from ([*map(of, rows)] for of in after)

        return (*COLUMNS, *secret, *of_steps, *of_values), values

    def secret_of(self, row: ExportRow) -> str:
        """Return the mobile secret of the unit of ``row``; "" where none is kept, or nobody may ask."""
        device_id = row.attempt.device_id
        return "" if self.secret is None or device_id is None else self.secret(device_id)

    def rows(self, *, detailed: bool = True) -> Iterator[ExportRow]:
        """Stream rows in the order their attempts started; ``detailed=False`` is faster, and enough for `columns`."""
        return self._rows(detailed=detailed)


def _of_step(step: str) -> tuple[Column, Column]:
    return (
        Column(step, Type.TEXT, lambda row: dict(zip(row.names, row.outcomes, strict=True)).get(step)),
        Column(f"{step} s", Type.SECONDS, lambda row: dict(zip(row.names, row.seconds, strict=True)).get(step)),
    )


def _of_all_steps(steps: Sequence[str], rows: Sequence[ExportRow]) -> list[list[Value]]:
    """Return the values of both columns of each of ``steps``, made for all rows with the same outcomes together."""
    told: dict[str, tuple[list[Value], list[Value]]] = {
        step: ([None] * len(rows), [None] * len(rows)) for step in steps
    }
    alike: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(rows):
        alike.setdefault((row.told.steps, row.told.outcomes), []).append(place)
    for places in alike.values():
        names = rows[places[0]].names
        seconds = ",".join([rows[place].told.seconds[1:-1] for place in places]).split(",")
        for number, (step, outcome) in enumerate(zip(names, rows[places[0]].outcomes, strict=True)):
            of_outcome, of_seconds = told[step]
            for place, took in zip(places, seconds[number :: len(names)], strict=True):
                of_outcome[place], of_seconds[place] = outcome, took
    return [column for pair in told.values() for column in pair]


def _value_columns(one: Measured) -> Iterator[Column]:
    name = f"{one.step}: {one.name}"

    def column(tail: str, told: Callable[[Reading], Value], type_: Type = Type.VALUE) -> Column:
        def value(row: ExportRow) -> Value:
            measured = row.last_values.get((one.step, one.name))
            return None if measured is None else told(measured)

        return Column(name + tail, type_, value)

    yield column(f" ({one.unit})" if one.unit else "", lambda m: m.value)
    if one.has_low:
        yield column(" min", lambda m: m.low)
    if one.has_high:
        yield column(" max", lambda m: m.high)
    if one.is_text:
        yield column(" wanted", lambda m: m.wanted, Type.TEXT)


def _out_of_limits(row: ExportRow) -> str:
    return ", ".join(one.name for one in row.values if one.is_last and one.is_out)


@contextlib.contextmanager
def batch_log(
    journal: JournalReader, batch: str | Sequence[str], *, all_attempts: bool = False,
    secret: Callable[[str], str] | None = None,
) -> Iterator[BatchLog]:  # fmt: skip
    """Open the log of one or more batches, from one snapshot of the journal. ``secret``: as `BatchLog.secret`.

    Raises `BadInput` for a batch that was never opened, `JournalError` when the tables differ from the chained entries.
    """
    batches = require_batches(journal, batch)
    with journal.exporting(batches) as db:
        yield BatchLog(
            batches, all_attempts, partial(step_names, db, batches), partial(measured_values, db, batches),
            partial(export_rows, db, batches, all_attempts),
            {record.batch.id: record for one in batches if (record := journal.batch(one)) is not None},
            {one: figures_of(db, one) for one in batches}, {one: on_no_unit(db, one) for one in batches},
            {one: worked_on(db, one) for one in batches},
            failures(db, batches), hours(db, batches), newest_entry(db), partial(told_of, db),
            Signer(seal_key(journal.directory)), partial(count_tries, db, batches), secret,
        )  # fmt: skip
