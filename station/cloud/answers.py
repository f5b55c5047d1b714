"""Answers of the cloud, each parsed once at the edge into a frozen value. Pure.

Tolerant exactly where the reference cloud-api says answers vary; anything else is a `BadAnswer`.
Mobile secrets in a device object are never kept (A7).
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from drivers.identity import DeviceId

from .body import Fields, kind_of
from .errors import BadAnswer

T = TypeVar("T")
MAX_IMPORT = 1000
"""Maximum identifiers in one import (reference cloud-api 4.1)."""
MAX_DEVICES = 10_000


class Membership(enum.StrEnum):
    """Result of an import for one identifier (reference cloud-api 4.1)."""

    ADDED = "added"  # is a member now
    EXISTING = "existing"  # was a member before
    NONMEMBER = "nonmember"  # its owner is not in the team
    INVALID = "invalid"  # unknown, of another platform, or in another product
    PROTECTED = "protected"  # Device Protection is on for the unit but not for the product
    UNCONFIRMED = "unconfirmed"  # in none of the lists: read back

    @property
    def is_member(self) -> bool:
        return self in (Membership.ADDED, Membership.EXISTING)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """One `Membership` per identifier, in the order they were sent. ``others``: what it names in place of some."""

    rows: tuple[tuple[str, Membership], ...]
    others: tuple[str, ...] = ()

    @property
    def instead(self) -> str:
        """Say, behind a sentence, what the answer was about in place of what was sent; "" for nothing else."""
        return f": it answered about {self.others[0]}" if self.others else ""

    def of(self, identifier: object) -> Membership:
        """Return the result for one identifier; upper and lower case are equal."""
        wanted = str(identifier).lower()
        return next((result for sent, result in self.rows if sent.lower() == wanted), Membership.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a token may do and for how long; ``expires_at`` None: it does not expire."""

    expires_at: datetime.datetime | None
    client: str
    scopes: tuple[str, ...]

    def lasts(self, seconds: float, now: datetime.datetime) -> bool:
        """Return whether it is valid for ``seconds`` after ``now`` (reference cloud-api 2.4 requires 5 minutes)."""
        return self.expires_at is None or self.expires_at - now >= datetime.timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class User:
    """The account a token belongs to; ``username`` is never empty."""

    username: str


@dataclass(frozen=True, slots=True)
class Product:
    """A product. ``quarantine`` None: the cloud did not say."""

    id: int
    slug: str
    name: str
    platform_id: int
    quarantine: bool | None = None


_LAST_PLATFORM_ID = 100
"""Product ids are larger."""


@dataclass(frozen=True, slots=True)
class CloudDevice:
    """The cloud's record of a unit. Empty text and None: the cloud did not say; ``owner`` "": unclaimed."""

    id: DeviceId
    product_id: int | None = None
    owner: str = ""
    name: str = ""
    notes: str = ""
    online: bool = False
    last_handshake_at: datetime.datetime | None = None
    last_heard: datetime.datetime | None = None
    platform_id: int | None = None
    serial_number: str = ""
    iccid: str = ""
    imei: str = ""
    system_firmware_version: str = ""
    firmware_version: int | None = None
    firmware_product_id: int | None = None
    desired_firmware_version: int | None = None
    targeted_firmware_release_version: int | None = None
    groups: tuple[str, ...] = ()
    development: bool = False
    quarantined: bool = False
    denied: bool = False

    @property
    def is_product_device(self) -> bool:
        """Return whether it is in a product; a developer unit has its platform id there (reference cloud-api 4.2)."""
        return self.product_id is not None and self.product_id > _LAST_PLATFORM_ID


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list of ``pages`` (1 or more). ``total``: rows of all pages, if the cloud says so."""

    rows: tuple[T, ...]
    pages: int
    total: int | None = None


class ClaimAnswer(enum.StrEnum):
    """Result of a claim. None of them proves the owner, only a read-back does (B5)."""

    ACCEPTED = "accepted"  # the cloud accepted it
    OFFLINE = "offline"  # 404, probably not online yet: poll
    UNKNOWN = "unknown"  # 404, "does not exist": wrong ID, or the cloud withholds it
    FOREIGN = "foreign"  # belongs to another account


@dataclass(frozen=True, slots=True)
class SerialRecord:
    """The unit with a serial number: this never changes, so it may be cached indefinitely (A15)."""

    serial: str
    device_id: DeviceId
    iccid: str = ""
    platform_id: int | None = None


def read_token_info(body: object) -> TokenInfo:
    """Parse token info, with either spelling of the client (reference cloud-api 2)."""
    fields = Fields(body, "token info")
    return TokenInfo(
        fields.moment("expires_at"), fields.text("client") or fields.text("client_id"), fields.texts("scopes", 1000)
    )


def read_user(body: object) -> User:
    """Read who the token belongs to; raises `BadAnswer`."""
    username = Fields(body, "user").text("username", required=True)
    if not username.strip():  # an unclaimed unit's owner is empty too: the two must never compare equal
        raise BadAnswer("user: username is empty; check the token")
    return User(username)


def read_product(body: object, wanted: int | str | None = None) -> Product:
    """Parse ``product``, an object or a list of one (reference cloud-api 3.2). ``wanted``: its number or slug.

    Any other product is a `BadAnswer`: units would come into a product nobody named.
    """
    inner = Fields(body, "product").get("product")
    fields = Fields(inner[0] if isinstance(inner, list) and len(inner) == 1 else inner, "product")
    number, platform = fields.number("id"), fields.number("platform_id")
    if number is None or platform is None or number < 1 or platform < 0:
        raise BadAnswer("product: the cloud sent no usable id or platform_id; check the product in the console")
    slug = fields.text("slug")
    is_told = bool(slug) or str(wanted).isdecimal()  # by what it was asked for
    if wanted is not None and is_told and str(wanted) not in (str(number), slug):
        raise BadAnswer(f"product {wanted}: the cloud answered with product {number} ({slug}); who answers there?")
    settings = Fields(fields.get("settings") or {}, "product settings")
    quarantine = settings.flag("quarantine") if settings.has("quarantine") else None
    return Product(number, slug, fields.text("name"), platform, quarantine)


def read_device(body: object, wanted: DeviceId | None = None) -> CloudDevice:
    """Parse a device object. With ``wanted``, any other device is a `BadAnswer`: routes also accept names, which are
    not unique."""
    f = Fields(body, f"device {wanted}" if wanted else "device")
    found = f.device_id("id")
    if wanted is not None and found != wanted:
        raise BadAnswer(f"device {wanted}: the cloud answered with device {found}")
    return CloudDevice(
        id=found, product_id=f.number("product_id"), owner=f.text("owner"), name=f.text("name"), notes=f.text("notes"),
        online=f.flag("online") or f.flag("connected"),
        last_handshake_at=f.moment("last_handshake_at"), last_heard=f.moment("last_heard"),
        platform_id=f.number("platform_id"), serial_number=f.text("serial_number"),
        iccid=f.text("iccid"), imei=f.text("imei"),
        system_firmware_version=f.text("system_firmware_version"), firmware_version=f.number("firmware_version"),
        firmware_product_id=f.number("firmware_product_id"),
        desired_firmware_version=f.number("desired_firmware_version"),
        targeted_firmware_release_version=f.number("targeted_firmware_release_version"), groups=f.texts("groups"),
        development=f.flag("development"), quarantined=f.flag("quarantined"), denied=f.flag("denied"),
    )  # fmt: skip


def read_devices(body: object) -> tuple[CloudDevice, ...]:
    """Parse a list of devices, bare or wrapped in ``devices`` (reference cloud-api 14)."""
    rows = body.get("devices") if isinstance(body, Mapping) else body
    if not isinstance(rows, list):
        raise BadAnswer(f"device list: the cloud sent {kind_of(rows)}, expected a list")
    if len(rows) > MAX_DEVICES:
        raise BadAnswer(f"device list: the cloud sent {len(rows)} devices, expected at most {MAX_DEVICES}")
    return tuple(read_device(row) for row in rows)


def read_members(body: object) -> Page[CloudDevice]:
    """Parse one page of a product's devices (reference cloud-api 4.3)."""
    return Page(read_devices(body), pages_of(body), total_of(body))


def total_of(body: object) -> int | None:
    """Read how many rows all pages of a list have; None where the cloud does not say."""
    total = Fields(Fields(body, "list").get("meta") or {}, "list").number("total")
    return total if total is not None and total >= 0 else None


def pages_of(body: object) -> int:
    """Read how many pages a list has, 1 or more; raises `BadAnswer`."""
    meta = Fields(Fields(body, "list").get("meta") or {}, "list")
    pages = meta.number("total_pages")
    if pages is not None and not 0 <= pages <= MAX_DEVICES:
        raise BadAnswer(f"list: the cloud tells of {pages} pages, expected at most {MAX_DEVICES}")
    return pages or 1


_LISTS = {
    "updatedDeviceIds": Membership.ADDED,
    "existingDeviceIds": Membership.EXISTING,
    "nonmemberDeviceIds": Membership.NONMEMBER,
    "invalidDeviceIds": Membership.INVALID,
    "protectedDeviceIds": Membership.PROTECTED,
}


def read_import(body: object, sent: Sequence[str]) -> ImportResult:
    """Parse an import answer into one result per identifier; HTTP 200 alone means nothing (C11).

    Older servers omit lists. Then ``updated`` decides on the identifiers that are in no list: 0 with
    nothing refused means they were members before, their exact number means they were added
    (reference cloud-api 4.1).
    """
    fields = Fields(body, "product import")
    named = {text.lower(): result for name, result in _LISTS.items() for text in fields.texts(name, MAX_IMPORT)}
    unnamed = [text for text in sent if text.lower() not in named]
    others = sorted(named.keys() - {text.lower() for text in sent})
    rest = Membership.UNCONFIRMED
    updated = fields.number("updated")
    if not named and updated == 0:
        rest = Membership.EXISTING
    elif not fields.has("updatedDeviceIds") and updated == len(unnamed):
        rest = Membership.ADDED
    rows = tuple((text, named.get(text.lower(), rest)) for text in sent)
    return ImportResult(rows, tuple(others) if unnamed else ())


def read_ping(body: object) -> bool:
    """Read whether the device is online; raises `BadAnswer`."""
    fields = Fields(body, "ping")
    if not fields.has("online"):
        raise BadAnswer("ping: the cloud did not say whether the device is online")
    return fields.flag("online")


def read_serial(body: object, serial: str) -> SerialRecord:
    """Parse a serial number look-up, with either spelling of the Device ID field (reference cloud-api 6.1)."""
    f = Fields(body, f"serial {serial}")
    return SerialRecord(serial, f.device_id("device_id", "deviceID"), f.text("iccid"), f.number("platform_id"))
