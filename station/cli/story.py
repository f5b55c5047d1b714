"""Says what stories the demo tells, and at the end of one what every unit holds beside the files it was to get."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from ..demo import STORIES, Reconciled
from ..words.catalogue import Words
from ..words.cells import pad, width_of


def list_stories() -> str:
    """Return two lines a story: its name with what happens, and the command that tells it."""
    width = max(len(one.name) for one in STORIES)
    return "".join(
        f"{one.name:{width}}  {one.about}\n{'':{width}}  station demo --story {one.name}\n" for one in STORIES
    )


def reconciliation_as_json(rows: Sequence[Reconciled]) -> str:
    """Format each row as one JSON object on a line."""
    return "".join(f"{json.dumps({'kind': 'Reconciled', **dataclasses.asdict(row)})}\n" for row in rows)


def reconciliation_words(rows: Sequence[Reconciled], words: Words) -> str:
    """Format the rows as a table for a person, problems below their unit; "" without any."""
    if not rows:
        return ""
    cells = [_cells(row, words) for row in rows]
    widths = [max(width_of(told[column]) for told in cells) for column in range(len(cells[0]))]
    lines = [words.text("story-title")]
    for row, told in zip(rows, cells, strict=True):
        lines.append("  ".join(pad(cell, width) for cell, width in zip(told, widths, strict=True)).rstrip())
        lines += [f"    {what}" for what in row.problems]
    good, equal = sum(not row.problems for row in rows), sum(row.bytes_equal for row in rows)
    lines.append(words.text("story-sum", good=str(good), units=str(len(rows)), bytes=_grouped(equal)))
    return "".join(f"{line}\n" for line in lines)


def _cells(row: Reconciled, words: Words) -> tuple[str, ...]:
    if row.problems:
        told = words.text("story-differs"), "", ""
    else:
        told = (
            words.text("story-modules", count=str(len(row.modules))),
            words.text("story-bytes", bytes=_grouped(row.bytes_equal)),
            words.text("story-record", count=str(len(row.record))),
        )
    slot = words.text("log-slot", slot=str(row.slot))
    return slot, row.platform, row.unit, f"{row.came_with} -> {row.device_os}", *told


def _grouped(number: int) -> str:
    """Write a number in groups of three digits, as every language here reads it."""
    return f"{number:,}".replace(",", " ")
