"""Devices of the virtual cloud: look, list, change, ping, unclaim, remove (reference cloud-api 4, 7.1, 7.2)."""

from __future__ import annotations

import datetime
import json
import sqlite3

from .ask import Ask, Refuse, Reply, date_json, page_of
from .firmware import firmware_exists, targeted_version
from .groups import create_missing, is_group_name
from .login import user_id
from .refusals import Refusal
from .store import Store

UNREACHABLE_S = 30.0
"""How long the cloud tries to reach a device that is offline (reference cloud-api 1)."""


def device_json(store: Store, now: datetime.datetime, row: sqlite3.Row) -> dict[str, object]:
    """Encode a device object, without fields that are unknown; a developer device has its platform as product."""
    seems_online = row["seems_online_until"] is not None and row["seems_online_until"] > now.isoformat()
    online = bool(row["is_connected"]) or seems_online
    named = (
        "id", "name", "notes", "platform_id", "serial_number", "iccid", "imei", "mac_wifi", "mobile_secret",
        "system_firmware_version", "firmware_version", "firmware_product_id",
    )  # fmt: skip
    body: dict[str, object] = {name: row[name] for name in named if row[name] is not None}
    if row["owner"] is not None and not row["is_lost"]:
        body["owner"] = row["owner"]
    if row["last_heard"] is not None:
        body |= {"last_heard": date_json(row["last_heard"]), "last_handshake_at": date_json(row["last_handshake_at"])}
        body |= {"last_ip_address": "203.0.113.9"}
    flags = {name: bool(row[name]) for name in ("development", "quarantined", "denied", "firmware_updates_forced")}
    if row["iccid"] is not None:
        body["last_iccid"] = row["iccid"]
    if row["product_id"] is not None:
        body |= {
            "desired_firmware_version": row["desired_firmware_version"],
            "targeted_firmware_release_version": targeted_version(store, row),
        }
    return body | flags | {
        "product_id": row["product_id"] if row["product_id"] is not None else row["platform_id"],
        "online": online, "connected": online, "status": "normal", "firmware_updates_enabled": True,
        "groups": json.loads(row["groups"]),
        "functions": json.loads(row["functions"]) if row["is_connected"] else [], "variables": {},
        "cellular": row["iccid"] is not None,
    }  # fmt: skip


def get_device(ask: Ask) -> Reply:
    """Show one device, of the account or of a product."""
    return Reply(200, device_json(ask.store, ask.now, ask.device()))


def list_mine(ask: Ask) -> Reply:
    """List what the caller owns, the device that was online last first."""
    rows = ask.store.rows(
        "SELECT * FROM devices WHERE owner = ? AND NOT is_lost ORDER BY last_handshake_at DESC, id", ask.caller.username
    )
    return Reply(200, [device_json(ask.store, ask.now, row) for row in rows if ask.owns(row)])


_PARTIAL = {"deviceId": "id", "deviceName": "name", "serialNumber": "serial_number"}
_SORTED_BY = {
    "deviceName": "name", "deviceId": "id", "firmwareVersion": "firmware_version", "lastConnection": "last_handshake_at"
}  # fmt: skip


def list_members(ask: Ask) -> Reply:
    """List a product's devices: filtered by parts of texts, by groups and by quarantine, sorted, page by page (4.3)."""
    product, query = ask.product(), ask.query
    wanted = {column: query[name].lower() for name, column in _PARTIAL.items() if query.get(name)}
    groups = {name for name in query.get("groups", "").split(",") if name}
    quarantined = {"true": 1, "false": 0}.get(query.get("quarantined", ""))
    column = _SORTED_BY.get(query.get("sortAttr", ""), "last_handshake_at")
    way = {"asc": "ASC", "desc": "DESC"}.get(
        query.get("sortDir", ""), "DESC" if column == "last_handshake_at" else "ASC"
    )
    rows = [
        row
        for row in ask.store.rows(
            f"SELECT * FROM devices WHERE product_id = ? ORDER BY {column} {way}, id", product["id"]
        )
        if all(text in str(row[name] or "").lower() for name, text in wanted.items())
        and (not groups or groups & set(json.loads(row["groups"])))
        and quarantined in (None, row["quarantined"])
    ]
    page = page_of(ask, rows)
    customers = sorted({row["owner"] for row in page.rows if row["is_customers"]})
    return Reply(200, {
        "devices": [device_json(ask.store, ask.now, row) for row in page.rows],
        "customers": [{"id": user_id(name), "username": name} for name in customers], "meta": page.meta,
    })  # fmt: skip


# --- changes -------------------------------------------------------------------------------------

_KINDS: dict[str, tuple[type, ...]] = {
    "name": (str,), "notes": (str,), "signal": (str, bool), "development": (bool,), "firmware_updates_forced": (bool,),
    "desired_firmware_version": (int, type(None)), "flash": (bool,), "groups": (list,),
}  # fmt: skip
_OF_A_DEVELOPER = {"name", "notes", "signal"}
_COLUMNS = ("name", "notes", "development", "desired_firmware_version", "firmware_updates_forced")


def change_device(ask: Ask) -> Reply:
    """Change what the body names: name, notes, and in a product the marks, the locked version and the groups.

    400 for anything else. ``signal`` lets the unit blink, which only a unit that is online can.
    """
    row, wanted = ask.device(), dict(ask.body)
    allowed = set(_KINDS) if "p" in ask.params else _OF_A_DEVELOPER
    if not wanted or not all(name in allowed and type(value) in _KINDS[name] for name, value in wanted.items()):
        raise Refuse(Refusal.NOTHING_TO_CHANGE)
    if "signal" in wanted:
        return _signal(ask, row, wanted["signal"])
    version = wanted.get("desired_firmware_version")
    if isinstance(version, int) and not firmware_exists(ask.store, row["product_id"], version):
        raise Refuse(Refusal.NO_FIRMWARE)
    if "groups" in wanted:
        names = ask.texts("groups")
        if not all(is_group_name(name) for name in names):
            raise Refuse(Refusal.BAD_GROUP_NAME)
        create_missing(ask, row["product_id"], names)
        _set(ask, row, "groups", json.dumps(names))
    for name in wanted.keys() & set(_COLUMNS):
        _set(ask, row, name, wanted[name])
    if wanted.pop("flash", False) or wanted.get("development") is False or "groups" in wanted:
        ask.due.append(row["id"])  # a lock alone waits for the next connection
    return Reply(200, {"id": row["id"], **wanted, "updated_at": date_json(ask.now.isoformat())})


def _set(ask: Ask, row: sqlite3.Row, column: str, value: object) -> None:
    ask.store.run(f"UPDATE devices SET {column} = ? WHERE id = ? AND {column} IS NOT ?", value, row["id"], value)


def _signal(ask: Ask, row: sqlite3.Row, wanted: object) -> Reply:
    if not row["is_connected"]:
        return Reply(Refusal.DEVICE_SILENT.status, Refusal.DEVICE_SILENT.body, UNREACHABLE_S)
    is_on = wanted in ("1", True)
    ask.signals.append((row["id"], is_on))
    return Reply(200, {"id": row["id"], "connected": True, "signaling": is_on})


def ping(ask: Ask) -> Reply:
    """Ask a device for a sign of life, which is heard of it then."""
    row = ask.device()
    if row["is_connected"]:
        ask.store.run("UPDATE devices SET last_heard = ? WHERE id = ?", ask.now.isoformat(), row["id"])
    return Reply(200, {"online": bool(row["is_connected"]), "ok": True})


def change_groups(ask: Ask) -> Reply:
    """Add devices to groups and remove them from others, leaving the rest alone (4.5)."""
    product, ids, lists = ask.product(), ask.texts("devices"), ask.body.get("metadata")
    if ask.text("action") != "groups" or not ids or not isinstance(lists, dict):
        raise Refuse(Refusal.NOTHING_TO_CHANGE)
    added, removed = ([str(name) for name in lists.get(way, [])] for way in ("add", "remove"))
    if not all(is_group_name(name) for name in added):
        raise Refuse(Refusal.BAD_GROUP_NAME)
    create_missing(ask, product["id"], added)
    for device_id in ids:
        row = ask.store.row("SELECT * FROM devices WHERE id = ? AND product_id = ?", device_id, product["id"])
        if row is None:
            raise Refuse(Refusal.NO_MEMBER)
        kept = [name for name in json.loads(row["groups"]) if name not in removed]
        _set(ask, row, "groups", json.dumps([*kept, *(name for name in added if name not in kept)]))
        ask.due.append(device_id)
    return Reply(200, {"ok": True})


# --- unclaim, remove, deny (4.6, 4.7) --------------------------------------------------------------

_UNCLAIM = "UPDATE devices SET owner = NULL, is_customers = 0, is_lost = 0 WHERE id = ? AND owner IS NOT NULL"


def unclaim_member(ask: Ask) -> Reply:
    """Take the owner off a product's device, whoever it is; it stays in the product."""
    ask.store.run(_UNCLAIM, ask.member()["id"])
    return Reply(200, {"ok": True})


def unclaim_mine(ask: Ask) -> Reply:
    """Give up a device: only its owner can, by this route."""
    row = ask.mine()
    if not ask.owns(row):
        raise Refuse(Refusal.NOT_MINE)
    ask.store.run(_UNCLAIM, row["id"])
    return Reply(200, {"ok": True})


def remove_member(ask: Ask) -> Reply:
    """Remove a device from its product, or with ``deny`` in the body refuse one in quarantine.

    A customer loses the device with it, a user does not. No SIM is touched.
    """
    row = ask.member()
    if ask.body.get("deny") is True:
        ask.store.run("UPDATE devices SET denied = 1, quarantined = 1 WHERE id = ? AND NOT denied", row["id"])
        return Reply(204)
    if row["is_customers"]:
        ask.store.run(_UNCLAIM, row["id"])
    ask.store.run(
        "UPDATE devices SET product_id = NULL, quarantined = 0, denied = 0, groups = '[]', development = 0,"
        " desired_firmware_version = NULL WHERE id = ?",
        row["id"],
    )
    return Reply(204)


# --- vitals (7.2) ------------------------------------------------------------------------------------


def ask_vitals(ask: Ask) -> Reply:
    """Ask a device for its vitals, which it publishes if it is online."""
    row = ask.device()
    if row["is_connected"]:
        ask.store.run("UPDATE devices SET vitals_at = ? WHERE id = ?", ask.now.isoformat(), row["id"])
        ask.tell("spark/device/diagnostics/update", json.dumps(_vitals(row)), row)
    return Reply(200, {"ok": True})


def last_vitals(ask: Ask) -> Reply:
    """Return the vitals a device sent last."""
    row = ask.device()
    if row["vitals_at"] is None:
        raise Refuse(Refusal.NO_VITALS)
    return Reply(200, {"diagnostics": {
        "updated_at": date_json(row["vitals_at"]), "deviceID": row["id"], "payload": _vitals(row)
    }})  # fmt: skip


def _vitals(row: sqlite3.Row) -> dict[str, object]:
    kind = "RSCP" if row["iccid"] is not None else "RSSI"
    signal = {"strength": 66.66, "strength_units": "%", "strengthv": -57, "strengthv_units": "dBm"}
    return {
        "device": {
            "network": {"signal": signal | {"strengthv_type": kind}},
            "cloud": {"connection": {"status": "connected"}},
            "system": {"uptime": 60, "memory": {"used": 36_016, "total": 113_664}},
        },
        "service": {"device": {"status": "ok"}},
    }
