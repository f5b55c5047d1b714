"""Finds units and attempts by whatever a person has: a number or a part of it, a lot, a hash, a time, a verdict, words.

The words are tried as one thing after another, the most exact first; the first that finds something counts, and the
answer says which that was. Every page is one statement that begins where the page before ended.
"""

from __future__ import annotations

import datetime
import enum
import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import BadInput
from ..model import VERDICT_WORD, Verdict
from .answers import ATTEMPTS, attempt_record
from .entries import stamp
from .module_facts import hash_prefix, prefix_range
from .records import AttemptRecord
from .unit_facts import search_key

PAGE = 50
"""Rows of a page, where nobody asks for another number."""
MIN_END, MIN_PART, MIN_HASH, MIN_FILE = 3, 4, 6, 8
"""Fewer characters are the end of too many ids, a part of too many, or the begin of too many hashes, to name one."""
AFTER_ALL = "\U0010ffff"
"""Sorts after whatever an id may go on with."""


class Kind(enum.StrEnum):
    """What the words were taken for, in the order of trying."""

    UNIT = "unit"  # a whole Device ID, serial, ICCID, IMEI or MAC a unit has or had, or an attempt
    BATCH = "batch"
    LOT = "lot"  # of parts, with or without the part it is of
    END = "end"  # the last characters of an id
    MODULE = "module"  # the hash, or its begin, of a firmware module the unit holds
    FILE = "file"  # the SHA-256, or its begin, of a firmware file, and behind it modules that the asker knows it holds
    LABEL = "label"  # a part of what a person calls the unit
    PART = "part"  # a part of any id it has or had
    BADGE = "badge"  # of the operator
    REASON = "reason"  # words of a reason, its code, or the step an attempt ended in
    ATTEMPTS = "attempts"  # nothing but a verdict, a slot, a span of time, or several of them


OF_UNITS = frozenset({Kind.UNIT, Kind.END, Kind.MODULE, Kind.FILE, Kind.LABEL, Kind.PART})
"""What names units and not attempts."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: ``text`` as ``kind``, of attempts in that slot, with that verdict, started in that span.

    ``words``: all that was said, where any of these was taken out of it: a batch may be called like a day.
    """

    text: str
    kind: Kind | None = None  # None: whatever finds something
    verdict: Verdict | None = None
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    words: str = ""
    slot: int | None = None

    @property
    def is_of_units(self) -> bool:
        """Whether a row is a unit, with its last attempt; else a row is an attempt."""
        return self.kind in OF_UNITS and not self.is_narrowed

    @property
    def is_narrowed(self) -> bool:
        """Whether attempts of one verdict, one slot or one span are sought."""
        return any(one is not None for one in (self.verdict, self.slot, self.since, self.until))


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A unit and one of its attempts: the one found, or its last. One of them may be missing."""

    device_id: str | None
    platform: str
    label: str
    attempt: AttemptRecord | None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """One page of what was found. ``after``: what to ask the next page with, "" if this was the last."""

    sought: Sought
    rows: tuple[FoundRow, ...]
    after: str = ""


# --- what the words say ----------------------------------------------------------------------

_DAY, _CLOCK = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d(?::\d\d)?"
_SPAN = re.compile(
    rf"(?<![\w.-])(?:(?P<a>{_DAY}(?:[ T]{_CLOCK})?)(?:(?P<dots>\.\.)(?P<b>{_DAY}(?:[ T]{_CLOCK})?|{_CLOCK})?)?"
    rf"|\.\.(?P<c>{_DAY}(?:[ T]{_CLOCK})?))(?![\w.-])"
)
_DAYS_AGO = {"today": 0, "yesterday": 1}
_NAMED_DAY = re.compile(rf"(?<![\w-])({'|'.join(_DAYS_AGO)})(?![\w-])", re.IGNORECASE)
_SPAN_OF_TODAY = re.compile(rf"(?<![\w.:-])(?<!\d{{4}}-\d\d-\d\d ){_CLOCK}\.\.(?:{_CLOCK})?(?![\w.:-])")
_SLOT = re.compile(r"(?<!\w)slot (\d{1,3})(?!\w)", re.IGNORECASE)
_YEARS = range(1970, 9000)
"""At either end of the calendar a time has none in another zone."""
_VERDICTS = {verdict.name: verdict for verdict in Verdict} | {word: verdict for verdict, word in VERDICT_WORD.items()}
_VERDICT = re.compile(rf"(?<!\w)({'|'.join(sorted(_VERDICTS, key=len, reverse=True))})(?!\w)")


def sought_in(words: str, tz: datetime.tzinfo | None = None, *, now: datetime.datetime | None = None) -> Sought:
    """Take a span of time, a verdict and a slot (``slot 3``) out of ``words``; the rest is the text to look for.

    A span: ``2026-11-29``, ``2026-11-29 10:00..11:00``, ``2026-11-28..2026-11-29``, ``..2026-11-29``; a bare time or
    day lasts a minute, a second or a day, as it is written. ``now``: makes ``today``, ``yesterday`` and
    ``10:00..11:00`` spans, too. ``tz`` None: the machine's zone. Raises `BadInput`.
    """
    text, since, until = words.strip(), None, None
    if now is not None:
        text = _dated(text, now.astimezone(tz).date())
    if span := _SPAN.search(text):
        since, until = _span_of(span, tz)
        text = text[: span.start()] + text[span.end() :]
    verdict = None
    if told := _VERDICT.search(text) or _VERDICT.fullmatch(text.strip().upper()):
        verdict, text = _VERDICTS[told[1]], text[: told.start()] + text[told.end() :]
    slot = None
    if place := _SLOT.search(text):
        slot, text = int(place[1]), text[: place.start()] + text[place.end() :]
    text = " ".join(text.split())
    return Sought(text, None, verdict, since, until, "" if text == words.strip() else words.strip(), slot)


def _dated(text: str, today: datetime.date) -> str:
    """Write the days that are named by today, and the spans of today, with their dates."""
    text = _NAMED_DAY.sub(lambda day: str(today - datetime.timedelta(days=_DAYS_AGO[day[1].lower()])), text)
    return _SPAN_OF_TODAY.sub(lambda span: f"{today} {span[0]}", text)


def _span_of(
    found: re.Match[str], tz: datetime.tzinfo | None
) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    begin, dots, end = found["a"], found["dots"], found["b"] or found["c"]
    if begin is None:
        return None, moment_in(end, tz)[1]
    if end is not None and "-" not in end:
        end = f"{begin[:10]} {end}"
    since, its_end = moment_in(begin, tz)
    if dots is None:
        return since, its_end
    return since, None if end is None else moment_in(end, tz)[1 if len(end) == len("2026-11-29") else 0]


def moment_in(text: str, tz: datetime.tzinfo | None = None) -> tuple[datetime.datetime, datetime.datetime]:
    """Return when a day, a minute or a second begins and when it is over. Raises `BadInput` for no such time."""
    try:
        begin = datetime.datetime.fromisoformat(text)
        if begin.year not in _YEARS:
            raise ValueError
    except ValueError:
        raise BadInput(f"{text!r} is no time, expected 2026-11-29 or 2026-11-29 10:00; correct it") from None
    lasts = {10: datetime.timedelta(days=1), 16: datetime.timedelta(minutes=1)}
    end = begin + lasts.get(len(text), datetime.timedelta(seconds=1))
    if begin.tzinfo is None:
        begin, end = (at.astimezone() if tz is None else at.replace(tzinfo=tz) for at in (begin, end))
    return begin.astimezone(datetime.UTC), end.astimezone(datetime.UTC)


# --- how each kind is asked for --------------------------------------------------------------

_Values = Mapping[str, Any]
_Asked = tuple[str, _Values]
"""A condition in SQL, and its values: of a column device_id for a kind of units, else of a row of attempts."""


def _unit(_db: sqlite3.Connection, text: str) -> _Asked | None:
    key = search_key(text)[::-1]
    sql = "SELECT device_id FROM ids WHERE backwards = :key UNION SELECT device_id FROM attempts WHERE attempt = :text"
    return (sql, {"key": key, "text": text.lower()}) if key else None


def _end(_db: sqlite3.Connection, text: str) -> _Asked | None:
    key = search_key(text)[::-1]
    sql = "SELECT DISTINCT device_id FROM ids WHERE backwards >= :key AND backwards < :beyond"
    return (sql, {"key": key, "beyond": key + AFTER_ALL}) if len(key) >= MIN_END else None


def _module(_db: sqlite3.Connection, text: str) -> _Asked | None:
    if not re.fullmatch(rf"[0-9a-fA-F]{{{MIN_HASH},64}}", text):
        return None
    least, most = prefix_range(text)
    return (
        "SELECT DISTINCT device_id FROM held_modules WHERE image BETWEEN :least AND :most",
        {"least": least, "most": most},
    )


def _file(db: sqlite3.Connection, text: str) -> _Asked | None:
    digits, *modules = text.split() or [""]
    if not re.fullmatch(rf"[0-9a-fA-F]{{{MIN_FILE},64}}", digits):
        return None
    hashes = (*modules_of_file(db, digits), *modules)
    images = {str(image) for one in hashes if (image := hash_prefix(one)) is not None}  # one by one: nothing to sort
    return f"SELECT DISTINCT device_id FROM held_modules WHERE image IN ({', '.join(images)})", {}


_MODULES = """SELECT module.value
    FROM journal, json_each(journal.body, '$.files') AS file, json_each(file.value) AS module
    WHERE unit IS NULL AND attempt IS NULL AND kind = (SELECT number FROM names WHERE name = 'FirmwareNamed')
    AND seq > 0 AND substr(json_extract(file.value, '$[1]'), 1, length(?1)) = ?1 AND module.key > 1 ORDER BY seq"""


def modules_of_file(db: sqlite3.Connection, digits: str) -> tuple[str, ...]:
    """Return the SHA-256 of each module in the firmware files that begin so; none of files no profile here named."""
    return tuple(str(row[0]) for row in db.execute(_MODULES, (digits.lower(),)))


def _label(_db: sqlite3.Connection, text: str) -> _Asked | None:
    sql = "SELECT device_id FROM units WHERE instr(upper(label), :text)"
    return (sql, {"text": text.upper()}) if len(text) >= MIN_PART else None


def _part(_db: sqlite3.Connection, text: str) -> _Asked | None:
    key = search_key(text)[::-1]
    return ("SELECT DISTINCT device_id FROM ids WHERE instr(backwards, :key)", {"key": key}) if len(key) >= 4 else None


def _batch(_db: sqlite3.Connection, text: str) -> _Asked | None:
    return "batch = :text", {"text": text}


def _lot(_db: sqlite3.Connection, text: str) -> _Asked | None:
    part, equals, lot = text.rpartition("=")
    sql = "lot = :lot COLLATE NOCASE{}"
    return sql.format(" AND part = :part COLLATE NOCASE" if equals else ""), {"lot": lot, "part": part}


def _reason(_db: sqlite3.Connection, text: str) -> _Asked | None:
    sql = """verdict IN ('FAIL', 'ABORTED', 'ERROR', 'PENDING') AND (failed_step = :text OR instr(lower(reason), :text)
        OR instr(replace(sentence, '_', ' '), replace(:text, '_', ' ')))"""
    return (sql, {"text": text.lower()}) if len(text) >= MIN_END else None


def _badge(_db: sqlite3.Connection, text: str) -> _Asked | None:
    # the few badges of the tally are asked first: attempts have no index of them
    sql = ":text IN (SELECT value FROM shares WHERE told_by = 'operator') AND operator = :text"
    return sql, {"text": text}


_KINDS: dict[Kind, Callable[[sqlite3.Connection, str], _Asked | None]] = {
    Kind.UNIT: _unit, Kind.BATCH: _batch, Kind.LOT: _lot, Kind.END: _end, Kind.MODULE: _module, Kind.FILE: _file,
    Kind.LABEL: _label, Kind.PART: _part, Kind.BADGE: _badge, Kind.REASON: _reason,
}  # fmt: skip


# --- pages -----------------------------------------------------------------------------------


def found_page(db: sqlite3.Connection, sought: Sought, after: str = "", limit: int = PAGE) -> FoundPage:
    """Return up to ``limit`` rows of what is ``sought``, attempts newest first, units by Device ID.

    The sought of the page says what the words were taken for; nothing found leaves its kind None.
    """
    if sought.kind is None and sought.words:
        page = _page(db, Sought(sought.words, Kind.BATCH), after, limit)
        if page.rows:
            return page
    if sought.kind is not None or not sought.text:
        return _page(db, sought if sought.text else replace(sought, kind=Kind.ATTEMPTS), after, limit)
    for kind in _KINDS:
        page = _page(db, replace(sought, kind=kind), after, limit)
        if page.rows:
            return page
    return FoundPage(sought, ())


def count_found(db: sqlite3.Connection, sought: Sought) -> int:
    """Count all rows of what is ``sought``, whose kind must be known."""
    where, values = _where(db, sought)
    if where is None:
        return 0
    table = f"({where})" if sought.is_of_units else f"attempts WHERE {where}"
    return int(db.execute(f"SELECT count(*) FROM {table}", values).fetchone()[0])


_OF_LOT = "attempt IN (SELECT attempt FROM attempt_lots CROSS JOIN attempts USING (attempt) WHERE {})"
_NEWEST_OF_LOT = _OF_LOT.format("{} AND begun_seq < :seq GROUP BY begun_seq ORDER BY begun_seq DESC LIMIT :limit")
"""A page of a lot that may have made a hundred thousand units: walked by its index, no further than the page goes."""


def _where(db: sqlite3.Connection, sought: Sought, of_lot: str = _OF_LOT) -> tuple[str | None, dict[str, Any]]:
    """Return the statement that lists Device IDs, or the condition of attempts; None where the words cannot be that."""
    asked = _KINDS[sought.kind](db, sought.text) if sought.kind in _KINDS else ("", {})
    if asked is None:
        return None, {}
    sql, values = asked
    if sought.is_of_units:
        return sql, dict(values)
    spans = {"started_at >= :since": sought.since, "started_at < :until": sought.until}
    parts = [f"device_id IN ({sql})" if sought.kind in OF_UNITS else sql] if sql else []
    parts += [condition for condition, at in spans.items() if at is not None]
    parts += ["verdict = :verdict"] * (sought.verdict is not None) + ["slot = :slot"] * (sought.slot is not None)
    times = {name: at and stamp(at) for name, at in (("since", sought.since), ("until", sought.until))}
    where = " AND ".join(parts) or "1"
    where = of_lot.format(where) if sought.kind is Kind.LOT else where
    return where, {**values, **times, "verdict": sought.verdict and sought.verdict.name, "slot": sought.slot}


def _page(db: sqlite3.Connection, sought: Sought, after: str, limit: int) -> FoundPage:
    is_by_time = bool(sought.since or sought.until)
    where, values = _where(db, sought, _OF_LOT if is_by_time else _NEWEST_OF_LOT)
    if where is None:
        return FoundPage(sought, ())
    if sought.is_of_units:
        ids = [row[0] for row in db.execute(
            f"SELECT device_id FROM ({where}) WHERE device_id > :after ORDER BY device_id LIMIT :limit",
            {**values, "after": after, "limit": limit + 1},
        )]  # fmt: skip
        rows = tuple(_of_unit(db, device_id) for device_id in ids[:limit])
        return FoundPage(sought, rows, ids[limit - 1] if len(ids) > limit else "")
    at, seq = json.loads(after) if after else (AFTER_ALL, 2**62)
    order = "started_at DESC, started_seq DESC" if is_by_time else "started_seq DESC"
    begins = "(started_at, started_seq) < (:at, :seq)" if is_by_time else "started_seq < :seq"
    found = db.execute(
        f"{ATTEMPTS} WHERE {where} AND {begins} ORDER BY {order} LIMIT :limit",
        {**values, "at": at, "seq": seq, "limit": limit + 1},
    ).fetchall()
    last = found[limit - 1] if len(found) > limit else None
    next_page = "" if last is None else json.dumps([last["started_at"], last["started_seq"]])
    return FoundPage(sought, tuple(_of_attempt(db, row) for row in found[:limit]), next_page)


def _of_unit(db: sqlite3.Connection, device_id: str) -> FoundRow:
    last = db.execute(f"{ATTEMPTS} WHERE device_id = ? ORDER BY started_seq DESC LIMIT 1", (device_id,)).fetchone()
    return FoundRow(device_id, *_named(db, device_id), None if last is None else attempt_record(last))


def _of_attempt(db: sqlite3.Connection, row: sqlite3.Row) -> FoundRow:
    attempt = attempt_record(row)
    return FoundRow(attempt.device_id, *_named(db, attempt.device_id), attempt)


def _named(db: sqlite3.Connection, device_id: str | None) -> tuple[str, str]:
    row = db.execute("SELECT platform, label FROM units WHERE device_id = ?", (device_id,)).fetchone()
    return ("", "") if row is None else (row["platform"], row["label"])
