"""Who asks, and whether they may: tokens, names with passwords, scopes, limits (reference cloud-api 2, 9)."""

from __future__ import annotations

import datetime

from werkzeug.wrappers import Request

from .ask import Auth, Caller, Refuse, Route
from .limits import Limits, Meter
from .payload import FORM
from .refusals import Refusal
from .store import Store, digest

_ANYBODY = Caller("")
_OF_CUSTOMERS = ("/v1/devices", "/v1/device_claims", "/v1/events", "/v1/device-os", "/v1/products/<p>")
"""Where customers may ask at all: of their own devices. The products' own routes are for their teams (K3)."""
_TOKENS, _CURRENT = "/v1/access_tokens", "/v1/access_tokens/current"


def admit(meter: Meter, limits: Limits, request: Request, route: Route, now: datetime.datetime) -> None:
    """Count the request; raise `Refuse` where its address asked too much, or for a body that is no form."""
    address, at = request.remote_addr or "", now.timestamp()
    if waits_s := meter.use("calls", address, limits.calls, at):
        raise Refuse(limits.calls.refusal, lasts_s=waits_s)
    is_about_tokens = route.rule == "/oauth/token" or (route.rule.startswith(_TOKENS) and route.rule != _CURRENT)
    if is_about_tokens and (waits_s := meter.use(f"{route.method} tokens", address, limits.tokens, at)):
        raise Refuse(limits.tokens.refusal, lasts_s=waits_s)
    if route.is_form and request.mimetype != FORM:
        raise Refuse(Refusal.NOT_A_FORM)


def basic_of(request: Request) -> tuple[str, str]:
    """Return name and password of HTTP Basic; empty if there are none."""
    said = request.authorization
    return (said.username or "", said.password or "") if said is not None and said.type == "basic" else ("", "")


def caller_of(store: Store, request: Request, route: Route, now: datetime.datetime) -> Caller:
    """Return who asks. Raises `Refuse` unless they may ask this."""
    if route.auth is Auth.ANYBODY:
        return _ANYBODY
    if route.auth is Auth.BASIC and basic_of(request) != ("", ""):
        return _by_password(store, *basic_of(request))
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    has_token = scheme.lower() == "bearer" and token != ""
    if route.auth is Auth.OPTIONAL and not has_token:
        return _ANYBODY
    if not has_token:
        raise Refuse(Refusal.NO_TOKEN)
    row = store.row("SELECT * FROM tokens LEFT JOIN users USING (username) WHERE digest = ?", digest(token))
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= now.isoformat()):
        if route.auth is Auth.OPTIONAL:
            return _ANYBODY
        raise Refuse(Refusal.BAD_TOKEN)
    caller = Caller(
        row["username"], bool(row["is_api"]) and row["customer_of"] is None, frozenset(row["scopes"].split()),
        row["expires_at"], row["client"], row["customer_of"], row["digest"],
    )  # fmt: skip
    if caller.customer_of is not None and not _is_for_customers(route):
        raise Refuse(Refusal.NOT_IN_TEAM)
    if caller.is_api and route.scope not in caller.scopes and not route.rule.startswith(_TOKENS):
        raise Refuse(Refusal.NOT_IN_SCOPE if route.scope else Refusal.NOT_FOR_API_USERS)
    return caller


def _is_for_customers(route: Route) -> bool:
    return route.rule == "/v1/user" or route.rule.startswith((*_OF_CUSTOMERS, _TOKENS))


def _by_password(store: Store, username: str, password: str) -> Caller:
    row = store.row("SELECT * FROM users WHERE username = ? AND NOT is_api", username)
    if row is None:
        raise Refuse(Refusal.UNKNOWN_USER)
    if row["password"] != digest(username, password):
        raise Refuse(Refusal.BAD_PASSWORD)
    return Caller(username)
