"""Asks a journal one question, and bare sqlite3 the same; prints the seconds of both, the memory taken, the answer."""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import xlsxwriter
from support import many_rows
from support.plain_log import plain_rows

from drivers.clock import SystemClock
from station.export import CSV, export
from station.export.workbook import XLSX
from station.journal import JOURNAL_FILE, Journal, JournalReader, sought_in
from station.journal.tallies import failures, figures_of, shares, step_times

Asked = Callable[[JournalReader], object]
PART = "AB0000019"


@functools.cache  # asked for before the question, and not counted with it
def _middle(journal: JournalReader) -> int:
    (most,) = journal._all(lambda row: int(row[0]), "SELECT count(*) FROM units")
    return most // 2 + 9


def _seek(words: str) -> Asked:
    return lambda journal: len(journal.seek(sought_in(words)).rows)


def _batches(journal: JournalReader) -> list[str]:
    return [record.batch.id for record in journal.batches()]


def _shares(journal: JournalReader) -> object:
    with journal.exporting(_batches(journal)) as db:
        return sum(len(shares(db, _batches(journal), by)) for by in ("slot", "hour", "lot"))


def _in_db(ask: Callable[[sqlite3.Connection, list[str]], object]) -> Asked:
    def asked(journal: JournalReader) -> object:
        batches = _batches(journal)
        with journal.exporting(batches) as db:
            return ask(db, batches)

    return asked


def _file(exporter: object, *, is_binary: bool) -> Asked:
    def asked(journal: JournalReader) -> object:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "log"
            with path.open("wb") if is_binary else path.open("w", newline="") as file:
                return export(journal, many_rows.batch_of(0), file, exporter)  # type: ignore[arg-type]

    return asked


def _counted(journal: JournalReader) -> object:
    page = journal.seek(sought_in(many_rows.module_hash(0, "bootloader")))
    return journal.count(page.sought)


def _listed(journal: JournalReader) -> object:
    sought, after, count = sought_in(many_rows.module_hash(0, "bootloader")), "", 0
    while count < 10_000:  # what a screen or a script pages through
        page = journal.seek(sought, after, 1000)
        count, after, sought = count + len(page.rows), page.after, page.sought
        if not after:
            break
    return count


def _carry(journal: JournalReader) -> object:
    page = journal.seek(sought_in(many_rows.file_hash(0)[:12]))
    return journal.count(page.sought)


_HASH = int(many_rows.module_hash(0, "bootloader")[:15], 16)
_BATCH = many_rows.batch_of(0)


def _plain_csv(directory: Path) -> None:
    with tempfile.TemporaryFile("w+", newline="") as file:
        csv.writer(file).writerows(plain_rows(directory / JOURNAL_FILE, _BATCH))


def _plain_xlsx(directory: Path) -> None:
    """Write the same rows as XlsxWriter does it fastest without holding all of them."""
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(file, {"constant_memory": True})
        sheet = book.add_worksheet()
        for at, row in enumerate(plain_rows(directory / JOURNAL_FILE, _BATCH)):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    if value:
                        sheet.write_string(at, column, value)
                elif value is not None:
                    sheet.write_number(at, column, value)
        book.close()


QUESTIONS: dict[str, tuple[Asked, str | Callable[[Path], None]]] = {
    "find by serial number": (
        lambda journal: journal.find(many_rows.serial(_middle(journal)))[0].label,
        "SELECT * FROM ids JOIN units USING (device_id) WHERE backwards = '{serial}'",
    ),
    "find by the last six digits, first page": (
        lambda journal: len(journal.seek(sought_in(many_rows.serial(_middle(journal))[-6:])).rows),
        "SELECT * FROM ids JOIN units USING (device_id) WHERE backwards >= '{end}' AND backwards < '{end}zz'",
    ),
    "find by ICCID": (
        lambda journal: journal.find(many_rows.names_of(_middle(journal))["iccid"])[0].label,
        "SELECT * FROM ids JOIN units USING (device_id) WHERE backwards = '{iccid}'",
    ),
    "find failures, first page": (
        _seek("FAIL"),
        "SELECT * FROM attempts WHERE verdict = 'FAIL' ORDER BY started_seq DESC LIMIT 51",
    ),
    "find a span of an hour": (
        _seek("2026-01-05 09:00..10:00"),
        "SELECT * FROM attempts WHERE started_at >= '2026-01-05T09' AND started_at < '2026-01-05T10' LIMIT 51",
    ),
    "find a lot, first page": (
        _seek("2200-A"),
        "SELECT * FROM attempts JOIN attempt_lots USING (attempt) WHERE lot = '2200-A' COLLATE NOCASE LIMIT 51",
    ),
    "find a part of a label": (_seek(PART), f"SELECT * FROM units WHERE label LIKE '%{PART}%'"),
    "find words of a reason": (
        _seek("did not answer"),
        "SELECT * FROM attempts WHERE verdict = 'FAIL' AND reason LIKE '%did not answer%' LIMIT 51",
    ),
    "stats of all batches": (
        _in_db(lambda db, batches: sum(figures_of(db, batch).units for batch in batches)),
        "SELECT batch, count(DISTINCT device_id), sum(verdict = 'PASS') FROM attempts GROUP BY batch",
    ),
    "stats by slot, hour and lot": (_shares, "SELECT slot, verdict, count(*) FROM attempts GROUP BY slot, verdict"),
    "stats by step": (
        _in_db(lambda db, batches: sum(one.tries for one in step_times(db, batches))),
        "SELECT step, outcome, count(*), avg(seconds) FROM steps GROUP BY step, outcome",
    ),
    "Pareto of failures": (
        _in_db(lambda db, batches: sum(one.attempts for one in failures(db, batches))),
        "SELECT failed_step, slot, reason, count(*) FROM attempts WHERE verdict = 'FAIL' GROUP BY 1, 2, 3",
    ),
    "units with module hash, counted": (_counted, f"SELECT count(*) FROM held_modules WHERE image = {_HASH}"),
    "units with module hash, listed": (_listed, f"SELECT * FROM held_modules WHERE image = {_HASH} LIMIT 10000"),
    "units with a firmware file, first page and count": (
        _carry,
        f"SELECT count(*) FROM held_modules WHERE image = {_HASH}",
    ),
    "CSV of a batch": (_file(CSV, is_binary=False), _plain_csv),
    "XLSX of a batch": (_file(XLSX, is_binary=True), _plain_xlsx),
}


def main(directory: Path, question: str) -> None:
    """Print ours, bare, memory, and what came out, with tabs in between."""
    if question == "open the station's journal":
        opened: list[Journal] = []
        ours = _took(lambda: opened.append(Journal.open(directory, many_rows.STATION, SystemClock())))
        memory, number, told = _memory(), _middle(opened[0]), "after an orderly end"
        opened[0].close()
        bare: str | Callable[[Path], None] = "SELECT max(seq) FROM journal"
    else:
        ask, bare = QUESTIONS[question]
        answers: list[object] = []
        with JournalReader(directory) as journal:
            number = _middle(journal)
            ours, memory = _took(lambda: answers.append(ask(journal))), _memory()
        told = f"{answers[0]:,}" if isinstance(answers[0], int) else str(answers[0])
    if isinstance(bare, str):
        sql = bare.format(
            serial=many_rows.serial(number).lower()[::-1], end=many_rows.serial(number).lower()[:-7:-1],
            iccid=many_rows.names_of(number)["iccid"][::-1],
        )  # fmt: skip
        taken = _took(lambda: _bare(directory, sql))
    else:
        taken = _took(lambda: bare(directory))
    sys.stdout.write(f"{ours}\t{taken}\t{memory}\t{told}\n")


def _took(act: Callable[[], object]) -> str:
    """Say how long ``act`` takes; and of seconds, how many of them the processor needs."""
    begin, cpu = time.perf_counter(), time.process_time()
    act()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return f"{seconds * 1000:,.1f} ms" if seconds < 1 else f"{seconds:.1f} s (CPU {cpu:.1f} s)"


def _memory() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


def _bare(directory: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(directory / JOURNAL_FILE)) as db:
        csv.writer(io.StringIO()).writerows(db.execute(sql))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
