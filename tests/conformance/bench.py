"""Virtual units behind a pretended kernel, for programs that know nothing of either."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.clock import SystemClock
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import UnitSpec
from drivers.virtual.faults import parse_fault
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import World

from .kernel import PretendKernel

SPEED = 10.0
"""Units live this much faster than real ones; the programs do not know."""


@dataclass(frozen=True, slots=True)
class ForeignBench:
    """One bus and its kernel."""

    clock: SystemClock
    bus: VirtualBus
    kernel: PretendKernel

    def plug(self, port: str, spec: UnitSpec, *faults: str, world: World | None = None) -> VirtualUnit:
        """Plug a unit in and wait until a program would see it, serial port included."""
        unit = VirtualUnit(spec, self.clock, world)
        unit.order(*(parse_fault(fault) for fault in faults))
        self.bus.plug(port, unit)
        self.until(lambda: self.kernel.shows(unit.presence), f"{port} shows the unit")
        return unit

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run an unmodified program on this bench."""
        return subprocess.run(
            [str(word) for word in command],
            env=self.kernel.environment(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    def await_mode(self, unit: VirtualUnit, *modes: UnitMode) -> None:
        self.until(lambda: unit.mode in modes, f"the unit is in {' or '.join(modes)}")

    def until(self, condition: Callable[[], bool], what: str, patience_s: float = 6000.0) -> None:
        """Wait until ``condition``; ``patience_s`` in seconds of the units."""
        end = self.clock.now() + patience_s
        while not condition():
            assert self.clock.now() < end, f"still waiting until {what}"
            self.clock.sleep(0.1)
