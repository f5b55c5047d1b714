"""The journal of one station: append, settle, ask. The only door through which anything is written.

`Journal.open` locks the data directory, brings the schema up to date and ends the attempts a crash
left open. All methods may be called from any thread; while the file is locked or the disk full they
wait (`Journal.waiting_as`), and raise `JournalHeld` only when that takes longer than its patience.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from drivers.clock import Clock
from drivers.identity import DeviceId, MobileSecret, Secret

from ..engine.events import BatchClosed, Event, OutboxSettled
from ..engine.ports import JournalWaiter
from ..errors import BadInput, JournalDamaged, JournalError, JournalHeld
from ..model import Mender, OutboxItem, Outcome
from .audit import Audit
from .batch_seal import BatchSealed, Signer, seal_key
from .compare import TablesDiffer
from .directory import DirectoryLock, credential_digest, credential_key, prepare
from .entries import AttemptAbandoned, Entry, OutboxPostponed, SecretForgotten, SecretStored, TablesRebuilt, stamp
from .opening import open_writer
from .owing import making_due, settling
from .patience import Patience
from .projections import rebuild
from .reader import JournalReader
from .records import AttemptRecord
from .seal import Marks, Seal, doubt, is_doubted, look_of, write_seal
from .secret_key import KEY_FILE, KeyFile
from .vault import KeyPlace, Vault, is_sealed
from .writer import Decide, Writer

log = logging.getLogger(__name__)

T = TypeVar("T")
SHORT_PATIENCE_S = 5.0
"""For a command line, which somebody watches and can repeat."""


class Journal(JournalReader):
    """The journal, open for writing. Use `Journal.open`; `JournalReader` reads without the lock."""

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        lock: DirectoryLock,
        writer: Writer,
        key: bytes,
        patience_s: float,
        host: Clock | None,
        vault: Vault,
        unit_steps: frozenset[str],
    ) -> None:
        self._vault, self._unit_steps = vault, unit_steps
        self._clock, self._lock, self._writer, self._key = clock, lock, writer, key
        self._patience = Patience(clock, patience_s, host)
        super().__init__(directory)
        try:
            self.abandoned: tuple[AttemptRecord, ...] = self._abandon_unfinished()
        except BaseException:
            super().close()
            raise
        """Attempts the last run of the station left without a verdict, now ERROR."""
        self._audit: Audit | None = None
        self._is_sure = False  # that all tables agreed with the chain when it was opened
        self.mended = ""
        """What the tables said otherwise than the journal when it was opened; they were made again from it."""

    @classmethod
    def open(
        cls,
        directory: Path,
        station_id: str,
        clock: Clock,
        *,
        patience_s: float = SHORT_PATIENCE_S,
        key_place: KeyPlace | None = None,
        host: Clock | None = None,
        unit_steps: frozenset[str] = frozenset(),
    ) -> Journal:
        """Open or create the journal in ``directory``; ``patience_s``: how long a lock or a full disk is waited for.

        ``host``: the clock such a trouble passes on, where ``clock`` is a faster one.
        ``key_place``: where the key of kept mobile secrets lies (a file beside ``directory``). ``unit_steps``: those
        that speak to the unit, to say of an attempt without an end which one was at work.

        Raises `JournalError` (one sentence) when another station holds the directory, when it belongs to a
        station of another id, or when its disk or schema cannot be used.
        """
        prepare(directory)
        lock = DirectoryLock(directory, station_id)
        try:
            writer, mended, is_sure = open_writer(directory, station_id, clock)
        except BaseException:
            lock.release()
            raise
        vault = Vault(key_place or KeyFile(directory.with_name(KEY_FILE)))
        try:
            journal = cls(
                directory, clock, lock, writer, credential_key(directory), patience_s, host, vault, unit_steps
            )  # fmt: skip
            journal._is_sure = is_sure
            if mended:
                log.warning("%s", mended)
                journal.mended = mended
                journal.record(TablesRebuilt(at=clock.utc(), reason=mended))
            writer.mark_with(Marks(directory, lambda: journal.is_sure))
            if not is_sure:
                journal._audit = Audit(directory, journal._audited)
            return journal
        except BaseException:
            writer.close()
            lock.release()
            raise

    def close(self) -> None:
        """Commit what is queued, close everything, let the next station in."""
        if self._audit is not None:
            self._audit.stop()
        super().close()
        self._writer.close()
        Marks(self.directory, lambda: False).take_away()
        if self._is_sure and self._writer.is_alone:
            write_seal(self.directory, Seal(self._writer.tail, look_of(self.directory, settle=True)))
        elif not self._writer.is_alone:
            doubt(self.directory, "another program wrote into the journal while the station had it")
        self._lock.release()

    def audited(self) -> bool:
        """Wait until all is compared, where nobody vouched for it at the start; say whether it agrees."""
        if self._audit is not None:
            self._audit.wait()
        return self.is_sure

    def _audited(self, error: JournalError | None) -> None:
        """Take the verdict of the audit: what differs is left to the next start, a broken chain takes no entry."""
        if error is None:
            self._is_sure = True
            return
        log.error("%s", error)
        if isinstance(error, TablesDiffer | JournalDamaged):
            doubt(self.directory, str(error))
        if not isinstance(error, TablesDiffer | JournalHeld):
            self._writer.fail(error)

    # --- writing ---

    def append(self, *entries: Entry) -> None:
        """Commit all of ``entries`` in one transaction with everything that follows from them.

        Returns only after the commit. Raises `JournalError`: an entry that does not fit was refused and none
        of them recorded; or the file is damaged, and then every later append raises too.
        """
        self._submit(lambda _: entries)

    def record(self, *events: Event) -> None:
        """`append` what ``events`` say."""
        self.append(*map(Entry.from_event, events))

    def settle(self, item: OutboxItem, outcome: Outcome, reason: str, proof: str) -> tuple[Event, ...]:
        """Take ``item`` off the books; returns what followed: `OutboxSettled` and perhaps `VerdictRevised`.

        An item that ends badly takes those of its attempt that were to follow with it. With the last item of an
        attempt its verdict becomes the worst outcome of them: PASS or FAIL (ERROR if one broke). Settling what
        is settled changes nothing and returns nothing.
        """
        if outcome is Outcome.DEFERRED:
            raise JournalError(
                f"{item.action} of {item.device_id} is still deferred; postpone it instead of settling it"
            )
        at = self._clock.utc()
        settled = OutboxSettled(
            at=at, device_id=item.device_id, attempt=item.attempt, action=item.action,
            outcome=outcome, reason=reason, proof=proof,
        )  # fmt: skip
        return self._decide(lambda db: settling(db, settled))

    def close_batch(self, batch: str) -> tuple[BatchClosed, BatchSealed]:
        """Close ``batch`` and seal all that was recorded up to there; return both events. Raises `BadInput` as keys do.

        Raises `JournalError` for a batch that was never opened.
        """
        closed, signer = BatchClosed(at=self._clock.utc(), batch=batch), Signer(seal_key(self.directory))
        signer.public_key()  # what is wrong with the key is told before anything is recorded
        found: list[tuple[BatchClosed, BatchSealed]] = []

        def decide(db: sqlite3.Connection) -> Sequence[Event]:
            found.append(signer.sealed(db, self._writer.station_id, closed))
            return found[-1]

        self._decide(decide)
        return found[-1]

    def postpone(
        self, item: OutboxItem, retry_at: datetime.datetime, error: str, mender: Mender = Mender.NOBODY, scope: str = ""
    ) -> None:
        """``item`` was tried and could not be finished; it is due again at ``retry_at``.

        ``scope``: what else would fare no better now, "" for nothing; all but `EVERYWHERE` count as a try of it.
        """
        self.record(
            OutboxPostponed(
                at=self._clock.utc(), device_id=item.device_id, attempt=item.attempt, action=item.action,
                retry_at=retry_at.astimezone(datetime.UTC), error=error, mender=mender.value, scope=scope,
            )
        )  # fmt: skip

    def make_due(self, attempts: Collection[str]) -> int:
        """Let what is owed of ``attempts`` be tried at once, as if it had never been; return how many items that is."""
        at = self._clock.utc()
        return len(self._decide(lambda db: tuple(making_due(db, attempts, at))))

    def drop(self, attempts: Collection[str], reason: str) -> tuple[Event, ...]:
        """Settle what is owed of ``attempts`` as ABORTED, undone, and so their verdicts; returns what followed."""
        first: dict[str, OutboxItem] = {}
        for record in self.owed():
            if record.item.attempt in attempts:
                first.setdefault(record.item.attempt, record.item)
        return tuple(event for item in first.values() for event in self.settle(item, Outcome.ABORTED, reason, ""))

    def rebuild(self) -> None:
        """Make all projections again from the journal."""

        def again(db: sqlite3.Connection) -> Sequence[Entry]:
            rebuild(db)
            return ()

        self._submit(again)

    # --- waiting ---

    def waiting_as(self, waiter: JournalWaiter) -> contextlib.AbstractContextManager[None]:
        """What the calling thread asks inside the block waits as ``waiter``; without one a wait is silent."""
        return self._patience.waiting_as(waiter)

    def hurry(self) -> None:
        """The station closes: no call waits longer than a few seconds from now on."""
        self._patience.hurry()

    def limit_pages(self, pages: int | None) -> None:
        """Let the file grow to ``pages`` of 4 KiB and then be as a full disk; None lifts the limit.

        Never less than it has now: 1 fills it up to what its last pages still have room for.
        """
        self._writer.limit_pages(pages)

    def _submit(self, decide: Decide) -> Sequence[Entry]:
        return self._patience.run(lambda: self._writer.submit(decide))

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """As the reader's; a file that cannot be read back any more takes no entry either: no record, no pass."""
        try:
            return self._patience.run(lambda: super(Journal, self)._ask(question))
        except JournalHeld:
            raise
        except JournalError as error:
            if getattr(error.__cause__, "sqlite_errorcode", None) is not None:
                self._writer.fail(error)
                doubt(self.directory, str(error))  # the next start looks at all of it
            raise

    @property
    def is_sure(self) -> bool:
        """As the reader's, of a journal that this station has open."""
        return self._is_sure and self._writer.is_alone and not is_doubted(self.directory)

    @property
    def commits(self) -> int:
        """Transactions since it was opened; fewer than appends when several callers shared one."""
        return self._writer.commits

    @property
    def queued(self) -> int:
        """Callers whose entries wait for the next commit."""
        return self._writer.queued

    # --- secrets ---

    def digest(self, device_id: str, ssid: str, password: Secret | None) -> str:
        """Keyed digest (hex) of Wi-Fi credentials for one unit; compare with `wifi_digest`. None: open network."""
        return credential_digest(self._key, device_id, ssid, password)

    def keep_secret(self, device_id: str, secret: MobileSecret) -> None:
        """Keep a mobile secret, encrypted, because the profile allows it (a label needs it). Never by default (A7)."""
        key, at = DeviceId.parse(device_id).value, self._clock.utc()
        sealed = self._vault.seal(key, secret.reveal())

        def keep(db: sqlite3.Connection) -> Sequence[Entry]:
            db.execute("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)", (key, sealed, stamp(at)))
            return (Entry.from_event(SecretStored(at=at, device_id=key)),)

        self._submit(keep)

    def mobile_secret(self, device_id: str) -> MobileSecret | None:
        """The secret of a unit, if a profile asked for it to be kept. Raises `JournalError` without its key."""
        key = device_id.lower()
        kept = self._one(lambda row: str(row["secret"]), "SELECT secret FROM secrets WHERE device_id = ?", key)
        if kept is None:
            return None
        return MobileSecret(self._vault.unseal(key, kept) if is_sealed(kept) else kept)

    def knows_secret(self, device_id: str) -> bool:
        """Whether it need not be asked for: it is kept, and its key is there."""
        try:
            return self.mobile_secret(device_id) is not None
        except JournalHeld:
            raise
        except (JournalError, BadInput):
            return False

    def seal_secrets(self) -> int:
        """Encrypt what an older station kept in clear; returns how many. Their traces leave the file with it."""
        found = self._all(
            lambda row: (str(row["device_id"]), str(row["secret"])), "SELECT device_id, secret FROM secrets"
        )
        sealed = [(self._vault.seal(unit, text), unit) for unit, text in found if not is_sealed(text)]

        def seal(db: sqlite3.Connection) -> Sequence[Entry]:
            db.executemany("UPDATE secrets SET secret = ? WHERE device_id = ?", sealed)
            return ()

        if sealed:
            self._submit(seal)
        return len(sealed)

    def forget_secret(self, device_id: str) -> bool:
        """Erase a kept mobile secret; False when none was kept. Its last trace leaves the disk at `close`."""
        key, at = device_id.lower(), self._clock.utc()
        was_kept = False

        def forget(db: sqlite3.Connection) -> Sequence[Entry]:
            nonlocal was_kept
            was_kept = db.execute("DELETE FROM secrets WHERE device_id = ?", (key,)).rowcount > 0
            return (Entry.from_event(SecretForgotten(at=at, device_id=key)),) if was_kept else ()

        self._submit(forget)
        return was_kept

    # --- inside ---

    def _decide(self, what: Callable[[sqlite3.Connection], Sequence[Event]]) -> tuple[Event, ...]:
        """Append the events that ``what`` decides on inside the transaction, and return them."""
        decided: tuple[Event, ...] = ()

        def entries(db: sqlite3.Connection) -> Sequence[Entry]:
            nonlocal decided
            decided = tuple(what(db))  # anew at every try: the tables are as they were before
            return [Entry.from_event(event) for event in decided]

        self._submit(entries)
        return decided

    def _abandon_unfinished(self) -> tuple[AttemptRecord, ...]:
        unfinished = self.unfinished_attempts()
        at = self._clock.utc()
        self.record(
            *(
                AttemptAbandoned(
                    at=at, slot=a.slot, device_id=a.device_id, attempt=a.attempt, failed_step=self._step_at_work(a)
                )
                for a in unfinished
            )
        )  # fmt: skip
        ended = (self.attempt(a.attempt) for a in unfinished)
        return tuple(a for a in ended if a is not None)

    def _step_at_work(self, attempt: AttemptRecord) -> str:
        """The step an attempt without an end stood in, empty if all of them ended.

        That whose write was announced and never confirmed, one on the unit before one in the cloud; else the first
        of the unit's steps without a record.
        """
        over = {step.step for step in self.steps(attempt.attempt)}
        writes = [w for w in self.unconfirmed_writes() if w.attempt == attempt.attempt and w.step not in over]
        if writes:
            return max(writes, key=lambda write: write.target == "unit").step
        left = [step for step in attempt.planned if step not in over]
        on_unit = [step for step in left if step in self._unit_steps]
        return next(iter(on_unit or left), "")
