"""Lines that carry their style as a value, so that a terminal and a page show the same content. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..words.cells import fit, width_of, wrap
from .look import Look


@dataclass(frozen=True, slots=True)
class Span:
    """Text of one style. ``look``: it stands on the fill of that state; ``dot``: it has that colour of a light."""

    text: str
    look: Look | None = None
    is_bold: bool = False
    is_dim: bool = False
    dot: str = ""

    @property
    def width(self) -> int:
        return width_of(self.text)


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """Titled lines. ``look``: the state whose colour its frame has; ``keep``: the lines that should be in sight."""

    name: str
    title: str
    lines: tuple[Line, ...]
    look: Look | None = None
    keep: tuple[int, int] = (0, 1)


def plain(line: Line) -> str:
    """Return the characters of a line, without trailing blanks."""
    return "".join(span.text for span in line).rstrip()


def line(*spans: Span | str) -> Line:
    return tuple(Span(span) if isinstance(span, str) else span for span in spans)


def dim(text: str) -> Span:
    return Span(text, is_dim=True)


def bold(text: str) -> Span:
    return Span(text, is_bold=True)


def padded(span: Span, width: int) -> Line:
    """Fill up a span to ``width`` cells with blanks of no style."""
    room = width - span.width
    return (span, Span(" " * room)) if room > 0 else (span,)


def table(rows: Sequence[Sequence[Span]], gap: int = 2) -> list[Line]:
    """Align the cells of ``rows`` in columns; the last one is as wide as it is."""
    columns = max(map(len, rows), default=0)
    widths = [max(row[n].width for row in rows if n < len(row)) for n in range(columns)]
    return [
        tuple(
            part
            for n, cell in enumerate(row)
            for part in (padded(cell, widths[n] + gap) if n < len(row) - 1 else (cell,))
        )
        for row in rows
    ]


def beside(head: Line, text: str, width: int, *, is_dim: bool = False, least: int = 16) -> list[Line]:
    """Put ``text`` behind ``head``, going on below its own beginning.

    A text of several lines stands below ``head`` if less than ``least`` is left.
    """
    taken = sum(span.width for span in head)
    if not text:
        return [head]
    if width - taken < least and width_of(text) > width - taken:
        indent = min(4, max(0, width - least))
        return [head, *(line(" " * indent, Span(part, is_dim=is_dim)) for part in wrap(text, width - indent))]
    first, *rest = wrap(text, width - taken)
    return [
        (*head, Span(first, is_dim=is_dim)),
        *(line(" " * taken, Span(part, is_dim=is_dim)) for part in rest),
    ]


def shortened(text: str, width: int, more: str) -> str:
    """Cut ``text`` between words to ``width`` cells and put ``more`` behind it."""
    if width_of(text) <= width:
        return text
    parts = wrap(text, width - width_of(more))
    return fit(f"{parts[0]}{more}", width) if parts else ""


def flowing(parts: Iterable[Span], width: int, gap: str = "   ") -> list[Line]:
    """Set ``parts`` side by side, in as many lines as ``width`` asks for; none is broken."""
    lines: list[list[Span]] = [[]]
    for part in parts:
        if not part.text:
            continue
        taken = sum(span.width for span in lines[-1])
        if taken and taken + len(gap) + part.width > width:
            lines.append([])
            taken = 0
        lines[-1] += [Span(gap), part] if taken else [part]
    return [tuple(spans) for spans in lines if spans]
