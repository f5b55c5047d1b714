"""One demo in simulated time, from its first unit until all is settled."""

from __future__ import annotations

from collections.abc import Callable

from drivers.clock import SimulatedClock
from station.demo import Demo, DemoOptions
from station.engine.events import Event
from station.headless import Tally

Listener = Callable[[Event], None]


def run_demo(options: DemoOptions, listener: Callable[[Demo], Listener] | None = None) -> tuple[Demo, Tally]:
    """Run it to its end and take it down; ``listener``, made once the demo stands, hears what happens."""
    clock, tally = SimulatedClock(), Tally()
    with clock.registered():
        demo = Demo(options, clock, {})
        if listener is not None:
            demo.station.bus.subscribe(listener(demo))
        demo.station.bus.subscribe(tally)
        try:
            demo.open_batches()
            demo.start()
            demo.wait_settled()
        finally:
            demo.abandon()
    return demo, tally
