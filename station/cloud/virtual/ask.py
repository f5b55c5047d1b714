"""The interface between the virtual cloud and its handlers: one request, its caller, and the reply."""

from __future__ import annotations

import datetime
import enum
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .events import CloudEvent, EventHub
from .limits import Limits, Meter
from .refusals import Refusal
from .store import Store


@dataclass(frozen=True, slots=True)
class Quirks:
    """Variants of the vendor's answers, which differ by age or place (reference cloud-api 3.2, 4.1, 5.1, 6.1, 6.3).

    ``lag_s``: how long reads go on to show what was before a write; ``sim_import_s``: how long the import of SIMs is
    at work in the background (8.2).
    """

    product_as_list: bool = False
    import_answer: str = "lists"  # "lists", "old" (no updated/existing lists), "empty" (all lists empty)
    claims_members: bool = True  # an import with ``claim_user`` claims what is in the product already, too
    offline_claim: object = None  # body of the 404 to a claim of an offline unit; None: the nested list
    serial_key: str = "deviceID"
    firmware_keys: Mapping[str, str] = field(default_factory=dict)  # e.g. {"product_default": "current"}
    lag_s: float = 0.0
    sim_import_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a request's token. ``scopes`` apply to API users only.

    ``customer_of``: number of the product whose customer this is; None for a user.
    """

    username: str
    is_api: bool = False
    scopes: frozenset[str] = frozenset()
    expires_at: str | None = None
    client: str = "particle"
    customer_of: int | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The HTTP status and body of an answer: bytes and streams of bytes as they are, anything else as JSON.

    ``delay_s``: how long the real cloud takes for it, e.g. to reach a device in vain.
    """

    status: int
    body: object = None
    delay_s: float = 0.0


class Refuse(Exception):
    """Raised by a handler to answer with an error, before it changes anything.

    ``more`` is added to the body. ``lasts_s``: a limit is free again after so many seconds.
    """

    def __init__(self, refusal: Refusal, *, lasts_s: float = 0.0, **more: object) -> None:
        super().__init__(refusal.name)
        self.reply, self.lasts_s = Reply(refusal.status, {**refusal.body, **more}), lasts_s


class Auth(enum.Enum):
    """Who may ask."""

    TOKEN = "the bearer of a token"
    BASIC = "a user by name and password, or the bearer of a token"
    OPTIONAL = "anybody; the bearer of a token may do more"
    ANYBODY = "anybody"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a multipart body."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. ``params`` are the variables of the path, ``query`` what stands behind its question mark.

    ``body``: the fields sent, however they were encoded, {} if none; ``base_url``: the cloud's own address.
    Once the work is committed, ``told`` are published, ``signals`` passed on to units, and the units ``due`` given
    the firmware they are to run, if they are online.
    """

    store: Store
    caller: Caller
    params: Mapping[str, str]
    body: Mapping[str, object]
    now: datetime.datetime
    quirks: Quirks
    activation_s: float
    hub: EventHub
    meter: Meter
    limits: Limits
    told: list[CloudEvent]
    due: list[str] = field(default_factory=list)
    signals: list[tuple[str, bool]] = field(default_factory=list)
    query: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    client: tuple[str, str] = ("", "")  # name and password of HTTP Basic
    accept: str = ""
    base_url: str = ""
    address: str = ""

    # --- fields of the body ---

    def text(self, name: str) -> str:
        """Return a text of the body or else of the query; "" if it is missing or no text."""
        value = self.body.get(name, self.query.get(name, ""))
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Return a list of texts, or one text, as a list; [] if it is missing or anything else."""
        value = self.body.get(name, [])
        listed = [value] if isinstance(value, str) else value
        return listed if isinstance(listed, list) and all(isinstance(one, str) for one in listed) else []

    def tell(self, name: str, data: str, device: sqlite3.Row) -> None:
        """Publish an event of a device, once the work is committed."""
        self.told.append(event_of(name, data, device, self.now))

    # --- what the path names ---

    def product(self) -> sqlite3.Row:
        """Return the product in the path, by number or slug (C8), if the caller is in its team; else raise `Refuse`."""
        row = self.any_product()
        if not self.in_team(row["id"]):
            raise Refuse(Refusal.NOT_IN_TEAM)
        return row

    def any_product(self) -> sqlite3.Row:
        """Return the product in the path, whoever asks; a slug that is none looks like a foreign one (3.2)."""
        ref = self.params["p"]
        number = int(ref) if ref.isdecimal() and len(ref) < 19 else -1
        row = self.store.row("SELECT * FROM products WHERE id = ? OR slug = ?", number, ref)
        if row is None:
            raise Refuse(Refusal.NO_PRODUCT if ref.isdecimal() else Refusal.NOT_IN_TEAM)
        return row

    def in_team(self, product_id: int | None, username: str | None = None) -> bool:
        """Return whether the caller, or ``username``, is in the product's team; customers are in none (5.4)."""
        if username is None and self.caller.customer_of is not None:
            return False
        who = username or self.caller.username
        return self.store.row("SELECT 1 FROM team WHERE product_id = ? AND username = ?", product_id, who) is not None

    def member(self) -> sqlite3.Row:
        """Return the device in the path if it is in the product in the path; else raise `Refuse`.

        Upper-case IDs match nothing (A2).
        """
        product = self.product()
        row = self.store.row("SELECT * FROM devices WHERE id = ? AND product_id = ?", self.params["id"], product["id"])
        if row is None:
            raise Refuse(Refusal.NO_MEMBER)
        return row

    def mine(self) -> sqlite3.Row:
        """Return the device in the path if the caller owns it or is in its product's team; else raise `Refuse`.

        The path may have the name of one of the caller's own devices.
        """
        row = self.store.row("SELECT * FROM devices WHERE id = ?", self.params["id"])
        if row is None:
            named = self.store.rows("SELECT * FROM devices WHERE name = ?", self.params["id"])
            row = next((one for one in named if self.owns(one)), None)
        if row is None or not (self.owns(row) or self.in_team(row["product_id"])):
            raise Refuse(Refusal.NOT_MINE)
        return row

    def owns(self, row: sqlite3.Row) -> bool:
        """Return whether the caller owns a device: a user and a customer of one name are two people."""
        kind = self.caller.customer_of is not None
        return bool(row["owner"] == self.caller.username and bool(row["is_customers"]) == kind)

    def device(self) -> sqlite3.Row:
        return self.member() if "p" in self.params else self.mine()


def event_of(name: str, data: str, device: sqlite3.Row, now: datetime.datetime) -> CloudEvent:
    """Make an event of a device; who hears it depends on its owner and product."""
    at = date_json(now.isoformat()) or ""
    return CloudEvent(name, data, device["id"], at, device["owner"] or "", device["product_id"])


Handler = Callable[[Ask], Reply]
_READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Route:
    """A route. ``rule`` in werkzeug's notation. ``scope`` is what an API user's token needs; "": people only.

    ``is_form``: only a form will do (2.1). ``changes_nothing``: it is no write, whatever its method.
    """

    method: str
    rule: str
    handler: Handler
    scope: str = ""
    auth: Auth = Auth.TOKEN
    is_form: bool = False
    changes_nothing: bool = False

    @property
    def name(self) -> str:
        """Return the name for faults and counters: ``"POST /v1/products/:p/devices"``."""
        return self.method + " " + re.sub("<(?:path:)?([a-z_]+)>", r":\1", self.rule)

    @property
    def is_write(self) -> bool:
        return not (self.method in _READS or self.changes_nothing)


def date_json(text: str | None) -> str | None:
    """Encode a date of the store as the real cloud does: UTC with milliseconds and a Z."""
    if text is None:
        return None
    at = datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. ``meta`` as the lists of products have it."""

    rows: list[T]
    meta: dict[str, int]


def page_of(ask: Ask, rows: Iterable[T], most: int = 1000) -> Page[T]:
    """Cut the page out that the query asks for: 25 rows unless it says otherwise, in either spelling (4.3)."""

    def number(*names: str, usual: int) -> int:
        said = next((ask.query[name] for name in names if name in ask.query), "")
        return max(1, int(said)) if said.isdecimal() and len(said) < 10 else usual

    every = list(rows)
    size, page = min(most, number("per_page", "perPage", usual=25)), number("page", usual=1)
    pages = max(1, -(-len(every) // size))
    meta = {"total_pages": pages, "page": page, "per_page": size, "total": len(every)}
    return Page(every[(page - 1) * size : page * size], meta)
