"""The whole journal as plain text, one entry a line. For an auditor, or to note the newest hash elsewhere."""

from __future__ import annotations

from typing import TextIO

from ..reader import JournalReader


def write_dump(journal: JournalReader, file: TextIO) -> int:
    """Write station, number, time, kind, body and hash of every entry; return how many.

    Tabs stand between them: bodies are JSON, which escapes its own.
    """
    count = 0
    for row in journal.entries():
        file.write(f"{row.station_id}\t{row.seq}\t{row.at}\t{row.kind}\t{row.body}\t{row.hash}\n")
        count += 1
    return count
