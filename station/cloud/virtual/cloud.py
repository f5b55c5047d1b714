"""A complete virtual cloud on a loopback port: real HTTP, persistent state, counted writes, and injected faults.

It is also the cloud end of the virtual units' sessions (`drivers.virtual.world.CloudLink` and
`SimRegistry`). State is committed before it answers, so a killed demo continues from the file.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from drivers.clock import CancelToken, Clock
from drivers.errors import Cancelled
from drivers.identity import Iccid
from drivers.virtual.world import UnitEnd, UnitFacts

from .answers import answer_of, in_place_of_work, no_route
from .ask import Ask, Quirks, Refuse, Reply, Route
from .callers import admit, basic_of, caller_of
from .events import CloudEvent, EventHub, StreamTrouble
from .faults import DOING_NOTHING, Fault, FaultBook, FaultKind
from .limits import Limits, Meter
from .past import Past
from .payload import fields_of, files_of
from .registry import Registry
from .routes import ROUTES
from .seen import SeenRequest
from .server import LoopbackServer, hang_up
from .sessions import Sessions
from .store import Store

_ROUTES = {
    rule: {route.method: route for route in ROUTES if route.rule == rule} for rule in (one.rule for one in ROUTES)
}


@functools.cache
def _map() -> Map:
    """Return the compiled rules of all routes; werkzeug takes 20 ms for them, so every cloud shares one."""
    return Map([Rule(rule, endpoint=rule) for rule in _ROUTES])


class VirtualCloud(Registry):
    """A cloud in this process. Thread-safe. Call ``serve`` before use, ``close`` at the end.

    ``path``: SQLite file to continue from; None keeps everything in memory. ``activation_s``: how long a SIM
    takes at least to become active. ``quirks`` and ``limits`` may be replaced at any time. ``on_request`` is called
    with each request and the fault that hit it, after its effect and before its answer.
    """

    def __init__(
        self,
        clock: Clock,
        path: Path | None = None,
        *,
        activation_s: float = 3.0,
        quirks: Quirks | None = None,
        limits: Limits | None = None,
        on_request: Callable[[SeenRequest, FaultKind | None], None] | None = None,
    ) -> None:
        super().__init__(Store(path), clock)
        self.quirks, self.limits, self._on_request = quirks or Quirks(), limits or Limits(), on_request
        self._activation_s = activation_s
        self._faults, self._meter, self._hub, self._past = FaultBook(), Meter(), EventHub(), Past()
        self._sessions = Sessions(self._store, self._hub, clock)
        self._server: LoopbackServer | None = None
        self._down_until = clock.now()
        self._recovery: CancelToken | None = None
        self._lock = threading.Lock()

    # --- serving and outages ---

    def serve(self, port: int = 0) -> str:
        """Open ``port`` of 127.0.0.1 (0: any free one) and return the base URL."""
        with self._lock:
            self._server = LoopbackServer(self._application, port)
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
        self._hub.close()
        if server is not None:
            server.close()
        self._past.close()
        self._store.close()

    def down_until(self, at: float) -> None:
        """Refuse all connections until the clock shows ``at``."""
        with self._lock:
            self._down_until = max(self._down_until, at)
            if self._clock.now() >= self._down_until:
                return
            if self._server is not None:
                self._server.stop()
            self._hub.close()
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

    def trouble_streams(self, trouble: StreamTrouble | None) -> None:
        """Let all event streams misbehave, those that are open too; None: as they should be."""
        self._hub.trouble = trouble

    # --- the units' side: CloudLink and SimRegistry ---

    def online(self, facts: UnitFacts, unit: UnitEnd | None = None) -> None:
        """Begin a session; without ``unit`` nothing can be asked of it."""
        self._sessions.begin(facts, unit)

    def offline(self, device_id: str) -> None:
        self._sessions.end(device_id)

    def is_active(self, iccid: str) -> bool:
        return self.sim_status(Iccid.told(iccid)) == "active"

    # --- HTTP ---

    def _application(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with Request(environ) as request:
            return self._routed(request)(environ, start_response)

    def _routed(self, request: Request) -> Response:
        try:
            rule, params = _map().bind_to_environ(request.environ).match()
        except HTTPException as error:
            return no_route(error, self._clock.utc())
        routes = _ROUTES[rule]
        route = routes.get(request.method) or (routes.get("GET") if request.method == "HEAD" else None)
        return no_route(routes, self._clock.utc()) if route is None else self._answered(request, route, params)

    def _answered(self, request: Request, route: Route, params: Mapping[str, str]) -> Response:
        fault = self._faults.take(route.name, request.path)
        lasts_s = 0.0
        if fault is not None and fault.kind in DOING_NOTHING:
            reply = in_place_of_work(fault)
            seq = self._seen.add(request, route, params, "", reply.status, had_effect=False)
        else:
            reply, seq, lasts_s = self._do(request, route, params)
        if self._on_request is not None:
            self._on_request(self._seen.one(seq), None if fault is None else fault.kind)
        if fault is not None and fault.kind in (FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER):
            hang_up(request.environ)
        delay_s = reply.delay_s + (fault.seconds if fault is not None and fault.kind is FaultKind.SLOW else 0.0)
        if delay_s:
            with self._clock.standing_in():
                self._clock.sleep(delay_s)
        says_when = lasts_s if self.limits.says_when else 0.0
        return answer_of(reply, seq, self._clock.utc(), fault, says_when, lambda: hang_up(request.environ))

    def _do(self, request: Request, route: Route, params: Mapping[str, str]) -> tuple[Reply, int, float]:
        """Handle one request in one transaction together with its own log line.

        Returns how long a limit lasts that it met, too.
        """
        now, lasts_s = self._clock.utc(), 0.0
        told, due, signals = list[CloudEvent](), list[str](), list[tuple[str, bool]]()
        with self._store.transaction():
            before, username = self._store.changes, ""
            try:
                admit(self._meter, self.limits, request, route, now)
                caller = caller_of(self._store, request, route, now)
                username = caller.username
                reply = route.handler(Ask(
                    store=self._shown(route, now), caller=caller, params=params, body=fields_of(request), now=now,
                    quirks=self.quirks, activation_s=self._activation_s, hub=self._hub, meter=self._meter,
                    limits=self.limits, told=told, due=due, signals=signals, query=request.args.to_dict(),
                    files=files_of(request), client=basic_of(request),
                    accept=request.headers.get("Accept", ""), base_url=self.base_url,
                    address=request.remote_addr or "",
                ))  # fmt: skip
            except Refuse as refused:
                reply, lasts_s = refused.reply, refused.lasts_s
            had_effect = route.is_write and self._store.changes != before
            seq = self._seen.add(request, route, params, username, reply.status, had_effect=had_effect)
        for event in told:
            self._hub.publish(event)
        for device_id, is_on in signals:
            self._sessions.signal(device_id, is_on)
        self._sessions.deliver(*due)
        return reply, seq, lasts_s

    def _shown(self, route: Route, now: datetime.datetime) -> Store:
        """Return where a request is answered from: reads lag behind writes if they are to (`Quirks.lag_s`)."""
        if not self.quirks.lag_s:
            return self._store
        if route.is_write:
            self._past.keep(self._store, now)
            return self._store
        return self._past.as_of(now - datetime.timedelta(seconds=self.quirks.lag_s)) or self._store
