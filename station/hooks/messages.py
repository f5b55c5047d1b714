"""What a hook is told of an entry of the journal. Pure; nothing secret is in it, as nothing secret is in the journal.

Every message has ``key``, by which the other side knows what it was told before: the station's id and the entry's
number, the same at each try.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ..model import Verdict
from ..settings.outside import BATCH_CLOSED, FINISHED, UNIT_ARRIVED

EVENT_OF: Mapping[str, str] = {
    "UnitIdentified": UNIT_ARRIVED, "AttemptFinished": FINISHED, "AttemptAbandoned": FINISHED,
    "VerdictRevised": FINISHED, "HandWorkBegun": FINISHED, "BatchClosed": BATCH_CLOSED,
}  # fmt: skip
"""Kinds of entries that are told, and what they are called."""
IDENTITIES = ("serial", "iccid", "imei", "mac", "sku", "platform", "device_os")
"""Facts of a unit that are told."""
BY_HAND = "worked on by hand since its verdict, which is not proven any more: walk it again"


class Entry(Protocol):
    """An entry as it stands in the journal."""

    @property
    def station_id(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> str: ...
    @property
    def kind(self) -> str: ...
    def values(self) -> dict[str, Any]: ...


class About(Protocol):
    """What the journal has besides: facts of a unit, and the batch of an attempt."""

    def known_facts(self, device_id: str) -> Mapping[str, str]: ...
    def batch_of(self, attempt: str) -> str: ...
    def identified_at(self, attempt: str) -> int: ...
    def unproven_since(self, attempt: str) -> int: ...
    def unproven_by(self, seq: int) -> str: ...


def key_of(entry: Entry) -> str:
    """Return the idempotency key of an entry."""
    return f"{entry.station_id}-{entry.seq:09d}"


def message_of(entry: Entry, about: About) -> dict[str, Any] | None:
    """Return the message of an entry of a kind in `EVENT_OF`; None where there is nothing new to tell.

    A unit is identified once more when its label was scanned, and after it left DFU. One whose verdict is not proven
    any more is told as ABORTED, which judges nobody, also where the work it owed ends well later.
    """
    values = entry.values()
    if entry.kind == "UnitIdentified" and about.identified_at(values.get("attempt") or "") < entry.seq:
        return None
    told: dict[str, Any] = {
        "key": key_of(entry), "event": EVENT_OF[entry.kind], "station": entry.station_id, "seq": entry.seq,
        "at": entry.at,
    }  # fmt: skip
    if entry.kind == "BatchClosed":
        return {**told, "batch": values.get("batch", "")}
    device_id, attempt = values.get("device_id") or "", values.get("attempt") or ""
    if entry.kind == "HandWorkBegun" and not (attempt := about.unproven_by(entry.seq)):
        return None
    told |= {"slot": values.get("slot", 0), "attempt": attempt, "batch": about.batch_of(attempt)}
    told |= unit_of(device_id, about.known_facts(device_id) if device_id else {})
    if entry.kind != "UnitIdentified":
        told["verdict"] = values.get("verdict", "ERROR")  # an attempt that a kill left without an end has none
        told |= {key: values.get(key, "") for key in ("failed_step", "reason")}
        told["revised"] = entry.kind in ("VerdictRevised", "HandWorkBegun")
        if told["revised"] and 0 < about.unproven_since(attempt) <= entry.seq:
            told |= {"verdict": Verdict.ABORTED.name, "failed_step": "", "reason": BY_HAND}
    return told


def unit_of(device_id: str, facts: Mapping[str, str]) -> dict[str, str]:
    """Return who a unit is, by what is known of it."""
    return {"device_id": device_id, **{name: facts[name] for name in IDENTITIES if facts.get(name)}}
