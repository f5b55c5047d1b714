"""Device groups of the virtual cloud's products (reference cloud-api 4.5)."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable

from .ask import Ask, Refuse, Reply
from .refusals import Refusal

_NAME = re.compile(r"[a-z0-9_-]{1,64}")


def is_group_name(name: str) -> bool:
    """Return whether a group may be called that."""
    return _NAME.fullmatch(name) is not None


def create_missing(ask: Ask, product_id: int, names: Iterable[str]) -> None:
    """Make those of ``names`` that the product does not have."""
    for name in names:
        ask.store.run("INSERT OR IGNORE INTO groups (product_id, name) VALUES (?, ?)", product_id, name)


def _members(ask: Ask, product_id: int, group: str) -> list[sqlite3.Row]:
    rows = ask.store.rows("SELECT * FROM devices WHERE product_id = ?", product_id)
    return [row for row in rows if group in json.loads(row["groups"])]


def _group_json(ask: Ask, row: sqlite3.Row) -> dict[str, object]:
    releases = ask.store.rows("SELECT version, groups FROM firmware WHERE product_id = ?", row["product_id"])
    released = [release["version"] for release in releases if row["name"] in json.loads(release["groups"])]
    return {
        "name": row["name"], "description": row["description"], "color": row["color"],
        "fw_version": max(released, default=None), "device_count": len(_members(ask, row["product_id"], row["name"])),
    }  # fmt: skip


def list_groups(ask: Ask) -> Reply:
    """List a product's groups, those with a part of their name if the query has one."""
    rows = ask.store.rows("SELECT * FROM groups WHERE product_id = ? ORDER BY name", ask.product()["id"])
    part = ask.query.get("name", "")
    return Reply(200, {"groups": [_group_json(ask, row) for row in rows if part in row["name"]]})


def _group(ask: Ask) -> sqlite3.Row:
    row = ask.store.row(
        "SELECT * FROM groups WHERE product_id = ? AND name = ?", ask.product()["id"], ask.params["group"]
    )
    if row is None:
        raise Refuse(Refusal.NO_GROUP)
    return row


def get_group(ask: Ask) -> Reply:
    """Show one group of a product."""
    return Reply(200, {"group": _group_json(ask, _group(ask))})


def create_group(ask: Ask) -> Reply:
    """Create a group; an error if there is one of that name."""
    product, name = ask.product(), ask.text("name")
    if not is_group_name(name):
        raise Refuse(Refusal.BAD_GROUP_NAME)
    is_new = ask.store.run(
        "INSERT OR IGNORE INTO groups (product_id, name, description, color) VALUES (?, ?, ?, ?)",
        product["id"], name, ask.text("description"), ask.text("color") or "#00ae42",
    )  # fmt: skip
    if not is_new:
        raise Refuse(Refusal.GROUP_EXISTS)
    row = ask.store.row("SELECT * FROM groups WHERE product_id = ? AND name = ?", product["id"], name)
    assert row is not None
    return Reply(201, {"group": _group_json(ask, row)})


def change_group(ask: Ask) -> Reply:
    """Change a group's description and colour."""
    row = _group(ask)
    description, color = ask.text("description") or row["description"], ask.text("color") or row["color"]
    ask.store.run(
        "UPDATE groups SET description = ?, color = ? WHERE product_id = ? AND name = ?",
        description, color, row["product_id"], row["name"],
    )  # fmt: skip
    return get_group(ask)


def remove_group(ask: Ask) -> Reply:
    """Remove a group; its devices stay, in their other groups."""
    row = _group(ask)
    for member in _members(ask, row["product_id"], row["name"]):
        kept = [name for name in json.loads(member["groups"]) if name != row["name"]]
        ask.store.run("UPDATE devices SET groups = ? WHERE id = ?", json.dumps(kept), member["id"])
    ask.store.run("DELETE FROM groups WHERE product_id = ? AND name = ?", row["product_id"], row["name"])
    return Reply(204)
