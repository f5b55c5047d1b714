"""Tokens of the virtual cloud: login with and without a second factor, client credentials, revocation.

Facts: reference cloud-api 2.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import secrets
import sqlite3
import struct

from .ask import Ask, Handler, Refuse, Reply, date_json
from .refusals import Refusal
from .store import Store, digest

USUAL_TOKEN_S = 7_776_000
_LOGIN_S = 300.0
"""How long a half login waits for its second factor."""
_OTP_S = 30
PUBLIC_CLIENTS = frozenset({"particle", "particle-api", "particle-cli", "CLI2"})
"""Clients of the vendor's own tools; whatever they call their secret."""
CUSTOMER_SCOPE = "customer="


def otp_of(secret: str, at: datetime.datetime, step: int = 0) -> str:
    """Return the one-time password of a moment, ``step`` periods of 30 s later: six digits, RFC 6238."""
    counter = struct.pack(">Q", int(at.timestamp()) // _OTP_S + step)
    mac = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    number = struct.unpack(">I", mac[mac[-1] & 15 :][:4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def issue(
    store: Store, username: str, *, scopes: str = "", expires_at: str | None = None, client: str = "particle",
    customer_of: int | None = None,
) -> str:  # fmt: skip
    """Make a token and return its text, which is not kept."""
    text = secrets.token_hex(20)
    store.run(
        "INSERT INTO tokens (digest, username, scopes, expires_at, client, customer_of) VALUES (?, ?, ?, ?, ?, ?)",
        digest(text), username, scopes, expires_at, client, customer_of,
    )  # fmt: skip
    return text


def token_json(ask: Ask, username: str, seconds: int, client: str, customer_of: int | None = None) -> dict[str, object]:
    """Make a token and return it as a login is answered; ``seconds`` 0: it does not expire."""
    expires_at = (ask.now + datetime.timedelta(seconds=seconds)).isoformat() if seconds else None
    text = issue(ask.store, username, expires_at=expires_at, client=client, customer_of=customer_of)
    return {
        "token_type": "bearer", "access_token": text, "expires_in": seconds, "refresh_token": secrets.token_hex(20)
    }  # fmt: skip


# --- POST /oauth/token -------------------------------------------------------------------------


def create_token(ask: Ask) -> Reply:
    """Create a token by one of the grants, another one at every call. Ten failures in a row lock the address (2.1)."""
    grant, at = _GRANTS.get(ask.text("grant_type")), ask.now.timestamp()
    if locked_s := ask.meter.locked_for(ask.address, at):
        raise Refuse(Refusal.LOGIN_LOCKED, lasts_s=locked_s)
    if grant is None:
        raise Refuse(Refusal.BAD_GRANT)
    try:
        reply = grant(ask)
    except Refuse as refused:
        if refused.reply.status == 400:
            ask.meter.strike(ask.address, ask.limits, at)
        raise
    ask.meter.forgive(ask.address)
    return reply


def client_of(ask: Ask) -> sqlite3.Row | None:
    """Return the client that asks, by HTTP Basic or fields; None for one of the vendor's. Else raise `Refuse`."""
    name, secret = ask.client if ask.client[0] else (ask.text("client_id"), ask.text("client_secret"))
    if name in PUBLIC_CLIENTS:
        return None
    row = ask.store.row("SELECT * FROM clients WHERE id = ?", name)
    if row is None or not hmac.compare_digest(row["secret"], digest(name, secret)):
        raise Refuse(Refusal.BAD_CLIENT)
    return row


def _by_password(ask: Ask) -> Reply:
    client, seconds = client_of(ask), _seconds(ask)
    name, password = ask.text("username"), ask.text("password")
    client_id = "particle" if client is None else str(client["id"])
    user = ask.store.row("SELECT * FROM users WHERE username = ? AND NOT is_api", name)
    if user is not None and user["password"] is not None and user["password"] == digest(name, password):
        if user["otp_secret"] is None:
            return Reply(200, token_json(ask, name, seconds, client_id))
        raise Refuse(Refusal.MFA_REQUIRED, mfa_token=_half_login(ask, name, client_id, seconds))
    if client is not None and client["product_id"] is not None:
        customer = _customer(ask, client["product_id"], name)
        if customer is not None and customer["password"] == digest(name, password):
            return Reply(200, token_json(ask, name, seconds, client_id, client["product_id"]))
    raise Refuse(Refusal.BAD_CREDENTIALS)


def _half_login(ask: Ask, username: str, client: str, seconds: int) -> str:
    text = f"{secrets.token_urlsafe(18)}.{secrets.token_urlsafe(60)}.{secrets.token_urlsafe(32)}"
    ends_at = (ask.now + datetime.timedelta(seconds=_LOGIN_S)).isoformat()
    ask.store.run(
        "INSERT INTO logins (digest, username, client, expires_in, ends_at) VALUES (?, ?, ?, ?, ?)",
        digest(text), username, client, seconds, ends_at,
    )  # fmt: skip
    return text


def _by_second_factor(ask: Ask) -> Reply:
    half = ask.store.row(
        "SELECT * FROM logins JOIN users USING (username) WHERE digest = ?", digest(ask.text("mfa_token"))
    )
    is_right = (
        half is not None
        and half["ends_at"] > ask.now.isoformat()
        and ask.text("otp") in {otp_of(half["otp_secret"], ask.now, step) for step in (-1, 0, 1)}
    )
    if half is None or not is_right:
        raise Refuse(Refusal.OTP_EXPIRED)
    ask.store.run("DELETE FROM logins WHERE digest = ?", half["digest"])
    return Reply(200, token_json(ask, half["username"], half["expires_in"], half["client"]))


def _by_client(ask: Ask) -> Reply:
    client, scope = client_of(ask), ask.text("scope")
    if client is None:
        raise Refuse(Refusal.BAD_CLIENT)
    if not scope.startswith(CUSTOMER_SCOPE):
        return Reply(200, token_json(ask, client["username"], _seconds(ask), client["id"]))
    if client["product_id"] is None:
        raise Refuse(Refusal.BAD_CLIENT)
    customer = _customer(ask, client["product_id"], scope.removeprefix(CUSTOMER_SCOPE))
    if customer is None:
        raise Refuse(Refusal.BAD_CREDENTIALS)
    return Reply(200, token_json(ask, customer["username"], _seconds(ask), client["id"], client["product_id"]))


def _customer(ask: Ask, product_id: int, ref: str) -> sqlite3.Row | None:
    """Return a product's customer by e-mail address or id."""
    rows = ask.store.rows("SELECT * FROM customers WHERE product_id = ?", product_id)
    return next((row for row in rows if ref in (row["username"], user_id(row["username"]))), None)


_GRANTS: dict[str, Handler] = {
    "password": _by_password,
    "urn:custom:mfa-otp": _by_second_factor,
    "client_credentials": _by_client,
}


def _seconds(ask: Ask) -> int:
    asked, until = ask.body.get("expires_in"), ask.text("expires_at")
    if isinstance(asked, int):
        return max(0, asked)
    try:
        at = datetime.datetime.fromisoformat(until)
    except ValueError:
        return USUAL_TOKEN_S
    return max(1, int((at.replace(tzinfo=at.tzinfo or datetime.UTC) - ask.now).total_seconds()))


# --- the token in use, and others ---------------------------------------------------------------


def token_info(ask: Ask) -> Reply:
    """Return how long the token of this request lasts, and what it may do (2.4)."""
    caller = ask.caller
    return Reply(200, {
        "expires_at": date_json(caller.expires_at), "client": caller.client, "scopes": sorted(caller.scopes), "orgs": []
    })  # fmt: skip


def list_tokens(ask: Ask) -> Reply:
    """List the user's tokens. Only digests are kept, so each is shown by a part of its digest, which revokes it too."""
    rows = ask.store.rows("SELECT * FROM tokens WHERE username = ? AND customer_of IS NULL", ask.caller.username)
    return Reply(200, [
        {"token": row["digest"][:40], "expires_at": date_json(row["expires_at"]), "client": row["client"]}
        for row in rows
    ])  # fmt: skip


def revoke_current(ask: Ask) -> Reply:
    """Delete the token of the caller."""
    ask.store.run("DELETE FROM tokens WHERE digest = ?", ask.caller.digest)
    return Reply(200, {"ok": True})


def revoke_all(ask: Ask) -> Reply:
    """Delete all tokens of the caller, those of other stations, too."""
    ask.store.run("DELETE FROM tokens WHERE username = ? AND customer_of IS NULL", ask.caller.username)
    return Reply(200, {"ok": True})


def revoke_token(ask: Ask) -> Reply:
    """Revoke a token. Who knows it may do so: the vendor's tool sends no credentials with it."""
    text = ask.params["token"]
    gone = ask.store.run("DELETE FROM tokens WHERE digest = ?", digest(text))
    if not gone and ask.caller.username:
        gone = ask.store.run(
            "DELETE FROM tokens WHERE username = ? AND substr(digest, 1, 40) = ?", ask.caller.username, text
        )
    if not gone:
        raise Refuse(Refusal.BAD_TOKEN)
    return Reply(200, {"ok": True})


# --- the user ------------------------------------------------------------------------------------


def user_id(username: str) -> str:
    """Return a user's or a customer's id: 24 hex."""
    return digest("user", username)[:24]


def user(ask: Ask) -> Reply:
    """Return who the token belongs to (2.4)."""
    me = ask.caller.username
    row = ask.store.row("SELECT * FROM users WHERE username = ?", me)
    owned = ask.store.rows("SELECT iccid FROM devices WHERE owner = ?", me)
    cellular = sum(device["iccid"] is not None for device in owned)
    return Reply(200, {
        "username": me, "subscription_ids": [], "account_info": {"business_account": False},
        "mfa": {"enabled": row is not None and row["otp_secret"] is not None},
        "wifi_device_count": len(owned) - cellular, "cellular_device_count": cellular,
        "scim_provisioned": False, "no_password": row is None or row["password"] is None,
    })  # fmt: skip


def create_user(ask: Ask) -> Reply:
    """Create an account with a password."""
    name, password = ask.text("username"), ask.text("password")
    if "@" not in name or not password:
        raise Refuse(Refusal.UNKNOWN_USER)
    if ask.store.row("SELECT 1 FROM users WHERE username = ?", name) is not None:
        raise Refuse(Refusal.USER_EXISTS)
    ask.store.run("INSERT INTO users (username, password) VALUES (?, ?)", name, digest(name, password))
    return Reply(200, {"ok": True})
