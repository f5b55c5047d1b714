"""A label as a ZPL text with named fields in braces, such as ``^FD{device_id}^FS``. Pure.

A template is refused when it is read: unknown fields, fields where ZPL would read commands, settings that outlive the
label. What is filled in is escaped by ``^FH``, so that no value is ever a command; rule M1.
"""

from __future__ import annotations

import codecs
import datetime
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from drivers.plain_text import printable

from ..errors import BadInput
from ..model import ProfileRef

MOST_BYTES = 256 * 1024
"""More than any label with a drawing on it has."""
MOST_CHARACTERS = 120
"""Of one value; a Data Matrix of a label has room for less."""

FIELDS: Mapping[str, str] = {
    "device_id": "e00fce6819ef5f971ea9563a", "serial": "P046AH1234ABCDE", "iccid": "8934076500002589174",
    "imei": "352753090000000", "mac": "30:ae:a4:00:00:01", "sku": "BRN404X", "platform": "Boron",
    "device_os": "6.3.4", "secret": "AAAAAAAAAAAAAAA", "profile": "widget-boron", "revision": "1",
    "batch": "2026-11-22-A", "date": "2026-11-22", "verdict": "PASS", "reason": "the battery has 3.1 V",
}  # fmt: skip
"""Every field a template may name, with an example of it."""
SECRET = "secret"
_OF_THE_DAY = frozenset({"date"})
"""Fields by which no two labels of a unit are told apart."""
CODES = {"BX": "Data Matrix", "BC": "Code 128", "BQ": "QR"}
_FORBIDDEN = {
    "~": "a command that is carried out at once",
    "^CC": "another command character",
    "^CT": "another command character",
    "^CD": "another delimiter",
    "^JU": "settings that stay",
    "^FE": "embedded field numbers",
    "^ID": "deleting files",
    "^FH": "what the station writes where it is needed",
}
"""Beginnings of what a template must not have: it would outlive the label, or read values as commands."""
_FIELD = re.compile(r"\{([^{}]*)\}")
_IN_A_CODE = re.compile(r"[A-Za-z0-9 .,:/+_#%$()-]*")
"""Characters that every scanner gives back as they are, from each of `CODES`."""
_PIECE = re.compile(r"(\^F[DV])(.*?)(\^FS)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Template:
    """A good template. ``name``: its file's; ``text``: the ZPL with its fields in braces."""

    name: str
    text: str
    sha256: str

    def __str__(self) -> str:
        return self.name

    @property
    def fields(self) -> frozenset[str]:
        """The fields it names."""
        return frozenset(_FIELD.findall(self.text))

    @property
    def coded(self) -> frozenset[str]:
        """The fields in its codes."""
        return frozenset(name for code, data in _pieces(self.text) if code for name in _FIELD.findall(data))

    @property
    def written(self) -> frozenset[str]:
        """The fields people read on it."""
        return frozenset(name for code, data in _pieces(self.text) if not code for name in _FIELD.findall(data))

    def render(self, values: Mapping[str, str]) -> bytes:
        """Return the ZPL of one label. Raises `BadInput` naming a field without a value, or one no code can hold."""
        if missing := sorted(name for name in self.fields if not values.get(name)):
            raise BadInput(f"label {self.name}: the unit has no {', '.join(missing)}; take it out of the template")
        rendered, at = [], 0
        for found in _PIECE.finditer(self.text):
            rendered.append(self.text[at : found.start()])
            rendered.append(_filled(self.name, _code_before(self.text, found.start()), found, values))
            at = found.end()
        text = "".join([*rendered, self.text[at:]])
        return (text if "^CI" in text else text.replace("^XA", "^XA^CI28", 1)).encode()

    def digest(self, values: Mapping[str, str]) -> str:
        """Return what tells two labels apart, without anything secret in it."""
        told = {name: values.get(name, "") for name in self.fields - _OF_THE_DAY - {SECRET}}
        return hashlib.sha256(json.dumps([self.sha256, told], sort_keys=True).encode()).hexdigest()[:16]


def parse_template(raw: bytes, name: str) -> Template:
    """Return the template in the bytes of a file called ``name``; raises `BadInput` with every mistake of it."""
    if len(raw) > MOST_BYTES:
        raise BadInput(f"label {name}: more than {MOST_BYTES} bytes; is this the right file?")
    if raw.startswith(codecs.BOM_UTF8):
        raise BadInput(f"label {name}: begins with a byte order mark; save the file as UTF-8 without BOM")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"label {name}: byte {error.start} is not UTF-8 text; save the file as UTF-8") from error
    if mistakes := [f"label {name}: {one}" for one in _mistakes(text)]:
        raise BadInput(*mistakes)
    return Template(name, text, hashlib.sha256(raw).hexdigest())


def values_of(
    facts: Mapping[str, str], profile: ProfileRef, batch: str, at: datetime.datetime, secret: str = "",
    verdict: str = "PASS", reason: str = "",
) -> dict[str, str]:  # fmt: skip
    """Return the values of a unit of which ``facts`` are known, by their names in the journal.

    ``secret``: its mobile secret, "" unless a template asks for it; of ``at`` the date counts.
    """
    told = {name: value for name, value in facts.items() if name in FIELDS}
    return told | {
        "profile": profile.id, "revision": str(profile.revision), "batch": batch, "secret": secret,
        "date": at.date().isoformat(), "verdict": verdict, "reason": reason,
    }  # fmt: skip


def _mistakes(text: str) -> Iterator[str]:
    if text.count("^XA") != 1 or text.count("^XZ") != 1 or not re.fullmatch(r"\s*\^XA.*\^XZ\s*", text, re.DOTALL):
        yield "expected one label, from ^XA to ^XZ, and nothing around it; copy it again from the label editor"
    for start, what in _FORBIDDEN.items():
        if start in text.upper():
            yield f"{start} is {what}; take it out"
    for name in dict.fromkeys(_FIELD.findall(text)):
        if name not in FIELDS:
            yield f"{{{name}}} is no field; write one of {', '.join(FIELDS)}"
    if _FIELD.search(_PIECE.sub("", text)):
        yield "a field stands outside of ^FD ... ^FS, where the printer reads commands; put it between them"


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    for found in _PIECE.finditer(text):
        yield _code_before(text, found.start()), found[2]


def _code_before(text: str, at: int) -> str:
    """Return the command that makes a code of the field whose data begin at ``at``, "" for none."""
    before = text[text.rfind("^FS", 0, at) + 1 : at]
    return next((code for code in CODES if f"^{code}" in before), "")


def _filled(name: str, code: str, piece: re.Match[str], values: Mapping[str, str]) -> str:
    """Return one field with its values, escaped by ``^FH`` where it has any."""
    if not _FIELD.search(piece[2]):
        return piece[0]

    def value(field: str) -> str:
        text = printable(values[field])[:MOST_CHARACTERS]
        if code and not _IN_A_CODE.fullmatch(text):
            raise BadInput(f"label {name}: {field} has characters no {CODES[code]} here may hold; write it as text")
        return _escaped(text)

    parts = _FIELD.split(piece[2])  # text, name of a field, text, ...
    filled = "".join(value(part) if at % 2 else part.replace("_", "_5F") for at, part in enumerate(parts))
    return f"^FH{piece[1]}{filled}{piece[3]}"


def _escaped(text: str) -> str:
    """Return ``text`` with all that is a command, an escape, or not ASCII as ``_`` and two digits a byte."""
    return "".join(
        char if char.isascii() and char not in "^~_" else "".join(f"_{byte:02X}" for byte in char.encode())
        for char in text
    )
