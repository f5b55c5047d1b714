"""What goes into the journal: one `Entry` per fact, made from an event of the engine or given by kind and body.

Knows nothing of SQL. Kinds the engine itself records are in `station.engine.records`; here are those
that only the journal and its start-up write.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.errors import BadIdentity
from drivers.identity import DeviceId

from ..engine.events import Event, StepFinished, UnitIdentified
from ..engine.records import UnitFacts
from ..errors import JournalError
from ..model import IdentityFact

JOURNALLED = frozenset({
    "StationStarted", "StationStopped", "TablesRebuilt", "OperatorChanged", "BatchOpened", "BatchClosed", "BatchSealed",
    "ProfileReleased", "FirmwareNamed", "SlotTakenOut", "SlotPutBack",
    "AttemptStarted", "UnitIdentified", "StepFinished", "AttemptFinished", "AttemptAbandoned", "ModulesRead",
    "LightSeen", "HandWorkBegun", "ConsoleOpened",
    "OutboxQueued", "OutboxPostponed", "OutboxHurried", "OutboxSettled", "VerdictRevised",
    "WriteIntended", "WriteConfirmed", "LabelsMissed", "CredentialWritten", "UnitFacts", "ReworkAllowed",
    "SimsImported", "UnitsExpected", "JournalRestored", "LotScanned",
    "ListImported", "ProductCached", "SerialCached", "SecretStored", "SecretForgotten", "SecretsTaken",
})  # fmt: skip
"""Kinds that belong in the journal; everything else an engine says is for the screen only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptAbandoned(Event):
    """An attempt that had no end when the station started again. ``failed_step``: what was at work by all records."""

    failed_step: str = ""
    reason: str = "the station stopped during this attempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesRebuilt(Event):
    """The tables were not what the journal says, and were made again from it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRestored(Event):
    """Another file took the place of the journal, a backup or a new one; what is not in it is not in this chain."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxPostponed(Event):
    """Owed work was tried and could not be finished; it is due again at ``retry_at``. ``mender``: who can mend that.

    ``scope``: what else would fare no better now, a product or `EVERYWHERE`: the latter is no try of this very item.
    """

    action: str
    retry_at: datetime.datetime
    error: str
    mender: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxHurried(Event):
    """Somebody asked for owed work to be tried now, and as often as if it had never been tried before."""

    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialCached(Event):
    """The cloud's answer to a serial number look-up; ``device_id`` of the head is the unit it names (A15)."""

    serial: str
    iccid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretStored(Event):
    """A mobile secret was kept because a profile asked for it. The secret itself is not in the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretForgotten(Event):
    """A kept mobile secret was erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsTaken(Event):
    """Somebody was given the kept mobile secrets of batches, in a file: ``by`` a badge."""

    by: str
    batches: tuple[str, ...]
    form: str


HEAD = ("at", "kind", "slot", "device_id", "attempt")


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact. ``at`` must know its time zone; ``body`` holds plain JSON values and no secret."""

    kind: str
    at: datetime.datetime
    slot: int = 0
    device_id: str | None = None
    attempt: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_event(cls, event: Event) -> Entry:
        """Make the entry of ``event``; fields at their empty default are left out."""
        fields = {field.name: field.default for field in dataclasses.fields(event)}
        empty = {name for name, default in fields.items() if not default and getattr(event, name) == default}
        body = {
            name: value
            for name, value in event.to_json().items()
            if name not in HEAD and name not in empty and (value or name in fields)
        }
        match event:
            case UnitIdentified() | UnitFacts():
                body["facts"] = _by_value(event.facts)
            case StepFinished():
                for measured in body.get("measurements", ()):
                    measured["value"] = _masked(measured["name"], measured["value"])
        return cls(event.kind, event.at, event.slot, event.device_id, event.attempt, body)

    def body_text(self) -> str:
        """Return the JSON text of the journal's ``body`` column: slot, device_id, attempt, then the rest.

        Raises `JournalError` when the entry holds something that cannot be kept.
        """
        head = {"slot": self.slot, "device_id": self._checked_device_id(), "attempt": self.attempt}
        try:
            text = json_text({**head, **self.body, **head})
        except (TypeError, ValueError) as error:
            raise JournalError(
                f"{self.kind} cannot be recorded: {error}; only plain values may be in an entry"
            ) from None
        # a unit may have sent half a surrogate pair, which no file can hold
        return text.encode("utf-8", "replace").decode("utf-8")

    def _checked_device_id(self) -> str | None:
        if not self.device_id:
            return None
        try:
            return DeviceId.parse(self.device_id).value
        except BadIdentity as error:
            raise JournalError(f"{self.kind} cannot be recorded: {error}") from None


def _by_value(facts: Iterable[IdentityFact]) -> list[list[str]]:
    """Group facts by name and value, followed by all their sources: ``["serial", "P04...", "console"]``."""
    found: dict[tuple[str, str], list[str]] = {}
    for fact in facts:
        found.setdefault((fact.name, str(_masked(fact.name, fact.value))), []).append(fact.source)
    return [[*known, *sources] for known, sources in found.items()]


def stamp(at: datetime.datetime) -> str:
    """Format ``at`` as the journal does: UTC, milliseconds, sortable. Raises `JournalError` without time zone."""
    if at.tzinfo is None:
        raise JournalError(f"the time {at} has no time zone; use the clock's utc()")
    return at.astimezone(datetime.UTC).isoformat(timespec="milliseconds")


def stamped(text: str) -> str:
    """Return a time of the journal, ISO 8601 with its offset, as `stamp` formats it: it nearly always is that."""
    return text if _STAMP.fullmatch(text) else stamp(datetime.datetime.fromisoformat(text))


_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", re.ASCII)


def json_text(value: Any) -> str:
    """Return ``value`` as JSON without blanks; a number that JSON cannot hold (an infinity) becomes a text.

    Raises `TypeError` for whatever is not plain: a `Secret`, bytes, an object.
    """
    try:
        return _ENCODER.encode(value)
    except ValueError:
        return _ENCODER.encode(_finite(value))


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {key: _finite(one) for key, one in value.items()}
        case list() | tuple():
            return [_finite(one) for one in value]
        case _:
            return value


def _masked(name: str, value: object) -> object:
    """Hide what a step or a driver reports under the name of a mobile secret, whatever it is."""
    return "***" if name == "secret" else value
