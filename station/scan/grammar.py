"""What a scanner may read, and the one parser of it: labels, single numbers, printed codes (A3 A6 A8 A11). Pure.

Knows the form of a text only; what it means to a unit at the bench says `reading`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drivers.errors import BadIdentity
from drivers.identity import DeviceId, Iccid, Imei, MobileSecret, SerialNumber, quoted

from .codes import BADGE, BATCH, COMMAND, LOT, bare, code_of


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


@dataclass(frozen=True, slots=True)
class ScannedLot:
    """A lot of parts; ``part``: what it is a lot of, "" where the code does not say."""

    lot: str
    part: str = ""


Scanned = (
    ScannedSerial | ScannedIccid | ScannedImei | ScannedDeviceId | ScannedBadge | ScannedCommand | ScannedBatch
    | ScannedLot
)  # fmt: skip

SECRET_LENGTH = 15
"""A word as long as a mobile secret may be one."""

LONGEST_SCAN = 256
"""Characters; three reads of the longest label fit."""

_WORD = re.compile(r"[A-Za-z0-9._-]{1,40}")
_CODES: dict[str, Callable[[str], Scanned]] = {
    BADGE: ScannedBadge, COMMAND: ScannedCommand, BATCH: ScannedBatch,
    LOT: lambda word: ScannedLot(*reversed(word.split("="))),
}  # fmt: skip
_SECRET = re.compile(rf"[!-~]{{{SECRET_LENGTH}}}")


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
    kind, word = code_of(text)
    if kind:
        parts = word.split("=", 1) if kind == LOT else [word]
        if not all(map(_WORD.fullmatch, parts)):
            raise BadIdentity(f"{kind}:{quoted(word)} is not 1 to 40 letters, digits, dots or dashes; scan again")
        return _CODES[kind](word)
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
        if len(head) < SECRET_LENGTH:
            raise
        raise BadIdentity(
            f"scan of {len(head)} characters without a blank is no label, expected {SerialNumber.wanted}; scan again"
        ) from None


# --- what stands around a label ---

_SEPARATORS = {0x1D: " ", 0x1E: " ", 0x04: " ", 0x09: " "}
"""Group separator (the FNC1 between GS1 elements), record separator, end of transmission, and a scanner's Tab."""
_AROUND = "".join(map(chr, _SEPARATORS)) + " \r\n"
_NAME = re.compile(r"(?i)(S/?N|SERIAL( ?(NO|NUMBER))?\.?|IMEI|ICCID|(DEVICE ?)?ID) ?[:#=] ?")
_GS1_LENGTHS = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2}
_GS1_OPEN = ("10", "21", "8002")
"""Lot, serial number and mobile phone identifier (an IMEI) end at a group separator (GS1 General Specifications 3)."""
_GS1_PRINTED = re.compile(r"\(([0-9]{2,4})\)([^()]+)")
_GS1_UNITS = ("21", "8002")


def _forms(text: str) -> Iterator[str]:
    """``text`` without what stands around a label, then what else it may be: the first that can be read counts."""
    for whole in dict.fromkeys((text, _once(text))):
        label = bare(whole)
        name = _NAME.match(label)
        yield label[name.end() :] if name else label
        elements = _gs1_elements(label.strip(_AROUND))
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
