"""The name of a new batch, checked where it comes in."""

from __future__ import annotations

from ..errors import BadInput
from ..model import is_batch_name


def check_batch_name(text: str) -> str:
    """``text`` itself; raises `BadInput` when it is no name for a batch."""
    if not is_batch_name(text):
        raise BadInput(
            f"batch {text[:60]!r}: expected 1 to 40 letters, digits, dots, dashes or underscores,"
            " a letter or digit first; write for example 2026-11-22-A"
        )
    return text
