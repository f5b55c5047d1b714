"""Product firmware of the virtual cloud: upload, list, release, and which version a device is to run.

Facts: reference cloud-api 4.4, 6.3; rules D1 to D3, D8.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from drivers.virtual.world import ModuleVersion
from drivers.wire.image.tables import CRC_SIZE, PREFIX

from .ask import Ask, Refuse, Reply, Upload, date_json
from .groups import create_missing
from .refusals import Refusal
from .store import Store

_PREFIX_AT = (0, 0x20, 0x184, 0x200)
HIGHEST_VERSION = 65_535


def prefix_of(data: bytes) -> tuple[int, int, int, int] | None:
    """Return version, platform, function and index of a module where its length agrees with its addresses."""
    fields = _prefix(data)
    return None if fields is None else (fields[4], fields[5], fields[6], fields[7])


def needs_of(data: bytes) -> list[ModuleVersion]:
    """Return what a module depends on, by its prefix."""
    fields = _prefix(data) or ()
    rows = [fields[at : at + 3] for at in (8, 11)] if fields else []
    return [ModuleVersion((function, index), version) for function, index, version in rows if function]


def _prefix(data: bytes) -> tuple[int, ...] | None:
    for at in _PREFIX_AT:
        if len(data) < at + PREFIX.size:
            return None
        fields = PREFIX.unpack_from(data, at)
        if fields[1] - fields[0] + CRC_SIZE == len(data):
            return fields
    return None


def firmware_exists(store: Store, product_id: int, version: int) -> bool:
    """Return whether that version was uploaded to the product."""
    found = store.row("SELECT 1 FROM firmware WHERE product_id = ? AND version = ?", product_id, version)
    return found is not None


def targeted_version(store: Store, device: sqlite3.Row) -> int | None:
    """Return the version that the cloud brings a device to: lock, else the highest of its groups, else the default.

    None for a device marked for development, and where nothing is released.
    """
    if device["product_id"] is None or device["development"]:
        return None
    if device["desired_firmware_version"] is not None:
        return int(device["desired_firmware_version"])
    rows = store.rows(
        "SELECT version, groups, product_default FROM firmware WHERE product_id = ? AND"
        " (product_default OR groups <> '[]') ORDER BY version DESC",
        device["product_id"],
    )
    groups = set(json.loads(device["groups"]))
    of_groups = [row["version"] for row in rows if groups & set(json.loads(row["groups"]))]
    usual = [row["version"] for row in rows if row["product_default"]]
    return next(iter(of_groups + usual), None)


def _firmware_json(ask: Ask, row: sqlite3.Row) -> dict[str, object]:
    count = ask.store.row(
        "SELECT count(*) AS n FROM devices WHERE product_id = ? AND firmware_version = ?",
        row["product_id"], row["version"],
    )  # fmt: skip
    body: dict[str, object] = {
        "version": row["version"], "title": row["title"], "description": row["description"], "name": row["name"],
        "size": len(row["data"]), "product_default": bool(row["product_default"]),
        "uploaded_on": date_json(row["uploaded_on"]), "product_id": row["product_id"],
        "groups": json.loads(row["groups"]), "device_count": 0 if count is None else count["n"],
    }  # fmt: skip
    return {ask.quirks.firmware_keys.get(name, name): value for name, value in body.items()}


def list_firmware(ask: Ask) -> Reply:
    """List the versions of a product, newest first."""
    rows = ask.store.rows("SELECT * FROM firmware WHERE product_id = ? ORDER BY version DESC", ask.product()["id"])
    return Reply(200, [_firmware_json(ask, row) for row in rows])


def _version(ask: Ask) -> sqlite3.Row:
    asked = ask.params["version"]
    row = ask.store.row(
        "SELECT * FROM firmware WHERE product_id = ? AND version = ?",
        ask.product()["id"], int(asked) if asked.isdecimal() and len(asked) < 10 else -1,
    )  # fmt: skip
    if row is None:
        raise Refuse(Refusal.NO_FIRMWARE)
    return row


def get_firmware(ask: Ask) -> Reply:
    """Show one version of a product."""
    return Reply(200, _firmware_json(ask, _version(ask)))


def get_binary(ask: Ask) -> Reply:
    """Send the file of one version."""
    return Reply(200, bytes(_version(ask)["data"]))


def upload_firmware(ask: Ask) -> Reply:
    """Keep a binary as one version of the product's firmware; it is released to nobody yet."""
    product, file, version = ask.product(), ask.files.get("file"), ask.body.get("version")
    if not isinstance(version, int) or not 1 <= version <= HIGHEST_VERSION:
        raise Refuse(Refusal.BAD_VERSION)
    header = prefix_of(file.data) if file is not None else None
    if file is None or header is None or header[1] != product["platform_id"]:
        raise Refuse(Refusal.BAD_FIRMWARE)
    if firmware_exists(ask.store, product["id"], version):
        raise Refuse(Refusal.VERSION_EXISTS)
    _keep(ask, product["id"], version, file)
    row = ask.store.row("SELECT * FROM firmware WHERE product_id = ? AND version = ?", product["id"], version)
    assert row is not None
    return Reply(201, _firmware_json(ask, row))


def _keep(ask: Ask, product_id: int, version: int, file: Upload) -> None:
    ask.store.run(
        "INSERT INTO firmware (product_id, version, title, description, name, data, uploaded_on)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        product_id, version, ask.text("title"), ask.text("description"), file.name or "firmware.bin", file.data,
        ask.now.isoformat(),
    )  # fmt: skip


def change_firmware(ask: Ask) -> Reply:
    """Change title and description."""
    row = _version(ask)
    ask.store.run(
        "UPDATE firmware SET title = ?, description = ? WHERE product_id = ? AND version = ?",
        ask.text("title") or row["title"], ask.text("description") or row["description"], row["product_id"],
        row["version"],
    )  # fmt: skip
    return get_firmware(ask)


def remove_firmware(ask: Ask) -> Reply:
    """Delete one version of a product."""
    row = _version(ask)
    ask.store.run("DELETE FROM firmware WHERE product_id = ? AND version = ?", row["product_id"], row["version"])
    return Reply(204)


def release_firmware(ask: Ask) -> Reply:
    """Release a version as the product's default or to groups, which lose the version they had.

    It must have run on a device of the product that reconnected (4.4). ``intelligent``: devices that are online get it
    at once, else each at its next connection (D3).
    """
    product, version, groups = ask.product(), ask.body.get("version"), ask.texts("groups")
    row = ask.store.row("SELECT * FROM firmware WHERE product_id = ? AND version = ?", product["id"], version)
    is_default = ask.body.get("product_default") is True
    if row is None:
        raise Refuse(Refusal.NO_FIRMWARE)
    if not (is_default or groups):
        raise Refuse(Refusal.NOTHING_TO_CHANGE)
    if not row["has_run"]:
        raise Refuse(Refusal.VERSION_NEVER_RAN)
    create_missing(ask, product["id"], groups)
    release(ask.store, product["id"], row["version"], groups, is_default=is_default)
    if ask.body.get("intelligent") is True:
        online = ask.store.rows("SELECT id FROM devices WHERE product_id = ? AND is_connected", product["id"])
        ask.due.extend(one["id"] for one in online)
    return Reply(200, {"ok": True, "version": version, "product_default": is_default, "groups": groups})


def release(store: Store, product_id: int, version: int, groups: Sequence[str], *, is_default: bool) -> None:
    """Make a version the one of ``groups`` and, with ``is_default``, of the whole product."""
    for other in store.rows("SELECT * FROM firmware WHERE product_id = ?", product_id):
        kept = [name for name in json.loads(other["groups"]) if name not in groups]
        own = [*kept, *groups] if other["version"] == version else kept
        default = other["version"] == version if is_default else bool(other["product_default"])
        store.run(
            "UPDATE firmware SET groups = ?, product_default = ? WHERE product_id = ? AND version = ?",
            json.dumps(own), int(default), product_id, other["version"],
        )  # fmt: skip
