"""What verbs write to standard output goes through here, line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from ..plain_text import clean


def tell(*lines: str) -> None:
    """Write ``lines``; what a terminal would obey instead of show becomes an escape."""
    tell_all(lines)


def tell_all(lines: Iterable[str]) -> None:
    """As `tell`, for lines still to come."""
    sys.stdout.writelines(f"{clean(line)}\n" for line in lines)
