"""Products, organisations, search and configuration of the virtual cloud (reference cloud-api 3, 4.3)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from .ask import Ask, Refuse, Reply, date_json
from .devices import device_json
from .login import user_id
from .refusals import Refusal
from .sims import sim_json


def product_json(ask: Ask, row: sqlite3.Row) -> dict[str, object]:
    """Encode a product."""
    groups = ask.store.rows("SELECT name FROM groups WHERE product_id = ? ORDER BY name", row["id"])
    org = {} if row["org"] is None else {"org": row["org"], "organization_id": user_id(row["org"])}
    protection = {"device_protection": "active"} if row["is_protected"] else {}
    return {
        "id": row["id"], "platform_id": row["platform_id"], "name": row["name"], "slug": row["slug"],
        "description": "", "groups": [group["name"] for group in groups],
        "settings": {
            "quarantine": bool(row["quarantine"]), "location": {}, "known_application": {"opt_in": False}
        },
    } | org | protection  # fmt: skip


def get_product(ask: Ask) -> Reply:
    """Return the product, as an object or (with `Quirks.product_as_list`) as a list of one."""
    body = product_json(ask, ask.product())
    return Reply(200, {"product": [body] if ask.quirks.product_as_list else body})


def list_products(ask: Ask) -> Reply:
    """List the products whose team the caller is in, wherever they are."""
    return _listed(ask, "1 = 1")


def list_sandbox_products(ask: Ask) -> Reply:
    """List the products of the caller that are in no organisation."""
    return _listed(ask, "org IS NULL")


def list_org_products(ask: Ask) -> Reply:
    """List the products of one organisation."""
    return _listed(ask, "org = ?", ask.params["org"])


def _listed(ask: Ask, where: str, *values: object) -> Reply:
    if ask.caller.customer_of is not None:  # no product route is for customers (5.4)
        raise Refuse(Refusal.NOT_IN_TEAM)
    rows = ask.store.rows(f"SELECT * FROM products WHERE {where} ORDER BY id", *values)
    return Reply(200, {"products": [product_json(ask, row) for row in rows if ask.in_team(row["id"])]})


def list_orgs(ask: Ask) -> Reply:
    """List the organisations that have a product whose team the caller is in."""
    rows = ask.store.rows("SELECT id, org FROM products WHERE org IS NOT NULL ORDER BY org")
    names = dict.fromkeys(row["org"] for row in rows if ask.in_team(row["id"]))
    return Reply(200, {"organizations": [{"id": user_id(org), "slug": org, "name": org} for org in names]})


_MOST_HITS = 10


def search(ask: Ask) -> Reply:
    """Find devices, products and SIMs by a part of a name or number, in what the caller may see: at most 10 a type."""
    text, kind = ask.query.get("text", "").lower(), ask.query.get("type", "")
    hits: dict[str, list[object]] = {}
    if kind in ("", "device"):
        found = (row for row in ask.store.rows("SELECT * FROM devices ORDER BY id") if _sees(ask, row, "owner"))
        named = _hits(found, text, ("id", "name", "serial_number", "iccid", "imei"))
        hits["devices"] = [device_json(ask.store, ask.now, row) for row in named]
    if kind in ("", "product"):
        mine = (row for row in ask.store.rows("SELECT * FROM products ORDER BY id") if ask.in_team(row["id"]))
        hits["products"] = [product_json(ask, row) for row in _hits(mine, text, ("name", "slug", "id"))]
    if kind in ("", "sim"):
        cards = (row for row in ask.store.rows("SELECT * FROM sims ORDER BY iccid") if _sees(ask, row, "username"))
        hits["sims"] = [sim_json(ask, row) for row in _hits(cards, text, ("iccid",))]
    return Reply(200, hits)


def _sees(ask: Ask, row: sqlite3.Row, owner: str) -> bool:
    return row[owner] == ask.caller.username or ask.in_team(row["product_id"])


def _hits(rows: Iterable[sqlite3.Row], text: str, columns: tuple[str, ...]) -> list[sqlite3.Row]:
    fits = [row for row in rows if any(text in str(row[column] or "").lower() for column in columns)]
    return fits[:_MOST_HITS]


# --- configuration (3.3) ---------------------------------------------------------------------------

_SCHEMA = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {}}
_OF_THE_PRODUCT = ""


def get_configuration(ask: Ask) -> Reply:
    """Return what a product or one of its devices is set to, or the schema where that is asked for."""
    product_id, device_id = _configured(ask)
    if "schema+json" in ask.accept:
        return Reply(200, _SCHEMA)
    row = ask.store.row("SELECT * FROM configuration WHERE product_id = ? AND device_id = ?", product_id, device_id)
    return Reply(200, {"configuration": {
        "current": {} if row is None else json.loads(row["wanted"]),
        "updated_at": None if row is None else date_json(row["updated_at"]),
    }})  # fmt: skip


def put_configuration(ask: Ask) -> Reply:
    """Replace the whole configuration: 200, or 202 for a device that takes it when it comes online."""
    product_id, device_id = _configured(ask)
    wrong = [name for name, value in ask.body.items() if not isinstance(value, dict)]
    if wrong:
        raise Refuse(Refusal.BAD_CONFIGURATION, violations=[{"path": f"/{name}"} for name in wrong])
    ask.store.run(
        "INSERT OR REPLACE INTO configuration (product_id, device_id, wanted, updated_at) VALUES (?, ?, ?, ?)",
        product_id, device_id, json.dumps(dict(ask.body)), ask.now.isoformat(),
    )  # fmt: skip
    is_applied = device_id == _OF_THE_PRODUCT or bool(ask.member()["is_connected"])
    return Reply(200 if is_applied else 202, {"configuration": {"current": ask.body}})


def _configured(ask: Ask) -> tuple[int, str]:
    return ask.product()["id"], ask.member()["id"] if "id" in ask.params else _OF_THE_PRODUCT
