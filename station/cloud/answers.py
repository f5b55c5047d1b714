"""Answers of the cloud, read once at the edge into frozen values. Pure.

Tolerant exactly where the reference cloud-api says answers vary; anything else is a `BadAnswer`.
Mobile secrets that come with a device object are never kept (A7).
"""

from __future__ import annotations

import datetime
import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from drivers.errors import BadIdentity
from drivers.identity import DeviceId, Iccid
from drivers.plain_text import printable

from .errors import BadAnswer
from .evidence import texts_of

MAX_BODY_BYTES = 256 << 10
"""Largest answer that is read at all; a device has about 1 KiB, an import of 1000 identifiers about 30 KiB."""
MAX_LIST_BYTES = 4 << 20
"""The same for an account's device list, which has no pages."""
MAX_IMPORT = 1000
"""Identifiers in one import (reference cloud-api 4.1)."""
MAX_DEVICES = 10_000
_MAX_VALUES = 200_000
"""Values in one answer: short ones take many times their text's room in memory. A device has about thirty."""
_MAX_TEXTS = 100
_MAX_NESTING = 16
"""A real answer has four levels; any text can be read and shown at this depth without running out of stack."""
_T = TypeVar("_T")
_MAX_TEXT = 256
_MAX_NUMBER = (1 << 53) - 1
"""The largest whole number JSON carries safely; it also fits every table and log this station writes."""
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. ``body`` is the parsed JSON, or None when there was none to parse."""

    status: int
    body: object = None
    is_json: bool = False
    request_id: str = ""
    date: datetime.datetime | None = None
    retry_after: str = ""

    @property
    def words(self) -> str:
        """What the cloud said, for a person: at most 160 printable characters."""
        return error_words(self.body) or f"HTTP {self.status}"


class Membership(enum.StrEnum):
    """What one identifier of an import came to (reference cloud-api 4.1)."""

    ADDED = "added"  # is a member now
    EXISTING = "existing"  # was a member before
    NONMEMBER = "nonmember"  # owned by somebody who is not in the team
    INVALID = "invalid"  # unknown, of another platform, or in another product
    PROTECTED = "protected"  # Device Protection is on in the unit but not in the product
    UNCONFIRMED = "unconfirmed"  # named in no list: read back before believing anything

    @property
    def is_member(self) -> bool:
        return self in (Membership.ADDED, Membership.EXISTING)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """One `Membership` per identifier, in the order they were sent."""

    rows: tuple[tuple[str, Membership], ...]

    def of(self, identifier: DeviceId | str) -> Membership:
        """The result of one identifier, compared without regard to case."""
        wanted = str(identifier).lower()
        return next((result for sent, result in self.rows if sent.lower() == wanted), Membership.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a token may do and for how long; ``expires_at`` None means for ever."""

    expires_at: datetime.datetime | None
    client: str
    scopes: tuple[str, ...]

    def lasts(self, seconds: float, now: datetime.datetime) -> bool:
        """It is still good ``seconds`` after ``now`` (reference cloud-api 2.4 asks for 5 minutes a unit)."""
        return self.expires_at is None or self.expires_at - now >= datetime.timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class User:
    username: str


@dataclass(frozen=True, slots=True)
class Product:
    """``quarantine`` None: the cloud did not say."""

    id: int
    slug: str
    name: str
    platform_id: int
    quarantine: bool | None = None


_LAST_PLATFORM_ID = 100
"""Products have larger numbers."""


@dataclass(frozen=True, slots=True)
class CloudDevice:
    """What the cloud knows of a unit. Empty text and None mean it did not say; ``owner`` "" is unclaimed."""

    id: DeviceId
    product_id: int | None = None
    owner: str = ""
    name: str = ""
    online: bool = False
    last_handshake_at: datetime.datetime | None = None
    last_heard: datetime.datetime | None = None
    platform_id: int | None = None
    serial_number: str = ""
    iccid: str = ""
    imei: str = ""
    mac_wifi: str = ""
    system_firmware_version: str = ""
    firmware_version: int | None = None
    firmware_product_id: int | None = None
    desired_firmware_version: int | None = None
    groups: tuple[str, ...] = ()
    development: bool = False
    quarantined: bool = False
    denied: bool = False

    @property
    def is_product_device(self) -> bool:
        """A developer unit carries its platform id in place of a product id (reference cloud-api 4.2)."""
        return self.product_id is not None and self.product_id > _LAST_PLATFORM_ID


@dataclass(frozen=True, slots=True)
class Sim:
    """A SIM card as the cloud sees it (reference cloud-api 8.2)."""

    iccid: str
    status: str
    state_change_in_progress: bool = False
    last_action: str = ""
    last_action_failed: bool = False
    activations_count: int = 0
    product_id: int | None = None

    @property
    def is_active(self) -> bool:
        return self.status == "active" and not self.state_change_in_progress

    @property
    def is_off(self) -> bool:
        """It was switched off, or is about to be: it does not come back by itself."""
        if self.state_change_in_progress:
            return self.last_action == "deactivate"
        return self.status == "deactivated"


class ClaimAnswer(enum.StrEnum):
    """What a claim came to; none of them proves an owner, a read-back does (B5)."""

    ACCEPTED = "accepted"  # the cloud said yes
    OFFLINE = "offline"  # 404, probably not online yet: poll
    UNKNOWN = "unknown"  # 404, "does not exist": wrong ID, or the cloud does not want to say
    FOREIGN = "foreign"  # belongs to another account


class SimAnswer(enum.StrEnum):
    """What asking for activation came to; only polling the SIM shows the outcome."""

    ACCEPTED = "accepted"  # taken on
    IN_PROGRESS = "in progress"  # 408: an activation runs already
    FOREIGN = "foreign"  # the SIM belongs to a product or to somebody else


@dataclass(frozen=True, slots=True)
class SerialRecord:
    """Which unit carries a serial number: this never changes, so it may be kept for ever (A15)."""

    serial: str
    device_id: DeviceId
    iccid: str = ""
    platform_id: int | None = None


# --- bodies ----------------------------------------------------------------------------------


def parse_body(raw: bytes, secret: str = "") -> tuple[object, bool]:
    """``(value, True)`` for JSON in UTF-8, ``(None, False)`` for anything else: empty, HTML, too deep, too much.

    ``secret`` is taken out of every text, after decoding: escaped letters must not carry it past us (N5).
    """
    try:
        text = raw.decode("utf-8-sig")
        if sum(map(text.count, "[{,")) > _MAX_VALUES:
            return None, False
        return _plain(json.loads(text), secret, _MAX_NESTING), True
    except (ValueError, RecursionError):
        return None, False


def _plain(value: object, secret: str, levels: int) -> object:
    if isinstance(value, str):
        return without(secret, value)
    if isinstance(value, list | dict) and not levels:
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [_plain(item, secret, levels - 1) for item in value]
    if isinstance(value, dict):
        return {without(secret, name): _plain(item, secret, levels - 1) for name, item in value.items()}
    return value


def without(secret: str, text: str) -> str:
    """``text`` with stars where ``secret`` stood."""
    return text.replace(secret, "***") if secret else text


def error_words(body: object) -> str:
    """The message in an error body of any of the shapes in reference cloud-api 1.1, or ""."""
    return clean(next((text for text in texts_of(body) if text), "")[:_SHOWN])


def clean(text: str) -> str:
    """``text`` with everything a terminal or spreadsheet could act on replaced."""
    return printable(text, "\N{REPLACEMENT CHARACTER}")


class _Fields:
    """Typed access to one JSON object; ``where`` starts the sentence of every refusal."""

    def __init__(self, body: object, where: str) -> None:
        if not isinstance(body, Mapping):
            raise BadAnswer(f"{where}: the cloud sent {_kind(body)} where an object was expected; retry later")
        self._body: Mapping[str, object] = body
        self._where = where

    def has(self, name: str) -> bool:
        return self._body.get(name) is not None

    def get(self, name: str) -> object:
        return self._body.get(name)

    def text(self, name: str, *, required: bool = False) -> str:
        value = self._of(name, str, "text", required)
        if len(value or "") > _MAX_TEXT:
            raise BadAnswer(f"{self._where}: {name} has {len(value or '')} characters, expected at most {_MAX_TEXT}")
        return clean(value or "")

    def number(self, name: str) -> int | None:
        value = self._of(name, int, "a whole number", False)
        if value is not None and abs(value) > _MAX_NUMBER:
            raise BadAnswer(f"{self._where}: {name} has {value.bit_length()} bits, expected at most 53")
        return value

    def flag(self, name: str) -> bool:
        return bool(self._of(name, bool, "true or false", False))

    def texts(self, name: str, at_most: int = _MAX_TEXTS) -> tuple[str, ...]:
        values = self._of(name, list, "a list", False) or []
        if len(values) > at_most:
            raise BadAnswer(f"{self._where}: {name} holds {len(values)} texts, expected at most {at_most}")
        if not all(isinstance(v, str) and len(v) <= _MAX_TEXT for v in values):
            raise BadAnswer(f"{self._where}: {name} holds something other than short texts")
        return tuple(clean(v) for v in values)

    def moment(self, name: str) -> datetime.datetime | None:
        text = self.text(name)
        if not text:
            return None
        try:
            at = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise BadAnswer(f"{self._where}: {name} is {text[:40]!r}, expected an ISO 8601 time") from None
        return at if at.tzinfo else at.replace(tzinfo=datetime.UTC)

    def device_id(self, *names: str) -> DeviceId:
        text = next((t for t in map(self.text, names) if t), "")
        try:
            return DeviceId.parse(text)
        except BadIdentity:
            raise BadAnswer(f"{self._where}: {names[0]} is {text[:40]!r}, expected a Device ID") from None

    def _of(self, name: str, kind: type[_T], wanted: str, required: bool) -> _T | None:
        value = self._body.get(name)
        if value is None and not required:
            return None
        if type(value) is not kind:
            raise BadAnswer(f"{self._where}: {name} is {_kind(value)}, expected {wanted}")
        return value


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true/false", int: "a number", float: "a number"}
    return names.get(type(value), "nothing")


# --- readers ---------------------------------------------------------------------------------


def read_token_info(body: object) -> TokenInfo:
    fields = _Fields(body, "token info")
    return TokenInfo(
        fields.moment("expires_at"), fields.text("client") or fields.text("client_id"), fields.texts("scopes", 1000)
    )


def read_user(body: object) -> User:
    username = _Fields(body, "user").text("username", required=True)
    if not username.strip():  # an unclaimed unit's owner is empty too: the two must never look equal
        raise BadAnswer("user: username is empty; check the token")
    return User(username)


def read_product(body: object) -> Product:
    """Accepts ``product`` as an object or as a list of one (reference cloud-api 3.2)."""
    inner = _Fields(body, "product").get("product")
    fields = _Fields(inner[0] if isinstance(inner, list) and len(inner) == 1 else inner, "product")
    number, platform = fields.number("id"), fields.number("platform_id")
    if number is None or platform is None or number < 1 or platform < 0:
        raise BadAnswer("product: the cloud sent no usable id or platform_id; check the product in the console")
    settings = _Fields(fields.get("settings") or {}, "product settings")
    quarantine = settings.flag("quarantine") if settings.has("quarantine") else None
    return Product(number, fields.text("slug"), fields.text("name"), platform, quarantine)


def read_device(body: object, wanted: DeviceId | None = None) -> CloudDevice:
    """A device object. ``wanted``: refuse any other device (a route also takes names, which are not unique)."""
    f = _Fields(body, f"device {wanted}" if wanted else "device")
    found = f.device_id("id")
    if wanted is not None and found != wanted:
        raise BadAnswer(f"device {wanted}: the cloud answered with device {found}")
    return CloudDevice(
        id=found, product_id=f.number("product_id"), owner=f.text("owner"), name=f.text("name"),
        online=f.flag("online") or f.flag("connected"),
        last_handshake_at=f.moment("last_handshake_at"), last_heard=f.moment("last_heard"),
        platform_id=f.number("platform_id"), serial_number=f.text("serial_number"),
        iccid=f.text("iccid"), imei=f.text("imei"), mac_wifi=f.text("mac_wifi"),
        system_firmware_version=f.text("system_firmware_version"), firmware_version=f.number("firmware_version"),
        firmware_product_id=f.number("firmware_product_id"),
        desired_firmware_version=f.number("desired_firmware_version"), groups=f.texts("groups"),
        development=f.flag("development"), quarantined=f.flag("quarantined"), denied=f.flag("denied"),
    )  # fmt: skip


def read_devices(body: object) -> tuple[CloudDevice, ...]:
    """A bare list, or one wrapped in ``devices`` (reference cloud-api 14)."""
    rows = body.get("devices") if isinstance(body, Mapping) else body
    if not isinstance(rows, list):
        raise BadAnswer(f"device list: the cloud sent {_kind(rows)}, expected a list")
    if len(rows) > MAX_DEVICES:
        raise BadAnswer(f"device list: the cloud sent {len(rows)} devices, expected at most {MAX_DEVICES}")
    return tuple(read_device(row) for row in rows)


_LISTS = {
    "updatedDeviceIds": Membership.ADDED,
    "existingDeviceIds": Membership.EXISTING,
    "nonmemberDeviceIds": Membership.NONMEMBER,
    "invalidDeviceIds": Membership.INVALID,
    "protectedDeviceIds": Membership.PROTECTED,
}


def read_import(body: object, sent: Sequence[str]) -> ImportResult:
    """Sort the lists of an import answer by identifier; HTTP 200 alone means nothing (C11).

    Older servers leave lists out. Then ``updated`` decides about the identifiers no list names: 0 and
    nothing refused means they were members already, their exact count means they were added
    (reference cloud-api 4.1).
    """
    fields = _Fields(body, "product import")
    named = {text.lower(): result for name, result in _LISTS.items() for text in fields.texts(name, MAX_IMPORT)}
    unnamed = [text for text in sent if text.lower() not in named]
    rest = Membership.UNCONFIRMED
    updated = fields.number("updated")
    if not named and updated == 0:
        rest = Membership.EXISTING
    elif not fields.has("updatedDeviceIds") and updated == len(unnamed):
        rest = Membership.ADDED
    return ImportResult(tuple((text, named.get(text.lower(), rest)) for text in sent))


def read_sim(body: object, wanted: Iccid) -> Sim:
    """A SIM object, bare or wrapped in ``sim``; its ``_id`` must be the ICCID asked for."""
    inner = body.get("sim", body) if isinstance(body, Mapping) else body
    f = _Fields(inner, f"SIM {wanted}")
    found = f.text("_id") or f.text("iccid")
    if found != wanted.value:
        raise BadAnswer(f"SIM {wanted}: the cloud answered with SIM {found or 'without a number'}")
    return Sim(
        iccid=found, status=f.text("status"), state_change_in_progress=f.flag("state_change_in_progress"),
        last_action=f.text("last_status_change_action"),
        last_action_failed=f.text("last_status_change_action_error") == "yes",
        activations_count=f.number("activations_count") or 0, product_id=f.number("product_id"),
    )  # fmt: skip


def read_ping(body: object) -> bool:
    fields = _Fields(body, "ping")
    if not fields.has("online"):
        raise BadAnswer("ping: the cloud did not say whether the device is online")
    return fields.flag("online")


def read_serial(body: object, serial: str) -> SerialRecord:
    """Both spellings of the Device ID field (reference cloud-api 6.1)."""
    f = _Fields(body, f"serial {serial}")
    return SerialRecord(serial, f.device_id("device_id", "deviceID"), f.text("iccid"), f.number("platform_id"))
