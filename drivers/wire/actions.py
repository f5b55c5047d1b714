"""The actions a pure protocol requests from its runner, and the replies it accepts.

Shared by ``control/host.py`` and ``dfu/host.py``. Types only.
"""

from __future__ import annotations

import enum
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

from .usb import Setup


@dataclass(frozen=True, slots=True)
class Transfer:
    """Run this control transfer. ``data`` is the data stage of an OUT transfer; it may be secret."""

    setup: Setup
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """Let this much time pass."""

    seconds: float


class Answer(enum.Enum):
    """A reply that is not bytes."""

    STALL = enum.auto()  # the unit refused the transfer
    LOST = enum.auto()  # it failed in transit: the unit may or may not have received it


T = TypeVar("T")
Reply = bytes | Answer
Operation = Generator[Transfer | Wait, Reply, T]
"""A dialogue as a generator. Start it with ``next()``. For each `Transfer` send the bytes read (``b""``
after an OUT) or an `Answer`; for each `Wait` send ``b""``. Its value is the result."""
