"""A complete virtual cloud on a loopback port: real HTTP, persistent state, counted writes, and injected faults.

It is also the cloud end of the virtual units' sessions (`drivers.virtual.world.CloudLink` and
`SimRegistry`). State is committed before it answers, so a killed demo continues from the file.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from drivers.clock import CancelToken, Clock
from drivers.errors import Cancelled
from drivers.identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, Secret, SerialNumber
from drivers.virtual.world import UnitFacts

from . import sims
from .ask import Ask, Caller, Quirks, Refuse, Reply
from .faults import Fault, FaultBook, FaultKind
from .routes import ROUTES, Route, device_json
from .seen import SeenRequest, SeenRequests, json_of
from .server import LoopbackServer, hang_up
from .store import Store, digest

log = logging.getLogger(__name__)
_DOING_NOTHING = {FaultKind.STATUS, FaultKind.HTML, FaultKind.DROP_BEFORE, FaultKind.LIE}
_ANYBODY = Caller("", False, frozenset(), None)
_HTML_PAGE = "<html><body><h1>Bad Gateway</h1></body></html>"
STALE_ONLINE_S = {False: 50.0, True: 46 * 60.0}
"""How long the online flag is wrong after a session ended unannounced: Wi-Fi, cellular (reference cloud-api 7.1)."""


class VirtualCloud:
    """A cloud in this process. Thread-safe. Call ``serve`` before use, ``close`` at the end.

    ``path``: SQLite file to continue from; None keeps everything in memory. ``activation_s``: how long a SIM
    takes to become active. ``quirks`` may be replaced at any time. ``on_request`` is called with each request and
    the fault that hit it, after its effect and before its answer.
    """

    def __init__(
        self,
        clock: Clock,
        path: Path | None = None,
        *,
        activation_s: float = 3.0,
        quirks: Quirks | None = None,
        on_request: Callable[[SeenRequest, FaultKind | None], None] | None = None,
    ) -> None:
        self.quirks, self._on_request = quirks or Quirks(), on_request
        self._clock, self._activation_s = clock, activation_s
        self._store = Store(path)
        self._seen = SeenRequests(self._store, clock)
        self._faults = FaultBook()
        self._map = Map([Rule(r.rule, methods=[r.method], endpoint=r) for r in ROUTES])
        self._server: LoopbackServer | None = None
        self._down_until = clock.now()
        self._recovery: CancelToken | None = None
        self._lock = threading.Lock()
        self._first_seq = self._store.last_request

    # --- serving and outages ---

    def serve(self) -> str:
        """Open the port (any free one of 127.0.0.1) and return the base URL."""
        with self._lock:
            self._server = LoopbackServer(self._application)
            if self._clock.now() >= self._down_until:
                self._server.start()
        return self.base_url

    @property
    def base_url(self) -> str:
        assert self._server is not None, "serve() first"
        return f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        """Stop serving and close the file; its content stays."""
        with self._lock:
            server, self._server = self._server, None
            if self._recovery is not None:
                self._recovery.cancel()
        if server is not None:
            server.close()
        self._store.close()

    def down_until(self, at: float) -> None:
        """Refuse all connections until the clock shows ``at``."""
        with self._lock:
            self._down_until = max(self._down_until, at)
            if self._clock.now() >= self._down_until:
                return
            if self._server is not None:
                self._server.stop()
            if self._recovery is None:
                token = self._recovery = self._clock.token()
                self._clock.thread("cloud-recovery", lambda: self._recover(token))

    def down_for(self, seconds: float) -> None:
        self.down_until(self._clock.now() + seconds)

    def _recover(self, token: CancelToken) -> None:
        with contextlib.suppress(Cancelled):
            while not self._is_up_again():
                self._clock.sleep(max(0.0, self._down_until - self._clock.now()), token)

    def _is_up_again(self) -> bool:
        """Start the server and return True if the outage, which may have been extended, is over."""
        with self._lock:
            if self._clock.now() < self._down_until:
                return False
            self._recovery = None
            if self._server is not None:
                self._server.start()
            return True

    def order(self, fault: Fault) -> None:
        """Inject ``fault`` into future requests."""
        self._faults.order(fault)

    def cancel_fault(self, fault: Fault) -> None:
        """Cancel what is left of this very fault."""
        self._faults.cancel(fault)

    def cancel_faults(self) -> None:
        self._faults.cancel_all()

    # --- accounts, products, units: what exists before the station connects ---

    def create_user(self, username: str) -> None:
        self._store.run("INSERT OR IGNORE INTO users (username) VALUES (?)", username)

    def create_token(
        self, username: str, *, scopes: Iterable[str] = (), is_api: bool = False, expires_in: float | None = None
    ) -> Secret:
        """Create a token of ``username``, and the user if necessary. ``scopes`` apply to API users only.

        ``expires_in``: seconds from now; None: it does not expire.
        """
        text = secrets.token_hex(20)
        expires = None if expires_in is None else self._clock.utc() + datetime.timedelta(seconds=expires_in)
        with self._store.transaction():
            self._store.run("INSERT OR IGNORE INTO users (username, is_api) VALUES (?, ?)", username, int(is_api))
            self._store.run(
                "INSERT INTO tokens (digest, username, scopes, expires_at) VALUES (?, ?, ?, ?)",
                digest(text), username, " ".join(scopes), None if expires is None else expires.isoformat(),
            )  # fmt: skip
        return Secret(text)

    def revoke_tokens(self, username: str) -> None:
        """Revoke all tokens of ``username``; requests with one are answered 401 from now on."""
        self._store.run("DELETE FROM tokens WHERE username = ?", username)

    def create_product(
        self, product_id: int, platform_id: int, *, slug: str, name: str, team: Iterable[str], quarantine: bool = True
    ) -> None:
        """Create a product, unless there is one with that number."""
        with self._store.transaction():
            self._store.run(
                "INSERT OR IGNORE INTO products (id, slug, name, platform_id, quarantine) VALUES (?, ?, ?, ?, ?)",
                product_id, slug, name, platform_id, int(quarantine),
            )  # fmt: skip
            for username in team:
                self._store.run("INSERT OR IGNORE INTO users (username) VALUES (?)", username)
                self._store.run("INSERT OR IGNORE INTO team (product_id, username) VALUES (?, ?)", product_id, username)

    def register_unit(
        self,
        device_id: DeviceId,
        platform_id: int,
        *,
        serial: SerialNumber | None = None,
        iccid: Iccid | None = None,
        imei: Imei | None = None,
        mac: MacAddress | None = None,
        secret: MobileSecret | None = None,
        is_plastic_sim: bool = False,
    ) -> None:
        """Register a unit as its factory would have; one that is already registered stays as it is."""
        iccid = iccid and Iccid.told(str(iccid))  # the carrier's number of a SIM lacks the fillers its modem may add
        facts = [None if fact is None else str(fact) for fact in (serial, iccid, imei, mac)]
        with self._store.transaction():
            self._store.run(
                "INSERT OR IGNORE INTO devices"
                " (id, platform_id, serial_number, iccid, imei, mac_wifi, mobile_secret) VALUES (?, ?, ?, ?, ?, ?, ?)",
                str(device_id), platform_id, *facts, None if secret is None else secret.reveal(),
            )  # fmt: skip
            if iccid is not None:
                self._store.run(
                    "INSERT OR IGNORE INTO sims (iccid, is_plastic) VALUES (?, ?)", str(iccid), int(is_plastic_sim)
                )

    def edit_device(self, device_id: DeviceId, **columns: object) -> None:
        """Change columns of a device directly (owner, name, product_id, is_protected, ...)."""
        for column, value in columns.items():
            assert column.isidentifier()
            self._store.run(f"UPDATE devices SET {column} = ? WHERE id = ?", value, str(device_id))

    def order_sim(self, iccid: Iccid, *, polls: int = 0, failures: int = 0) -> None:
        """Make the next activation of a SIM last at least ``polls`` polls, and fail ``failures`` times."""
        self._store.run("UPDATE sims SET polls_left = ?, will_fail = ? WHERE iccid = ?", polls, failures, str(iccid))

    def edit_sim(self, iccid: Iccid, **columns: object) -> None:
        """Change columns of a SIM directly (status, username, product_id, activations, ...)."""
        for column, value in columns.items():
            assert column.isidentifier()
            self._store.run(f"UPDATE sims SET {column} = ? WHERE iccid = ?", value, str(iccid))

    # --- for tests and summaries ---

    def device(self, device_id: DeviceId) -> dict[str, Any] | None:
        """Return the device object as the API would to its owner; None if there is none."""
        row = self._store.row("SELECT * FROM devices WHERE id = ?", str(device_id))
        return None if row is None else device_json(row, self._clock.utc())

    def sim_status(self, iccid: Iccid) -> str:
        """Return the SIM's status now: ``inactive``, ``active``, or ``unknown`` if it is not registered."""
        sim = sims.settle(self._store, str(iccid), self._clock.utc())
        return "unknown" if sim is None else str(sim["status"])

    def requests(self, *, since_start: bool = True) -> list[SeenRequest]:
        """List the requests that reached this cloud, oldest first; by default since this object was created."""
        return self._seen.since(self._first_seq if since_start else 0)

    @property
    def writes(self) -> dict[str, int]:
        """Return the number of state-changing requests by route since this object was created, effective or not."""
        return dict(collections.Counter(r.route for r in self.requests() if r.is_write))

    @property
    def effects(self) -> dict[str, int]:
        """Return the number of requests by route that changed something, over the whole life of the file."""
        return dict(collections.Counter(r.route for r in self.requests(since_start=False) if r.had_effect))

    # --- the units' side: CloudLink and SimRegistry ---

    def online(self, facts: UnitFacts) -> None:
        """Begin a unit's session. Units that are not registered are ignored."""
        now = self._clock.utc().isoformat()
        self._store.run(
            "UPDATE devices SET is_connected = 1, seems_online_until = NULL, last_heard = ?, last_handshake_at = ?,"
            " system_firmware_version = ?, firmware_product_id = ?, firmware_version = ?,"
            " iccid = coalesce(?, iccid), imei = coalesce(?, imei) WHERE id = ?",
            now, now, facts.device_os, facts.product_id, facts.product_version, facts.iccid, facts.imei,
            facts.device_id.lower(),
        )  # fmt: skip

    def offline(self, device_id: str) -> None:
        """End a unit's session. The cloud does not notice at once: the online flag stays set for a while."""
        now = self._clock.utc()
        row = self._store.row("SELECT iccid FROM devices WHERE id = ?", device_id.lower())
        stale_s = STALE_ONLINE_S[row is not None and row["iccid"] is not None]
        self._store.run(
            "UPDATE devices SET is_connected = 0, seems_online_until = ?, last_heard = ? WHERE id = ? AND is_connected",
            (now + datetime.timedelta(seconds=stale_s)).isoformat(), now.isoformat(), device_id.lower(),
        )  # fmt: skip

    def is_active(self, iccid: str) -> bool:
        return self.sim_status(Iccid.told(iccid)) == "active"

    # --- HTTP ---

    def _application(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        try:
            route, params = self._map.bind_to_environ(environ).match()
        except HTTPException as error:
            return self._response(404, {"error": f"No route: {error.name}"}, 0)(environ, start_response)
        assert isinstance(route, Route)
        fault = self._faults.take(route.name)
        if fault is not None and fault.kind in _DOING_NOTHING:
            reply, seq = self._do_nothing(request, route, fault)
        else:
            reply, seq = self._do(request, route, params)
        if self._on_request is not None:
            self._on_request(self._seen.one(seq), None if fault is None else fault.kind)
        if fault is not None:
            self._harm(fault, environ)
        is_html = fault is not None and fault.kind is FaultKind.HTML
        response = self._response(reply.status, reply.body, seq, is_html=is_html)
        if fault is not None and fault.retry_after is not None:
            response.headers["Retry-After"] = fault.retry_after
        return response(environ, start_response)

    def _harm(self, fault: Fault, environ: dict[str, Any]) -> None:
        if fault.kind in (FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER):
            hang_up(environ)
        elif fault.kind is FaultKind.SLOW:
            with self._clock.standing_in():
                self._clock.sleep(fault.seconds)

    def _do(self, request: Request, route: Route, params: Mapping[str, str]) -> tuple[Reply, int]:
        """Handle one request in one transaction together with its own log line."""
        with self._store.transaction():
            before, username = self._store.changes, ""
            try:
                body = json_of(request)
                caller = _ANYBODY if route.is_public else self._caller(request)
                username = caller.username
                _check_scope(caller, route)
                ask = Ask(
                    self._store, caller, params, body, self._clock.utc(), self.quirks, self._activation_s,
                    request.args.to_dict(), self.base_url,
                )  # fmt: skip
                reply = route.handler(ask)
            except Refuse as refused:
                reply = refused.reply
            had_effect = route.is_write and self._store.changes != before
            return reply, self._seen.add(request, route, username, reply.status, had_effect=had_effect)

    def _do_nothing(self, request: Request, route: Route, fault: Fault) -> tuple[Reply, int]:
        status = 200 if fault.kind is FaultKind.LIE else fault.status
        usual = {FaultKind.HTML: _HTML_PAGE, FaultKind.LIE: {"ok": True}}.get(fault.kind, {})
        body = usual if fault.body is None else fault.body
        return Reply(status, body), self._seen.add(request, route, "", status, had_effect=False)

    def _caller(self, request: Request) -> Caller:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refuse(400, {"error": "invalid_request", "error_description": "The access token was not found"})
        row = self._store.row("SELECT * FROM tokens JOIN users USING (username) WHERE digest = ?", digest(token))
        if row is None or (row["expires_at"] is not None and row["expires_at"] <= self._clock.utc().isoformat()):
            raise Refuse(401, {"error": "invalid_token", "error_description": "The access token provided is invalid."})
        return Caller(row["username"], bool(row["is_api"]), frozenset(row["scopes"].split()), row["expires_at"])

    def _response(self, status: int, body: object, seq: int, *, is_html: bool = False) -> Response:
        kind = "text/html" if is_html else "application/octet-stream" if isinstance(body, bytes) else "application/json"
        content = body if isinstance(body, bytes) else str(body) if is_html else json.dumps(body)
        response = Response(content, status=status, content_type=kind)
        response.headers["Date"] = http_date(self._clock.utc())
        response.headers["X-Request-Id"] = f"virtual-{seq}"
        return response


def _check_scope(caller: Caller, route: Route) -> None:
    if not caller.is_api or route.scope in caller.scopes:
        return
    words = "API users are not allowed to call this endpoint"
    raise Refuse(400, {"error": "unauthorized"} | ({} if route.scope else {"error_description": words}))
