"""Reads a list that came with a tray, a reel or a pack of SIM cards: identities by their form (A16). Pure.

Columns, their order, their names, what separates them, the encoding and what a spreadsheet did to the file differ from
order to order, so none is relied on.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from drivers.errors import BadIdentity
from drivers.identity import DeviceId, Iccid, Imei, SerialNumber
from drivers.platforms import platforms

from ..errors import BadInput
from .reading import SERIAL_LENGTH, is_unit_serial

T = TypeVar("T")

MAX_BYTES = 8 << 20
"""Of a whole list: some 50,000 lines of a wide spreadsheet."""
MAX_LINES = 50_000
LENGTHS = range(14, 64)
"""Of words that are identities, or were: all others are other columns."""
MOST_GROUPS = 8
"""In which a number is printed, as 8901 4103 2111 1851 0720."""

FORMAT_AS_TEXT = "format the column as text and export the list again"


_MODELS = frozenset(row.serial_prefix for row in platforms())
"""Of units whose SKUs the reference does not list, too: Argons, Photons."""


@dataclass(frozen=True, slots=True)
class ListLine:
    """What one line says of a unit, or of a SIM card alone. ``number``: of the line, from 1.

    ``fault``: what looks like an identity in it and is none, and what is expected; it may be about another identity
    than those that were found. A line that names several units has none of them.
    """

    number: int
    device_id: DeviceId | None = None
    serial: SerialNumber | None = None
    imei: Imei | None = None
    iccid: Iccid | None = None
    fault: str = ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every number the line gives, the surest first."""
        return tuple(str(one) for one in (self.device_id, self.serial, self.imei, self.iccid) if one is not None)


def read_list(data: bytes) -> tuple[ListLine, ...]:
    """Return every line with something to say: all but blank lines and the headings before the first identity.

    ``data``: the file as it is, in UTF-8 or UTF-16 or an 8-bit code, with any mix of commas, semicolons, tabs, bars,
    quotes and line ends. Raises `BadInput`, without the name of the file, for what is no text, or too long.
    """
    lines = _LINE_END.split(_text_of(data))
    if len(lines) > MAX_LINES:
        raise BadInput(f"has {len(lines)} lines, expected at most {MAX_LINES}; import it in parts")
    found, has_begun = [], False
    for number, text in enumerate(lines, 1):
        line = _read_line(number, text)
        has_begun = has_begun or bool(line.numbers)
        if line.numbers or line.fault or (has_begun and _WORD.search(text)):
            found.append(line)
    return tuple(found)


# --- units -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnitsOfList:
    """The lines of a list, each unit once. By number of a line: ``repeats``, the line that it repeats; ``crossed``,
    why it cannot be believed; ``doubted``, why a first line cannot either: a crossed one has a number of it, and which
    of the two is wrong the list does not say."""

    firsts: tuple[ListLine, ...]
    repeats: Mapping[int, ListLine]
    crossed: Mapping[int, str]
    doubted: Mapping[int, str]


def units_of(lines: Iterable[ListLine]) -> UnitsOfList:
    """Tell apart which lines name a unit for the first time, which again, and which mix the numbers of two units.

    Of a line without a Device ID and a serial number the IMEI counts, then the ICCID: the line of a SIM card.
    """
    of: dict[str, int] = {}  # by number of a unit, its first line
    merged: dict[int, ListLine] = {}  # all that the list says of the unit of a first line
    firsts, repeats, crossed = list[ListLine](), dict[int, ListLine](), dict[int, str]()
    mixed: dict[str, int] = {}  # by number of a unit, the first line that mixes it with another's
    for line in lines:
        names = unit_numbers(line)
        before = sorted({of[name] for name in names if name in of})
        if before and (why := _contradiction(line, [merged[number] for number in before])):
            crossed[line.number] = why
            mixed = dict.fromkeys(names, line.number) | mixed
            continue
        if before:
            known = merged[before[0]]
            repeats[line.number] = next(first for first in firsts if first.number == before[0])
            merged[before[0]] = replace(
                known, device_id=known.device_id or line.device_id, serial=known.serial or line.serial
            )
        else:
            firsts.append(line)
            merged[line.number] = line
        of |= dict.fromkeys(names, before[0] if before else line.number)
    by = {one.number: next((mixed[n] for n in unit_numbers(merged[one.number]) if n in mixed), 0) for one in firsts}
    doubted = {
        number: f"line {other} mixes its numbers with another unit's; ask who made the list"
        for number, other in by.items() if other
    }  # fmt: skip
    return UnitsOfList(tuple(firsts), repeats, crossed, doubted)


def unit_numbers(line: ListLine) -> tuple[str, ...]:
    """Return the numbers by which two lines are of one unit: what looks like an IMEI counts only by itself."""
    known = tuple(str(one) for one in (line.device_id, line.serial) if one is not None)
    return known or tuple(str(one) for one in (line.imei or line.iccid,) if one is not None)


def _contradiction(line: ListLine, before: Sequence[ListLine]) -> str:
    """Say why ``line`` names no one unit, by what the list says ``before`` of those with its numbers; "" if it does."""
    if len(before) > 1:
        numbers = " and ".join(str(one.number) for one in before)
        return f"names the units of lines {numbers} as one; ask who made the list"
    (one,) = before
    for name, ours, theirs in (
        ("Device ID", line.device_id, one.device_id), ("serial number", line.serial, one.serial),
    ):  # fmt: skip
        if ours is not None and theirs is not None and ours != theirs:
            return f"line {one.number} names the same unit with another {name}; ask who made the list"
    return ""


# --- text ----------------------------------------------------------------------------------------

_LINE_END = re.compile(r"\r\n|\r|\n")
_WORKBOOKS = {b"PK\x03\x04": "an Excel or LibreOffice workbook", b"\xd0\xcf\x11\xe0": "an old Excel workbook",
              b"%PDF": "a PDF"}  # fmt: skip
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_INVISIBLE = dict.fromkeys([
    0x00AD, 0x034F, 0x061C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)
])  # fmt: skip
"""Left behind by copying from web pages, mails and the windows of a system: marks of width, joining and direction."""


def _text_of(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise BadInput(f"is longer than the {MAX_BYTES >> 20} MiB of the longest list; import it in parts")
    kind = next((words for magic, words in _WORKBOOKS.items() if data.startswith(magic)), "")
    if kind:
        raise BadInput(f"is {kind}; save its list as CSV or text, the columns of numbers formatted as text")
    bom, encoding = next(((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", _encoding_of(data)))
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise BadInput("is no text in UTF-16; save the list as CSV or text in UTF-8") from None
        text = data.decode("latin-1")  # an older Windows: what counts is ASCII in all of its codes
    if "\0" in text:
        raise BadInput("is no text; save the list as CSV or text in UTF-8")
    return text.translate(_INVISIBLE)


def _encoding_of(data: bytes) -> str:
    """Tell UTF-16 without its mark: a list is all ASCII but for a few headings, so half of its bytes are zero."""
    if b"\0" not in data:
        return "utf-8"
    return "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"


# --- one line ------------------------------------------------------------------------------------

_WORD = re.compile(r"""[^\s,;|"'=`“”„‘’«»]+""")
_CELL = re.compile(r"[^,;|\t]+")
_DEVICE_ID = re.compile(r"[0-9A-Fa-f]{24}")
_ICCID = re.compile(r"[0-9]{18,21}[Ff]?")
_IMEI = re.compile(r"[0-9]{15}")
_POINT_ZERO = re.compile(r"([0-9]{15,})\.0+")
_SCIENTIFIC = re.compile(r"(?<![0-9A-Za-z.])[0-9](?:[.,][0-9]{1,14})?[Ee]\+[0-9]{2,3}(?![0-9A-Za-z])")
"""How a spreadsheet writes a number of more digits than a cell shows: ``8.96E+19``, or with a comma."""
_EXACT_DIGITS = 15
"""What a spreadsheet keeps of a number: the digits after them become zeros."""


@dataclass(slots=True)
class _Found:
    """All different identities of a line, of each kind."""

    device_ids: dict[DeviceId, None] = field(default_factory=dict)
    serials: dict[SerialNumber, None] = field(default_factory=dict)
    imeis: dict[Imei, None] = field(default_factory=dict)
    iccids: dict[Iccid, None] = field(default_factory=dict)

    def take(self, word: str) -> bool:
        """Keep what a whole word is; False if it is nothing. 24 digits that could be a SIM's are a Device ID."""
        if _is_rounded(word):
            return False
        if _DEVICE_ID.fullmatch(word):
            self.device_ids[DeviceId.parse(word)] = None
        elif _ICCID.fullmatch(word):
            self.iccids[Iccid.told(word)] = None
        elif _IMEI.fullmatch(word):
            self.imeis[Imei.parse(word)] = None
        else:
            return self._take_serial(word)
        return True

    def _take_serial(self, word: str) -> bool:
        if not (is_unit_serial(word.upper()) or (len(word) == SERIAL_LENGTH and word[:4].upper() in _MODELS)):
            return False
        try:
            self.serials[SerialNumber.parse(word)] = None
        except BadIdentity:
            return False
        return True


def _read_line(number: int, text: str) -> ListLine:
    found, rest = _Found(), list[str]()
    for cell in _CELL.findall(text):
        words = _WORD.findall(cell)
        left = [word for word in words if len(word) in LENGTHS and not found.take(_whole(word))]
        is_in_groups = 1 < len(words) <= MOST_GROUPS and max(map(len, words)) < LENGTHS.start
        if not (is_in_groups and found.take("".join(words))):
            rest += left
    spoiled = _SCIENTIFIC.search(text)
    fault = _destroyed(spoiled.group()) if spoiled else next(filter(None, map(_fault_of, rest)), "")
    usual = [iccid for iccid in found.iccids if not iccid.is_odd]
    iccids = usual or list(found.iccids)
    several = next(
        (f"names {len(kind)} {name}, expected one unit a line" for name, kind in (
            ("Device IDs", found.device_ids), ("serial numbers", found.serials)) if len(kind) > 1), "",
    )  # fmt: skip
    if several:
        return ListLine(number, iccid=_only(iccids), fault=several)
    if len(iccids) > 1:
        fault = f"names {len(iccids)} ICCIDs, expected one SIM card a line"
    return ListLine(
        number, _only([*found.device_ids]), _only([*found.serials]), _only([*found.imeis]), _only(iccids), fault
    )  # fmt: skip


def _whole(word: str) -> str:
    """Drop the decimals that some program gave to a number."""
    number = _POINT_ZERO.fullmatch(word)
    return word if number is None else number[1]


def _only(found: Sequence[T]) -> T | None:
    return found[0] if len(found) == 1 else None


# --- what is wrong with a word -------------------------------------------------------------------


def _destroyed(number: str) -> str:
    return f"{number} is a number that a spreadsheet destroyed; {FORMAT_AS_TEXT}"


def _is_rounded(word: str) -> bool:
    """Whether a spreadsheet rounded the number to 15 digits. The check digit of a good ICCID tells it from that."""
    kept, lost = word[:_EXACT_DIGITS], word[_EXACT_DIGITS:]
    is_round = len(lost) >= 4 and word.isascii() and word.isdigit() and not lost.strip("0") and bool(kept.strip("0"))
    return is_round and not (len(word) <= 21 and _luhn(word))


def _luhn(digits: str) -> bool:
    """Check the last digit of an ICCID (ITU-T E.118)."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def _fault_of(word: str) -> str:
    """Say why a word that looks like an identity is none; "" for any other. Nothing that may be a secret is repeated.

    Such a thing is a number of 16 digits and more, or what has no digit but hexadecimal ones and almost the length of
    a Device ID. Shorter words, dates and quantities are other columns.
    """
    return _fault_of_digits(word) or _fault_of_id(word) or _fault_of_serial(word)


def _fault_of_digits(word: str) -> str:
    if not (word.isascii() and word.isdigit()) or len(word) <= _EXACT_DIGITS:
        return ""
    if _is_rounded(word):
        return _destroyed(word)
    expected = "19 to 21 of an ICCID" if len(word) < 23 else "24 of a Device ID"
    return f"{word} has {len(word)} digits, expected {expected}"


def _fault_of_id(word: str) -> str:
    if re.fullmatch(r"[0-9A-Fa-f]{20,32}", word):
        return f"{word} has {len(word)} hexadecimal digits, expected the 24 of a Device ID"
    if re.fullmatch(r"[0-9A-Za-z]{24}", word) and (odd := re.sub(r"[0-9A-Fa-f]", "", word)) and len(odd) <= 2:
        return f"{word} has the letter {odd[0]}, expected the 24 hexadecimal digits of a Device ID"
    return ""


def _fault_of_serial(word: str) -> str:
    near = (SERIAL_LENGTH - 1, SERIAL_LENGTH + 1)
    if len(word) in near and re.fullmatch(r"(?i)P[0-9]{3}[A-Z]{2}[A-Z0-9]+", word):
        return f"{word} has {len(word)} characters, expected the {SERIAL_LENGTH} of a serial number"
    return ""
