"""Orders about owed work from a command line beside a running station: a mailbox of files in the data directory.

Only one program writes the journal, so whoever wants owed work tried or dropped leaves a file here; the outbox takes it
within a round, carries it out, and removes it first. Whoever may write here may write the journal's file as well.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drivers.host.plain_file import open_plain, read_plain

from ..engine.events import Event
from ..engine.ports import JournalPort

log = logging.getLogger(__name__)

FOLDER = "owed-orders"
MOST_BYTES = 4 << 20
"""Longer files are no orders: the ids of 100,000 attempts are shorter."""


@dataclass(frozen=True, slots=True)
class OwedOrder:
    """Try what is owed of ``attempts`` now, or drop it for ``drop_for``, the reason the records shall give."""

    attempts: frozenset[str]
    drop_for: str = ""

    def carry_out(self, journal: JournalPort) -> tuple[Event, ...]:
        """Record the order; return what followed. Raises `JournalError`."""
        if self.drop_for:
            return journal.drop(self.attempts, self.drop_for)
        journal.make_due(self.attempts)
        return ()


class OwedOrders:
    """The mailbox of the station whose journal is in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / FOLDER

    def put(self, order: OwedOrder) -> Path:
        """Leave ``order`` (a file of mode 0600) and return its path: the station removes it when it takes it."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"{secrets.token_hex(8)}.order"
        text = json.dumps({"attempts": sorted(order.attempts), "drop_for": order.drop_for})
        beside = path.with_suffix(".new")
        handle = open_plain(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
        beside.replace(path)
        return path

    def take(self) -> Iterator[OwedOrder]:
        """Yield every order that was left, oldest first, and remove its file before."""
        for path in self._left():
            order = _read(path)
            with contextlib.suppress(OSError):
                path.unlink()
            if order is not None:
                yield order

    @property
    def are_there(self) -> bool:
        """Say whether an order was left."""
        return bool(self._left())

    def _left(self) -> list[Path]:
        try:
            found = [Path(entry.path) for entry in os.scandir(self._folder) if entry.name.endswith(".order")]
            return sorted(found, key=lambda path: (path.lstat().st_mtime_ns, path.name))
        except OSError:
            return []


def _read(path: Path) -> OwedOrder | None:
    """Return the order in the file ``path``; None, told in the log, for one that makes no sense."""
    try:
        told = json.loads(read_plain(path, MOST_BYTES))
        return OwedOrder(frozenset(map(str, told["attempts"])), str(told["drop_for"])[:500])
    except (OSError, ValueError, TypeError, LookupError) as error:
        log.warning("%s is no order about owed work (%s); it was removed", path, type(error).__name__)
        return None
