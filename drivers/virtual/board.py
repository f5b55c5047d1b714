"""What the software on a unit may use of the unit it runs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from ..clock import Clock
from .boot import BootRequest
from .factory import UnitSpec
from .memory import UnitMemory
from .timing import Timings
from .world import World


class Board(Protocol):
    """Implemented by `unit.VirtualUnit`. Everything is called with the unit's condition held."""

    @property
    def spec(self) -> UnitSpec: ...
    @property
    def memory(self) -> UnitMemory: ...
    @property
    def world(self) -> World: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def timings(self) -> Timings: ...
    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Run ``action`` later on the bus's thread, condition held, unless the unit was reset or lost power since."""
        ...

    def tell(self, action: Callable[[], None]) -> None:
        """Run ``action`` soon on the bus's thread, condition not held: for whatever talks to the outside world."""
        ...

    def restart(self, request: BootRequest = BootRequest.NORMAL, delay_s: float = 0.0) -> None:
        """Reset ``delay_s`` from now."""
        ...

    def rejection(self) -> int | None:
        """Return the result an ordered fault gives the request that is about to be worked on, None for its own."""
        ...

    @property
    def sensors(self) -> Mapping[str, float | int | str | bool]:
        """What the application can measure."""
        ...

    def application_says(self) -> str:
        """Return what an ordered fault has the application answer in place of the truth, "" for nothing."""
        ...

    def output_ready(self) -> None:
        """Say that the console has something to say: wake whoever reads the CDC port."""
        ...
