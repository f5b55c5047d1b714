"""Checks the name of a new batch where it enters the program."""

from __future__ import annotations

from ..errors import BadInput
from ..model import is_batch_name


def check_batch_name(text: str) -> str:
    """Return ``text``; raises `BadInput` when it cannot name a batch."""
    if not is_batch_name(text):
        raise BadInput(
            f"batch {text[:60]!r}: expected 1 to 40 letters, digits, dots, dashes or underscores,"
            " a letter or digit first; write for example 2026-11-22-A"
        )
    return text
