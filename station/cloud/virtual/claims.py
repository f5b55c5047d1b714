"""Claims, transfers, claim codes and serial look-ups of the virtual cloud (reference cloud-api 5, 6.1)."""

from __future__ import annotations

import datetime
import secrets
import sqlite3

from .ask import Ask, Refuse, Reply, date_json
from .login import user_id
from .refusals import Refusal
from .store import Store, digest


def claim(ask: Ask) -> Reply:
    """Make the token's bearer the owner: of product devices even offline, of developer devices only online (E2 E3)."""
    row = ask.store.row("SELECT * FROM devices WHERE id = ?", ask.body.get("id"))
    if row is None:
        raise Refuse(Refusal.DEVICE_UNKNOWN)
    if (row["owner"] is not None and not ask.owns(row)) or row["is_lost"]:
        return _foreign(ask, row)
    if ask.caller.customer_of is not None:
        return _claim_for_customer(ask, row)
    if row["product_id"] is not None and not ask.in_team(row["product_id"]):
        raise Refuse(Refusal.NOT_MINE)
    if row["product_id"] is None and not row["is_connected"]:
        _offline(ask)
    if row["product_id"] is None:
        _check_plan(ask)
    _own(ask, row)
    return Reply(200, {
        "user_id": user_id(ask.caller.username), "id": row["id"], "connected": bool(row["is_connected"]), "ok": True
    })  # fmt: skip


def _claim_for_customer(ask: Ask, row: sqlite3.Row) -> Reply:
    """Let a customer own a device of the product, if it is online.

    Of any other device the customer becomes an owner of the wrong kind, though the answer looks good: nobody sees it
    any more (rule E14).
    """
    if not row["is_connected"]:
        _offline(ask)
    _own(ask, row)
    if row["product_id"] != ask.caller.customer_of:
        ask.store.run("UPDATE devices SET is_lost = 1 WHERE id = ?", row["id"])
    return Reply(200, {
        "customer_id": user_id(ask.caller.username), "product_id": ask.caller.customer_of, "id": row["id"],
        "updated_at": date_json(ask.now.isoformat()), "connected": True, "ok": True,
    })  # fmt: skip


def _own(ask: Ask, row: sqlite3.Row) -> None:
    is_customers = int(ask.caller.customer_of is not None)
    ask.store.run(
        "UPDATE devices SET owner = ?, is_customers = ? WHERE id = ? AND owner IS NULL",
        ask.caller.username, is_customers, row["id"],
    )  # fmt: skip


def _offline(ask: Ask) -> None:
    refused = Refuse(Refusal.DEVICE_OFFLINE)
    if ask.quirks.offline_claim is not None:
        refused.reply = Reply(Refusal.DEVICE_OFFLINE.status, ask.quirks.offline_claim)
    raise refused


def _check_plan(ask: Ask) -> None:
    """Raise `Refuse` where the account's plan has no room for one more device outside products (L1)."""
    row = ask.store.row("SELECT device_limit FROM users WHERE username = ?", ask.caller.username)
    owned = ask.store.row(
        "SELECT count(*) AS n FROM devices WHERE owner = ? AND product_id IS NULL", ask.caller.username
    )
    if row is not None and row["device_limit"] is not None and owned is not None and owned["n"] >= row["device_limit"]:
        raise Refuse(Refusal.ACCOUNT_FULL)


def _foreign(ask: Ask, row: sqlite3.Row) -> Reply:
    """Refuse, or (``request_transfer``) ask the owner, who must agree by e-mail."""
    if ask.body.get("request_transfer") is not True:
        raise Refuse(Refusal.SOMEONE_ELSES)
    transfer = secrets.token_hex(12)
    ask.store.run(
        "INSERT INTO transfers (id, device_id, username, asked_of) VALUES (?, ?, ?, ?)",
        transfer, row["id"], ask.caller.username, row["owner"],
    )  # fmt: skip
    return Reply(200, {"transfer_id": transfer})


# --- claim codes (5.3) -----------------------------------------------------------------------------

_CODE_LENGTH = 63
CODE_LASTS_S = 3600.0
"""How long a code may wait for its device: the reference does not say."""


def create_claim_code(ask: Ask) -> Reply:
    """Make a claim code of the caller, or in a product of its customer, whose token it must be (K5).

    Outside products the code may be an ICCID or IMEI, which the device then need not be told.
    """
    product = ask.any_product() if "p" in ask.params else None
    customer_of = ask.caller.customer_of
    if product is not None and customer_of != product["id"]:
        raise Refuse(Refusal.CLAIM_CODE_WRONG_TOKEN)
    known = "" if product is not None else ask.text("iccid") or ask.text("imei")
    code = known or secrets.token_urlsafe(48)[:_CODE_LENGTH]
    ask.store.run(
        "INSERT OR REPLACE INTO claim_codes (digest, username, is_customers, product_id, made_at)"
        " VALUES (?, ?, ?, ?, ?)",
        digest(code), ask.caller.username, int(customer_of is not None), None if product is None else product["id"],
        ask.now.isoformat(),
    )  # fmt: skip
    owned = ask.store.rows("SELECT * FROM devices WHERE owner = ? ORDER BY id", ask.caller.username)
    return Reply(200, {"claim_code": code, "device_ids": [row["id"] for row in owned if ask.owns(row)]})


def redeem(store: Store, device: sqlite3.Row, codes: list[str], now: datetime.datetime) -> None:
    """Give a device that connects to whom one of its claim codes belongs, and add it to the code's product (K6).

    A device that has an owner keeps it; a code works once and not for ever. One of a product is good for its members
    and for devices of its platform that are in none.
    """
    oldest = (now - datetime.timedelta(seconds=CODE_LASTS_S)).isoformat()
    for code in codes:
        row = store.row(
            "SELECT * FROM claim_codes WHERE digest = ? AND used_by IS NULL AND made_at > ?", digest(code), oldest
        )
        if row is None or not _is_for(store, row, device):
            continue
        store.run(
            "UPDATE devices SET owner = ?, is_customers = ? WHERE id = ? AND owner IS NULL",
            row["username"], row["is_customers"], device["id"],
        )  # fmt: skip
        store.run(
            "UPDATE devices SET product_id = ? WHERE id = ? AND product_id IS NULL", row["product_id"], device["id"]
        )
        store.run("UPDATE claim_codes SET used_by = ? WHERE digest = ?", device["id"], row["digest"])


def _is_for(store: Store, code: sqlite3.Row, device: sqlite3.Row) -> bool:
    if code["product_id"] is None or device["product_id"] is not None:
        return bool(code["product_id"] in (None, device["product_id"]))
    product = store.row("SELECT platform_id FROM products WHERE id = ?", code["product_id"])
    return product is not None and bool(product["platform_id"] == device["platform_id"])


# --- serial numbers (6.1) --------------------------------------------------------------------------


def serial_lookup(ask: Ask) -> Reply:
    """Look up a serial number; at most 50 an hour and account, found or not."""
    me, limit = ask.caller.username, ask.limits.lookups
    since = (ask.now - datetime.timedelta(seconds=limit.window_s)).isoformat()
    used = ask.store.rows("SELECT at FROM lookups WHERE username = ? AND at > ? ORDER BY at", me, since)
    if len(used) >= limit.count:
        age_s = (ask.now - datetime.datetime.fromisoformat(used[0]["at"])).total_seconds()
        raise Refuse(limit.refusal, lasts_s=limit.window_s - age_s)
    ask.store.run("INSERT INTO lookups (username, at) VALUES (?, ?)", me, ask.now.isoformat())
    row = ask.store.row("SELECT * FROM devices WHERE serial_number = ?", ask.params["serial"])
    if row is None:
        raise Refuse(Refusal.NO_SERIAL)
    body: dict[str, object] = {"ok": True, ask.quirks.serial_key: row["id"], "platform_id": row["platform_id"]}
    return Reply(200, body | ({"iccid": row["iccid"]} if row["iccid"] else {}))
