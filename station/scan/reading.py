"""What a scan is, read once where it arrives: the number of a unit, a badge, or something else on the box. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers.errors import BadIdentity
from drivers.identity import SerialNumber
from drivers.plain_text import printable

from ..model import is_batch_name, lot_name
from ..settings.sku import is_order_code, sku_row
from ..words.say import Say
from . import keyboard
from .grammar import (
    SECRET_LENGTH,
    Scanned,
    ScannedBadge,
    ScannedBatch,
    ScannedDeviceId,
    ScannedIccid,
    ScannedImei,
    ScannedLot,
    ScannedSerial,
    parse_scan,
)

SERIAL_LENGTH = 15
_NEW_SERIAL = re.compile(r"P[0-9]{3}[A-Z]{2}[A-Z0-9]{9}")
"""Reference usb-and-serial 1.3: model code, manufacturer, year and week, six unique characters."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One scan. ``scanned`` None: nothing of the grammar; ``why`` then says so in a few words.

    ``shown`` may be displayed: all that may be a mobile secret is masked. ``otherwise`` is what the scan would be,
    were the keyboard layout named another.
    """

    shown: str
    scanned: Scanned | None = None
    why: str = ""
    otherwise: tuple[tuple[str, Scanned], ...] = ()

    @property
    def number(self) -> str:
        """The serial number, Device ID, ICCID or IMEI scanned; empty if it is none of them."""
        return identity_of(self.scanned)[1]

    @property
    def lot(self) -> str:
        """The lot scanned, as `station.model.lot_name` writes it; empty if it is none."""
        return lot_name(self.scanned.part, self.scanned.lot) if isinstance(self.scanned, ScannedLot) else ""

    @property
    def badge(self) -> str:
        """The badge scanned; empty if it is none."""
        return self.scanned.badge if isinstance(self.scanned, ScannedBadge) else ""

    @property
    def batch_name(self) -> str:
        """The batch this may name: the one of a batch code, or a short word that names no unit; else nothing."""
        if isinstance(self.scanned, ScannedBatch):
            return self.scanned.batch
        return self.shown if is_batch_name(self.shown) else ""


def read_scan(text: str) -> Reading:
    """Read one scanner burst (`parse_scan`); never raises."""
    otherwise = tuple((name, scanned) for name, meant in keyboard.otherwise(text) if (scanned := _parsed(meant)))
    scanned = _parsed(text)
    if scanned is None:
        return Reading(legible(text), None, _why_unreadable(text), otherwise)
    number = identity_of(scanned)[1]
    return Reading(number and shown_number(number), scanned, "", otherwise)


def _parsed(text: str) -> Scanned | None:
    try:
        return parse_scan(text)
    except BadIdentity:
        return None


def identity_of(scanned: Scanned | None) -> tuple[str, str]:
    """Name and value of the identity scanned, as the unit's facts have them; two empty texts for anything else."""
    match scanned:
        case ScannedSerial(serial=serial):
            return "serial", str(serial)
        case ScannedDeviceId(device_id=device_id):
            return "device_id", str(device_id)
        case ScannedIccid(iccid=iccid):
            return "iccid", str(iccid)
        case ScannedImei(imei=imei):
            return "imei", str(imei)
        case _:
            return "", ""


def may_be_label(scanned: Scanned | None, own_serial: str = "") -> bool:
    """Whether ``scanned`` has the form of a unit's own numbers, so that it may speak against a unit.

    The grammar of serial numbers is wide (A3): order codes, lots and dates on the same box fit it. A unit's serial
    number has a model code that is known, or that of the unit in question, and its length; or a mobile secret
    follows it.
    """
    match scanned:
        case ScannedSerial(serial=serial, secret=secret):
            is_whole_label = secret is not None and len(str(serial)) == SERIAL_LENGTH
            return is_whole_label or is_unit_serial(str(serial), own_serial)
        case ScannedImei(imei=imei):
            return _luhn(str(imei))
        case _:
            return bool(identity_of(scanned)[1])


def is_unit_serial(serial: str, own_serial: str = "") -> bool:
    """Return whether a text is a unit's serial number, by its form, its SKU, or by being like ``own_serial``."""
    if own_serial and len(serial) == len(own_serial) and serial[:4] == own_serial[:4]:
        return True
    return _NEW_SERIAL.fullmatch(serial) is not None or (len(serial) == SERIAL_LENGTH and sku_row(serial) is not None)


def _luhn(digits: str) -> bool:
    """The check digit of an IMEI (3GPP TS 23.003, annex B)."""
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits))]
    return sum(n // 10 + n % 10 for n in doubled) % 10 == 0


def thing_of(scanned: Scanned | None) -> str:
    """What a scan that is no label of a unit is, in a few words."""
    match scanned:
        case ScannedSerial(serial=serial) if is_order_code(str(serial)):
            return "order code"
        case ScannedIccid():
            return "SIM number"
        case _:
            return "no label"


UNREADABLE, PART_OF_A_LABEL = "no label or badge", "label is not whole"


def refusal_of(read: Reading) -> tuple[Say, str]:
    """Return what is answered to a scan that is of no use here, and the same for the record.

    A badge or a batch on a wrong keyboard layout cannot be read either.
    """
    if read.scanned is None and read.otherwise:
        layout = read.otherwise[0][0]
        return Say("keyboard_layout", layout=layout), f"keyboard is {layout}"
    return Say("scan_unreadable"), read.why or UNREADABLE


# --- what may be displayed ---


def shown_number(number: str) -> str:
    """``number``, unless it only may be a serial number and is as long as a mobile secret."""
    is_plain = len(number) != SECRET_LENGTH or number.isdigit() or is_unit_serial(number)
    return number if is_plain else "***"


def legible(text: str) -> str:
    """What may be displayed of a scan nobody can read: nothing that may be a secret by the grammar of labels.

    That is all after the first blank, and a word as long as a secret.
    """
    head, _, tail = text.strip().partition(" ")
    shown = "***" if len(head) >= SECRET_LENGTH else printable(head)
    return f"{shown} ***" if tail else shown


def _why_unreadable(text: str) -> str:
    """Tell a label of which a part is missing from what is none, in few words for the record."""
    try:
        SerialNumber.parse(text.strip().partition(" ")[0])
    except BadIdentity:
        return UNREADABLE
    return PART_OF_A_LABEL
