"""One cell: a platform, a Device OS it had, and the mode a unit of it is found in; walked on simulated time."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from support.device_bench import DeviceBench

from drivers.clock import Deadline, SimulatedClock
from drivers.devices import ParticleDevice
from drivers.devices.holding import Goal
from drivers.errors import DriverError, NeedsHands, RemoteProtocolError
from drivers.platforms import ModuleFunction, OsVersion, Platform, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import make_spec
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import StoredNetwork
from drivers.wire.control.tables import RequestType

LEG_S = 600.0
"""Simulated seconds each leg may take."""
READ_BYTES = 4096


class Start(enum.StrEnum):
    """How a unit is found."""

    NORMAL = "normal"
    LISTENING = "listening"
    SAFE = "safe"
    DFU = "dfu"


_BOOTS = {Start.SAFE: BootRequest.SAFE, Start.DFU: BootRequest.DFU}


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """What is walked."""

    slug: str
    device_os: str
    start: Start

    @property
    def platform(self) -> Platform:
        return platform_by_slug(self.slug)


@dataclass(frozen=True, slots=True)
class Walked:
    """How it went. ``by_hand``: legs that took buttons; ``refused``: why it ended early, by the reference."""

    cell: Cell
    by_hand: tuple[str, ...] = ()
    refused: str = ""
    failure: str = ""

    @property
    def sign(self) -> str:
        """One character for the table."""
        return "X" if self.failure else "r" if self.refused else "h" if self.by_hand else "+"


def all_cells() -> Iterator[Cell]:
    """Every combination that existed, as far as synthetic releases are made of it."""
    for row in platforms():
        for device_os in synthetic.versions(row.id):
            for start in Start:
                yield Cell(row.slug, device_os, start)


def walk(cell: Cell, *faults: str) -> Walked:
    """Identify -> listening -> back -> DFU -> read -> back -> identify; a failure is what no table expects."""
    clock = SimulatedClock()
    with clock.registered(), VirtualBus(clock) as bus:
        bench = DeviceBench(clock, bus)
        bench.enumerator.start()
        try:
            return _Walk(cell, bench, faults).run()
        finally:
            bench.enumerator.stop()


class _Walk:
    def __init__(self, cell: Cell, bench: DeviceBench, faults: tuple[str, ...]) -> None:
        self._cell, self._bench, self._row = cell, bench, cell.platform
        self._os = OsVersion.parse(cell.device_os)
        self._by_hand: list[str] = []
        self._leg = "start"
        spec = make_spec(
            cell.slug, 7, 1, cell.device_os, setup_done=True, arrives=_BOOTS.get(cell.start, BootRequest.NORMAL),
            networks=(StoredNetwork("elsewhere"),) if self._row.has_wifi else (),
        )  # fmt: skip
        self._unit: VirtualUnit = bench.plug(spec, *faults)
        self._device: ParticleDevice = bench.device()

    def run(self) -> Walked:
        try:
            if self._cell.start is Start.LISTENING:
                self._press(Goal.LISTENING)
                self._until(UnitMode.LISTENING)
            for leg, act in self._legs():
                self._leg = leg
                act()
        except (DriverError, AssertionError) as error:
            reason = self._expected(error)
            told = "" if reason else f"{self._leg}: {type(error).__name__}: {error}"
            return Walked(self._cell, tuple(self._by_hand), f"{self._leg}: {reason}" if reason else "", told)
        return Walked(self._cell, tuple(self._by_hand))

    def _legs(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "identify", self._identify
        if self._cell.start is Start.DFU:
            yield "leave dfu", lambda: self._device.leave_dfu(self._soon())
        yield "listening", lambda: self._reach(Goal.LISTENING, UnitMode.LISTENING)
        yield "back", lambda: self._reach(Goal.NORMAL, UnitMode.NORMAL, UnitMode.SAFE)
        yield "dfu", lambda: self._reach(Goal.DFU, UnitMode.DFU)
        yield "read", self._read
        yield "leave dfu", lambda: self._device.leave_dfu(self._soon())
        yield "identify again", self._identify

    def _identify(self) -> None:
        try:
            found = self._device.identify(self._soon())
        except NeedsHands:
            self._hands("identify", Goal.LISTENING, RequestType.DEVICE_ID)
            found = self._device.identify(self._soon())
        assert str(found) == self._unit.device_id, f"it is {self._unit.device_id}, and was taken for {found}"

    def _reach(self, goal: Goal, *modes: UnitMode) -> None:
        try:
            self._device.reach(goal, self._soon())
        except NeedsHands:
            if goal is Goal.NORMAL:  # it is left by a restart where nothing else leads out
                self._by_hand.append("back")
                self._bench.bus.unplug("1-1")
                self._bench.clock.sleep(1.0)
                self._bench.bus.plug("1-1", self._unit)
                self._until(*modes)
                self._device.identify(self._soon())
                return
            kind = RequestType.START_LISTENING if goal is Goal.LISTENING else RequestType.DFU_MODE
            self._hands(str(goal), goal, kind)
        assert self._unit.mode in modes, f"asked for {goal}, the unit is in {self._unit.mode} mode"

    def _read(self) -> None:
        region = next(row for row in self._row.regions if any(f == ModuleFunction.SYSTEM_PART for f, _ in row.modules))
        read = self._device.dfu(self._soon()).read(region.alt, region.start, READ_BYTES)
        assert read == self._unit.memory.internal.read(region.start, READ_BYTES), "flash was read wrong"

    def _hands(self, leg: str, goal: Goal, request: int) -> None:
        """Press the buttons; a failure unless the table says that no request does it."""
        assert not self._row.knows_request(request, self._os), f"{leg} takes hands, though request {request} does it"
        self._by_hand.append(leg)
        self._press(goal)
        self._device.await_mode(goal, self._soon())

    def _press(self, goal: Goal) -> None:
        (self._unit.press_mode_button if goal is Goal.DFU else self._unit.hold_mode_button)()

    def _until(self, *modes: UnitMode) -> None:
        deadline = self._soon()
        while self._unit.mode not in modes:
            deadline.check(f"the unit is in {' or '.join(modes)}")
            self._bench.clock.sleep(0.25)

    def _soon(self) -> Deadline:
        return self._bench.within(LEG_S)

    def _expected(self, error: Exception) -> str:
        """Why the reference says that a unit like this cannot be told in this mode; "" if it does not."""
        report = self._unit.report
        shown = report.bootloader_version if report is not None else None
        is_nameless = self._unit.mode is UnitMode.DFU and (shown or 0) < self._row.bootloader.device_id_string
        if isinstance(error, (RemoteProtocolError, NeedsHands)) and is_nameless:
            return (
                f"bootloader {shown or 0} has the same serial string on every unit, the Device ID from "
                f"{self._row.bootloader.device_id_string} on (usb-and-serial 9.9)"
            )
        return ""
