"""Writes the whole journal as plain text, one entry a line, for an auditor or to record the newest hash elsewhere."""

from __future__ import annotations

from typing import IO, Any

from drivers.plain_text import escaped

from ..journal.reader import JournalReader


def write_dump(journal: JournalReader, file: IO[Any]) -> int:
    """Write station, number, time, kind, body and hash of every entry; return how many.

    They are separated by tabs: bodies are JSON, which escapes its own. Control characters are escaped too.
    """
    count = 0
    for row in journal.entries():
        cells = (row.station_id, row.seq, row.at, row.kind, row.body, row.hash)
        file.write("\t".join(escaped(str(cell)) for cell in cells) + "\n")
        count += 1
    return count
