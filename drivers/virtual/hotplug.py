"""What a host knows of virtual buses beyond their units: when something changed, and their controllers."""

from __future__ import annotations

from collections.abc import Callable

from .bus import VirtualBus


class VirtualChanges:
    """Hot-plug events of virtual buses, in clock time: the counterpart of udev's."""

    def __init__(self, *buses: VirtualBus) -> None:
        self._buses = buses

    def listen(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` after each change on the thread of its bus; return a function that ends this."""
        ends = [bus.listen(lambda _port: changed()) for bus in self._buses]

        def end() -> None:
            for unlisten in ends:
                unlisten()

        return end


def controllers_of(*buses: VirtualBus) -> Callable[[int], str]:
    """Return what names the controller of a bus by the number the bus has now; "" for a bus there is not."""
    return lambda number: next((bus.controller for bus in buses if bus.number == number), "")
