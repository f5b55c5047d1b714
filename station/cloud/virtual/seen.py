"""The log of every request that reached the virtual cloud, in the same file as its state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.wrappers import Request

from drivers.clock import Clock

from .ask import Refuse, Route
from .payload import fields_of, shown
from .store import Store


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request that reached the virtual cloud. ``had_effect``: it changed the state."""

    seq: int
    at: str
    method: str
    path: str
    route: str
    body: Mapping[str, object]
    username: str
    status: int
    is_write: bool
    had_effect: bool


class SeenRequests:
    """Adds to the log and reads it. Thread-safe, like the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def add(
        self, request: Request, route: Route, params: Mapping[str, str], username: str, status: int, *, had_effect: bool
    ) -> int:
        """Log one request, without the credentials in it, and return its number."""
        try:
            body = json.dumps(shown(fields_of(request)))
        except Refuse:
            body = "{}"
        path = request.path.replace(params["token"], "...") if "token" in params else request.path
        with self._store.transaction():
            self._store.run(
                "INSERT INTO requests (at, method, path, route, body, username, status, is_write, had_effect)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                self._clock.utc().isoformat(), request.method, path, route.name, body, username, status,
                int(route.is_write), int(had_effect),
            )  # fmt: skip
            row = self._store.row("SELECT max(seq) AS seq FROM requests")
            return 0 if row is None else int(row["seq"])

    def one(self, seq: int) -> SeenRequest:
        (seen,) = self._read("seq = ?", seq)
        return seen

    def since(self, seq: int) -> list[SeenRequest]:
        """List the requests after number ``seq``, oldest first."""
        return self._read("seq > ?", seq)

    def _read(self, where: str, *values: object) -> list[SeenRequest]:
        return [
            SeenRequest(
                seq=r["seq"], at=r["at"], method=r["method"], path=r["path"], route=r["route"],
                body=json.loads(r["body"]), username=r["username"], status=r["status"],
                is_write=bool(r["is_write"]), had_effect=bool(r["had_effect"]),
            )
            for r in self._store.rows(f"SELECT * FROM requests WHERE {where}", *values)
        ]  # fmt: skip
