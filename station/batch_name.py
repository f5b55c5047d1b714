"""What a batch may be called: what fits a scan ``BATCH:``, a file name and one cell of a spreadsheet."""

from __future__ import annotations

import re

from .errors import BadInput

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def check_batch_name(text: str) -> str:
    """``text`` itself; raises `BadInput` when it is no name for a new batch."""
    if not _NAME.fullmatch(text):
        raise BadInput(
            f"batch {text[:60]!r}: expected 1 to 40 letters, digits, dots, dashes or underscores,"
            " a letter or digit first; write for example 2026-11-22-A"
        )
    return text
