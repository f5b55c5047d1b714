"""What queries answer, as frozen values. Times are timezone-aware UTC; a time that is not there yet is None."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from ..model import Batch, Mender, OutboxItem, Verdict, result_of


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One batch and whether it is open."""

    batch: Batch
    title: str
    opened_at: datetime.datetime
    closed_at: datetime.datetime | None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt. ``verdict`` None: it runs, or the station stopped during it and has not started since."""

    attempt: str
    station_id: str
    batch: str
    device_id: str | None
    slot: int
    port_path: str
    profile: str
    planned: tuple[str, ...]  # steps in profile order
    operator: str
    started_at: datetime.datetime
    finished_at: datetime.datetime | None
    seconds: float | None
    verdict: Verdict | None
    failed_step: str
    reason: str
    release: str  # as that of its batch when it started, `station.model.Batch`
    lots: tuple[str, ...] = ()  # of parts used or built in, `station.model.lot_name`
    by_hand_at: datetime.datetime | None = None
    """When somebody began to work on the unit by hand after this PASS or PENDING, which is not proven since."""

    @property
    def result(self) -> str:
        """Return what reports say of it, as `station.model.result_of`."""
        return result_of(self.verdict, is_by_hand=self.by_hand_at is not None)


@dataclass(frozen=True, slots=True)
class FactRecord:
    """From ``at`` on the unit's fact ``name`` was ``value``, until a later record of that name.

    ``is_disputed``: another source in the same reading said otherwise and was believed instead
    (the label of another unit, say).
    """

    name: str
    value: str
    source: str
    at: datetime.datetime
    attempt: str | None
    is_disputed: bool


@dataclass(frozen=True, slots=True)
class UnitHistory:
    """All the journal knows of one unit, oldest first. ``facts`` lists changes, `fact` says what holds now."""

    device_id: str
    platform: str
    label: str
    first_seen: datetime.datetime
    last_seen: datetime.datetime
    facts: tuple[FactRecord, ...]
    attempts: tuple[AttemptRecord, ...]

    def fact(self, name: str) -> str | None:
        """The newest undisputed value."""
        return next((f.value for f in reversed(self.facts) if f.name == name and not f.is_disputed), None)

    def earlier(self, name: str) -> tuple[str, ...]:
        """Return the other undisputed values it had, the oldest first.

        A version is not one of them if the newest value is that version with its hash: it is the same module.
        """
        newest = self.fact(name) or ""
        values = dict.fromkeys(fact.value for fact in self.facts if fact.name == name and not fact.is_disputed)
        return tuple(value for value in values if value != newest and not newest.startswith(f"{value} "))


@dataclass(frozen=True, slots=True)
class UnitLine:
    """A unit as a line of a list, with its last attempt that ended (``verdict`` None: there is none)."""

    device_id: str
    label: str
    platform: str
    at: datetime.datetime
    batch: str
    slot: int
    verdict: Verdict | None
    step: str
    reason: str
    is_by_hand: bool = False  # not proven any more, `AttemptRecord.by_hand_at`


@dataclass(frozen=True, slots=True)
class OwedRecord:
    """One outbox item with its story; ``retry_at`` None means now."""

    item: OutboxItem
    tries: int
    retry_at: datetime.datetime | None
    last_error: str


@dataclass(frozen=True, slots=True)
class OwedUnit:
    """One outbox item as people ask for it. ``reason``: what stands in its way, which ``mender`` can mend.

    ``after``: the earlier step of its unit that it waits for, "" for none; ``retry_at`` None: as soon as it can be.
    """

    owed: OwedRecord
    label: str
    batch: str
    since: datetime.datetime
    reason: str
    mender: Mender
    after: str


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A write that was announced and never confirmed: whether it happened is unknown (N2)."""

    at: datetime.datetime
    attempt: str | None
    device_id: str | None
    step: str
    target: str
    what: str
    slot: int  # 0: of no attempt


@dataclass(frozen=True, slots=True)
class CachedProduct:
    """What the cloud last said of a product."""

    product_id: int
    slug: str
    name: str
    platform_id: int
    at: datetime.datetime


@dataclass(frozen=True, slots=True)
class CachedSerial:
    """The cloud's answer to a serial number look-up."""

    serial: str
    device_id: str
    iccid: str
    at: datetime.datetime


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """That a unit's mobile secret is kept, and since when; not ``is_sealed``: in clear, by an older station."""

    device_id: str
    at: datetime.datetime
    is_sealed: bool


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """A seal that holds: of which batch, over which entry and all before it, by the key of which fingerprint."""

    batch: str
    entry: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The chain holds: so many entries, the newest with this hash (note it elsewhere to notice a cut-off tail)."""

    entries: int
    hash: str
    sealed: tuple[SealedBatch, ...] = ()
