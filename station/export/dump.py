"""The whole journal as plain text, one entry a line. For an auditor, or to note the newest hash elsewhere."""

from __future__ import annotations

from typing import TextIO

from drivers.plain_text import escaped

from ..journal.reader import JournalReader


def write_dump(journal: JournalReader, file: TextIO) -> int:
    """Write station, number, time, kind, body and hash of every entry; return how many.

    Tabs stand between them: bodies are JSON, which escapes its own. What a terminal would obey is escaped too.
    """
    count = 0
    for row in journal.entries():
        cells = (row.station_id, row.seq, row.at, row.kind, row.body, row.hash)
        file.write("\t".join(escaped(str(cell)) for cell in cells) + "\n")
        count += 1
    return count
