"""Questions to the journal. Reads only: needs no lock, and works while a station writes in another process.

Every answer comes from one snapshot. Connections are kept in a pool; a thread has one to itself for
as long as its question runs.
"""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from ..engine.events import BatchProgress
from ..errors import JournalError
from ..figures import Figures
from ..model import KnownUnit, OutboxItem, Release, SeenBefore, StepRecord, Verdict
from .answers import (
    ATTEMPTS,
    BATCHES,
    RELEASES,
    WRITES,
    attempt_record,
    batch_record,
    cached_product_of,
    history_of,
    out_of_limits,
    owed_record,
    release_of,
    steps_of,
    time_of,
    write_record,
)
from .batch_seal import sealed_batches
from .chain import Row
from .compare import TablesDiffer, check_all, check_batches, check_counts, check_found, check_some
from .directory import JOURNAL_FILE, check_journal_files
from .finding import AFTER_ALL, MIN_END, PAGE, FoundPage, Sought, count_found, found_page, modules_of_file
from .owing import OWED, TRIED, due, next_due, owed_units
from .records import (
    AttemptRecord,
    BatchRecord,
    CachedProduct,
    CachedSerial,
    KeptSecret,
    OwedRecord,
    OwedUnit,
    UnitHistory,
    Verified,
    WriteRecord,
)  # fmt: skip
from .schema import atomic, check_newest, connect_reader, translated
from .seal import doubt, is_vouched_for
from .stored import rows
from .tallies import figures_of
from .unit_facts import search_key
from .vault import is_sealed

T = TypeVar("T")
_WHOSE = """SELECT device_id, label FROM ids JOIN units USING (device_id)
    WHERE backwards = ? AND device_id <> ? AND name IN ('device_id', 'serial', 'iccid', 'imei') AND NOT disputed
    ORDER BY last_seen DESC LIMIT 1"""


class JournalReader:
    """Queries on the journal in ``directory``. Raises `JournalError` if there is none, or one of another schema."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._path = directory / JOURNAL_FILE
        self._pool: list[sqlite3.Connection] = []
        self._pool_lock = threading.Lock()
        self._is_closed = False
        check_journal_files(directory)
        try:
            with self.snapshot() as db:
                check_newest(db, self._path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close all connections; one in use is closed when its question ends."""
        with self._pool_lock:
            self._is_closed = True
            pool, self._pool = self._pool, []
        for db in pool:
            db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Lend a read-only connection that sees one moment of the journal."""
        with translated(f"the journal in {self.directory} cannot be read"):
            db = self._borrow()
            try:
                with atomic(db, "BEGIN"):
                    yield db
            finally:
                self._give_back(db)

    def _borrow(self) -> sqlite3.Connection:
        with self._pool_lock:
            if self._is_closed:
                raise JournalError("the journal is closed; nothing can be read any more")
            if self._pool:
                return self._pool.pop()
        return connect_reader(self._path)

    def _give_back(self, db: sqlite3.Connection) -> None:
        with self._pool_lock:
            if not self._is_closed:
                self._pool.append(db)
                return
        db.close()

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Answer ``question`` from one snapshot."""
        with self.snapshot() as db:
            return question(db)

    def _all(self, made: Callable[[sqlite3.Row], T], sql: str, *values: Any) -> tuple[T, ...]:
        """Convert each row by ``made`` inside the snapshot, so that a row that makes no sense counts as damage."""
        return self._ask(lambda db: tuple(map(made, db.execute(sql, values))))

    def _one(self, made: Callable[[sqlite3.Row], T], sql: str, *values: Any) -> T | None:
        return next(iter(self._all(made, sql, *values)), None)

    # --- batches ---

    def batches(self) -> tuple[BatchRecord, ...]:
        """Return all batches in the order they were opened."""
        return self._all(batch_record, f"{BATCHES} ORDER BY opened_at, rowid")

    def open_batches(self) -> tuple[BatchRecord, ...]:
        return tuple(record for record in self.batches() if record.is_open)

    def known_facts(self, device_id: str) -> dict[str, str]:
        """Return the identity facts of a unit that nothing disputes, name -> value; empty for a stranger."""
        facts = "SELECT name, value FROM facts WHERE device_id = ? AND NOT disputed ORDER BY seq, number"
        return dict(self._all(lambda row: (str(row["name"]), str(row["value"])), facts, device_id.lower()))

    def release(self, profile_id: str, revision: int) -> Release | None:
        """Return who released that revision of a profile, and with which text; None when nobody did here."""
        return self._one(release_of, RELEASES, profile_id, revision)

    def batch(self, batch: str) -> BatchRecord | None:
        return self._one(batch_record, f"{BATCHES} WHERE batch = ?", batch)

    def progress(self, batch: str, at: datetime.datetime) -> BatchProgress:
        """Return where ``batch`` stands; a batch nobody opened has no units."""
        target = self._one(lambda row: row["target"], "SELECT target FROM batches WHERE batch = ?", batch)
        return BatchProgress(at=at, batch=batch, figures=self.figures(batch), target=target)

    def figures(self, batch: str) -> Figures:
        """Count the units of ``batch`` by their last verdict, and by the first that was PASS or FAIL."""
        return self._ask(lambda db: figures_of(db, batch))

    # --- attempts ---

    def attempts(self, batch: str) -> tuple[AttemptRecord, ...]:
        """Return all attempts of a batch in the order they started."""
        return self._attempts("WHERE batch = ?", batch)

    def attempt(self, attempt: str) -> AttemptRecord | None:
        return next(iter(self._attempts("WHERE attempt = ?", attempt)), None)

    def unfinished_attempts(self) -> tuple[AttemptRecord, ...]:
        """Return attempts without a verdict: they run now, or their station stopped during them."""
        return self._attempts("WHERE verdict IS NULL")

    def _attempts(self, where: str, *values: Any) -> tuple[AttemptRecord, ...]:
        return self._all(attempt_record, f"{ATTEMPTS} {where} ORDER BY started_seq", *values)

    def steps(self, attempt: str) -> tuple[StepRecord, ...]:
        """Return every try of every step, with its measurements, in the order they ended."""
        return self._ask(lambda db: steps_of(db, attempt))

    def out_of_limits(self, profile: str, name: str) -> tuple[str, ...]:
        """Return Device IDs as `answers.out_of_limits` does, in one snapshot."""
        return self._ask(lambda db: out_of_limits(db, profile, name))

    def seen_before(self, device_id: str) -> SeenBefore | None:
        """Return the unit's last finished attempt."""
        return self._one(
            lambda row: SeenBefore(
                Verdict[row["verdict"]],
                time_of(row["finished_at"]),
                row["station_id"],
                row["batch"] or "",
                row["by_hand_seq"] is not None,
            ),
            "SELECT verdict, finished_at, station_id, batch, by_hand_seq FROM attempts"
            " WHERE device_id = ? AND verdict IS NOT NULL ORDER BY started_seq DESC LIMIT 1",
            device_id.lower(),
        )

    def whose(self, number: str, besides: str = "") -> KnownUnit | None:
        """Return the unit that has this Device ID, or has had this serial, ICCID or IMEI; of several the last seen.

        ``besides``: the Device ID of a unit that is not meant.
        """
        found = self._one(
            lambda row: (str(row["device_id"]), str(row["label"])),
            _WHOSE, search_key(number)[::-1], besides.lower(),
        )  # fmt: skip
        return None if found is None else KnownUnit(*found, self.seen_before(found[0]))

    # --- units ---

    def find(self, any_id: str) -> tuple[UnitHistory, ...]:
        """Return units that have, or once had, this Device ID, serial, ICCID, IMEI, MAC or attempt; last seen first.

        Letter case, blanks, colons and dashes do not matter. A swapped SIM card leads to both its units (A10).
        """
        key = search_key(any_id.strip())
        return self._found("backwards = ?", key[::-1], attempt=any_id.strip().lower()) if key else ()

    def find_by_end(self, last_digits: str) -> tuple[UnitHistory, ...]:
        """Return as `find` the units with an id that ends like that; none for fewer than ``MIN_END`` characters."""
        end = search_key(last_digits.strip())[::-1]
        return self._found("backwards >= ? AND backwards < ?", end, end + AFTER_ALL) if len(end) >= MIN_END else ()

    def _found(self, fits: str, *key: str, attempt: str = "") -> tuple[UnitHistory, ...]:
        """Return units with an id that ``fits`` (SQL, with ``key`` for its placeholders), or with that ``attempt``."""

        def question(db: sqlite3.Connection) -> tuple[UnitHistory, ...]:
            found = db.execute(
                f"""SELECT * FROM units WHERE device_id IN (
                    SELECT device_id FROM ids WHERE {fits} UNION SELECT device_id FROM attempts WHERE attempt = ?)
                    ORDER BY last_seen DESC, device_id""",
                (*key, attempt),
            ).fetchall()
            return tuple(history_of(db, row) for row in found)

        return self._ask(question)

    def seek(self, sought: Sought, after: str = "", limit: int = PAGE) -> FoundPage:
        """Return one page of what is ``sought`` (`finding.sought_in` reads it from words), as `finding.found_page`."""
        return self._ask(lambda db: found_page(db, sought, after, limit))

    def count(self, sought: Sought) -> int:
        """Count all that is ``sought``; its kind must be known, as that of a page is."""
        return self._ask(lambda db: count_found(db, sought))

    def modules_of_file(self, digits: str) -> tuple[str, ...]:
        """Return the hashes of the modules in firmware files that batches had here, as `finding.modules_of_file`."""
        return self._ask(lambda db: modules_of_file(db, digits))

    def unit(self, any_id: str) -> UnitHistory | None:
        """Return the unit seen last among those `find` finds."""
        return next(iter(self.find(any_id)), None)

    def wifi_digest(self, device_id: str) -> str | None:
        """Return the keyed digest (hex) of the Wi-Fi credentials the unit was last given."""
        return self._one(
            lambda row: str(row["digest"]), "SELECT digest FROM digests WHERE device_id = ?", device_id.lower()
        )

    def kept_secrets(self) -> tuple[KeptSecret, ...]:
        """List whose mobile secrets are kept, oldest first. Never the secrets: no export or dump holds them (A7)."""
        return self._all(
            lambda row: KeptSecret(row["device_id"], time_of(row["at"]), is_sealed(row["secret"])),
            "SELECT * FROM secrets ORDER BY at, device_id",
        )

    # --- what the cloud said ---

    def cached_product(self, ref: str) -> CachedProduct | None:
        """Return a product by its number or its slug (C8)."""
        return self._one(
            cached_product_of,
            "SELECT * FROM products WHERE CAST(product_id AS TEXT) = ? OR slug = ? OR ref = ? ORDER BY at DESC LIMIT 1",
            ref, ref, ref,
        )  # fmt: skip

    def cached_serial(self, serial: str) -> CachedSerial | None:
        """Look up what the cloud told of a serial number; None if it was never asked."""
        return self._one(
            lambda row: CachedSerial(row["serial"], row["device_id"], row["iccid"], time_of(row["at"])),
            "SELECT * FROM serials WHERE serial = ?",
            serial.strip().upper(),
        )

    # --- cloud work owed ---

    def due(self, now: datetime.datetime) -> tuple[OutboxItem, ...]:
        """Return owed work whose time has come, in the order it was queued.

        An item waits for the earlier items of its attempt: none comes out before one that is postponed.
        """
        return tuple(due(self.owed(), now))

    def next_due(self, now: datetime.datetime) -> datetime.datetime:
        """Return when the first item comes due: ``now``, if one is."""
        return self._ask(lambda db: next_due(db, now))

    def owed(self) -> tuple[OwedRecord, ...]:
        """Return all owed work in the order it was queued, with its tries and its last error."""
        return self._all(owed_record, OWED)

    def owed_units(self) -> tuple[OwedUnit, ...]:
        """Return all owed work as `owing.owed_units` does."""
        return self._ask(owed_units)

    def tries(self) -> dict[OutboxItem, int]:
        """Return the owed items that were tried and have to wait for something of their own, with how often."""
        return dict(self._all(lambda row: (owed_record(row).item, int(row["tries"])), TRIED))

    def owed_since(self, item: OutboxItem) -> datetime.datetime | None:
        """Return when ``item`` was queued; None when it is not owed."""
        return self._one(
            lambda row: time_of(row["started_at"] if row["finished_at"] is None else row["finished_at"]),
            "SELECT a.started_at, a.finished_at FROM outbox o JOIN attempts a USING (attempt)"
            " WHERE o.attempt = ? AND o.action = ? AND o.settled_at IS NULL",
            item.attempt, item.action,
        )  # fmt: skip

    def waiting(self) -> int:
        """Count the items that are owed."""
        return self._one(lambda row: int(row["n"]), "SELECT count(*) AS n FROM outbox WHERE settled_at IS NULL") or 0

    def unconfirmed_writes(self, device_id: str | None = None) -> tuple[WriteRecord, ...]:
        """Return writes announced and never confirmed, of one unit or of all, oldest first (N1)."""
        if device_id is None:
            return self._all(write_record, f"{WRITES} ORDER BY seq")
        return self._all(write_record, f"{WRITES} WHERE writes.device_id = ? ORDER BY seq", device_id.lower())

    # --- the whole journal ---

    def entries(self) -> Iterator[Row]:
        """Stream all entries in order from one snapshot."""
        with self.snapshot() as db:
            yield from rows(db)

    def verify(self) -> Verified:
        """Follow the hash chain from its start and compare every table with it.

        Raises `JournalError` that names the first entry or row that does not fit.
        """
        tail, seals = self._compared(lambda db: (check_all(db), tuple(sealed_batches(db))))
        return Verified(tail.seq, tail.hash, seals)

    def verify_units(self, units: Collection[str]) -> None:
        """Verify what the tables hold of ``units`` (Device IDs, as queries give them).

        This and the next ones return at once if the tables are known to agree (`is_sure`).
        """
        if not self.is_sure:
            self._compared(lambda db: check_some(db, units))

    def verify_found(self, any_id: str, found: Collection[str]) -> None:
        """Verify what a search found, and that the journal knows of nothing else it should have found."""
        if not self.is_sure:
            self._compared(lambda db: check_found(db, search_key(any_id.strip()), found))

    def verify_batches(self) -> None:
        """Verify the list of batches and their figures."""
        if not self.is_sure:
            self._compared(check_counts)

    @contextlib.contextmanager
    def exporting(self, batches: Sequence[str]) -> Iterator[sqlite3.Connection]:
        """Lend a `snapshot` in which all rows of ``batches``, their units and attempts agree with the chain."""
        with self.snapshot() as db:
            if not self.is_sure:
                self._doubting(lambda: check_batches(db, batches))
            yield db

    @property
    def is_sure(self) -> bool:
        """Say whether all tables are known to agree with the chain: a station vouches for it, nobody wrote since."""
        return is_vouched_for(self.directory)

    def _compared(self, check: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``check``; tables that differ leave a mark for the next start of the station (`doubt`)."""
        with translated("the journal cannot be verified"):
            return self._doubting(lambda: self._ask(check))

    def _doubting(self, check: Callable[[], T]) -> T:
        try:
            return check()
        except TablesDiffer as error:
            doubt(self.directory, str(error))
            raise
