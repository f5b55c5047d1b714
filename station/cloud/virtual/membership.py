"""Adding devices to a product of the virtual cloud, and approving quarantined ones (reference cloud-api 4.1, 4.6)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping

from .ask import Ask, Refuse, Reply
from .refusals import Refusal
from .sims import adopt_by_import

_LISTS = ("updatedDeviceIds", "existingDeviceIds", "nonmemberDeviceIds", "invalidDeviceIds", "protectedDeviceIds")


def import_devices(ask: Ask) -> Reply:
    """Add devices by Device ID, serial, IMEI or ICCID; each identifier ends up in exactly one list.

    ``claim_user``: a member of the team who owns from now on what nobody owned.
    """
    product, identifiers = ask.product(), _identifiers(ask)
    if product["is_paused"]:
        raise Refuse(Refusal.PRODUCT_PAUSED)
    lists: dict[str, list[str]] = {name: [] for name in _LISTS}
    for identifier in identifiers:
        lists[_import_one(ask, product, identifier)].append(identifier)
    return Reply(200, _import_json(lists, ask.quirks.import_answer))


def _identifiers(ask: Ask) -> list[str]:
    if "file" in ask.files:
        lines = re.split(r"\r?\n", ask.files["file"].data.decode("utf-8", "replace"))
        found = [line.strip() for line in lines if line.strip()]
    else:
        found = ask.texts("ids") or ask.texts("id")
    if not found:
        raise Refuse(Refusal.NO_IDENTIFIERS)
    return found


def find_device(ask: Ask, identifier: str) -> sqlite3.Row | None:
    """Return a device by any of its identifiers; unlike elsewhere, an upper-case Device ID will do."""
    return ask.store.row(
        "SELECT * FROM devices WHERE id = ? OR serial_number = ? OR imei = ? OR iccid = ?",
        identifier.lower(), identifier.upper(), identifier, identifier,
    )  # fmt: skip


def _import_one(ask: Ask, product: sqlite3.Row, identifier: str) -> str:
    row = find_device(ask, identifier)
    if row is None or row["platform_id"] != product["platform_id"]:
        return "invalidDeviceIds"
    if row["product_id"] not in (None, product["id"]):
        return "invalidDeviceIds"
    is_member = row["product_id"] is not None and not row["quarantined"]
    if not is_member and row["owner"] is not None and not ask.in_team(product["id"], row["owner"]):
        return "nonmemberDeviceIds"
    if not is_member and row["is_protected"] and not product["is_protected"]:
        return "protectedDeviceIds"
    if not is_member:
        _add(ask, product, row)
        ask.due.append(row["id"])
    who = ask.text("claim_user") if ask.quirks.claims_members or not is_member else ""
    if who and ask.in_team(product["id"], who):
        ask.store.run("UPDATE devices SET owner = ? WHERE id = ? AND owner IS NULL", who, row["id"])
    return "existingDeviceIds" if is_member else "updatedDeviceIds"


def _add(ask: Ask, product: sqlite3.Row, row: sqlite3.Row) -> None:
    count = ask.store.row("SELECT count(*) AS n FROM devices WHERE product_id = ?", product["id"])
    if product["device_limit"] is not None and count is not None and count["n"] >= product["device_limit"]:
        raise Refuse(Refusal.ACCOUNT_FULL)
    ask.store.run(
        "UPDATE devices SET product_id = ?, quarantined = 0, denied = 0 WHERE id = ?", product["id"], row["id"]
    )
    adopt_by_import(ask, row["iccid"], product["id"])


def _import_json(lists: Mapping[str, list[str]], shape: str) -> dict[str, object]:
    updated: dict[str, object] = {"updated": len(lists["updatedDeviceIds"])}
    if shape == "empty":
        return updated | {name: [] for name in _LISTS}
    old = ("nonmemberDeviceIds", "invalidDeviceIds")
    return updated | {name: ids for name, ids in lists.items() if shape == "lists" or name in old}
