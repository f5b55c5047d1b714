"""An answer of the cloud before it is interpreted: bounded JSON, and typed access to its fields. Pure.

Anything longer, deeper or of another type than a real answer is refused here, and our token is removed.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from drivers.errors import BadIdentity
from drivers.identity import DeviceId
from drivers.plain_text import printable

from .errors import BadAnswer
from .evidence import texts_of

MAX_BODY_BYTES = 256 << 10
"""Largest body that is read; a device has about 1 KiB, an import of 1000 identifiers about 30 KiB."""
MAX_LIST_BYTES = 4 << 20
"""The same for an account's device list, which is not paged."""
_MAX_VALUES = 200_000
"""Values in one body: short ones take many times the size of their text in memory. A device has about thirty."""
_MAX_TEXTS = 100
_MAX_NESTING = 16
"""A real answer has four levels; at this depth any answer can be parsed and shown without exhausting the stack."""
_MAX_TEXT = 256
_MAX_NUMBER = (1 << 53) - 1
"""The largest whole number that is safe in JSON; it also fits every table and log of this station."""
_SHOWN = 160
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. ``body`` is the parsed JSON, or None when there was none to parse.

    ``file``: what is neither JSON nor text, as it came.
    """

    status: int
    body: object = None
    is_json: bool = False
    file: bytes = field(default=b"", repr=False)
    request_id: str = ""
    date: datetime.datetime | None = None
    retry_after: str = ""

    @property
    def words(self) -> str:
        """Return what the cloud said, in at most 160 printable characters."""
        return error_words(self.body) or f"HTTP {self.status}"


def parse_body(raw: bytes, *secrets: str) -> tuple[object, bool]:
    """Return ``(value, True)`` for JSON in UTF-8, ``(None, False)`` for anything else: empty, HTML, too deep, too much.

    ``secrets`` are removed from every text, after decoding, so that none can pass as escaped letters (N5).
    """
    try:
        text = raw.decode("utf-8-sig")
        if sum(map(text.count, "[{,")) > _MAX_VALUES:
            return None, False
        return _plain(json.loads(text), secrets, _MAX_NESTING), True
    except (ValueError, RecursionError):
        return None, False


def _plain(value: object, secrets: Iterable[str], levels: int) -> object:
    if isinstance(value, str):
        return without(secrets, value)
    if isinstance(value, list | dict) and not levels:
        raise ValueError("nested too deep")
    if isinstance(value, list):
        return [_plain(item, secrets, levels - 1) for item in value]
    if isinstance(value, dict):
        return {without(secrets, name): _plain(item, secrets, levels - 1) for name, item in value.items()}
    return value


def without(secrets: Iterable[str], text: str) -> str:
    """Replace each of ``secrets`` by asterisks."""
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    return text


def error_words(body: object) -> str:
    """Return the message in an error body of any shape in reference cloud-api 1.1, or ""."""
    return clean(next((text for text in texts_of(body) if text), "")[:_SHOWN])


def clean(text: str) -> str:
    """Replace every character a terminal or spreadsheet could act on."""
    return printable(text, "\N{REPLACEMENT CHARACTER}")


class Fields:
    """Typed access to one JSON object. A value of the wrong type raises `BadAnswer`; ``where`` begins its message."""

    def __init__(self, body: object, where: str) -> None:
        if not isinstance(body, Mapping):
            raise BadAnswer(f"{where}: the cloud sent {kind_of(body)} where an object was expected; retry later")
        self._body: Mapping[str, object] = body
        self._where = where

    def has(self, name: str) -> bool:
        return self._body.get(name) is not None

    def get(self, name: str) -> object:
        return self._body.get(name)

    def text(self, name: str, *, required: bool = False) -> str:
        """Return a text of at most `_MAX_TEXT` characters, cleaned; "" if it is absent. Raises `BadAnswer`."""
        value = self._of(name, str, "text", required)
        if len(value or "") > _MAX_TEXT:
            raise BadAnswer(f"{self._where}: {name} has {len(value or '')} characters, expected at most {_MAX_TEXT}")
        return clean(value or "")

    def number(self, name: str) -> int | None:
        """Return a whole number of at most 53 bits, None if it is absent; raises `BadAnswer`."""
        value = self._of(name, int, "a whole number", False)
        if value is not None and abs(value) > _MAX_NUMBER:
            raise BadAnswer(f"{self._where}: {name} has {value.bit_length()} bits, expected at most 53")
        return value

    def flag(self, name: str) -> bool:
        return bool(self._of(name, bool, "true or false", False))

    def texts(self, name: str, at_most: int = _MAX_TEXTS) -> tuple[str, ...]:
        """Return a list of at most ``at_most`` sanitized texts of 256 characters; () if absent."""
        values = self._of(name, list, "a list", False) or []
        if len(values) > at_most:
            raise BadAnswer(f"{self._where}: {name} holds {len(values)} texts, expected at most {at_most}")
        if not all(isinstance(v, str) and len(v) <= _MAX_TEXT for v in values):
            raise BadAnswer(f"{self._where}: {name} holds something other than short texts")
        return tuple(clean(v) for v in values)

    def moment(self, name: str) -> datetime.datetime | None:
        """Return an ISO 8601 time, UTC unless it has another zone; None if absent."""
        text = self.text(name)
        if not text:
            return None
        try:
            at = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise BadAnswer(f"{self._where}: {name} is {text[:40]!r}, expected an ISO 8601 time") from None
        return at if at.tzinfo else at.replace(tzinfo=datetime.UTC)

    def device_id(self, *names: str) -> DeviceId:
        """Return the Device ID in the first of the fields ``names`` that is not empty."""
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
            raise BadAnswer(f"{self._where}: {name} is {kind_of(value)}, expected {wanted}")
        return value


def kind_of(value: object) -> str:
    """Name the kind of a JSON value as a person would, for an error."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true/false", int: "a number", float: "a number"}
    return names.get(type(value), "nothing")
