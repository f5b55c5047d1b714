"""The interface between the virtual cloud and its handlers: one request, its caller, and the reply."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .store import Store


@dataclass(frozen=True, slots=True)
class Quirks:
    """Variants of the vendor's answers, which differ by age or place (reference cloud-api 3.2, 4.1, 5.1, 6.1)."""

    product_as_list: bool = False
    import_answer: str = "lists"  # "lists", "old" (no updated/existing lists), "empty" (all lists empty)
    offline_claim: object = None  # body of the 404 to a claim of an offline unit; None: the nested list
    serial_key: str = "deviceID"


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a request's token. ``scopes`` apply to API users only."""

    username: str
    is_api: bool
    scopes: frozenset[str]
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """The HTTP status and body of an answer: bytes as they are, anything else as JSON."""

    status: int
    body: object


class Refuse(Exception):
    """Raised by a handler to answer with an error, before it changes anything."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(f"HTTP {status}")
        self.reply = Reply(status, body)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. ``params`` are the variables of the path, ``query`` what stands behind its question mark.

    ``body``: the JSON object sent, {} if none; ``base_url``: the cloud's own address.
    """

    store: Store
    caller: Caller
    params: Mapping[str, str]
    body: Mapping[str, object]
    now: datetime.datetime
    quirks: Quirks
    activation_s: float
    query: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""

    def product(self) -> sqlite3.Row:
        """Return the product in the path, by number or slug (C8), if the caller is in its team; else raise `Refuse`."""
        ref = self.params["p"]
        number = int(ref) if ref.isdecimal() else -1
        row = self.store.row("SELECT * FROM products WHERE id = ? OR slug = ?", number, ref)
        if row is None and ref.isdecimal():
            raise Refuse(404, {"ok": False, "error": "Product not found."})
        if row is None or not self.in_team(row["id"]):
            raise Refuse(403, {"ok": False, "error": "Permission denied"})
        return row

    def in_team(self, product_id: int | None, username: str | None = None) -> bool:
        who = username or self.caller.username
        return self.store.row("SELECT 1 FROM team WHERE product_id = ? AND username = ?", product_id, who) is not None

    def member(self) -> sqlite3.Row:
        """Return the device in the path if it is in the product in the path; else raise `Refuse`.

        Upper-case IDs match nothing (A2).
        """
        product = self.product()
        row = self.store.row("SELECT * FROM devices WHERE id = ? AND product_id = ?", self.params["id"], product["id"])
        if row is None:
            raise Refuse(404, {"ok": False, "error": "Device not found for this product"})
        return row

    def mine(self) -> sqlite3.Row:
        """Return the device in the path if the caller owns it or is in its product's team; else raise `Refuse`."""
        row = self.store.row("SELECT * FROM devices WHERE id = ?", self.params["id"])
        if row is None or not (row["owner"] == self.caller.username or self.in_team(row["product_id"])):
            raise Refuse(403, {"error": "Permission Denied", "info": "No device of that name or ID is known to you"})
        return row

    def device(self) -> sqlite3.Row:
        return self.member() if "p" in self.params else self.mine()


Handler = Callable[[Ask], Reply]
