"""Draws sheets of codes for the scanner: commands, badges, batches, lots. Pure: codes in, SVG and HTML out.

QR codes of error correction M, a quiet zone of four modules, modules of 1 mm: every imager reads them, also laminated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import segno

from drivers.errors import BadIdentity
from drivers.plain_text import printable

from ..errors import BadInput
from .codes import code_of
from .grammar import parse_scan

WIDTH, HEIGHT = 210, 297
"""Of A4, in millimetres."""
COLUMNS, ROWS = 3, 4
_MARGIN, _CODE, _ACROSS, _DOWN = 15, 44, 62, 66
_SMALL = 'font-size="3.5"'
_CSS = """@page { size: A4; margin: 0; } body { margin: 0; } svg.page { display: block; break-after: page; }"""


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a sheet: what is scanned, and what stands below it for people."""

    text: str
    about: str


def code(kind: str, word: str, about: str) -> Code:
    """Return the code ``KIND:word``; raises `BadInput` where the scanner's own grammar would read something else."""
    text = f"{kind}:{word}"
    try:
        parse_scan(text)
    except BadIdentity as error:
        raise BadInput(str(error)) from error
    if code_of(text) != (kind, word):
        raise BadInput(f"{printable(text)!r} cannot be a code; use letters, digits, dots and dashes")
    return Code(text, about)


def svg(codes: Sequence[Code]) -> str:
    """Draw all codes below each other in one picture, as many pages long as it takes."""
    pages = max(1, -(-len(codes) // (COLUMNS * ROWS)))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{_picture(codes, pages * HEIGHT)}\n'


def html(codes: Sequence[Code], language: str) -> str:
    """Draw all codes as pages to print."""
    each = COLUMNS * ROWS
    pages = "\n".join(_picture(codes[at : at + each], HEIGHT) for at in range(0, len(codes), each))
    head = f'<!DOCTYPE html>\n<html lang="{escape(language)}"><head><meta charset="utf-8"><title>station</title>'
    return f"{head}<style>{_CSS}</style></head>\n<body>\n{pages}\n</body></html>\n"


def _picture(codes: Sequence[Code], height: int) -> str:
    drawn = "\n".join(_drawn(codes))
    return (
        f'<svg class="page" xmlns="http://www.w3.org/2000/svg" width="{WIDTH}mm" height="{height}mm"'
        f' viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" text-anchor="middle">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n{drawn}\n</svg>'
    )


def _drawn(codes: Sequence[Code]) -> Iterator[str]:
    for number, one in enumerate(codes):
        page, place = divmod(number, COLUMNS * ROWS)
        x = _MARGIN + place % COLUMNS * _ACROSS
        y = page * HEIGHT + _MARGIN + place // COLUMNS * _DOWN
        qr = segno.make(one.text, error="m", micro=False, boost_error=False)
        inner = qr.svg_inline(border=4, omitsize=True, svgclass=None, lineclass=None)
        middle = x + _CODE / 2
        size = min(5.0, 1.6 * _ACROSS / max(1, len(one.about)))  # what is long stays in its column
        yield f'<svg x="{x}" y="{y}" width="{_CODE}" height="{_CODE}">{inner}</svg>'
        for below, style, text in ((4, f'font-size="{size:.1f}" font-weight="bold"', one.about), (9, "", one.text)):
            yield f'<text x="{middle}" y="{y + _CODE + below}" {style or _SMALL}>{escape(text)}</text>'
