"""The routes of the virtual cloud, one handler each, and their table.

They answer as reference cloud-api describes; where that is silent, they do the least surprising thing.
"""

from __future__ import annotations

import datetime
import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from .ask import Ask, Handler, Refuse, Reply
from .releases import get_device_os, get_device_os_file
from .sims import adopt_by_import, change_sim, get_sim, import_sims

_LOOKUPS_AN_HOUR = 50
_NOT_ONLINE = {"ok": False, "errors": [["Core isn't online", 404]]}
_NOT_THERE = {"ok": False, "errors": ["device does not exist"]}


@dataclass(frozen=True, slots=True)
class Route:
    """A route. ``rule`` in werkzeug's notation. ``scope`` is what an API user's token needs; "": people only."""

    method: str
    rule: str
    handler: Handler
    scope: str = ""
    is_write: bool = False
    is_public: bool = False  # needs no token

    @property
    def name(self) -> str:
        """Return the name for faults and counters: ``"POST /v1/products/:p/devices"``."""
        return self.method + " " + re.sub("<([a-z]+)>", r":\1", self.rule)


# --- account and product ----------------------------------------------------------------------


def token_info(ask: Ask) -> Reply:
    return Reply(200, {"expires_at": ask.caller.expires_at, "client": "particle", "scopes": [], "orgs": []})


def user(ask: Ask) -> Reply:
    return Reply(200, {"username": ask.caller.username, "account_info": {}, "mfa": {"enabled": False}})


def get_product(ask: Ask) -> Reply:
    """Return the product, as an object or (with `Quirks.product_as_list`) as a list of one."""
    row = ask.product()
    body = {
        "id": row["id"], "platform_id": row["platform_id"], "name": row["name"], "slug": row["slug"],
        "description": "", "groups": [], "settings": {"quarantine": bool(row["quarantine"]), "location": {}},
    }  # fmt: skip
    return Reply(200, {"product": [body] if ask.quirks.product_as_list else body})


# --- devices ----------------------------------------------------------------------------------


def device_json(row: sqlite3.Row, now: datetime.datetime) -> dict[str, object]:
    """Encode a device object, without fields that are unknown; a developer device has its platform as product."""
    seems_online = row["seems_online_until"] is not None and row["seems_online_until"] > now.isoformat()
    online = bool(row["is_connected"]) or seems_online
    named = (
        "id", "name", "owner", "notes", "last_heard", "last_handshake_at", "platform_id", "serial_number", "iccid",
        "imei", "mac_wifi", "mobile_secret", "system_firmware_version", "firmware_version", "firmware_product_id",
    )  # fmt: skip
    body: dict[str, object] = {name: row[name] for name in named if row[name] is not None}
    flags = {name: bool(row[name]) for name in ("development", "quarantined")}
    product_id = row["product_id"] if row["product_id"] is not None else row["platform_id"]
    return body | flags | {
        "product_id": product_id, "online": online, "connected": online, "status": "normal", "denied": False,
        "groups": json.loads(row["groups"]), "functions": [], "variables": {}, "cellular": row["iccid"] is not None,
    }  # fmt: skip


def get_device(ask: Ask) -> Reply:
    return Reply(200, device_json(ask.device(), ask.now))


def list_mine(ask: Ask) -> Reply:
    """List what the caller owns, the device that was online last first."""
    rows = ask.store.rows(
        "SELECT * FROM devices WHERE owner = ? ORDER BY last_handshake_at DESC, id", ask.caller.username
    )
    return Reply(200, [device_json(row, ask.now) for row in rows])


_CHANGES = {"name": str, "notes": str, "development": bool}
_PRODUCT_ONLY = {"development"}


def change_device(ask: Ask) -> Reply:
    """Change name, notes and, in a product, the development flag; 400 for anything else."""
    row = ask.device()
    wanted = ask.body
    allowed = set(_CHANGES) - (set() if "p" in ask.params else _PRODUCT_ONLY)
    if not wanted or not all(name in allowed and type(value) is _CHANGES[name] for name, value in wanted.items()):
        raise Refuse(400, {"ok": False, "error": "Nothing to change, or a field of the wrong kind"})
    for name, value in wanted.items():
        ask.store.run(f"UPDATE devices SET {name} = ? WHERE id = ? AND {name} IS NOT ?", value, row["id"], value)
    return Reply(200, {"id": row["id"], **wanted, "updated_at": ask.now.isoformat()})


def ping(ask: Ask) -> Reply:
    return Reply(200, {"online": bool(ask.device()["is_connected"]), "ok": True})


# --- membership -------------------------------------------------------------------------------

_LISTS = ("updatedDeviceIds", "existingDeviceIds", "nonmemberDeviceIds", "invalidDeviceIds", "protectedDeviceIds")


def import_devices(ask: Ask) -> Reply:
    """Add devices by Device ID, serial, IMEI or ICCID; each identifier ends up in exactly one list."""
    product = ask.product()
    identifiers = ask.body.get("ids", [ask.body.get("id")])
    if not isinstance(identifiers, list) or not identifiers or not all(isinstance(i, str) for i in identifiers):
        raise Refuse(400, {"ok": False, "error": "No device identifiers"})
    lists: dict[str, list[str]] = {name: [] for name in _LISTS}
    for identifier in identifiers:
        lists[_import_one(ask, product, identifier)].append(identifier)
    return Reply(200, _import_json(lists, ask.quirks.import_answer))


def _import_one(ask: Ask, product: sqlite3.Row, identifier: str) -> str:
    row = ask.store.row(
        "SELECT * FROM devices WHERE id = ? OR serial_number = ? OR imei = ? OR iccid = ?",
        identifier.lower(), identifier.upper(), identifier, identifier,
    )  # fmt: skip
    if row is None or row["platform_id"] != product["platform_id"]:
        return "invalidDeviceIds"
    if row["product_id"] == product["id"]:
        return "existingDeviceIds"
    if row["product_id"] is not None:
        return "invalidDeviceIds"
    if row["owner"] is not None and not ask.in_team(product["id"], row["owner"]):
        return "nonmemberDeviceIds"
    if row["is_protected"]:
        return "protectedDeviceIds"
    ask.store.run("UPDATE devices SET product_id = ?, quarantined = 0 WHERE id = ?", product["id"], row["id"])
    adopt_by_import(ask, row["iccid"], product["id"])
    return "updatedDeviceIds"


def _import_json(lists: Mapping[str, list[str]], shape: str) -> dict[str, object]:
    updated: dict[str, object] = {"updated": len(lists["updatedDeviceIds"])}
    if shape == "empty":
        return updated | {name: [] for name in _LISTS}
    old = ("nonmemberDeviceIds", "invalidDeviceIds")
    return updated | {name: ids for name, ids in lists.items() if shape == "lists" or name in old}


# --- claiming and look-ups --------------------------------------------------------------------


def claim(ask: Ask) -> Reply:
    """Make the token's user the owner: of product devices even offline, of developer devices only online (E2 E3)."""
    row = ask.store.row("SELECT * FROM devices WHERE id = ?", ask.body.get("id"))
    me = ask.caller.username
    if row is None:
        raise Refuse(404, _NOT_THERE)
    if row["owner"] not in (None, me):
        raise Refuse(403, {"ok": False, "errors": ["That belongs to someone else."]})
    if row["product_id"] is not None and not ask.in_team(row["product_id"]):
        raise Refuse(403, {"error": "Permission Denied", "info": "No device of that name or ID is known to you"})
    if row["product_id"] is None and not row["is_connected"]:
        raise Refuse(404, _NOT_ONLINE if ask.quirks.offline_claim is None else ask.quirks.offline_claim)
    ask.store.run("UPDATE devices SET owner = ? WHERE id = ? AND owner IS NULL", me, row["id"])
    return Reply(200, {"user_id": "0" * 24, "id": row["id"], "connected": bool(row["is_connected"]), "ok": True})


def serial_lookup(ask: Ask) -> Reply:
    """Look up a serial number; at most 50 an hour and account, found or not."""
    me, since = ask.caller.username, (ask.now - datetime.timedelta(hours=1)).isoformat()
    used = ask.store.row("SELECT count(*) AS n FROM lookups WHERE username = ? AND at > ?", me, since)
    if used is not None and used["n"] >= _LOOKUPS_AN_HOUR:
        raise Refuse(429, {"ok": False, "error": "Too many serial number look-ups"})
    ask.store.run("INSERT INTO lookups (username, at) VALUES (?, ?)", me, ask.now.isoformat())
    row = ask.store.row("SELECT * FROM devices WHERE serial_number = ?", ask.params["serial"])
    if row is None:
        raise Refuse(404, {"ok": False, "error": "Serial number not found"})
    body: dict[str, object] = {"ok": True, ask.quirks.serial_key: row["id"], "platform_id": row["platform_id"]}
    return Reply(200, body | ({"iccid": row["iccid"]} if row["iccid"] else {}))


ROUTES: tuple[Route, ...] = (
    Route("GET", "/v1/access_tokens/current", token_info),
    Route("GET", "/v1/user", user),
    Route("GET", "/v1/products/<p>", get_product, "products:get"),
    Route("POST", "/v1/products/<p>/devices", import_devices, "devices:import", is_write=True),
    Route("GET", "/v1/products/<p>/devices/<id>", get_device, "devices:get"),
    Route("PUT", "/v1/products/<p>/devices/<id>", change_device, "devices:update", is_write=True),
    Route("PUT", "/v1/products/<p>/devices/<id>/ping", ping, "devices:ping"),
    Route("POST", "/v1/products/<p>/sims", import_sims, "sims:import", is_write=True),
    Route("GET", "/v1/products/<p>/sims/<iccid>", get_sim, "sims:get"),
    Route("GET", "/v1/devices", list_mine, "devices:list"),
    Route("POST", "/v1/devices", claim, is_write=True),
    Route("GET", "/v1/devices/<id>", get_device, "devices:get"),
    Route("PUT", "/v1/devices/<id>", change_device, "devices:update", is_write=True),
    Route("PUT", "/v1/devices/<id>/ping", ping, "devices:ping"),
    Route("GET", "/v1/serial_numbers/<serial>", serial_lookup),
    Route("GET", "/v1/device-os/versions/<version>", get_device_os),
    Route("GET", "/v1/firmware/device-os/<version>/<file>", get_device_os_file, is_public=True),
    Route("GET", "/v1/sims/<iccid>", get_sim, "sims:get"),
    Route("PUT", "/v1/sims/<iccid>", change_sim, is_write=True),
)
