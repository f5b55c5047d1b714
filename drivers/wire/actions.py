"""What a pure protocol asks its owner to do next, and what it may be told in return.

Shared by ``control.py`` and ``dfuse.py``. Tables only.
"""

from __future__ import annotations

import enum
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

from .usb import Setup


@dataclass(frozen=True, slots=True)
class Transfer:
    """Run this control transfer. ``data`` is what an OUT transfer carries; it may be secret."""

    setup: Setup
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """Let this much time pass."""

    seconds: float


class Answer(enum.Enum):
    """What may come back instead of bytes."""

    STALL = enum.auto()  # the unit refused the transfer
    LOST = enum.auto()  # it failed on its way: the unit may have got it, or not


T = TypeVar("T")
Reply = bytes | Answer
Operation = Generator[Transfer | Wait, Reply, T]
"""A dialogue as a generator. Start it with ``next()``. For each `Transfer` send the bytes read (``b""``
after an OUT) or an `Answer`; for each `Wait` send ``b""``. Its value is the result."""
