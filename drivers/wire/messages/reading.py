"""Helpers to parse replies: bounded, sanitized, and raising nothing but `RemoteProtocolError`.

A reply whose fields all have their default is empty on the wire, so ``b""`` is always a valid reply.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from ...errors import BadIdentity, RemoteProtocolError, StrangeIdentity
from ...identity import MacAddress
from ...plain_text import printable
from ..proto import system_pb2

MAX_TEXT = 255
MAX_ITEMS = 128

M = TypeVar("M", bound=Message)
T = TypeVar("T")


def parse_message(kind: type[M], raw: bytes) -> M:
    """Parse a protobuf reply of that ``kind``, no bytes as one of defaults; raises `RemoteProtocolError`."""
    message = kind()
    try:
        message.ParseFromString(raw)
    except DecodeError:
        raise RemoteProtocolError(
            f"reply of {len(raw)} bytes is no {kind.__name__} message; reset the unit and try again"
        ) from None
    return message


def text(raw: bytes) -> str:
    return clean(parse_message(system_pb2.TextReply, raw).text)


def clean(text: str) -> str:
    """Sanitize text from a unit for a terminal; raises `RemoteProtocolError` above `MAX_TEXT` characters."""
    if len(text) > MAX_TEXT:
        raise RemoteProtocolError(f"text of {len(text)} characters in a reply, expected at most {MAX_TEXT}")
    return printable(text)


def ssid(raw: bytes) -> str:
    """Decode the name of a network to compare it; without control characters, but else as it is.

    A blank that is not ASCII's, or a joined emoji, is part of the name: whoever shows it cleans it.
    """
    name = raw[:MAX_TEXT].decode("utf-8", "replace")
    return "".join("?" if unicodedata.category(char) == "Cc" else char for char in name)


def mac(raw: bytes) -> MacAddress | None:
    """Parse a hardware address; None unless it has 6 bytes that are not all zero."""
    return MacAddress.parse(raw.hex()) if len(raw) == 6 and any(raw) else None


def identity(parse: Callable[[str], T], text: str) -> T:
    """Call ``parse``; raises `StrangeIdentity` where it raises `BadIdentity`."""
    try:
        return parse(text)
    except BadIdentity as error:
        raise StrangeIdentity(f"in a reply: {error}") from None


def bounded(items: Sequence[T], what: str) -> Sequence[T]:
    """Return ``items``; raises `RemoteProtocolError` for more than `MAX_ITEMS`."""
    if len(items) > MAX_ITEMS:
        raise RemoteProtocolError(f"reply lists {len(items)} {what}, expected at most {MAX_ITEMS}; reset the unit")
    return items
