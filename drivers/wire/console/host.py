"""The listening-mode console, host side, without I/O: reference usb-and-serial 5.

A `ConsoleDialogue` returns what to write (`begin`), is fed whatever arrives in pieces of any size
(`feed`), and ends with `Done`. It has no clock: each `Write` says how long silence may last.

The console has no end marker, so each query is followed by ``v`` and is complete when the version line
has arrived after its own output. Text of an earlier, abandoned query is skipped.
"""

from __future__ import annotations

import abc
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ...errors import BadIdentity, RemoteProtocolError, StrangeIdentity
from ...identity import DeviceId, Iccid, Imei, MacAddress, MobileSecret, SerialNumber
from ...plain_text import printable
from ..messages.modules import ModuleInfo, described, described_modules
from .tables import (
    CELL_RADIO,
    CLAIMED_LINE,
    ICCID,
    ID_LINE,
    IMEI,
    MAC_LINES,
    OLD_ID_LINE,
    SECRET,
    SERIAL,
    VERSION_LINE,
    Key,
)

MAX_TEXT = 16 * 1024
"""Bytes; the longest real reply, that of ``s``, has about 2 KiB."""
MAX_NOISE = 1024 * 1024
"""Bytes an application may print into the console before and between the replies to a query."""

RESYNC = b"\n\n\n"
"""Ends any prompt an abandoned dialogue may be waiting at; ignored at the main level."""

QUERY_S = 5.0
MODEM_S = 30.0  # up to Device OS 5.5 ``i`` and ``s`` power up the modem

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Write:
    """Write ``data``, then fail when nothing arrives for ``timeout_s``."""

    data: bytes = field(repr=False)
    timeout_s: float
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The dialogue has ended."""

    value: T = field(repr=False)


Event = Write | Done[T]


class ConsoleDialogue(abc.ABC, Generic[T]):
    """One command and its reply. `feed` raises `RemoteProtocolError` when the reply cannot be parsed."""

    def __init__(self) -> None:
        self._text = bytearray()

    @abc.abstractmethod
    def begin(self) -> Write:
        """Return what to write first."""

    @abc.abstractmethod
    def _advance(self) -> list[Event[T]]:
        """Return the events in the text so far, and drop the text used for them."""

    def feed(self, data: bytes) -> list[Event[T]]:
        """Add what arrived and return the resulting events, oldest first."""
        self._text += data
        events = self._advance()
        if not events and len(self._text) > MAX_TEXT:
            self._overflow()
        return events

    def _overflow(self) -> None:
        """Raise: more text than any reply has came in, and none of it was one."""
        raise RemoteProtocolError(f"console sent {len(self._text)} bytes that answer nothing; reset the unit")


# --- queries ----------------------------------------------------------------------------------

_VERSION_LINE = VERSION_LINE.format("([^\r\n]{1,64})").encode()
_END_MARK = re.compile(_VERSION_LINE)
_LONGEST_END_MARK = 128


class Query(ConsoleDialogue[T]):
    """A one-letter query, followed by ``v`` as end marker.

    ``pattern`` finds its output before the marker; ``decode`` parses the match.
    """

    def __init__(
        self, key: Key, pattern: bytes, decode: Callable[[re.Match[bytes]], T], timeout_s: float = QUERY_S
    ) -> None:
        super().__init__()
        self._keys = "".join(dict.fromkeys((key, Key.VERSION))).encode()
        self._pattern = re.compile(pattern, re.DOTALL)
        self._decode = decode
        self._timeout_s = timeout_s
        self._scanned = 0  # no end marker begins before this offset
        self._noise = 0  # bytes dropped

    def begin(self) -> Write:
        return Write(self._keys, self._timeout_s)

    def _advance(self) -> list[Event[T]]:
        while end := _END_MARK.search(self._text, self._scanned):
            answer = self._pattern.search(bytes(self._text[: end.end()]))
            del self._text[: end.end()]
            self._scanned = 0
            if answer is not None:
                return [Done(self._decode(answer))]
        self._scanned = max(0, len(self._text) - _LONGEST_END_MARK)
        return []

    def _overflow(self) -> None:
        """Drop the oldest text: an application may go on printing while its unit listens."""
        surplus = len(self._text) - MAX_TEXT
        self._noise += surplus
        if self._noise > MAX_NOISE:
            raise RemoteProtocolError(f"console sent {self._noise} bytes that answer nothing; reset the unit")
        del self._text[:surplus]
        self._scanned = max(0, self._scanned - surplus)


def version() -> Query[str]:
    """Send ``v`` to read the Device OS version, like ``6.2.0``."""
    return Query(Key.VERSION, _VERSION_LINE, lambda match: _printable(match[1]))


@dataclass(frozen=True, slots=True)
class ConsoleIdentity:
    """What ``i`` prints; None for a line that is absent or empty."""

    device_id: DeviceId
    serial: SerialNumber | None
    secret: MobileSecret | None
    imei: Imei | None
    iccid: Iccid | None
    cell_radio: str | None


def identity() -> Query[ConsoleIdentity]:
    """Send ``i`` to read every identity the unit has. Up to 5.5.x a cellular unit powers up its modem: 20 s or more."""
    pattern = f"(?:{ID_LINE}|{OLD_ID_LINE}).*".encode()  # to the end, so one search is enough
    return Query(Key.IDENTITY, pattern, lambda match: _identity(match[0]), MODEM_S)


_IDENTITY_LINE = re.compile(r"([A-Za-z ]{1,40}): (.*)")


def _identity(raw: bytes) -> ConsoleIdentity:
    lines = raw.decode("ascii", "replace").replace(OLD_ID_LINE, ID_LINE).split("\r\n")
    found = {match[1]: match[2].strip() for line in lines if (match := _IDENTITY_LINE.fullmatch(line))}
    return ConsoleIdentity(
        device_id=_parsed(DeviceId.parse, found.get(ID_LINE.rstrip(": "), "")),
        serial=_optional(SerialNumber.parse, found.get(SERIAL, "")),
        secret=_secret(found.get(SECRET, "")),
        imei=_optional(Imei.parse, found.get(IMEI, "")),
        iccid=_optional(Iccid.told, found.get(ICCID, "")),
        cell_radio=_cleaned(found.get(CELL_RADIO, "")) or None,
    )


def _secret(text: str) -> MobileSecret | None:
    if text and not re.fullmatch(r"[!-~]{15}", text):
        raise RemoteProtocolError(f"console printed a device secret of {len(text)} characters, expected 15")
    return MobileSecret(text) if text else None


def mac() -> Query[MacAddress | None]:
    """Send ``m`` to read the Wi-Fi MAC address; None when the unit prints all zeros or all ones."""
    pattern = MAC_LINES.format("([0-9A-Fa-f:]{17})").encode()
    return Query(Key.MAC, pattern, lambda match: _mac(match[1].decode("ascii")))


def _mac(text: str) -> MacAddress | None:
    found = _parsed(MacAddress.parse, text)
    return None if set(found.value) in ({"0", ":"}, {"f", ":"}) else found


def claimed() -> Query[bool]:
    """Send ``c`` to read the unit's own claimed bit, a hint, not proof (rules B4 B5)."""
    pattern = CLAIMED_LINE.format("(yes|no)").encode()
    return Query(Key.CLAIMED, pattern, lambda match: match[1] == b"yes")


# --- s: module description -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Description:
    """What ``s`` prints."""

    platform_id: int
    modules: tuple[ModuleInfo, ...]
    imei: Imei | None = None
    iccid: Iccid | None = None


def modules() -> Query[Description]:
    """Send ``s`` to read platform and modules, one line of JSON."""
    pattern = rb'(\{"p":[^\r\n]*\})\r\n'
    return Query(Key.MODULES, pattern, lambda match: parse_description(match[1]), MODEM_S)


def parse_description(raw: bytes) -> Description:
    """Parse the JSON line of ``s``; raises nothing but `RemoteProtocolError`, whatever it contains."""
    return described(
        raw,
        lambda content: Description(
            platform_id=int(content["p"]),
            modules=described_modules(content["m"]),
            imei=_optional(Imei.parse, str(content.get("imei", ""))),
            iccid=_optional(Iccid.told, str(content.get("iccid", ""))),
        ),
    )


# --- helpers ----------------------------------------------------------------------------------------


def _parsed(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except BadIdentity as error:
        raise StrangeIdentity(f"on the console: {error}") from None


def _optional(parse: Callable[[str], T], text: str) -> T | None:
    return _parsed(parse, text) if text else None


def _cleaned(text: str) -> str:
    return printable(text[:255])


def _printable(raw: bytes) -> str:
    return _cleaned(raw.decode("ascii", "replace"))
