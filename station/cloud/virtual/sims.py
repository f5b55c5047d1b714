"""SIM cards of the virtual cloud: activation takes time and, if requested, a number of polls."""

from __future__ import annotations

import datetime
import sqlite3

from .ask import Ask, Refuse, Reply
from .store import Store


def start_activation(store: Store, iccid: str, now: datetime.datetime, seconds: float) -> None:
    """Start the activation of a SIM, which takes ``seconds`` from ``now`` on; `settle` decides how it ends."""
    done_at = (now + datetime.timedelta(seconds=seconds)).isoformat()
    store.run(
        "UPDATE sims SET changing = 1, last_action = 'activate', action_error = 'no',"
        " activations = activations + 1, done_at = ? WHERE iccid = ?",
        done_at,
        iccid,
    )


def settle(store: Store, iccid: str, now: datetime.datetime) -> sqlite3.Row | None:
    """End an activation that is due, with success or failure as requested; return the SIM as it is now."""
    sim = store.row("SELECT * FROM sims WHERE iccid = ?", iccid)
    if sim is None or not sim["changing"] or sim["polls_left"] > 0:
        return sim
    if sim["done_at"] is not None and now < datetime.datetime.fromisoformat(sim["done_at"]):
        return sim
    status, error = ("inactive", "yes") if sim["will_fail"] else ("active", "no")
    store.run(
        "UPDATE sims SET changing = 0, status = ?, action_error = ?, will_fail = max(0, will_fail - 1) WHERE iccid = ?",
        status,
        error,
        iccid,
    )
    return store.row("SELECT * FROM sims WHERE iccid = ?", iccid)


def adopt_by_import(ask: Ask, iccid: str | None, product_id: int) -> None:
    """Import a device's built-in SIM into its product and activate it; never a plastic one (reference 4.1, G1)."""
    if iccid is None:
        return
    taken = ask.store.run(
        "UPDATE sims SET product_id = ?, username = NULL WHERE iccid = ? AND is_plastic = 0 AND product_id IS NULL",
        product_id,
        iccid,
    )
    sim = settle(ask.store, iccid, ask.now)
    if taken and sim is not None and sim["status"] != "active" and not sim["changing"]:
        start_activation(ask.store, iccid, ask.now, ask.activation_s)


def import_sims(ask: Ask) -> Reply:
    """Import SIMs of either kind into the product and activate them; failures are reported by e-mail only."""
    product, iccids = ask.product(), ask.body.get("sims")
    if not isinstance(iccids, list) or not all(isinstance(one, str) for one in iccids):
        raise Refuse(400, {"ok": False, "error": "No SIM cards"})
    for iccid in iccids:
        sim = settle(ask.store, iccid, ask.now)
        if sim is None or sim["product_id"] not in (None, product["id"]):
            continue
        if sim["username"] is not None and not ask.in_team(product["id"], sim["username"]):
            continue
        ask.store.run(
            "UPDATE sims SET product_id = ?, username = NULL WHERE iccid = ? AND product_id IS NULL",
            product["id"],
            iccid,
        )
        if sim["status"] == "inactive" and not sim["changing"]:
            start_activation(ask.store, iccid, ask.now, ask.activation_s)
    return Reply(200, {"ok": True})


def get_sim(ask: Ask) -> Reply:
    """Return the SIM; during an activation this counts as one of the requested polls."""
    iccid = ask.params["iccid"]
    product = ask.product() if "p" in ask.params else None
    sim = settle(ask.store, iccid, ask.now)
    if sim is None or (sim["product_id"] is None and sim["username"] is None):
        raise Refuse(404, {"ok": False, "error": "SIM card not found"})
    if product is not None and sim["product_id"] != product["id"]:
        raise Refuse(404, {"ok": False, "error": "SIM card not found"})
    if product is None and sim["username"] != ask.caller.username:
        raise Refuse(403, {"ok": False, "error": "Permission denied"})
    ask.store.run("UPDATE sims SET polls_left = polls_left - 1 WHERE iccid = ? AND changing AND polls_left > 0", iccid)
    return Reply(200, _sim_json(sim))


def change_sim(ask: Ask) -> Reply:
    """Activate the SIM of a developer device: 200 accepted, 408 already running, 403 of another owner."""
    if ask.body.get("action") != "activate":
        raise Refuse(400, {"ok": False, "error": "Unknown action"})
    iccid = ask.params["iccid"]
    sim = settle(ask.store, iccid, ask.now)
    if sim is None:
        raise Refuse(404, {"ok": False, "error": "SIM card not found"})
    if sim["product_id"] is not None or sim["username"] not in (None, ask.caller.username):
        raise Refuse(403, {"ok": False, "error": "This SIM card belongs to somebody else"})
    if sim["changing"]:
        raise Refuse(408, {"ok": False, "error": "Activation in progress"})
    if sim["status"] != "active":
        ask.store.run("UPDATE sims SET username = ? WHERE iccid = ?", ask.caller.username, iccid)
        start_activation(ask.store, iccid, ask.now, ask.activation_s)
    return Reply(200, {"ok": True})


def _sim_json(sim: sqlite3.Row) -> dict[str, object]:
    body = {
        "_id": sim["iccid"], "status": sim["status"], "activations_count": sim["activations"],
        "deactivations_count": 0, "state_change_in_progress": bool(sim["changing"]),
        "last_status_change_action": sim["last_action"], "last_status_change_action_error": sim["action_error"],
        "product_id": sim["product_id"], "owner": sim["username"],
    }  # fmt: skip
    return {name: value for name, value in body.items() if value is not None}
