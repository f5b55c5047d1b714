"""Who a unit is: Device ID, serial number, ICCID, IMEI, MAC, mobile secret, port path - and the label grammar.

Each is parsed once at the edge and then carried as its own type. Rules A1-A11, A13, A16 of
the provisioning rules. Nothing here reads a device.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from .errors import BadIdentity

SHORTEST_SECRET = 8
"""Characters of a Wi-Fi password; a mobile secret has more."""


def quoted(text: str) -> str:
    """Quote ``text`` for a sentence, or nothing: a long one in the wrong place may be a password or a mobile secret."""
    return f" {text!r}" if len(text) < SHORTEST_SECRET else ""


@dataclass(frozen=True, slots=True, order=True)
class _Text:
    """A checked text; equality, order and hash by its canonical ``value``."""

    value: str
    what: ClassVar[str] = "text"
    pattern: ClassVar[re.Pattern[str]] = re.compile(r"")
    wanted: ClassVar[str] = ""

    def __str__(self) -> str:
        return self.value

    @classmethod
    def canonical(cls, text: str) -> str:
        return text.strip()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the checked value of ``text``; raises `BadIdentity` with one sentence."""
        value = cls.canonical(text)
        if not cls.pattern.fullmatch(value):
            raise BadIdentity(
                f"{cls.what}{quoted(text)} has {len(value)} characters, expected {cls.wanted}; check the label"
            )
        return cls(value)


class DeviceId(_Text):
    """24 hexadecimal digits, all significant, kept in lower case (A1 A2)."""

    what = "Device ID"
    pattern = re.compile(r"[0-9a-f]{24}")
    wanted = "exactly 24 hexadecimal digits"

    @classmethod
    def canonical(cls, text: str) -> str:
        return text.strip().lower()


class SerialNumber(_Text):
    """Upper-case letters and digits, legacy ones with dashes; at most 15 characters (A3)."""

    what = "serial number"
    pattern = re.compile(r"(?=.{6,15}$)[A-Z][A-Z0-9]{3}[A-Z0-9-]*[A-Z0-9]")
    wanted = "6 to 15 letters, digits or dashes that begin with a model code such as P044 or B40T"

    @classmethod
    def canonical(cls, text: str) -> str:
        return text.strip().upper()


class Iccid(_Text):
    """19 to 21 digits that begin with 89; blanks and trailing fillers F are dropped (A8).

    A label, a file or a hand is held to that form by `parse`. A modem is not: what `told` took from one may be odd,
    and says so by `is_odd`.
    """

    what = "ICCID"
    pattern = re.compile(r"89[0-9]{17,19}")
    wanted = "19 to 21 digits that begin with 89"

    @classmethod
    def canonical(cls, text: str) -> str:
        return text.replace(" ", "").strip().rstrip("Ff")

    @classmethod
    def told(cls, text: str) -> Self:
        """Take the number a SIM told, of whatever form: some have letters in it, or another length.

        Raises `BadIdentity` for what is no number at all: anything but 1 to 32 letters and digits.
        """
        value = cls.canonical(text)
        if not _SIM_NUMBER.fullmatch(value):
            raise BadIdentity(f"ICCID has {len(value)} characters, expected letters and digits; reseat the SIM")
        return cls(value)

    @property
    def is_odd(self) -> bool:
        """Report whether this is no ICCID by its form: the cloud may not know such a SIM."""
        return not self.pattern.fullmatch(self.value)


_SIM_NUMBER = re.compile(r"[0-9A-Za-z]{1,32}")


class Imei(_Text):
    """15 digits (A10 A11)."""

    what = "IMEI"
    pattern = re.compile(r"[0-9]{15}")
    wanted = "exactly 15 digits"


class MacAddress(_Text):
    """12 hexadecimal digits, written with colons, lower case (A13)."""

    what = "MAC address"
    pattern = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
    wanted = "12 hexadecimal digits, with or without colons"

    @classmethod
    def canonical(cls, text: str) -> str:
        digits = text.strip().lower().replace(":", "").replace("-", "")
        return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


@dataclass(frozen=True, slots=True)
class PortPath:
    """A place a cable goes into: bus and hub ports, ``"1-2.3"``. Constant over re-enumeration."""

    value: str

    def __str__(self) -> str:
        return self.value


class Secret:
    """A text that must not be seen: ``repr`` and ``str`` hide it, `reveal` is the only way out.

    Used for tokens, Wi-Fi passwords, mobile secrets and claim codes (N5 A7).
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._text == other._text

    def __hash__(self) -> int:
        return hash((type(self), self._text))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError(f"a {type(self).__name__} is never written anywhere")


class MobileSecret(Secret):
    """15 printable characters of one-time memory, printed on the label. Not unique, never a key (A7)."""


# --- what a scanner reads -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScannedSerial:
    serial: SerialNumber
    secret: MobileSecret | None = None


@dataclass(frozen=True, slots=True)
class ScannedIccid:
    iccid: Iccid


@dataclass(frozen=True, slots=True)
class ScannedImei:
    imei: Imei


@dataclass(frozen=True, slots=True)
class ScannedDeviceId:
    device_id: DeviceId


@dataclass(frozen=True, slots=True)
class ScannedBadge:
    badge: str


@dataclass(frozen=True, slots=True)
class ScannedCommand:
    command: str


@dataclass(frozen=True, slots=True)
class ScannedBatch:
    batch: str


Scanned = ScannedSerial | ScannedIccid | ScannedImei | ScannedDeviceId | ScannedBadge | ScannedCommand | ScannedBatch

LONGEST_SCAN = 256
"""Characters; three reads of the longest label fit."""

_WORD = re.compile(r"[A-Za-z0-9._-]{1,40}")
_PREFIXES: dict[str, Callable[[str], Scanned]] = {"OP:": ScannedBadge, "CMD:": ScannedCommand, "BATCH:": ScannedBatch}
_SECRET = re.compile(r"[!-~]{15}")
_SECRET_SIZE = 15


def parse_scan(text: str) -> Scanned:
    """Read what one scanner burst says (rules A3 A6 A8 A11; bench screen, input grammar).

    Taken for what they are: symbology prefixes (``]d2``), a name in front (``S/N:``), the serial number among GS1
    elements (``(21)...``, or 21 with group separators), and one label read two or three times in one burst.

    ``text``: at most 256 characters, printable but for group separators. Raises `BadIdentity`; the message never
    repeats what may be a mobile secret: what follows the first blank, or a long word that is no serial number.
    """
    text = text.strip(_AROUND)
    if len(text) > LONGEST_SCAN or not text.translate(_SEPARATORS).isprintable():
        raise BadIdentity(
            f"scan of {len(text)} characters is no label, expected at most {LONGEST_SCAN} printable ones; scan again"
        )
    why: BadIdentity | None = None
    for form in _forms(text):
        try:
            return _parse(form)
        except BadIdentity as error:
            why = why or error
    assert why is not None  # the text itself is one of its forms
    raise why


def _parse(text: str) -> Scanned:
    for prefix, kind in _PREFIXES.items():
        if text.upper().startswith(prefix):
            word = text[len(prefix) :]
            if not _WORD.fullmatch(word):
                raise BadIdentity(f"{prefix}{quoted(word)} is not 1 to 40 letters, digits, dots or dashes; scan again")
            return kind(word)
    if re.fullmatch(r"[0-9]{15}", text):
        return ScannedImei(Imei.parse(text))
    if re.fullmatch(r"[0-9a-fA-F]{24}", text):
        return ScannedDeviceId(DeviceId.parse(text))
    if re.fullmatch(r"89[0-9 ]{17,24}[Ff]*", text):
        return ScannedIccid(Iccid.parse(text))
    head, _, tail = text.partition(" ")
    serial = _serial_of(head)
    if tail == head:  # one barcode read twice
        return ScannedSerial(serial)
    if tail and not _SECRET.fullmatch(tail):
        raise BadIdentity(
            f"label of {serial} carries a mobile secret of {len(tail)} characters, expected 15; scan again"
        )
    return ScannedSerial(serial, MobileSecret(tail) if tail else None)


def _serial_of(head: str) -> SerialNumber:
    """The serial number a label begins with. A word as long as a secret is not told: it may hold one."""
    try:
        return SerialNumber.parse(head)
    except BadIdentity:
        if len(head) < _SECRET_SIZE:
            raise
        raise BadIdentity(
            f"scan of {len(head)} characters without a blank is no label, expected {SerialNumber.wanted}; scan again"
        ) from None


# --- what stands around a label ---

_SEPARATORS = {0x1D: " ", 0x1E: " ", 0x04: " ", 0x09: " "}
"""Group separator (the FNC1 between GS1 elements), record separator, end of transmission, and a scanner's Tab."""
_AROUND = "".join(map(chr, _SEPARATORS)) + " \r\n"
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
"""AIM identifier a scanner may put in front: ``]d1`` Data Matrix, ``]d2`` the same with GS1, ``]C1`` ``]Q1`` ..."""
_NAME = re.compile(r"(?i)(S/?N|SERIAL( ?(NO|NUMBER))?\.?|IMEI|ICCID|(DEVICE ?)?ID) ?[:#=] ?")
_GS1_LENGTHS = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2}
_GS1_OPEN = ("10", "21", "8002")
"""Lot, serial number and mobile phone identifier (an IMEI) end at a group separator (GS1 General Specifications 3)."""
_GS1_PRINTED = re.compile(r"\(([0-9]{2,4})\)([^()]+)")
_GS1_UNITS = ("21", "8002")


def _forms(text: str) -> Iterator[str]:
    """``text`` without what stands around a label, then what else it may be: the first that can be read counts."""
    for whole in dict.fromkeys((text, _once(text))):
        bare = whole[3:] if _SYMBOLOGY.match(whole) else whole
        name = _NAME.match(bare)
        yield bare[name.end() :] if name else bare
        elements = _gs1_elements(bare.strip(_AROUND))
        yield from (elements[key] for key in _GS1_UNITS if key in elements)


def _once(text: str) -> str:
    """One of two or three reads in a row, with or without something between them; ``text`` itself if it is one."""
    for count in (2, 3):
        size, rest = divmod(len(text), count)
        if not rest and text == text[:size] * count:
            return text[:size].strip(_AROUND)
        words = text.translate(_SEPARATORS).split()
        size, rest = divmod(len(words), count)
        if words and not rest and words == words[:size] * count:
            return " ".join(words[:size])
    return text


def _gs1_elements(text: str) -> dict[str, str]:
    """Elements by application identifier, as printed in brackets or as scanned; empty if it is nothing of the kind."""
    if text.startswith("("):
        return dict(_GS1_PRINTED.findall(text)) if re.fullmatch(f"({_GS1_PRINTED.pattern})+", text) else {}
    elements: dict[str, str] = {}
    while text:
        key = next((key for key in (*_GS1_LENGTHS, *_GS1_OPEN) if text.startswith(key)), "")
        if not key:
            return {}
        rest = text[len(key) :]
        size = _GS1_LENGTHS.get(key, rest.index("\x1d") if "\x1d" in rest else len(rest))
        elements[key], text = rest[:size], rest[size:].removeprefix("\x1d")
    return elements
