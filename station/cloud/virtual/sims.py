"""SIM cards of the virtual cloud: states that take time to change, by the class of the card (reference cloud-api 8)."""

from __future__ import annotations

import datetime
import enum
import re
import sqlite3
from dataclasses import dataclass

from .ask import Ask, Refuse, Reply, date_json, page_of
from .refusals import Refusal
from .store import Store

# --- the state machine -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a change of state takes, seconds. ``first``: of a card that was never active (rules G6 to G9)."""

    first: float
    again: float
    off: float = 5.0


class SimClass(enum.Enum):
    """The vendor's three classes; what it gives as a span is the middle of it here."""

    FAST = ("fast", Pace(0.0, 0.0))
    GENERALLY_FAST = ("generally_fast", Pace(45.0, 60.0))
    SOMETIMES_SLOW = ("sometimes_slow", Pace(20.0, 40 * 60.0))

    @property
    def word(self) -> str:
        return self.value[0]

    @property
    def pace(self) -> Pace:
        return self.value[1]


_PACES = {one.word: one.pace for one in SimClass}
_ENDS = {"activate": "active", "reactivate": "active", "deactivate": "deactivated", "release": "inactive"}
"""State at the end of an action that succeeds."""
_BEGINS_IN = {
    "activate": {"inactive"}, "reactivate": {"deactivated"}, "deactivate": {"active"}, "release": {"active"},
}  # fmt: skip
"""States from which an action leads anywhere."""


def start(store: Store, iccid: str, action: str, now: datetime.datetime, activation_s: float) -> bool:
    """Start an action on a SIM if its state allows it, and return whether; `settle` decides how it ends.

    ``activation_s``: what every activation takes at least, whatever its class.
    """
    sim = store.row("SELECT * FROM sims WHERE iccid = ?", iccid)
    if sim is None or sim["changing"] or sim["status"] not in _BEGINS_IN[action]:
        return False
    pace, is_on = _PACES[sim["speed"]], _ENDS[action] == "active"
    seconds = pace.off if not is_on else activation_s + (pace.again if sim["activations"] else pace.first)
    done_at = (now + datetime.timedelta(seconds=seconds)).isoformat()
    store.run(
        "UPDATE sims SET changing = 1, last_action = ?, action_error = 'no', activations = activations + ?,"
        " deactivations = deactivations + ?, done_at = ?, last_action_on = ?, updated_at = ? WHERE iccid = ?",
        action, int(is_on), int(not is_on), done_at, now.isoformat(), now.isoformat(), iccid,
    )  # fmt: skip
    return True


def settle(store: Store, iccid: str, now: datetime.datetime) -> sqlite3.Row | None:
    """End an action that is due, with success or failure as requested; return the SIM as it is now."""
    sim = store.row("SELECT * FROM sims WHERE iccid = ?", iccid)
    if sim is not None and sim["importing"] and now >= datetime.datetime.fromisoformat(sim["import_at"]):
        _take_in(store, iccid, sim["importing"], now, 0.0)
        sim = store.row("SELECT * FROM sims WHERE iccid = ?", iccid)
    if sim is None or not sim["changing"] or sim["polls_left"] > 0:
        return sim
    if sim["done_at"] is not None and now < datetime.datetime.fromisoformat(sim["done_at"]):
        return sim
    status = sim["status"] if sim["will_fail"] else _ENDS[sim["last_action"] or "activate"]
    store.run(
        "UPDATE sims SET changing = 0, status = ?, action_error = ?, will_fail = max(0, will_fail - 1), updated_at = ?"
        " WHERE iccid = ?",
        status, "yes" if sim["will_fail"] else "no", now.isoformat(), iccid,
    )  # fmt: skip
    if status == "active":
        store.run(
            "UPDATE sims SET first_activated_on = coalesce(first_activated_on, ?), last_activated_on = ?"
            " WHERE iccid = ?",
            now.isoformat(), now.isoformat(), iccid,
        )  # fmt: skip
    elif sim["last_action"] == "release" and not sim["will_fail"]:
        store.run("UPDATE sims SET username = NULL, product_id = NULL WHERE iccid = ?", iccid)
    return store.row("SELECT * FROM sims WHERE iccid = ?", iccid)


def _activate(ask: Ask, iccid: str) -> bool:
    return start(ask.store, iccid, "activate", ask.now, ask.activation_s)


# --- into a product ----------------------------------------------------------------------------------


def adopt_by_import(ask: Ask, iccid: str | None, product_id: int) -> None:
    """Import a device's built-in SIM into its product and activate it; never a plastic one (reference 4.1, G1).

    A SIM of the sandbox of somebody in the team moves without a release (G10).
    """
    sim = settle(ask.store, iccid, ask.now) if iccid is not None else None
    if iccid is None or sim is None or sim["is_plastic"] or not _may_take(ask, sim, product_id):
        return
    if sim["product_id"] is None:
        ask.store.run("UPDATE sims SET product_id = ?, username = NULL WHERE iccid = ?", product_id, iccid)
        _activate(ask, iccid)


def _may_take(ask: Ask, sim: sqlite3.Row, product_id: int) -> bool:
    if sim["product_id"] not in (None, product_id):
        return False
    return sim["username"] is None or ask.in_team(product_id, sim["username"])


_TOKEN = re.compile(r"(?<![0-9A-Za-z])\d{18,21}(?![0-9A-Za-z])")


def import_sims(ask: Ask) -> Reply:
    """Queue SIMs of either kind for the product, to be activated there; failures are reported by e-mail only (8.2)."""
    product = ask.product()
    if "file" in ask.files:
        iccids = _TOKEN.findall(ask.files["file"].data.decode("utf-8", "replace"))
    else:
        iccids = ask.texts("sims")
    if not iccids:
        raise Refuse(Refusal.NO_SIM_NUMBERS)
    for iccid in iccids:
        sim = settle(ask.store, iccid, ask.now)
        if sim is None or not _may_take(ask, sim, product["id"]):
            continue
        if ask.quirks.sim_import_s:
            due = ask.now + datetime.timedelta(seconds=ask.quirks.sim_import_s)
            ask.store.run(
                "UPDATE sims SET importing = ?, import_at = ? WHERE iccid = ? AND importing IS NULL",
                product["id"], due.isoformat(), iccid,
            )  # fmt: skip
        else:
            _take_in(ask.store, iccid, product["id"], ask.now, ask.activation_s)
    return Reply(200, {"ok": True})


def _take_in(store: Store, iccid: str, product_id: int, now: datetime.datetime, activation_s: float) -> None:
    """Put a SIM into a product, activate it, and add the device that it is built into (8.2)."""
    store.run("UPDATE sims SET importing = NULL WHERE iccid = ? AND importing IS NOT NULL", iccid)
    store.run(  # nothing of a SIM that is there already: to import it again has no effect
        "UPDATE sims SET product_id = ?, username = NULL WHERE iccid = ? AND product_id IS NULL", product_id, iccid
    )
    if store.row("SELECT 1 FROM sims WHERE iccid = ? AND product_id = ?", iccid, product_id) is None:
        return
    start(store, iccid, "activate", now, activation_s)
    store.run(
        "UPDATE devices SET product_id = ?, quarantined = 0 WHERE iccid = ? AND product_id IS NULL"
        " AND platform_id = (SELECT platform_id FROM products WHERE id = ?)"
        " AND NOT is_protected AND EXISTS (SELECT 1 FROM sims WHERE sims.iccid = devices.iccid AND NOT is_plastic)"
        " AND (owner IS NULL OR owner IN (SELECT username FROM team WHERE team.product_id = ?))",
        product_id, iccid, product_id, product_id,
    )  # fmt: skip


# --- one SIM -----------------------------------------------------------------------------------------


def _seen(ask: Ask) -> sqlite3.Row:
    """Return the SIM in the path as it is now, if it is the product's or the caller's; else raise `Refuse`."""
    product = ask.product() if "p" in ask.params else None
    sim = settle(ask.store, ask.params["iccid"], ask.now)
    if sim is None or (sim["product_id"] is None and sim["username"] is None):
        raise Refuse(Refusal.NO_SIM)
    if product is not None and sim["product_id"] != product["id"]:
        raise Refuse(Refusal.NO_SIM)
    if product is None and sim["username"] != ask.caller.username:
        raise Refuse(Refusal.NOT_IN_TEAM)
    return sim


def get_sim(ask: Ask) -> Reply:
    """Return the SIM; during an activation this counts as one of the requested polls."""
    sim = _seen(ask)
    ask.store.run(
        "UPDATE sims SET polls_left = polls_left - 1 WHERE iccid = ? AND changing AND polls_left > 0", sim["iccid"]
    )
    return Reply(200, sim_json(ask, sim))


def check_sim(ask: Ask) -> Reply:
    """Answer without a body whether a SIM is there and free, or the caller's. What the real codes mean is unclear."""
    sim = settle(ask.store, ask.params["iccid"], ask.now)
    if sim is None:
        raise Refuse(Refusal.NO_SIM)
    if sim["product_id"] is not None or sim["username"] not in (None, ask.caller.username):
        raise Refuse(Refusal.SIM_OF_ANOTHER)
    return Reply(204)


def change_sim(ask: Ask) -> Reply:
    """Activate the SIM of a developer device: 200 accepted, 408 already running, 403 of another owner.

    Or deactivate or reactivate one, in a product too: 200, and it takes its time.
    """
    action, iccid = ask.text("action"), ask.params["iccid"]
    if action in ("deactivate", "reactivate"):
        _seen(ask)
        start(ask.store, iccid, action, ask.now, ask.activation_s)
        return Reply(200, {"ok": True})
    if action != "activate" or "p" in ask.params:
        raise Refuse(Refusal.SIM_ACTION)
    sim = settle(ask.store, iccid, ask.now)
    if sim is None:
        raise Refuse(Refusal.NO_SIM)
    if sim["product_id"] is not None or sim["username"] not in (None, ask.caller.username):
        raise Refuse(Refusal.SIM_OF_ANOTHER)
    if sim["changing"]:
        raise Refuse(Refusal.SIM_CHANGES)
    if sim["status"] != "active":
        ask.store.run("UPDATE sims SET username = ? WHERE iccid = ?", ask.caller.username, iccid)
        _activate(ask, iccid)
    return Reply(200, {"ok": True})


def release_sim(ask: Ask) -> Reply:
    """Release a SIM: 204 at once where it is not active, else 202, and it is deactivated first."""
    sim = _seen(ask)
    if sim["changing"] and sim["last_action"] == "release":
        return Reply(202, {"ok": True})
    if start(ask.store, sim["iccid"], "release", ask.now, ask.activation_s):
        return Reply(202, {"ok": True})
    if sim["changing"]:
        raise Refuse(Refusal.SIM_CHANGES)
    ask.store.run(
        "UPDATE sims SET username = NULL, product_id = NULL, status = 'inactive' WHERE iccid = ?", sim["iccid"]
    )
    return Reply(204)


# --- lists, usage, network check ---------------------------------------------------------------------


def list_sims(ask: Ask) -> Reply:
    """List the SIMs of a product or of the caller, page by page. The filter by ICCID does nothing (8.2)."""
    for row in ask.store.rows("SELECT iccid FROM sims WHERE importing IS NOT NULL"):
        settle(ask.store, row["iccid"], ask.now)
    if "p" in ask.params:
        rows = ask.store.rows("SELECT * FROM sims WHERE product_id = ? ORDER BY iccid", ask.product()["id"])
    else:
        rows = ask.store.rows("SELECT * FROM sims WHERE username = ? ORDER BY iccid", ask.caller.username)
    devices = {row["iccid"]: row for row in ask.store.rows("SELECT id, name, iccid FROM devices WHERE iccid NOT NULL")}
    for name, column in (("deviceId", "id"), ("deviceName", "name")):
        if text := ask.query.get(name, "").lower():
            rows = [r for r in rows if r["iccid"] in devices and text in (devices[r["iccid"]][column] or "").lower()]
    page = page_of(ask, rows)
    settled = (settle(ask.store, row["iccid"], ask.now) or row for row in page.rows)
    return Reply(200, {"sims": [sim_json(ask, row) for row in settled], "meta": page.meta})


def get_usage(ask: Ask) -> Reply:
    """Return what one SIM has used, by day (8.2)."""
    iccid = _seen(ask)["iccid"]
    return Reply(200, {"iccid": iccid, "usage_by_day": _by_day(ask, [iccid])})


def get_fleet_usage(ask: Ask) -> Reply:
    """Return what all SIMs of a product have used, by day."""
    rows = ask.store.rows("SELECT * FROM sims WHERE product_id = ?", ask.product()["id"])
    days = _by_day(ask, [row["iccid"] for row in rows])
    total = sum(float(str(day["mbs_used"])) for day in days)
    active = sum(row["status"] == "active" for row in rows)
    return Reply(200, {"total_mbs_used": total, "total_active_sim_cards": active, "usage_by_day": days})


def _by_day(ask: Ask, iccids: list[str]) -> list[dict[str, object]]:
    days: dict[str, float] = {}
    for row in ask.store.rows("SELECT * FROM sim_usage ORDER BY date"):
        if row["iccid"] in iccids:
            days[row["date"]] = days.get(row["date"], 0.0) + row["mbs"]
    return [{"date": date, "mbs_used": round(mbs, 3)} for date, mbs in days.items()]


SESSION_MBS = 0.012
"""What a session of a device costs: a handshake and what is said at its beginning."""


def count_session(store: Store, iccid: str, now: datetime.datetime) -> None:
    """Add one session to what a SIM has used."""
    store.run(
        "INSERT INTO sim_usage (iccid, date, mbs) VALUES (?, ?, ?)"
        " ON CONFLICT (iccid, date) DO UPDATE SET mbs = mbs + excluded.mbs",
        iccid, now.date().isoformat(), SESSION_MBS,
    )  # fmt: skip


_CHECK_S, _CHECK_LIVES_S = 10.0, 180.0


def network_status(ask: Ask) -> Reply:
    """Look whether a SIM has a session on the network: 202 first, and the result at a later call (8.4)."""
    sim = _seen(ask)
    begun = None if sim["checked_at"] is None else datetime.datetime.fromisoformat(sim["checked_at"])
    if begun is None or (ask.now - begun).total_seconds() > _CHECK_LIVES_S:
        begun = ask.now
        ask.store.run("UPDATE sims SET checked_at = ? WHERE iccid = ?", ask.now.isoformat(), sim["iccid"])
    is_complete = (ask.now - begun).total_seconds() >= _CHECK_S
    device = ask.store.row("SELECT is_connected FROM devices WHERE iccid = ?", sim["iccid"])
    found = bool(device is not None and device["is_connected"]) if is_complete else None

    def after(seconds: float) -> str | None:
        return date_json((begun + datetime.timedelta(seconds=seconds)).isoformat())

    meta = {
        "created_at": after(0), "expires_at": after(_CHECK_LIVES_S), "check_again_after": after(_CHECK_S),
        "state": "complete" if is_complete else "pending", "method": "async", "task_id": sim["iccid"],
    }  # fmt: skip
    told = {"connected": found, "gsm_connection": found, "data_connection": found}
    return Reply(200 if is_complete else 202, {"ok": True, "meta": meta, "sim_status": told})


def sim_json(ask: Ask, sim: sqlite3.Row) -> dict[str, object]:
    """Encode a SIM, without fields that are unknown."""
    device = ask.store.row("SELECT id, name FROM devices WHERE iccid = ?", sim["iccid"])
    body = {
        "_id": sim["iccid"], "status": sim["status"], "activations_count": sim["activations"],
        "deactivations_count": sim["deactivations"], "state_change_in_progress": bool(sim["changing"]),
        "base_country_code": "US", "carrier": "virtual", "first_activated_on": date_json(sim["first_activated_on"]),
        "last_activated_on": date_json(sim["last_activated_on"]), "updated_at": date_json(sim["updated_at"]),
        "last_status_change_action": sim["last_action"],
        "last_status_change_action_on": date_json(sim["last_action_on"]),
        "last_status_change_action_error": sim["action_error"],
        "product_id": sim["product_id"], "owner": sim["username"],
        "last_device_id": None if device is None else device["id"],
        "last_device_name": None if device is None else device["name"],
    }  # fmt: skip
    return {name: value for name, value in body.items() if value is not None}
