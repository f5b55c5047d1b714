"""The one thread that writes: whatever is queued goes to the disk in one commit (group commit).

A caller blocks until its own entries are committed or refused. A refusal concerns one caller. A lock
or a full disk fails the whole commit: nothing of it is recorded, and each caller may try again. A
damaged file ends the writer, and every later append raises.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import JournalError
from .chain import Row, Tail, link
from .counts import added_to_figures
from .entries import Entry, stamp
from .projections import check, project, shortened
from .schema import atomic, held_by, told
from .stored import store, tail_of

log = logging.getLogger(__name__)

Decide = Callable[[sqlite3.Connection], Sequence[Entry]]
"""Looks at the tables inside the transaction and says what to append; it may raise `JournalError`."""

_REFUSALS = (
    JournalError, sqlite3.IntegrityError, sqlite3.InterfaceError, LookupError, ValueError, TypeError, OverflowError,
)  # fmt: skip
"""Errors that are about the entry itself (a number of more than 64 bits overflows in the tables). Any other one is
about the disk, or a bug: what may pass is left to the callers, after anything else nothing can be trusted."""

IDLE_S = 0.02
"""How long nothing is to be written before a mark is left, in plain time."""
NO_LIMIT = 1_073_741_823
"""Pages a database may have when nobody limits it."""


class Marker(Protocol):
    """Notes up to where a reader beside the station need not verify; called by the writer's thread."""

    def look(self, *, settle: bool) -> str:
        """Return what any write to the files would change (`seal.look_of`)."""

    def mark(self, tail: Tail, look: str) -> None:
        """Note that all up to ``tail`` was written by this station, into files that look so."""


@dataclass(frozen=True, slots=True)
class _Ticket:
    decide: Decide
    done: Future[Sequence[Entry]] = field(default_factory=Future)


class _Refused(Exception):
    """One ticket's entries do not fit; nothing of this commit happened."""

    def __init__(self, ticket: _Ticket, reason: JournalError) -> None:
        self.ticket, self.reason = ticket, reason


class Writer:
    """Owns the writing connection from now on. `submit` from any thread, `close` once."""

    def __init__(self, db: sqlite3.Connection, station_id: str) -> None:
        self._db, self._station_id = db, station_id
        self._tail = tail_of(db)
        self._others, self._is_alone = _others_of(db), True
        # Plain thread and condition on purpose: a commit takes real time, and a caller blocked in one
        # stays runnable for a simulated clock, so that simulated time stands still meanwhile.
        self._room = threading.Condition()
        self._queue: list[_Ticket] = []
        self._is_closing = False
        self._error: BaseException | None = None
        self._commits = 0
        self._page_limit: int | None = None
        self._marker: Marker | None = None
        self._look, self._is_marked = "", True
        self._thread = threading.Thread(target=self._loop, name="journal-writer", daemon=True)
        self._thread.start()

    def submit(self, decide: Decide) -> Sequence[Entry]:
        """Append what ``decide`` returns, and return it after the commit. Raises `JournalError`."""
        ticket = _Ticket(decide)
        with self._room:
            if self._error is not None:
                raise _dead(self._error)
            if self._is_closing:
                raise JournalError("the journal is closed; nothing can be recorded any more")
            self._queue.append(ticket)
            self._room.notify_all()
        return ticket.done.result()

    @property
    def commits(self) -> int:
        """Count the transactions committed so far."""
        return self._commits

    @property
    def queued(self) -> int:
        """Count the callers that wait for the next commit."""
        return len(self._queue)

    @property
    def is_alone(self) -> bool:
        """Say whether nobody else has written to the file since it was opened, as of the last commit or `close`."""
        return self._is_alone

    @property
    def tail(self) -> Tail:
        """Return the newest committed entry."""
        return self._tail

    @property
    def station_id(self) -> str:
        return self._station_id

    def limit_pages(self, pages: int | None) -> None:
        """Limit the file to ``pages`` (never less than it has) from the next commit on; None lifts the limit."""
        self._page_limit = NO_LIMIT if pages is None else pages

    def mark_with(self, marker: Marker) -> None:
        """Let ``marker`` note the newest entry now, and whenever nothing was to be written for a moment.

        Not any more once the files changed in another way than by this writer's commits.
        """
        with self._room:
            self._marker, self._look, self._is_marked = marker, marker.look(settle=False), False
            self._room.notify_all()

    def fail(self, error: BaseException) -> None:
        """Refuse every append from now on: a reader found the file damaged."""
        with self._room:
            self._error = self._error or error

    def close(self) -> None:
        """Commit what is queued, then end the thread and close the connection."""
        with self._room:
            self._is_closing = True
            self._room.notify_all()
        self._thread.join()

    # --- on the writer's thread ---

    def _loop(self) -> None:
        while tickets := self._take():
            self._compare_look()
            try:
                self._commit(tickets)
            except BaseException as error:
                if not isinstance(error, sqlite3.Error) or held_by(error) is None:
                    self._fail(tickets, error)
                    break
                for ticket in tickets:
                    ticket.done.set_exception(told("the journal cannot be written", error))
            self._is_marked = self._marker is None
            self._look = "" if self._marker is None else self._marker.look(settle=False)
        with contextlib.suppress(sqlite3.Error):
            self._look_for_others()
        self._db.close()

    def _take(self) -> list[_Ticket]:
        """Return all queued tickets; wait for one. Empty when closing and nothing is left."""
        with self._room:
            while not self._queue and not self._is_closing:
                if not self._room.wait(None if self._is_marked else IDLE_S):
                    self._leave_mark()
            tickets, self._queue = self._queue, []
        return tickets

    def _compare_look(self) -> Marker | None:
        """Return the marker; none once somebody touched the files since the last commit: nothing is marked any more."""
        if self._marker is not None and self._marker.look(settle=False) != self._look:
            self._marker, self._is_marked = None, True
        return self._marker

    def _leave_mark(self) -> None:
        """Mark what was written, unless somebody wrote beside this writer until the look was taken."""
        self._is_marked = True
        if self._error is not None or (marker := self._compare_look()) is None:
            return
        with contextlib.suppress(sqlite3.Error):
            self._look = marker.look(settle=True)
            if self._look_for_others() and tail_of(self._db) == self._tail:
                marker.mark(self._tail, self._look)

    def _commit(self, tickets: list[_Ticket]) -> None:
        """Commit ``tickets`` together. One that is refused leaves the list, and the others begin again without it.

        Refusals are rare; a savepoint around each ticket would cost every append a third of its time.
        """
        self._apply_limit()
        while tickets:
            try:
                self._commit_all(tickets)
                return
            except _Refused as refused:
                tickets.remove(refused.ticket)
                refused.ticket.done.set_exception(refused.reason)

    def _commit_all(self, tickets: list[_Ticket]) -> None:
        answers: list[Sequence[Entry]] = []
        tail = self._tail
        try:
            with atomic(self._db):
                self._look_for_others()
                self._check_tail()
                for ticket in tickets:
                    try:
                        answers.append(ticket.decide(self._db))
                        tail = append(self._db, self._station_id, tail, answers[-1])
                    except _REFUSALS as error:
                        raise _Refused(ticket, _refusal(error)) from error
        except sqlite3.Error:
            # the error may have come after the commit had happened: a second one would say everything twice
            if len(answers) < len(tickets) or tail == self._tail or tail_of(self._db) != tail:
                raise
        self._tail = tail
        self._commits += 1
        for ticket, answer in zip(tickets, answers, strict=True):
            ticket.done.set_result(answer)

    def _apply_limit(self) -> None:
        pages, self._page_limit = self._page_limit, None
        if pages is not None:
            self._db.execute(f"PRAGMA max_page_count = {pages}")

    def _check_tail(self) -> None:
        """Check that the last entry is still the one this station wrote last."""
        if tail_of(self._db) != self._tail:
            raise JournalError(
                f"entry {self._tail.seq} is not the last one any more: another program wrote into the journal"
            )

    def _look_for_others(self) -> bool:
        """Say whether this writer is still alone with the file, as `is_alone`."""
        others = _others_of(self._db)
        self._is_alone = self._is_alone and others == self._others
        self._others = others
        return self._is_alone

    def _fail(self, tickets: list[_Ticket], error: BaseException) -> None:
        log.error("the journal's writer failed: %s", error)
        with self._room:
            self._error = error
            tickets = tickets + self._queue
            self._queue = []
        for ticket in tickets:
            if not ticket.done.done():
                ticket.done.set_exception(_dead(error))


def append(db: sqlite3.Connection, station_id: str, tail: Tail, entries: Sequence[Entry]) -> Tail:
    """Write what is new in ``entries`` after ``tail``, and its projections; return the new tail."""
    told: list[tuple[Row, Mapping[str, Any]]] = []
    for entry in entries:
        new = shortened(db, entry)
        if new is None:
            continue
        row = link(tail, station_id, stamp(new.at), new.kind, new.body_text())
        values = row.values()
        store(db, row, values)
        with added_to_figures(db, row, values):
            project(db, row, values)
        told.append((row, values))
        tail = Tail(row.seq, row.hash)
    check(db, told)
    return tail


def _others_of(db: sqlite3.Connection) -> int:
    """Return a number that changes with every commit of another connection."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])


def _refusal(error: BaseException) -> JournalError:
    if isinstance(error, JournalError):
        return error
    return JournalError(
        f"an entry does not fit the journal: {type(error).__name__} {error}; nothing of it was recorded"
    )


def _dead(error: BaseException) -> JournalError:
    failure = JournalError(
        f"the journal cannot be written any more: {error or type(error).__name__}; "
        "keep the file, check the disk, then restart the station"
    )
    failure.__cause__ = error if isinstance(error, Exception) else None
    return failure
