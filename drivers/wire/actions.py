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
    """Run this control transfer. ``data`` is what an OUT transfer carries; it may be secret.

    ``is_repeatable``: one that times out may be sent again, as long as there is time.
    """

    setup: Setup
    data: bytes = field(default=b"", repr=False)
    is_repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Let this much time pass."""

    seconds: float


class Answer(enum.Enum):
    """What may come back instead of bytes."""

    STALL = enum.auto()  # the unit refused the transfer


T = TypeVar("T")
Reply = bytes | Answer
Operation = Generator[Transfer | Wait, Reply, T]
"""A dialogue as a generator. Start it with ``next()``. For each `Transfer` send the bytes read (``b""``
after an OUT) or `Answer.STALL`; for each `Wait` send ``b""``. Its value is the result."""
