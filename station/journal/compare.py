"""Compares the tables people query with the chain, by replaying the journal into empty tables.

An audit replays all of it; an export or a question only what concerns its units. A difference is reported down to the
column; nothing is repaired here.
"""

from __future__ import annotations

import datetime
import itertools
import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from ..errors import JournalDamaged, JournalError
from .batch_seal import KIND, checked
from .chain import Row, Tail, changed, flaw
from .counts import count_figures
from .migrations import fresh
from .projections import project
from .schema import DAMAGE, held_by
from .stored import rows, some_rows
from .tables import COUNTED, PROJECTIONS

Choice = Callable[[str], tuple[str, tuple[str, ...]]]
"""For each table a WHERE clause and its values."""

_BY_UNIT = frozenset({"units", "ids", "facts", "held_modules", "unit_lots", "digests", "serials"})
_BY_ATTEMPT = frozenset({"attempts", "attempt_lots", "steps", "measurements", "outbox", "writes"})
"""The other tables are few rows that belong to no unit: compared as a whole."""
_COUNTED = frozenset({
    "StationStarted", "OperatorChanged", "BatchOpened", "BatchClosed", "AttemptStarted", "UnitIdentified",
    "AttemptFinished", "AttemptAbandoned", "OutboxQueued", "OutboxSettled", "VerdictRevised", "LotScanned",
    "HandWorkBegun", "ConsoleOpened",
})  # fmt: skip
"""Kinds of entries that batches and attempts are made from."""
_SHOWN = 60
_AT_ONCE = 1000
"""Rows compared, or replayed, in one go."""
_BETWEEN_RESTS = 100
"""Entries, a few milliseconds of work."""


def check_all(db: sqlite3.Connection, rest: Callable[[], None] = lambda: None) -> Tail:
    """Follow the chain from its start and compare every table; return where it ends. ``rest`` is called in between.

    Raises `JournalError` naming the first entry or row that does not fit.
    """
    row: Tail | Row = Tail()
    with fresh() as replayed:
        for row in unbroken(db):
            _replay(replayed, row)
            if row.seq % _BETWEEN_RESTS == 0:
                rest()
        count_figures(replayed)
        _compare(db, replayed, _whole)
    _check_begins(db)
    _check_file(db)
    return Tail(row.seq, row.hash)


def unbroken(db: sqlite3.Connection) -> Iterator[Row]:
    """Yield all entries from the start of the chain. Raises `JournalError` at the first that does not fit."""
    before: Tail | Row = Tail()
    for row in rows(db):
        if (wrong := flaw(before, row)) is not None:
            raise tampered(wrong)
        if row.kind == KIND and isinstance(sealed := checked(row), str):
            raise tampered(sealed)
        yield row
        before = row


def possible(entries: Iterator[Row]) -> Iterator[Row]:
    """Yield ``entries``, all of a journal in order, while each can have happened after those before it: replays them.

    Raises `Impossible` at the first that cannot.
    """
    with fresh() as replayed:
        while some := list(itertools.islice(entries, _AT_ONCE)):  # each in turn is slower: two databases by turns
            for row in some:
                try:
                    datetime.datetime.fromisoformat(row.at)
                    project(replayed, row)
                except (JournalError, sqlite3.Error, *DAMAGE) as error:
                    if held_by(error) is not None:  # no room for the replay says nothing of the journal
                        raise
                    is_told = isinstance(error, JournalError)
                    why = str(error) if is_told else f"{type(error).__name__} {str(error)[:100]}"
                    raise Impossible(f"entry {row.seq} ({row.kind}) cannot have happened: {why}") from error
            yield from some


def check_counts(db: sqlite3.Connection) -> None:
    """Follow the chain and compare batches and attempts with it: all that figures are counted from.

    Raises `JournalError` as `check_all`, in a fraction of its time: steps and facts are not replayed.
    """
    with fresh() as replayed:
        for row in unbroken(db):
            if row.kind in _COUNTED:
                _replay(replayed, row)
        count_figures(replayed)
        _compare(db, replayed, _whole, ("batches", "attempts", "attempt_lots", "figures", "shares"))


def check_end(db: sqlite3.Connection, known: Tail | None) -> None:
    """Check that the log still reaches the entry ``known`` (None: nobody noted one) and every entry the tables name.

    Raises `JournalError` if it was truncated, emptied or replaced by an older copy.
    """
    if known is not None and known.seq:
        found = db.execute("SELECT lower(hex(hash)) AS hash FROM journal WHERE seq = ?", (known.seq,)).fetchone()
        if found is None or found["hash"] != known.hash:
            raise tampered(
                f"entry {known.seq}, the last one the station wrote, is not there any more; if an older copy was put"
                " back, put back the whole data directory"
            )
    last = db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]
    named = db.execute(
        "SELECT max(coalesce((SELECT max(max(started_seq, coalesce(finished_seq, 0))) FROM attempts), 0),"
        " coalesce((SELECT max(seq) FROM facts), 0), coalesce((SELECT max(seq) FROM steps), 0))"
    ).fetchone()[0]
    if named > last:
        raise tampered(f"the tables tell of entry {named}, the journal ends at {last}")


def check_since(db: sqlite3.Connection, known: Tail) -> Tail:
    """Do as `check_all` for the entries after ``known``, which `check_end` found in place, and for their units."""
    tail, units, attempts = known, set[str](), set[str]()
    for row in some_rows(db, "WHERE seq > ?", known.seq):
        if (wrong := flaw(tail, row)) is not None:
            raise tampered(wrong)
        values = row.values()
        units.add(values.get("device_id") or "")
        attempts.add(values.get("attempt") or "")
        tail = Tail(row.seq, row.hash)
    check_some(db, units - {""}, attempts - {""})
    return tail


_OF_NAMES = "SELECT number FROM names WHERE name IN (SELECT value FROM json_each({}))"
_BEGUN = "SELECT started_seq FROM attempts WHERE attempt IN (SELECT value FROM json_each(?))"
_CONCERNED = f"""SELECT seq FROM journal WHERE attempt IN ({_OF_NAMES.format("?")})
    UNION SELECT seq FROM journal WHERE unit IN ({_OF_NAMES.format("?")})
    UNION SELECT seq FROM journal WHERE attempt IS NULL AND unit IS NULL"""


def check_some(db: sqlite3.Connection, units: Collection[str], attempts: Collection[str] = ()) -> None:
    """Compare all rows of ``units`` and ``attempts`` with their entries, and these with their neighbours' hashes.

    Raises `JournalError` naming the first that does not fit.
    """
    named = _attempts_of(db, units, attempts)
    unit_list, attempt_list = json.dumps(sorted(units)), json.dumps(sorted(named))
    concerned = {row["seq"] for row in db.execute(_CONCERNED, (attempt_list, unit_list))}
    bound = json.dumps(sorted(concerned | {seq + 1 for seq in concerned}))

    def choice(table: str) -> tuple[str, tuple[str, ...]]:
        if table in _BY_UNIT:
            return "WHERE device_id IN (SELECT value FROM json_each(?))", (unit_list,)
        if table in _BY_ATTEMPT:
            return "WHERE attempt IN (SELECT value FROM json_each(?))", (attempt_list,)
        if table == "kept_rows":
            return f"WHERE started_seq IN ({_BEGUN})", (attempt_list,)
        return "", ()

    with fresh() as replayed:
        for row in some_rows(db, "WHERE seq IN (SELECT value FROM json_each(?))", bound):
            if (wrong := changed(row)) is not None:
                raise tampered(wrong)
            if row.seq in concerned:
                _replay(replayed, row)
        _compare(db, replayed, choice, [table for table in PROJECTIONS if table not in COUNTED])


def check_batches(db: sqlite3.Connection, batches: Sequence[str]) -> None:
    """Run `check_some` on every unit and attempt that the tables or the journal put into ``batches``."""
    wanted = json.dumps(list(batches))
    found = db.execute(
        """SELECT attempt, device_id FROM attempts WHERE batch IN (SELECT value FROM json_each(:wanted))
            UNION SELECT json_extract(body, '$.attempt'), json_extract(body, '$.device_id') FROM entries
            WHERE kind = 'AttemptStarted'
            AND json_extract(body, '$.batch') IN (SELECT value FROM json_each(:wanted))""",
        {"wanted": wanted},
    ).fetchall()
    check_some(db, {row[1] for row in found if row[1]}, {row[0] for row in found if row[0]})


def check_found(db: sqlite3.Connection, key: str, found: Collection[str]) -> None:
    """Run `check_some` on the units ``found``, and on those whose entries contain ``key`` (of `search_key`).

    If nothing was found, follow the whole chain: only it can show that no unit has this id.
    """
    for _ in () if found else unbroken(db):
        pass
    named = db.execute(
        """SELECT DISTINCT json_extract(body, '$.device_id') FROM entries
            WHERE kind IN ('AttemptStarted', 'UnitIdentified', 'UnitFacts', 'AttemptFinished')
            AND instr(lower(replace(replace(replace(body, ' ', ''), ':', ''), '-', '')), ?)""",
        (key,),
    )
    check_some(db, {row[0] for row in named if row[0]} | set(found))


def tampered(wrong: str) -> JournalError:
    """Return the error for whatever does not fit."""
    return JournalError(f"the journal was tampered with or damaged: {wrong}; keep the file and report it")


class Impossible(JournalError):
    """The chain holds so far, and an entry cannot have happened: a station would refuse to start on it."""


class TablesDiffer(JournalError):
    """The chain is intact but a table differs from it: the tables can be rebuilt from the journal."""


def _attempts_of(db: sqlite3.Connection, units: Collection[str], attempts: Collection[str]) -> set[str]:
    """Return ``attempts`` and every attempt on one of ``units``."""
    found = db.execute(
        f"""SELECT attempt FROM attempts WHERE device_id IN (SELECT value FROM json_each(:units))
            UNION SELECT name FROM names WHERE number IN (
                SELECT attempt FROM journal WHERE unit IN ({_OF_NAMES.format(":units")}))""",
        {"units": json.dumps(sorted(units))},
    )
    return {row[0] for row in found if row[0]} | set(attempts)


def _replay(replayed: sqlite3.Connection, row: Row) -> None:
    try:
        project(replayed, row)
    except (JournalError, sqlite3.Error) as error:
        if held_by(error) is not None:  # no room for the replay says nothing of the journal
            raise
        raise tampered(f"entry {row.seq} ({row.kind}) cannot have happened: {error}") from error


def _check_begins(db: sqlite3.Connection) -> None:
    """Check the one character of a kept body that no hash tells of: what comes before it stands in columns."""
    told = "SELECT min(seq) AS seq FROM journal WHERE slot IS NOT NULL AND substr(body, 1, 1) IS NOT '{'"
    if (seq := db.execute(told).fetchone()["seq"]) is not None:
        raise tampered(f"entry {seq} was changed after it was written: its body does not begin with a brace")


def _check_file(db: sqlite3.Connection) -> None:
    """Check the file itself: its pages and indexes, and that no table or trigger is missing or changed."""
    said = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if said != "ok":
        raise JournalDamaged(str(tampered(f"the file is damaged ({' '.join(said.split())})")))
    check_made_here(db)


def check_made_here(db: sqlite3.Connection) -> None:
    """Check that no table, view, index or trigger is missing, changed or too many; for the newest schema only."""
    objects = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    with fresh() as empty:
        wanted = {tuple(row) for row in empty.execute(objects)}
    found = {tuple(row) for row in db.execute(objects)}
    for kind, name, _ in sorted(wanted ^ found):
        raise tampered(f"the {kind} {name} is not as the station made it")


def _whole(_table: str) -> tuple[str, tuple[str, ...]]:
    return "", ()


def _compare(
    db: sqlite3.Connection, replayed: sqlite3.Connection, choice: Choice, tables: Sequence[str] = PROJECTIONS
) -> None:
    """Raise `TablesDiffer` for the first row that is missing, extra or different in the replay."""
    for table in tables:
        keys = _keys(replayed, table)
        where, values = choice(table)
        sql = f"SELECT * FROM {table} {where} ORDER BY {', '.join(keys)}"
        for held, told in _differing(db.execute(sql, values), replayed.execute(sql, values)):
            if held is None or told is None or held != told:
                raise TablesDiffer(
                    f"the tables differ from the journal: {_difference(table, keys, held, told)}; do not trust the"
                    " tables (the next start of the station makes them again from the journal), and report it"
                )


_Values = dict[str, Any]
"""A row: column -> value."""


def _differing(held: sqlite3.Cursor, told: sqlite3.Cursor) -> Iterator[tuple[_Values | None, _Values | None]]:
    """Yield the rows of the first lot that differs, in pairs; equal lots, nearly all, are compared as a whole."""
    held.row_factory = told.row_factory = None
    while (some := held.fetchmany(_AT_ONCE)) and some == (others := told.fetchmany(_AT_ONCE)):
        pass
    names = [column[0] for column in held.description]
    for one, other in itertools.zip_longest(some, others if some else told.fetchmany(1)):
        yield one and dict(zip(names, one, strict=True)), other and dict(zip(names, other, strict=True))


def _keys(db: sqlite3.Connection, table: str) -> tuple[str, ...]:
    info = db.execute(f"PRAGMA table_info({table})").fetchall()
    return tuple(row["name"] for row in sorted(info, key=lambda row: row["pk"]) if row["pk"])


def _difference(table: str, keys: Sequence[str], held: _Values | None, told: _Values | None) -> str:
    """Say which row and column differ, what the table has and what the journal says."""
    if held is None or told is None or any(held[key] != told[key] for key in keys):
        alone = min((row for row in (held, told) if row is not None), key=lambda row: [str(row[key]) for key in keys])
        return f"{table} {_named(alone, keys)} stands in one of them only"
    column = next(name for name in held if held[name] != told[name])
    return f"{table} {_named(held, keys)} has {column} {_shown(held[column])}, the journal says {_shown(told[column])}"


def _named(row: _Values, keys: Sequence[str]) -> str:
    return " ".join(str(row[key])[:_SHOWN] for key in keys)


def _shown(value: Any) -> str:
    return repr(value)[:_SHOWN]
