"""Event streams of the virtual cloud, and publishing to them (reference cloud-api 7.3)."""

from __future__ import annotations

from .ask import Ask, Refuse, Reply, date_json
from .events import CloudEvent, Wanted
from .refusals import Refusal


def open_stream(ask: Ask) -> Reply:
    """Open the stream of a product, a device, or all the caller's devices, of events whose name begins as asked."""
    wanted, limits = _wanted(ask), ask.limits
    now = ask.now.timestamp()
    full = ask.hub.open_streams(ask.address) >= limits.open_streams
    waits_s = ask.meter.use("streams", ask.address, limits.streams, now)
    if full or waits_s:
        raise Refuse(limits.streams.refusal, lasts_s=waits_s)
    return Reply(200, ask.hub.listen(wanted, ask.address))


def _wanted(ask: Ask) -> Wanted:
    prefix = ask.params.get("prefix", "")
    if "id" in ask.params:
        device_id = ask.device()["id"]
        return lambda event: event.name.startswith(prefix) and event.device_id == device_id
    if "p" in ask.params:
        product_id = ask.product()["id"]
        return lambda event: event.name.startswith(prefix) and event.product_id == product_id
    me = ask.caller.username
    return lambda event: event.name.startswith(prefix) and event.owner == me


def publish(ask: Ask) -> Reply:
    """Publish an event of the caller's own, to the product's devices or to the caller's."""
    name = ask.text("name")
    if not name:
        raise Refuse(Refusal.NOTHING_TO_CHANGE)
    product_id = ask.product()["id"] if "p" in ask.params else None
    at = date_json(ask.now.isoformat()) or ""
    ask.told.append(CloudEvent(name, ask.text("data"), "api", at, ask.caller.username, product_id))
    return Reply(200, {"ok": True})
