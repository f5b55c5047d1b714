"""The batch log that an exporter writes: rows from the journal, and columns, each declared once with its type.

Independent of file formats.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ..figures import Figures
from ..journal.batch_seal import Signer, seal_key
from ..journal.entries import stamp
from ..journal.export_rows import (
    ExportRow,
    Measured,
    count_tries,
    export_rows,
    measured_values,
    require_batches,
    step_names,
)
from ..journal.passport_rows import Told, told_of
from ..journal.reader import JournalReader
from ..journal.records import AttemptRecord, BatchRecord
from ..journal.tallies import Failure, Hour, failures, figures_of, hours, newest_entry
from ..model import VERDICT_WORD, Measurement

Value = str | int | float | None


class Type(enum.Enum):
    """Type of a column's values, so that every format can write them in its own way."""

    TEXT = "text"  # preserved character for character
    NUMBER = "number"  # a whole number to sort and filter by; written as text if it is not one, or has over 9 digits
    SECONDS = "seconds"
    VALUE = "value"  # a measured value: a number in full precision, or a text
    TIME = "time"  # ISO 8601, UTC, milliseconds


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``value`` returns None, or "", for a row without a value in the journal."""

    name: str
    type: Type
    value: Callable[[ExportRow], Value]


def _fact(name: str, type_: Type, *facts: str) -> Column:
    if len(facts) == 1:
        return Column(name, type_, lambda row: row.facts.get(facts[0]))
    return Column(name, type_, lambda row: row.fact(*facts))


COLUMNS = (
    # names as in the vendor's device lists
    _fact("Device ID", Type.TEXT, "device_id"),
    _fact("Device Name", Type.TEXT, "name"),
    _fact("ICCID", Type.TEXT, "iccid"),
    _fact("IMEI", Type.TEXT, "imei"),
    _fact("Serial", Type.TEXT, "serial"),
    _fact("SKU", Type.TEXT, "sku"),
    _fact("Wi-Fi MAC Address", Type.TEXT, "mac"),
    _fact("Groups", Type.TEXT, "groups"),
    _fact("Owner", Type.TEXT, "owner"),
    _fact("Device OS Version", Type.TEXT, "device_os"),
    _fact("Product ID", Type.NUMBER, "product_id"),
    _fact("Platform ID", Type.NUMBER, "platform_id"),
    _fact("Platform Name", Type.TEXT, "platform_name", "platform"),
    _fact("Firmware Version", Type.NUMBER, "firmware_version"),
    # ours
    Column("Batch", Type.TEXT, lambda row: row.attempt.batch),
    Column("Attempt", Type.TEXT, lambda row: row.attempt.attempt),
    Column("Slot", Type.NUMBER, lambda row: row.attempt.slot),
    Column("Operator", Type.TEXT, lambda row: row.attempt.operator),
    Column("Profile Released By", Type.TEXT, lambda row: row.attempt.release),
    Column("Lots", Type.TEXT, lambda row: ", ".join(row.attempt.lots)),
    _fact("Protection Intended", Type.TEXT, "protection_intended"),
    _fact("Protection Observed", Type.TEXT, "protection"),
    Column("Started", Type.TIME, lambda row: stamp(row.attempt.started_at)),
    Column("Finished", Type.TIME, lambda row: stamp(at) if (at := row.attempt.finished_at) else None),
    Column("Seconds", Type.SECONDS, lambda row: row.attempt.seconds),
    Column("Verdict", Type.TEXT, lambda row: None if row.attempt.verdict is None else row.attempt.verdict.name),
    Column("Result", Type.TEXT, lambda row: None if row.attempt.verdict is None else VERDICT_WORD[row.attempt.verdict]),
    Column("First Judged", Type.TEXT, lambda row: row.judged[0].name if row.judged else None),
    Column("Judged Attempts", Type.NUMBER, lambda row: len(row.judged)),
    Column("Failed Step", Type.TEXT, lambda row: row.attempt.failed_step),
    Column("Reason", Type.TEXT, lambda row: row.attempt.reason),
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
        values = [column for one in self._measured() for column in _value_columns(one)]
        if values:
            values.append(Column("Out of Limits", Type.TEXT, _out_of_limits))
        secret = () if self.secret is None else (Column(SECRET, Type.TEXT, self.secret_of),)
        return (*COLUMNS, *secret, *(column for step in self._step_names() for column in _of_step(step)), *values)

    def secret_of(self, row: ExportRow) -> str:
        """Return the mobile secret of the unit of ``row``; "" where none is kept, or nobody may ask."""
        device_id = row.attempt.device_id
        return "" if self.secret is None or device_id is None else self.secret(device_id)

    def rows(self, *, detailed: bool = True) -> Iterator[ExportRow]:
        """Stream rows in the order their attempts started; ``detailed=False`` is faster, and enough for `columns`."""
        return self._rows(detailed=detailed)


def _of_step(step: str) -> tuple[Column, Column]:
    return (
        Column(step, Type.TEXT, lambda row: row.outcomes.get(step)),
        Column(f"{step} s", Type.SECONDS, lambda row: row.seconds.get(step)),
    )


def _value_columns(one: Measured) -> Iterator[Column]:
    name = f"{one.step}: {one.name}"

    def column(tail: str, told: Callable[[Measurement], Value], type_: Type = Type.VALUE) -> Column:
        def value(row: ExportRow) -> Value:
            found = next((m for m in row.measured.get(one.step, ()) if m.name == one.name), None)
            return None if found is None else told(found)

        return Column(name + tail, type_, value)

    yield column(f" ({one.unit})" if one.unit else "", lambda m: m.value)
    if one.has_low:
        yield column(" min", lambda m: m.low)
    if one.has_high:
        yield column(" max", lambda m: m.high)
    if one.is_text:
        yield column(" wanted", lambda m: m.wanted, Type.TEXT)


def _out_of_limits(row: ExportRow) -> str:
    return ", ".join(m.name for measured in row.measured.values() for m in measured if m.is_out)


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
            {one: figures_of(db, one) for one in batches}, failures(db, batches), hours(db, batches),
            newest_entry(db), partial(told_of, db), Signer(seal_key(journal.directory)),
            partial(count_tries, db, batches), secret,
        )  # fmt: skip
