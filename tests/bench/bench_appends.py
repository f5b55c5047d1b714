"""Appends beside bare sqlite3: same pragmas, as many threads, each waiting for the commit of one writer thread.

Reported, not asserted: ``pytest tests/bench/bench_appends.py``. Bare sqlite3 writes ready-made rows: in one run the log
alone, each entry as one row of text; in the other the log and the tables people query, with the journal's own schema.
It builds no entry, and hashes, projects and checks nothing. ``kB`` is what the process hands to the disk per append, by
``/proc/self/io``: for the comparison to be fair, the journal and "log and tables" must come to the same.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.journal_story import opened, walked

from drivers.clock import SystemClock
from station.engine.events import Event
from station.journal import JOURNAL_FILE, Journal

Report = Callable[[str, str], None]
WALKS = 800
TRIES = 3
SEQ = object()
"""Stands for the number of the entry, which only the writer thread knows."""
Statement = tuple[str, Sequence[Any]]
Append = Sequence[Statement]
"""What one append writes."""
ONE_TABLE = "CREATE TABLE log (station, seq INTEGER PRIMARY KEY, at, kind, body, prev_hash, hash)"


@dataclass(frozen=True, slots=True)
class Measured:
    """What ``appends`` took."""

    appends: int
    seconds: float
    commits: int
    written: int

    def __str__(self) -> str:
        kilobytes = self.written / self.appends / 1000
        return f"{self.appends / self.seconds:,.0f} /s, {self.appends / self.commits:.1f} a commit, {kilobytes:.0f} kB"


class Bare:
    """Group commit as a script would do it: one thread takes whatever waits, commits it, and says so to each caller."""

    def __init__(self, path: Path, *schema: str) -> None:
        self.commits, self._path = 0, path
        self._queue: queue.SimpleQueue[tuple[Append, Future[None]]] = queue.SimpleQueue()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        for statement in schema:
            self._db.execute(statement)
        threading.Thread(target=self._loop, daemon=True).start()

    def submit(self, append: Append) -> None:
        """Return when ``append`` is committed; an empty one ends the thread."""
        done: Future[None] = Future()
        self._queue.put((append, done))
        done.result()

    def _loop(self) -> None:
        seq = 1
        while True:
            lot = [self._queue.get()]
            while not self._queue.empty():
                lot.append(self._queue.get())
            self._db.execute("BEGIN IMMEDIATE")
            for append, _ in lot:
                seq += 1
                for sql, values in append:
                    self._db.execute(sql, [seq if value is SEQ else value for value in values])
            self._db.execute("COMMIT")
            self.commits += 1
            for append, done in lot:
                done.set_result(None)
                if not append:
                    self._db.close()
                    return


@pytest.mark.parametrize("threads", [1, 4, 16])
def test_appends_per_second(tmp_path: Path, threads: int, report: Report) -> None:
    ours, log, tables = zip(*(_beside(tmp_path / str(number), threads) for number in range(TRIES)), strict=True)
    fastest = min(one.seconds for one in ours)
    for name, tries in (("the journal", ours), ("bare, the log alone", log), ("bare, log and tables", tables)):
        best = min(tries, key=lambda one: one.seconds)
        report(f"appends of {threads} threads: {name}", f"{best}, journal {best.seconds / fastest:.2f} x")


def _beside(place: Path, threads: int) -> tuple[Measured, Measured, Measured]:
    """The journal, then both kinds of bare sqlite3, in turn: a disk changes its pace from one second to the next."""
    place.mkdir()
    walks = [[f"a-{lane}-{number}" for number in range(WALKS // threads)] for lane in range(threads)]
    with Journal.open(place / "data", "bench-1", SystemClock()) as journal:
        journal.record(opened())
        events: list[list[Event]] = [
            [event for number, attempt in enumerate(lane) for event in walked(attempt, unit=at * 10_000 + number)]
            for at, lane in enumerate(walks)
        ]
        ours = _timed(journal.record, events, lambda: journal.commits)
    with sqlite3.connect(place / "data" / JOURNAL_FILE) as written:
        log = _bare(
            Bare(place / "log.db", ONE_TABLE),
            [[one for walk in lane for one in _rows(written, walk)] for lane in walks],
        )
        tables = _bare(
            _same_tables(place / "tables", written),
            [[one for walk in lane for one in _rows_and_tables(written, walk)] for lane in walks],
        )
    written.close()
    return ours, log, tables


def _bare(bare: Bare, lanes: list[list[Append]]) -> Measured:
    measured = _timed(bare.submit, lanes, lambda: bare.commits)
    bare.submit(())
    return measured


def _timed(append: Callable[[Any], None], lanes: Sequence[Sequence[Any]], commits: Callable[[], int]) -> Measured:
    """Append each lane on a thread of its own."""

    def work(lane: Sequence[Any]) -> None:
        for one in lane:
            append(one)

    threads = [threading.Thread(target=work, args=(lane,)) for lane in lanes]
    commits_before, written_before, begin = commits(), _written(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    return Measured(sum(map(len, lanes)), seconds, commits() - commits_before, _written() - written_before)


def _written() -> int:
    """Bytes this process has handed to the disk so far."""
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    return int(counts["wchar"])


# --- what bare sqlite3 writes: the rows that the journal wrote ---


def _rows(db: sqlite3.Connection, attempt: str) -> list[Append]:
    """Each entry of ``attempt`` as one row of text."""
    found = db.execute(
        "SELECT station_id, at, kind, body, prev_hash, hash FROM entries WHERE seq IN"
        " (SELECT seq FROM journal WHERE attempt = (SELECT number FROM names WHERE name = ?)) ORDER BY seq",
        (attempt,),
    )
    return [[("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", (row[0], SEQ, *row[1:]))] for row in found]


def _same_tables(place: Path, written: sqlite3.Connection) -> Bare:
    """A journal of the same batch, in which each kind of entry has its number already."""
    with Journal.open(place, "bench-1", SystemClock()) as journal:
        journal.record(opened())
    kinds = written.execute("SELECT * FROM names WHERE number IN (SELECT kind FROM journal WHERE seq > 1)").fetchall()
    with sqlite3.connect(place / JOURNAL_FILE) as db:
        db.executemany("INSERT INTO names VALUES (?, ?)", kinds)
    db.close()
    return Bare(place / JOURNAL_FILE)


def _rows_and_tables(db: sqlite3.Connection, attempt: str) -> list[Append]:
    """What `walked` leaves in all tables, entry by entry: an attempt starts, one step ends, it is finished."""

    def rows(table: str, where: str, *keys: object, columns: str = "*") -> list[list[Any]]:
        return [list(row) for row in db.execute(f"SELECT {columns} FROM {table} WHERE {where}", keys)]

    entries = rows("journal", "attempt = (SELECT number FROM names WHERE name = ?) ORDER BY seq", attempt)
    start, step_end, end = (_insert("journal", [SEQ, *entry[1:]]) for entry in entries)
    (begun,) = rows("attempts", "attempt = ?", attempt, columns=_BEGUN)
    (ended,) = rows("attempts", "attempt = ?", attempt, columns=", ".join(_ENDED))
    (unit,) = rows("units", "device_id = ?", begun[3])
    (step,) = rows("steps", "attempt = ?", attempt, columns="attempt, number, step, outcome, seconds")
    (measured,) = rows("measurements", "attempt = ?", attempt)
    started = [
        *(_insert("names", name) for name in rows("names", "number IN (?, ?)", *entries[0][5:7])),
        start,
        _insert("units", unit),
        *(_insert("ids", one) for one in rows("ids", "device_id = ?", unit[0])),
        (f"INSERT INTO attempts ({_BEGUN}, started_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [*begun, SEQ]),
        ("UPDATE figures SET units = units + 1 WHERE batch = ?", begun[2:3]),
    ]
    finished = [
        end,
        ("UPDATE units SET last_seen = ? WHERE device_id = ?", [unit[-1], unit[0]]),
        (f"UPDATE attempts SET {', '.join(f'{name} = ?' for name in (*_ENDED, 'finished_seq'))} WHERE attempt = ?",
         [*ended, SEQ, attempt]),
        ("UPDATE figures SET passed = passed + 1, judged = judged + 1, first_passed = first_passed + 1"
         " WHERE batch = ?", begun[2:3]),
    ]  # fmt: skip
    return [started, [step_end, _insert("steps", [*step, SEQ]), _insert("measurements", measured)], finished]


_BEGUN = "attempt, station_id, batch, device_id, slot, port_path, profile, planned, operator, started_at"
_ENDED = ("finished_at", "seconds", "verdict", "failed_step", "reason")


def _insert(table: str, values: Sequence[Any]) -> Statement:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values
