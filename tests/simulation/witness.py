"""Watches from outside whether anything is written to a unit whose identity is in doubt."""

from __future__ import annotations

from line_bench import LineBench
from support.traffic import CloudCall

from drivers.virtual.flash import Touch, Who
from drivers.virtual.unit import VirtualUnit
from station.cloud.virtual import SeenRequest
from station.cloud.virtual.faults import FaultKind
from station.engine.events import AttemptFinished, AttemptStarted, Event, UnitArrived, UnitIdentified


class Witness:
    """Sees every write where it arrives, and knows which labels were shown in the attempt that makes it.

    Nothing may be written to a unit, or said of it to the cloud, in an attempt that did not identify it, or in which
    nobody showed a label, SIM card or Device ID of its own. A unit that is pulled and put back while its attempt waits
    for it has to be recognized, not to be labelled again.
    """

    def __init__(self, bench: LineBench, *, labels: bool) -> None:
        self._bench, self._labels = bench, labels
        self.doubts: list[str] = []
        self._running: dict[int, tuple[float, str]] = {}  # by slot: start of its attempt, Device ID when identified
        self._began: dict[str, float] = {}  # by Device ID: start of the attempt that identified it
        self._named: dict[str, float] = {}  # when a number of its own was scanned last
        self._mode: dict[int, str] = {}  # by slot: in which its unit arrived last
        self._found_in_dfu: set[int] = set()  # slots whose attempt began with a unit in DFU
        self._dfu: set[str] = set()  # units identified there: nobody can compare a label before they run
        self._cloud_saw = bench.cloud._on_request
        bench.cloud._on_request = self._asked
        bench.station.bus.subscribe(self._heard)

    def watch(self, unit: VirtualUnit) -> None:
        """Look at what hosts write to ``unit`` from now on."""
        counted = unit.score.on_host_write
        assert counted is not None

        def wrote(touch: Touch) -> None:
            counted(touch)
            if not (touch.who is Who.DFU and unit.device_id in self._dfu):
                self._check(unit.device_id, f"{touch.who} {touch.operation} at {touch.address:#x} of {touch.chip}")

        unit.score.on_host_write = wrote

    def plugged(self, unit: VirtualUnit, slot: int) -> None:
        """Note that a hand plugs ``unit`` into ``slot``."""
        if self._running.get(slot, (0.0, ""))[1] != unit.device_id:
            self._began.pop(unit.device_id, None)
        self._dfu.discard(unit.device_id)

    def scanned(self, unit: VirtualUnit) -> None:
        """Note that a number of ``unit`` is scanned or typed."""
        self._named[unit.device_id] = self._bench.clock.now()

    def _asked(self, request: SeenRequest, harm: FaultKind | None) -> None:
        if self._cloud_saw is not None:
            self._cloud_saw(request, harm)
        subjects = CloudCall(request).subjects
        for unit in self._bench.units:
            if request.is_write and not {unit.device_id, str(unit.spec.iccid)}.isdisjoint(subjects):
                self._check(unit.device_id, f"{request.method} {request.path}")

    def _heard(self, event: Event) -> None:
        match event:
            case UnitArrived():
                self._mode[event.slot] = event.mode
            case AttemptStarted():
                self._running[event.slot] = self._bench.clock.now(), ""
                is_dfu = self._mode.get(event.slot) == "dfu"
                (self._found_in_dfu.add if is_dfu else self._found_in_dfu.discard)(event.slot)
            case UnitIdentified(device_id=str(device_id)) if event.slot in self._running:
                self._began[device_id] = self._running[event.slot][0]
                self._running[event.slot] = self._began[device_id], device_id
                (self._dfu.add if event.slot in self._found_in_dfu else self._dfu.discard)(device_id)
            case AttemptFinished():
                self._running.pop(event.slot, None)

    def _check(self, device_id: str, what: str) -> None:
        began, named = self._began.get(device_id), self._named.get(device_id, -1.0)
        if began is None:
            self.doubts.append(f"{what}, and {device_id} was not identified since it was plugged in")
        elif self._labels and named < began:
            self.doubts.append(f"{what}, and no number of {device_id} was shown in this attempt")
