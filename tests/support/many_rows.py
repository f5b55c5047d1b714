"""Writes a journal of a million units directly into its tables: chained rows, as the station's own code leaves them.

``PYTHONPATH=tests python -m support.many_rows DIRECTORY UNITS``. Two units are recorded by the station's code; all
others are copies of their rows under other names, at other times, with hashes of their own. A unit has 20 ends of
steps; every tenth one failed once before. `bench_million` verifies a small one as a whole.
"""

from __future__ import annotations

import datetime
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from drivers.clock import SimulatedClock
from station.engine.events import (
    AttemptFinished,
    AttemptStarted,
    BatchOpened,
    Event,
    Head,
    StepFinished,
    UnitIdentified,
)
from station.engine.records import FirmwareNamed, LotScanned, UnitFacts
from station.journal import JOURNAL_FILE, Entry, Journal
from station.journal.chain import Tail, hash_of
from station.journal.counts import count_figures
from station.journal.seal import Seal, look_of, write_seal
from station.journal.stored import tail_of
from station.journal.tables import COUNTED
from station.journal.unit_facts import search_key
from station.journal.writer import append
from station.model import Batch, IdentityFact, Measurement, Outcome, ProfileRef, Verdict

STATION = "bench-1"
BATCH_UNITS = 100_000
STEPS = tuple(f"step_{number:02d}" for number in range(20))
NO_RADIO = "the radio did not answer: asked twice, expected an IMEI; put the unit into the red bin"
MODULES = {"bootloader": "1100", "softdevice": "512", "system-part1": "6305", "user-part": "7"}
_BEGIN = datetime.datetime(2026, 1, 5, 6, 0, tzinfo=datetime.UTC)
_EVERY_S = 20
_CHUNK = 2000
_SEQS = frozenset({"seq", "started_seq", "finished_seq", "begun_seq"})
_OF_UNIT, _OF_ATTEMPT = "WHERE device_id = :unit", "WHERE attempt IN (:attempt, :failed)"
_COPIED = {
    "units": _OF_UNIT, "ids": _OF_UNIT, "facts": _OF_UNIT, "held_modules": _OF_UNIT, "attempts": _OF_UNIT,
    "attempt_lots": _OF_ATTEMPT, "steps": _OF_ATTEMPT, "measurements": _OF_ATTEMPT,
    "kept_rows": f"JOIN attempts USING (started_seq) {_OF_UNIT}",
}  # fmt: skip
"""Projections with rows of units; what is counted is counted at the end."""


def unit_id(number: int) -> str:
    return f"e00fce68{number:016x}"


def serial(number: int) -> str:
    return f"P044AB{number * 7919 % 10_000_000:07d}Z7"


def batch_of(number: int) -> str:
    return f"order-{number // BATCH_UNITS + 1:03d}"


def module_hash(number: int, name: str) -> str:
    """Return the hash of a module, which all units of one batch hold."""
    return f"{sorted(MODULES).index(name) + 1:x}{number // BATCH_UNITS:03x}".ljust(64, "5")


def file_hash(number: int) -> str:
    """Return the hash of the file with the bootloader of a batch."""
    return f"f{number // BATCH_UNITS:03x}".ljust(64, "6")


def took(number: int, place: int) -> str:
    """Return the seconds of a step. Those of one unit differ in their decimals, none ends with 0: each is one text."""
    return f"{place}.{(number * 370 + place * 54 + 101) % 1000:03d}"


def names_of(number: int) -> dict[str, str]:
    """Return all that differs between units, by the name it has in `_copier`."""
    at = _BEGIN + datetime.timedelta(seconds=_EVERY_S * number)
    return {
        "unit": unit_id(number), "serial": serial(number), "iccid": f"8988307{number:013d}",
        "imei": f"35175{number:010d}", "attempt": f"a-{number:012x}", "failed": f"a-f{number:011x}",
        "batch": batch_of(number), "lot": f"{2200 + number // BATCH_UNITS}-A",
        "time": at.isoformat(timespec="milliseconds"), "port": f"9-1.4.{number % 16 + 1:02d}",
        **{f"hash_{place}": module_hash(number, name) for place, name in enumerate(sorted(MODULES))},
        **{f"took_{place}": took(number, place) for place in range(len(STEPS))},
    }  # fmt: skip


def opening(number: int) -> tuple[Event, ...]:
    """Tell what comes before the first unit of a batch."""
    batch, lot = batch_of(number), names_of(number)["lot"]
    profile = ProfileRef("widget-boron", 7, f"{number:064x}")
    return (
        BatchOpened(at=_BEGIN, batch=Batch(batch, profile, BATCH_UNITS), title="WIDGET"),
        FirmwareNamed(at=_BEGIN, files=(("bootloader.bin", file_hash(number), module_hash(number, "bootloader")),)),
        LotScanned(at=_BEGIN, batch=batch, part="ANT", lot=lot),
    )


def story(number: int) -> Iterator[Event]:
    """Tell what a station records of one unit."""
    if number % 10 == 9:
        yield from walk(number, names_of(number)["failed"], Verdict.FAIL)
    yield from walk(number, names_of(number)["attempt"])


def walk(number: int, attempt: str, verdict: Verdict = Verdict.PASS) -> Iterator[Event]:
    """Tell one attempt on unit ``number``."""
    name = names_of(number)
    at = datetime.datetime.fromisoformat(name["time"])
    head: Head = {"at": at, "slot": number % 16 + 1, "device_id": name["unit"], "attempt": attempt}
    yield AttemptStarted(port_path=name["port"], batch=name["batch"], profile="widget", steps=STEPS, **head)
    read = {"device_id": name["unit"], "serial": name["serial"], "iccid": name["iccid"], "imei": name["imei"]}
    facts = [IdentityFact(*fact, "request 21") for fact in (*read.items(), ("platform_id", "13"), ("sku", "BRN404X"))]
    yield UnitIdentified(platform="boron", label=name["serial"], facts=tuple(facts), **head)
    held = [
        IdentityFact(f"module {module}", f"{MODULES[module]} {name[f'hash_{place}']}", "module info")
        for place, module in enumerate(sorted(MODULES))
    ]
    yield UnitFacts(facts=tuple(held), **head)
    steps = STEPS if verdict is Verdict.PASS else STEPS[:3]
    for place, step in enumerate(steps):
        is_bad = verdict is Verdict.FAIL and step == steps[-1]
        measured = (Measurement("after", 1.5, "s", None, 120.0),) if place == 18 else ()
        yield StepFinished(
            step=step, outcome=Outcome.FAILED if is_bad else Outcome.DONE, reason=NO_RADIO if is_bad else "",
            proof="" if is_bad else "read back equal: 3 of 3 fields", seconds=float(took(number, place)),
            measurements=measured, **head,
        )  # fmt: skip
    reason, failed = (NO_RADIO, steps[-1]) if verdict is Verdict.FAIL else ("", "")
    yield AttemptFinished(
        verdict=verdict, batch=name["batch"], failed_step=failed, reason=reason, seconds=29.5, **head
    )  # fmt: skip


# --- copies ----------------------------------------------------------------------------------

Made = dict[str, list[tuple[Any, ...]]]
Copier = Callable[[dict[str, str], int, int, int], Made]
"""Makes the rows of one unit from its names, the entry before it, the number of its first name and its slot."""


def _copier(db: sqlite3.Connection, number: int) -> tuple[Copier, list[tuple[str, Any]]]:
    """Return what copies the rows of unit ``number``, and kind and body of each of its entries, to be filled in."""
    names = names_of(number)
    (first,) = db.execute(
        "SELECT min(seq) FROM journal JOIN names ON number = unit WHERE name = ?", (names["unit"],)
    ).fetchone()
    own = [row["number"] for row in db.execute("SELECT number, name FROM names") if row["name"] in names.values()]
    makers: dict[str, list[str]] = {}
    for table, whose in _COPIED.items():
        found = db.execute(f"SELECT {table}.* FROM {table} {whose}", names)
        columns = [column[0] for column in found.description]
        makers[table] = [_row_maker(columns, tuple(row), names, first) for row in found]
    entries = db.execute(
        "SELECT j.kind, j.slot, j.unit, j.attempt, j.body, e.kind AS name, e.body AS whole FROM journal j"
        " JOIN entries e USING (seq) WHERE j.seq >= ? AND j.unit = (SELECT number FROM names WHERE name = ?)"
        " ORDER BY seq",
        (first, names["unit"]),
    ).fetchall()
    makers["journal"] = [
        f"({row['kind']}, slot, named + {own.index(row['unit'])}, named + {own.index(row['attempt'])},"
        f" {_text(row['body'], names)}, {_text(row['whole'], names, row['slot'])}, {row['name']!r})"
        for row in entries
    ]
    makers["names"] = [
        f"(named + {place}, {_text(row['name'], names)})"
        for place, row in enumerate(
            db.execute("SELECT name FROM names WHERE number IN ({})".format(", ".join(map(str, own))))
        )
    ]
    lists = ", ".join(f"{table!r}: [{', '.join(rows)}]" for table, rows in makers.items())
    code = f"lambda n, seq, named, slot: {{{lists}}}"
    return eval(code, {"backwards": lambda text: search_key(text)[::-1]}), entries


def _row_maker(columns: Sequence[str], row: tuple[Any, ...], names: dict[str, str], first: int) -> str:
    made = []
    for column, value in zip(columns, row, strict=True):
        if column in _SEQS:
            made.append(f"seq + {value - first}")
        elif column == "slot":
            made.append("slot")
        elif column == "seconds" and str(value) in names.values():
            made.append(f"float(n['{next(key for key in names if names[key] == str(value))}'])")
        elif column == "image":
            place = next(key for key in names if key.startswith("hash_") and int(names[key][:15], 16) == value)
            made.append(f"int(n['{place}'][:15], 16)")
        elif column == "backwards":
            made.append(next(f"backwards(n['{key}'])" for key in names if search_key(names[key])[::-1] == value))
        else:
            made.append(_text(value, names) if isinstance(value, str) else repr(value))
    return f"({', '.join(made)})"


def _text(value: str, names: dict[str, str], slot: int | None = None) -> str:
    """Return an f-string that gives ``value`` with the names, and the ``slot`` of its head, of another unit."""
    source = repr(value.replace("{", "{{").replace("}", "}}"))
    if slot is not None:
        source = source.replace(f'{{{{"slot":{slot},', '{{"slot":{slot},', 1)
    quote = '"' if source[0] == "'" else "'"
    for key, name in names.items():
        source = source.replace(name, f"{{n[{quote}{key}{quote}]}}")
    return f"f{source}"


# --- the whole -------------------------------------------------------------------------------


def build(directory: Path, units: int, tell: Callable[[str], object] = lambda _text: None) -> None:
    """Make the journal in ``directory``, closed as a station closes it."""
    Journal.open(directory, STATION, SimulatedClock()).close()
    with sqlite3.connect(directory / JOURNAL_FILE, isolation_level=None) as db:
        db.row_factory = sqlite3.Row
        for pragma in ("synchronous = OFF", "cache_size = -600000", "wal_autocheckpoint = 200000"):
            db.execute(f"PRAGMA {pragma}")
        tail = tail_of(db)
        db.execute("BEGIN")
        for number in (0, 9):
            events = (*(opening(number) if number == 0 else ()), *story(number))
            tail = append(db, STATION, tail, [Entry.from_event(event) for event in events])
        copiers = [_copier(db, number)[0] for number in (0, 9)]
        later = db.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).fetchall()
        for row in later:
            db.execute(f"DROP {row['type']} {row['name']}")
        db.execute("COMMIT")
        named = db.execute("SELECT max(number) + 1 FROM names").fetchone()[0]
        station = db.execute("SELECT number FROM names WHERE name = ?", (STATION,)).fetchone()[0]
        for begin in range(0, units, _CHUNK):
            db.execute("BEGIN")
            tail, named = _chunk(db, range(begin, min(begin + _CHUNK, units)), copiers, tail, named, station)
            db.execute("COMMIT")
            if begin % (50 * _CHUNK) == 0:
                tell(f"{begin:,} units")
        db.execute("BEGIN")
        for row in later:
            db.execute(row["sql"])
        for table in COUNTED:
            db.execute(f"DELETE FROM {table}")
        count_figures(db)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    write_seal(directory, Seal(tail, look_of(directory, settle=True)))


def _chunk(
    db: sqlite3.Connection, numbers: range, copiers: Sequence[Copier], tail: Tail, named: int, station: int
) -> tuple[Tail, int]:
    rows: Made = {}
    for number in numbers:
        if number in (0, 9):
            continue
        if number % BATCH_UNITS == 0:
            _insert(db, rows)
            rows = {}
            tail = append(db, STATION, tail, [Entry.from_event(event) for event in opening(number)])
            named = db.execute("SELECT max(number) + 1 FROM names").fetchone()[0]
        names = names_of(number)
        made = copiers[number % 10 == 9](names, tail.seq + 1, named, number % 16 + 1)
        milliseconds = int(datetime.datetime.fromisoformat(names["time"]).timestamp() * 1000)
        chained = []
        for kind, slot, unit, attempt, body, whole, kind_name in made.pop("journal"):
            digest = hash_of(STATION, tail.seq + 1, names["time"], kind_name, whole, tail.hash)
            tail = Tail(tail.seq + 1, digest)
            chained.append((tail.seq, station, milliseconds, kind, slot, unit, attempt, body, bytes.fromhex(digest)))
        rows.setdefault("journal", []).extend(chained)
        named += len(made["names"])
        for table, some in made.items():
            rows.setdefault(table, []).extend(some)
    _insert(db, rows)
    return tail, named


def _insert(db: sqlite3.Connection, rows: Made) -> None:
    for table in ("names", "journal", *_COPIED):
        if some := rows.get(table):
            db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(some[0]))})", some)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]), lambda text: sys.stderr.write(f"{text}\n"))
