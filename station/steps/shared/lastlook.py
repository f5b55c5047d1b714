"""What the cloud showed of one unit when it was last read, so that several steps share one read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from drivers.clock import Clock

from ...cloud.answers import CloudDevice
from ...cloud.sim_answers import Sim

T = TypeVar("T")
FRESH_S = 60.0
"""How long a record of the cloud is believed to which nothing was written since."""


class Fresh(Generic[T]):
    """One value that was read, for as long as it is believed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: tuple[float, T] | None = None

    def get(self, read: Callable[[], T]) -> T:
        """Return what was kept less than `FRESH_S` ago, else what ``read`` returns now."""
        now = self._clock.now()
        if self._kept is None or now - self._kept[0] >= FRESH_S:
            self._kept = (now, read())
        return self._kept[1]

    def keep(self, value: T) -> None:
        """Note what was read just now."""
        self._kept = (self._clock.now(), value)

    def forget(self) -> None:
        self._kept = None


class LastLook:
    """The records of one unit: in its product, outside it, and of its SIM. A write or a doubt `forget`s them.

    Used by one thread at a time.
    """

    def __init__(self, clock: Clock) -> None:
        self.member = Fresh[CloudDevice | None](clock)
        self.elsewhere = Fresh[CloudDevice | None](clock)
        self.sim = Fresh[Sim | None](clock)

    def forget(self) -> None:
        for kept in (self.member, self.elsewhere, self.sim):
            kept.forget()
