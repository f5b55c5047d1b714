"""The interface between the software on a virtual unit and the unit it runs on."""

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
    """The unit its software runs on, implemented by `unit.VirtualUnit`. Called with the unit's condition held."""

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

    def run_unlocked(self, action: Callable[[], None]) -> None:
        """Run ``action`` soon on the bus's thread, condition not held: for calls to the outside world."""
        ...

    def restart(self, request: BootRequest = BootRequest.NORMAL, delay_s: float = 0.0) -> None:
        """Reset ``delay_s`` from now."""
        ...

    def rejection(self) -> int | None:
        """Return the result an injected fault forces on the request about to be processed; None if there is none."""
        ...

    @property
    def sensors(self) -> Mapping[str, float | int | str | bool]:
        """Return what the application can measure."""
        ...

    def application_says(self) -> str:
        """Return what an ordered fault has the application answer in place of the truth, "" for nothing."""
        ...

    @property
    def wifi_loss_db(self) -> int:
        """Return how much weaker its Wi-Fi hears than a good unit's."""
        ...

    def output_ready(self) -> None:
        """Wake the reader of the CDC port: the console has output."""
        ...
