"""Printed codes that are no labels: badges (``OP:``), keys (``CMD:``), batches (``BATCH:``), lots (``LOT:``). Pure."""

from __future__ import annotations

import re

BADGE, COMMAND, BATCH, LOT = "OP", "CMD", "BATCH", "LOT"
"""``LOT:2231-A``, or ``LOT:ANT=2231-A`` where several parts have lots; ``LOT:-``, ``LOT:ANT=-`` take it out again."""
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
"""AIM identifier a scanner may put in front: ``]d1`` Data Matrix, ``]d2`` the same with GS1, ``]C1`` ``]Q1`` ..."""


def bare(text: str) -> str:
    """Drop the symbology a scanner may put in front."""
    return text[3:] if _SYMBOLOGY.match(text) else text


def code_of(text: str) -> tuple[str, str]:
    """Split a code into its kind, in upper case, and its word as printed; two empty texts if it is none."""
    kind, colon, word = bare(text).partition(":")
    return (kind.upper(), word) if colon and kind.upper() in (BADGE, COMMAND, BATCH, LOT) else ("", "")
