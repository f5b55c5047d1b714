"""Compares a whole journal with its chain while the station works on it: after a kill, which vouches for nothing.

A start may not wait for it (a minute for 100,000 units), so a thread of its own does it, half of the time at rest.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import JournalError
from .compare import check_all
from .directory import JOURNAL_FILE
from .schema import atomic, connect_reader, translated

_WORK_S = 0.01
"""At a stretch; it rests as long afterwards. Plain time on purpose: no clock of the station's stands still for it."""


class Audit:
    """Begins at once. Calls ``ended`` with None, or with what does not fit, unless it is stopped before."""

    def __init__(self, directory: Path, ended: Callable[[JournalError | None], None]) -> None:
        self._path, self._ended = directory / JOURNAL_FILE, ended
        self._stop = threading.Event()
        self._worked_until = 0.0
        self._thread = threading.Thread(target=self._run, name="journal-audit", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, finished or not."""
        self._stop.set()
        self._thread.join()

    def wait(self) -> None:
        """Return when it is over."""
        self._thread.join()

    def _run(self) -> None:
        try:
            with (
                translated("the journal cannot be verified"),
                contextlib.closing(connect_reader(self._path)) as db,
                atomic(db, "BEGIN"),
            ):
                check_all(db, self._rest)
        except _Stopped:
            return
        except JournalError as error:
            self._ended(error)
        else:
            self._ended(None)

    def _rest(self) -> None:
        if self._stop.is_set():
            raise _Stopped
        if time.monotonic() >= self._worked_until:
            self._stop.wait(_WORK_S)
            self._worked_until = time.monotonic() + _WORK_S


class _Stopped(Exception):
    """Nobody wants the answer any more."""
