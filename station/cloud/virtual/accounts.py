"""Teams with their API users, OAuth clients and customers of the virtual cloud (reference cloud-api 2.3, 2.6, 5.4)."""

from __future__ import annotations

import re
import secrets
import sqlite3

from .ask import Ask, Refuse, Reply
from .login import client_of, issue, token_json, user_id
from .refusals import Refusal
from .store import digest

# --- team and API users ----------------------------------------------------------------------------


def list_team(ask: Ask) -> Reply:
    """List the people and the API users of a product's team."""
    rows = ask.store.rows(
        "SELECT users.* FROM team JOIN users USING (username) WHERE team.product_id = ? ORDER BY username",
        ask.product()["id"],
    )
    return Reply(200, {"ok": True, "team": [_member_json(row) for row in rows]})


def _member_json(row: sqlite3.Row) -> dict[str, object]:
    body = {"username": row["username"], "is_programmatic": bool(row["is_api"])}
    return body | ({"friendly_name": row["friendly_name"]} if row["friendly_name"] else {})


def add_to_team(ask: Ask) -> Reply:
    """Invite a person by ``username``, or make an API user by ``friendly_name`` and ``scopes``."""
    product, name = ask.product(), ask.text("username")
    if not name:
        return _create_api_user(ask, product["id"])
    ask.store.run("INSERT OR IGNORE INTO users (username) VALUES (?)", name)
    ask.store.run("INSERT OR IGNORE INTO team (product_id, username) VALUES (?, ?)", product["id"], name)
    return Reply(200, {"ok": True, "invited": [name]})


def _create_api_user(ask: Ask, product_id: int) -> Reply:
    friendly, scopes = ask.text("friendly_name"), ask.texts("scopes")
    if not friendly or not scopes:
        raise Refuse(Refusal.NOTHING_TO_CHANGE)
    slug = re.sub("[^a-z0-9]+", "-", friendly.lower()).strip("-")
    name = f"{slug}+{secrets.token_hex(5)}@api.particle.io"
    ask.store.run(
        "INSERT INTO users (username, is_api, product_id, friendly_name) VALUES (?, 1, ?, ?)",
        name,
        product_id,
        friendly,
    )
    ask.store.run("INSERT INTO team (product_id, username) VALUES (?, ?)", product_id, name)
    return Reply(200, {"ok": True, "created": _with_new_token(ask, name, friendly, scopes)})


def _with_new_token(ask: Ask, username: str, friendly: str, scopes: list[str]) -> dict[str, object]:
    """Replace the API user's only token, which never expires."""
    ask.store.run("DELETE FROM tokens WHERE username = ?", username)
    text = issue(ask.store, username, scopes=" ".join(scopes))
    return {
        "username": username, "is_programmatic": True, "friendly_name": friendly,
        "tokens": [{"token": text, "scopes": scopes}],
    }  # fmt: skip


def change_api_user(ask: Ask) -> Reply:
    """Give an API user other scopes, or the same ones again: either way it gets another token."""
    row = _team_member(ask, is_api=True)
    held = ask.store.row("SELECT scopes FROM tokens WHERE username = ?", row["username"])
    scopes = ask.texts("scopes") or (held["scopes"].split() if held is not None else [])
    return Reply(200, {"ok": True, "updated": _with_new_token(ask, row["username"], row["friendly_name"], scopes)})


def remove_from_team(ask: Ask) -> Reply:
    """Remove a person from the team, or an API user altogether."""
    product, row = ask.product(), _team_member(ask, is_api=False)
    ask.store.run("DELETE FROM team WHERE product_id = ? AND username = ?", product["id"], row["username"])
    if row["is_api"]:
        ask.store.run("DELETE FROM tokens WHERE username = ?", row["username"])
        ask.store.run("DELETE FROM users WHERE username = ?", row["username"])
    return Reply(204)


def _team_member(ask: Ask, *, is_api: bool) -> sqlite3.Row:
    row = ask.store.row(
        "SELECT users.* FROM team JOIN users USING (username) WHERE team.product_id = ? AND username = ?",
        ask.product()["id"], ask.params["username"],
    )  # fmt: skip
    if row is None or (is_api and not row["is_api"]):
        raise Refuse(Refusal.NO_TEAM_MEMBER)
    return row


# --- OAuth clients ---------------------------------------------------------------------------------


def _clients_product(ask: Ask) -> int | None:
    return int(ask.product()["id"]) if "p" in ask.params else None


def list_clients(ask: Ask) -> Reply:
    """List the clients of a product, or the caller's own."""
    product_id = _clients_product(ask)
    rows = ask.store.rows(
        "SELECT * FROM clients WHERE product_id IS ? AND (product_id IS NOT NULL OR username = ?) ORDER BY name, id",
        product_id, ask.caller.username,
    )  # fmt: skip
    return Reply(200, {"ok": True, "clients": [_client_json(row) for row in rows]})


def _client_json(row: sqlite3.Row) -> dict[str, object]:
    return {"id": row["id"], "name": row["name"], "type": row["type"]}


def create_client(ask: Ask) -> Reply:
    """Create a client; its secret is shown in this answer only."""
    product_id, name = _clients_product(ask), ask.text("name")
    if not name:
        raise Refuse(Refusal.NOTHING_TO_CHANGE)
    slug = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
    client_id, secret = f"{slug}-{secrets.randbelow(10_000):04}", secrets.token_hex(20)
    ask.store.run(
        "INSERT INTO clients (id, secret, name, type, username, product_id) VALUES (?, ?, ?, ?, ?, ?)",
        client_id, digest(client_id, secret), name, ask.text("type") or "installed", ask.caller.username, product_id,
    )  # fmt: skip
    row = ask.store.row("SELECT * FROM clients WHERE id = ?", client_id)
    assert row is not None
    return Reply(200, {"ok": True, "client": _client_json(row) | {"secret": secret}})


def change_client(ask: Ask) -> Reply:
    """Rename a client."""
    row, name = _client(ask), ask.text("name")
    if name:
        ask.store.run("UPDATE clients SET name = ? WHERE id = ? AND name <> ?", name, row["id"], name)
    return Reply(200, {"ok": True, "client": _client_json(row) | ({"name": name} if name else {})})


def remove_client(ask: Ask) -> Reply:
    """Remove a client, and the tokens made with it."""
    client_id = _client(ask)["id"]
    ask.store.run("DELETE FROM tokens WHERE client = ?", client_id)
    ask.store.run("DELETE FROM clients WHERE id = ?", client_id)
    return Reply(204)


def _client(ask: Ask) -> sqlite3.Row:
    row = ask.store.row(
        "SELECT * FROM clients WHERE id = ? AND product_id IS ?", ask.params["client"], _clients_product(ask)
    )
    if row is None or (row["product_id"] is None and row["username"] != ask.caller.username):
        raise Refuse(Refusal.NO_CLIENT)
    return row


# --- customers -------------------------------------------------------------------------------------


def create_customer(ask: Ask) -> Reply:
    """Create a customer of a product, with a password or (``no_password``) a shadow customer; answers with a token.

    Only a client of this very product may do that (K5).
    """
    client, product = client_of(ask), ask.any_product()
    if client is None or client["product_id"] != product["id"]:
        raise Refuse(Refusal.BAD_CLIENT)
    email, password = ask.text("email"), ask.text("password")
    if "@" not in email or not (password or ask.body.get("no_password") is True):
        raise Refuse(Refusal.NOTHING_TO_CHANGE)
    known = ask.store.row("SELECT 1 FROM customers WHERE product_id = ? AND username = ?", product["id"], email)
    if known is not None:
        raise Refuse(Refusal.CUSTOMER_EXISTS)
    ask.store.run(
        "INSERT INTO customers (product_id, username, password) VALUES (?, ?, ?)",
        product["id"], email, digest(email, password) if password else None,
    )  # fmt: skip
    return Reply(200, token_json(ask, email, 7_776_000, client["id"], product["id"]))


def list_customers(ask: Ask) -> Reply:
    """List a product's customers with their devices."""
    product = ask.product()
    rows = ask.store.rows("SELECT * FROM customers WHERE product_id = ? ORDER BY username", product["id"])
    listed = [{"id": user_id(row["username"]), "username": row["username"]} for row in rows]
    devices = ask.store.rows("SELECT id, owner FROM devices WHERE product_id = ? AND is_customers", product["id"])
    return Reply(200, {
        "customers": listed, "devices": [{"id": row["id"], "owner": row["owner"]} for row in devices],
    })  # fmt: skip


def remove_customer(ask: Ask) -> Reply:
    """Remove a customer with tokens and claim codes that wait; what they own is unclaimed."""
    product_id, email = ask.product()["id"], ask.params["email"]
    if not ask.store.run("DELETE FROM customers WHERE product_id = ? AND username = ?", product_id, email):
        raise Refuse(Refusal.NO_CUSTOMER)
    ask.store.run("DELETE FROM tokens WHERE customer_of = ? AND username = ?", product_id, email)
    ask.store.run("DELETE FROM claim_codes WHERE product_id = ? AND username = ? AND is_customers", product_id, email)
    ask.store.run(
        "UPDATE devices SET owner = NULL, is_customers = 0 WHERE product_id = ? AND owner = ? AND is_customers",
        product_id, email,
    )  # fmt: skip
    return Reply(204)
