"""The units' end of the virtual cloud: sessions begin and end, what follows from that for a device's record, and what
is delivered over the air.

Facts: reference cloud-api 4.4, 4.6, 5.3, 7.1, 7.3; rules B2, D2 to D5, D8, J1 to J3, K4, K6.
"""

from __future__ import annotations

import collections
import datetime
import hashlib
import json
import sqlite3
import threading
from dataclasses import dataclass

from drivers.clock import Clock
from drivers.virtual.world import Delivery, ModuleVersion, UnitEnd, UnitFacts

from . import claims, sims
from .ask import event_of
from .events import EventHub
from .firmware import needs_of, targeted_version
from .releases import module_for
from .store import Store

STALE_ONLINE_S = {False: 50.0, True: 46 * 60.0}
"""How long the online flag is wrong after a session ended unannounced: Wi-Fi, cellular (reference cloud-api 7.1)."""
_ADDED_BEFORE = 4
"""Major version of Device OS from which on a device gets into a product by being added only (C2, J1)."""
_ANY_PRODUCT = 65_535
"""Product id in a binary that fits every product."""
MOST_TRIES = 3
"""How often one module is sent to a unit that comes back without it. What the real cloud does is not known."""


@dataclass(slots=True)
class _Open:
    """A session. ``is_busy``: something is on its way to the unit."""

    facts: UnitFacts
    unit: UnitEnd | None
    is_busy: bool = False


class Sessions:
    """The sessions of one cloud's units. Thread-safe: units come and go on another thread than requests."""

    def __init__(self, store: Store, hub: EventHub, clock: Clock) -> None:
        self._store, self._hub, self._clock = store, hub, clock
        self._lock = threading.Lock()
        self._open: dict[str, _Open] = {}
        self._tries: collections.Counter[tuple[str, str]] = collections.Counter()  # by Device ID and digest

    def begin(self, facts: UnitFacts, unit: UnitEnd | None) -> None:
        """Begin a unit's session, tell the streams, deliver what it lacks. Units not registered are ignored."""
        device_id = facts.device_id.lower()
        if self._note(device_id, facts):
            with self._lock:
                self._open[device_id] = _Open(facts, unit)
            self.deliver(device_id)

    def end(self, device_id: str) -> None:
        """End a unit's session. The cloud does not notice at once: the online flag stays set for a while."""
        with self._lock:
            self._open.pop(device_id.lower(), None)
        _end(self._store, device_id, self._clock.utc())

    def signal(self, device_id: str, is_on: bool) -> None:
        """Let a unit that is online show the rainbow, or end that."""
        with self._lock:
            session = self._open.get(device_id)
        if session is not None and session.unit is not None:
            session.unit.signal(is_on)

    # --- over the air ---

    def deliver(self, *device_ids: str) -> None:
        """Send each of these units that is online what it lacks, unless something is on its way to it already."""
        for device_id in device_ids:
            with self._lock:
                session = self._open.get(device_id)
                module = None if session is None or session.is_busy else self._lacking(device_id, session.facts)
                if session is None or session.unit is None or module is None:
                    continue
                tried = (device_id, hashlib.sha256(module).hexdigest())
                if self._tries[tried] >= MOST_TRIES:
                    continue
                self._tries[tried] += 1
                session.is_busy = True
            session.unit.deliver(module, lambda how, one=session: self._told(one, how))  # type: ignore[misc]

    def _lacking(self, device_id: str, facts: UnitFacts) -> bytes | None:
        """Return what a unit gets next: what keeps it in safe mode (D4), else its product's firmware (D2).

        The versions of firmware are compared for equality, so it goes up or down; Device OS never goes down (D5).
        """
        if facts.is_safe_mode and facts.missing:
            return _missing(facts)
        row = self._store.row("SELECT * FROM devices WHERE id = ?", device_id)
        if row is None or row["quarantined"]:
            return None
        wanted = targeted_version(self._store, row)
        if wanted is None or wanted == row["firmware_version"]:
            return None
        found = self._store.row(
            "SELECT data FROM firmware WHERE product_id = ? AND version = ?", row["product_id"], wanted
        )
        return None if found is None else bytes(found["data"])

    def _told(self, session: _Open, how: Delivery) -> None:
        with self._lock:
            session.is_busy = how is Delivery.STARTED
        row = self._store.row("SELECT * FROM devices WHERE id = ?", session.facts.device_id.lower())
        if row is not None:
            self._hub.publish(event_of("spark/flash/status", how.value, row, self._clock.utc()))

    # --- the record ---

    def _note(self, device_id: str, facts: UnitFacts) -> bool:
        """Write a handshake into the unit's record, and tell the streams; False if it is not registered."""
        now, store = self._clock.utc(), self._store
        with store.transaction():
            before = store.row("SELECT * FROM devices WHERE id = ?", device_id)
            if before is None:
                return False
            store.run(
                "UPDATE devices SET is_connected = 1, seems_online_until = NULL, told_offline = 0, last_heard = ?,"
                " last_handshake_at = ?, system_firmware_version = ?, firmware_product_id = ?, firmware_version = ?,"
                " functions = ?, app_hash = ?, iccid = coalesce(?, iccid), imei = coalesce(?, imei) WHERE id = ?",
                now.isoformat(), now.isoformat(), facts.device_os, facts.product_id, facts.product_version,
                json.dumps(facts.functions), facts.app_hash, facts.iccid, facts.imei, device_id,
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
        told = [("spark/status", "online")]
        if not before["told_offline"]:  # a session that ended unannounced shows only now (7.3)
            told.insert(0, ("spark/status", "offline"))
        if facts.is_safe_mode:
            told.append(("spark/status/safe-mode", "{}"))
        if facts.app_hash and facts.app_hash != before["app_hash"]:
            told.append(("spark/device/app-hash", facts.app_hash))
        for name, data in told:
            self._hub.publish(event_of(name, data, row, now))
        return True


def _missing(facts: UnitFacts) -> bytes | None:
    """Return the module to send first to a unit in safe mode: one whose own needs are met; None if nobody has it."""
    held = {one.kind: one.version for one in facts.modules}
    need, asked = facts.missing[0], set[ModuleVersion]()
    while need not in asked:
        asked.add(need)
        module = module_for(facts.platform_id, need)
        if module is None:
            return None
        unmet = (one for one in needs_of(module) if held.get(one.kind, -1) < one.version)
        further = next(unmet, None)
        if further is None:
            return module
        need = further
    return None


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


def _end(store: Store, device_id: str, now: datetime.datetime) -> None:
    row = store.row("SELECT iccid FROM devices WHERE id = ?", device_id.lower())
    stale_s = STALE_ONLINE_S[row is not None and row["iccid"] is not None]
    store.run(
        "UPDATE devices SET is_connected = 0, seems_online_until = ?, last_heard = ? WHERE id = ? AND is_connected",
        (now + datetime.timedelta(seconds=stale_s)).isoformat(), now.isoformat(), device_id.lower(),
    )  # fmt: skip
