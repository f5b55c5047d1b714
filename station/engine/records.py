"""Events that only the journal sees: intended and confirmed writes, proofs, owed work."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from ..model import IdentityFact, OutboxItem, ProfileRef
from .events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteIntended(Event):
    """Committed before a write leaves this host. ``target`` is "unit", "cloud" or "printer".

    A label that no walk waits for is announced when it begins to wait for its printer.
    """

    step: str
    target: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteConfirmed(Event):
    """The write announced under the same ``what`` was answered."""

    step: str
    target: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsMissed(Event):
    """Labels that were announced under these attempts and did not come out, as far as anybody knows; nobody will."""

    attempts: tuple[str, ...]
    what: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialWritten(Event):
    """A keyed digest of the Wi-Fi credentials a unit was given and joined with, never the password itself."""

    ssid: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFacts(Event):
    """Facts about a unit that changed during its walk; the latest value of a name wins."""

    facts: tuple[IdentityFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LotScanned(Event):
    """A lot of parts is used from now on: in ``batch``, or built into the unit of the head.

    ``part``: what it is a lot of, "" where its code does not say. The newest lot of a part counts;
    ``lot`` `NO_LOT`: there is none any more.
    """

    lot: str
    part: str = ""
    batch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxQueued(Event):
    """Cloud work owed, committed together with the verdict of its attempt. ``menders``: who can mend what kept each."""

    items: tuple[OutboxItem, ...]
    menders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReleased(Event):
    """A profile was given to the line by a badge, ``released_at``; later, where another host told of it first."""

    profile: ProfileRef
    by: str
    released_at: datetime.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareNamed(Event):
    """Files that a profile names, and what they hold: people know a file by its hash, units tell those of modules.

    ``files``: of each file its name, its SHA-256, then that of every module in it as a unit reports it, in hexadecimal.
    """

    files: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimsImported(Event):
    """The cloud took an import of SIM cards, and works on it: only its list of SIMs shows what comes of it."""

    product: int
    iccids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListImported(Event):
    """What became of a list of units or SIM cards: how many of its lines ended in which way."""

    file: str
    sha256: str
    product: int
    what: str  # "units" or "SIM cards"
    lines: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsExpected(Event):
    """The list of the units that a batch is to get: ``units`` has one line a unit, all numbers the list gives of it."""

    batch: str
    file: str
    sha256: str
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCached(Event):
    """What the cloud reported about a product, kept for when the cloud is away."""

    ref: str
    product_id: int
    platform_id: int
    name: str
    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReworkAllowed(Event):
    """A supervisor's list came into force for one batch, until the station stops: ``by`` a badge, and what it allows.

    ``sha256`` is that of the list's bytes; ``units`` has one line a unit, its number and its cures.
    """

    batch: str
    by: str
    sha256: str
    units: tuple[str, ...]
