"""The units' end of the virtual cloud: sessions begin and end, and what follows from that for a device's record.

Facts: reference cloud-api 4.6, 5.3, 7.1, 7.3; rules B2, J1 to J3, K4, K6.
"""

from __future__ import annotations

import datetime
import sqlite3

from drivers.virtual.world import UnitFacts

from . import claims, sims
from .ask import event_of
from .events import EventHub
from .store import Store

STALE_ONLINE_S = {False: 50.0, True: 46 * 60.0}
"""How long the online flag is wrong after a session ended unannounced: Wi-Fi, cellular (reference cloud-api 7.1)."""
_ADDED_BEFORE = 4
"""Major version of Device OS from which on a device gets into a product by being added only (C2, J1)."""
_ANY_PRODUCT = 65_535
"""Product id in a binary that fits every product."""


def begin(store: Store, hub: EventHub, facts: UnitFacts, now: datetime.datetime) -> None:
    """Begin a unit's session, and tell the streams. Units that are not registered are ignored."""
    device_id = facts.device_id.lower()
    with store.transaction():
        before = store.row("SELECT * FROM devices WHERE id = ?", device_id)
        if before is None:
            return
        store.run(
            "UPDATE devices SET is_connected = 1, seems_online_until = NULL, told_offline = 0, last_heard = ?,"
            " last_handshake_at = ?, system_firmware_version = ?, firmware_product_id = ?, firmware_version = ?,"
            " iccid = coalesce(?, iccid), imei = coalesce(?, imei) WHERE id = ?",
            now.isoformat(), now.isoformat(), facts.device_os, facts.product_id, facts.product_version, facts.iccid,
            facts.imei, device_id,
        )  # fmt: skip
        _quarantine(store, before, facts)
        claims.redeem(store, before, [code for code in (facts.claim_code, facts.iccid, facts.imei) if code], now)
        if facts.iccid is not None:
            sims.count_session(store, facts.iccid, now)
        store.run(
            "UPDATE firmware SET has_run = 1 WHERE version = ? AND NOT has_run AND product_id ="
            " (SELECT product_id FROM devices WHERE id = ?)",
            facts.product_version, device_id,
        )  # fmt: skip
        row = store.row("SELECT * FROM devices WHERE id = ?", device_id)
    assert row is not None
    if not before["told_offline"]:  # a session that ended unannounced shows only now (7.3)
        hub.publish(event_of("spark/status", "offline", row, now))
    hub.publish(event_of("spark/status", "online", row, now))
    if facts.is_safe_mode:
        hub.publish(event_of("spark/status/safe-mode", "{}", row, now))


def _quarantine(store: Store, device: sqlite3.Row, facts: UnitFacts) -> None:
    """Put a unit that says it is of a product it was never added to where that product keeps such units.

    Only below Device OS 4; with auto-approve it is added. One that runs other firmware leaves the quarantine.
    """
    is_in = device["product_id"] is not None
    says = facts.product_id if facts.product_id not in (_ANY_PRODUCT, facts.platform_id) else None
    major = facts.device_os.partition(".")[0]
    if not major.isdecimal() or int(major) >= _ADDED_BEFORE:
        return
    if is_in and device["quarantined"] and device["product_id"] != says:
        store.run("UPDATE devices SET product_id = NULL, quarantined = 0, denied = 0 WHERE id = ?", device["id"])
    if is_in or says is None:
        return
    product = store.row("SELECT * FROM products WHERE id = ? AND platform_id = ?", says, facts.platform_id)
    if product is not None:
        store.run(
            "UPDATE devices SET product_id = ?, quarantined = ? WHERE id = ?",
            product["id"], product["quarantine"], device["id"],
        )  # fmt: skip


def end(store: Store, device_id: str, now: datetime.datetime) -> None:
    """End a unit's session. The cloud does not notice at once: the online flag stays set for a while."""
    row = store.row("SELECT iccid FROM devices WHERE id = ?", device_id.lower())
    stale_s = STALE_ONLINE_S[row is not None and row["iccid"] is not None]
    store.run(
        "UPDATE devices SET is_connected = 0, seems_online_until = ?, last_heard = ? WHERE id = ? AND is_connected",
        (now + datetime.timedelta(seconds=stale_s)).isoformat(), now.isoformat(), device_id.lower(),
    )  # fmt: skip
