"""What the pages in HTML are made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from html import escape

from drivers.plain_text import printable

PAGE_NUMBER = '@bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #555; }'
"""Of a printed page, in its margin; a browser that knows no margin boxes (Chromium before 131) prints none."""


def html(text: str) -> str:
    """Return the HTML of any text; characters that are not printable become spaces."""
    return escape(printable(text, " "))


def table(
    title: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Collection[int] = ()
) -> Iterator[str]:
    """Yield a section with a table, row by row, nothing if there are none.

    Title and head are text, cells HTML; ``numbers``: the columns (from 0) of class ``n``.
    """
    is_begun = False
    for row in rows:
        if not is_begun:
            heads = "".join(f"<th>{html(name)}</th>" for name in head)
            yield f"<h2>{html(title)}</h2>\n<table><thead><tr>{heads}</tr></thead>\n"
            is_begun = True
        cells = (f'<td class="n">{cell}</td>' if n in numbers else f"<td>{cell}</td>" for n, cell in enumerate(row))
        yield f"<tr>{''.join(cells)}</tr>\n"
    if is_begun:
        yield "</table>\n"
