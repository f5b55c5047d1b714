"""Binds ports to slots, passes arrivals to the slots' runners, routes scans and commands.

Reads nothing from any unit and blocks on none, so one bad unit never delays another slot.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from drivers.clock import Clock
from drivers.hotplug import Attached, Detached, PortWatch
from drivers.identity import PortPath

from ..engine.commands import (
    BindPort,
    Command,
    PutSlotBack,
    RetrySlot,
    RunStep,
    Scan,
    SetOperator,
    SignalUnit,
    StopSlot,
    TakeSlotOut,
)
from ..engine.events import (
    CommandRefused,
    OperatorChanged,
    ScanRead,
    SlotPutBack,
    SlotTakenOut,
    UnitArrived,
    UnitLeft,
    UnmappedPort,
)
from ..engine.inorder import InOrder
from ..engine.runner import SlotRunner
from ..engine.step import Emit
from ..model import KnownUnit, OffSlot, SlotInfo
from ..scan.grammar import ScannedBadge, ScannedBatch, ScannedCommand
from ..scan.reading import Reading, may_be_label, read_scan, refusal_of
from ..words.say import NOTHING, Say
from .closed import ClosedPlaces

log = logging.getLogger(__name__)

PlatformName = Callable[[int | None], str]
Whose = Callable[[str, str], KnownUnit | None]
"""Finds a unit of the journal by serial number, Device ID, ICCID or IMEI, except the one with the second Device ID."""

DOUBLE_READ_S = 1.0
"""An equal scan within this time is the same read: scanners repeat a code after 0.3 to 0.8 s, a person asked to scan
again takes longer."""


def _nobody(_number: str, _besides: str) -> None:
    return None


class Line:
    """The slots of one station. `hotplug` and `command` may be called from any thread.

    ``binds_by_itself``: no ports are configured, so a new port takes the next free slot.
    ``closed``: ports and slots that are left alone; ``keep_off`` remembers for the next start that a slot is out of
    service, or in service again (None). ``companions``: the steps to repeat with a step. ``is_open``: whether a batch
    of that name is open.
    """

    def __init__(
        self,
        slots: tuple[SlotInfo, ...],
        clock: Clock,
        make_runner: Callable[[SlotInfo, PortWatch], SlotRunner],
        publish: Emit,
        platform_name: PlatformName,
        record: Emit,
        whose: Whose = _nobody,
        companions: Callable[[str], frozenset[str]] = lambda step: frozenset({step}),
        is_open: Callable[[str], bool] = lambda _batch: False,
        *,
        binds_by_itself: bool = False,
        closed: ClosedPlaces | None = None,
        keep_off: Callable[[int, OffSlot | None], None] = lambda _number, _off: None,
    ) -> None:
        self._clock, self._publish, self._record, self._whose = clock, publish, record, whose
        self._companions, self._is_open = companions, is_open
        self._binds_by_itself = binds_by_itself
        self._closed, self._keep_off = closed or ClosedPlaces({}, ()), keep_off
        self._make_runner, self._platform_name = make_runner, platform_name
        self._moves = InOrder()  # arrivals, departures and bindings: out of order they would lose a unit
        self._lock = threading.Lock()  # guards the fields below; no calls to other rooms while it is held
        self._slots = {slot.number: slot for slot in slots}
        self._runners: dict[str, SlotRunner] = {}
        self._strangers: dict[str, Attached] = {}
        self._last_scan: tuple[Scan, float] | None = None
        for slot in slots:
            if slot.port_path:
                self._add_runner(slot)

    @property
    def runners(self) -> tuple[SlotRunner, ...]:
        with self._lock:
            return tuple(self._runners.values())

    def start(self) -> None:
        """Start the threads of all bound slots, and tell which are out of service."""
        for off in self._closed.off:
            self._publish(SlotTakenOut(at=self._clock.utc(), slot=off.number, why=off.why, since=off.since))
        for runner in self.runners:
            runner.start()

    def stop(self) -> None:
        """End all attempts and threads at the same time; returns when the slowest has ended."""
        for runner in self.runners:
            runner.stop()
        for runner in self.runners:
            runner.join()

    # --- hot-plug ---

    def hotplug(self, event: Attached | Detached) -> None:
        """Take in an arrival or departure, on the enumerator's thread. Never blocks on a unit."""
        self._moves.do(lambda: self._moved(event))

    def _moved(self, event: Attached | Detached) -> None:
        port = event.candidate.port_path if isinstance(event, Attached) else event.port_path
        if self._closed.ignores(port):
            return
        if isinstance(event, Attached):
            self._attached(event)
        elif not self._closed.left(port):
            self._detached(port)

    def _attached(self, event: Attached) -> None:
        path, other = event.candidate.port_path.value, event.candidate.usb_id.other_device
        if self._binds_by_itself and not (other is not None and other.is_tool):
            self._bind_next(path)
        with self._lock:
            runner = self._on(event.candidate.port_path)
            if runner is None:
                self._strangers[path] = event
        if runner is not None and self._closed.shelve(runner.slot.number, event):
            return
        if runner is not None:
            self._arrived(runner, event)
        elif other is None:
            self._publish(UnmappedPort(at=self._clock.utc(), port_path=path))
        else:
            log.info("port %s: %s", path, other.sentence)

    def _on(self, port: PortPath) -> SlotRunner | None:
        """Return the slot of ``port``, which the config file may name by its controller or by its bus. Lock held."""
        return self._runners.get(port.value) or self._runners.get(port.on_bus)

    def _arrived(self, runner: SlotRunner, event: Attached) -> None:
        usb_id = event.candidate.usb_id
        other = usb_id.other_device
        self._publish(
            UnitArrived(
                at=self._clock.utc(), slot=runner.slot.number, port_path=event.candidate.port_path.value,
                platform=other.name if other else self._platform_name(usb_id.platform_id),
                mode=str(usb_id.mode or ""), say=Say("no_unit", found=other.name) if other else NOTHING,
                reason=other.sentence if other else "",
            )
        )  # fmt: skip
        if other is not None:  # nothing is asked of it, and nobody judges it
            return
        runner.port.attached(event.candidate)
        runner.port_changed()

    def _detached(self, port: PortPath) -> None:
        with self._lock:
            self._strangers.pop(port.value, None)
            runner = self._on(port)
        if runner is not None:
            runner.port.detached()
            runner.port_changed()
        if runner is None or not runner.port.is_restart_expected:
            slot = runner.slot.number if runner is not None else 0
            self._publish(UnitLeft(at=self._clock.utc(), slot=slot, port_path=port.value))

    # --- commands ---

    def command(self, command: Command) -> None:
        """Carry out one command; ignores kinds it does not handle."""
        handler = self._HANDLERS.get(type(command))
        if handler is not None:
            handler(self, command)

    def _scan(self, command: Scan) -> None:
        read = read_scan(command.text)
        if isinstance(read.scanned, ScannedBadge):
            self._set_operator(SetOperator(read.scanned.badge))
            self._read(f"OP:{read.scanned.badge}", accepted=True)
        elif _FIELDS[command.field](read):
            self._fill_field(command, read)
        elif isinstance(read.scanned, ScannedBatch):
            self._tell_batch(read.scanned.batch)
        elif isinstance(read.scanned, ScannedCommand):
            self._read(command.text.strip(), accepted=False, say=Say("scan_unclaimed"), reason="not used here")
        else:
            self._route(command, read)

    def _fill_field(self, command: Scan, read: Reading) -> None:
        """Answer a scan for a field. A number as long as a mobile secret is shown only if it names a known unit."""
        text = read.batch_name if command.field == "batch" else read.number
        is_usable = bool(text) and ("***" not in read.shown or self._whose(text, "") is not None)
        say, reason = (NOTHING, "") if is_usable else refusal_of(read)
        self._read(text if is_usable else read.shown, accepted=is_usable, say=say, reason=reason, field=command.field)

    def _tell_batch(self, batch: str) -> None:
        is_open = self._is_open(batch)
        say = Say("batch_open" if is_open else "batch_not_open", batch=batch)
        self._read(batch, accepted=is_open, say=say, reason="" if is_open else "not open")

    def _route(self, command: Scan, read: Reading) -> None:
        """Pass the scan to the slot that waits for it or whose unit it names, else answer with the unit's history."""
        runner = self._target(command.slot, read)
        if runner is not None and (read.number or runner.is_waiting_scan):
            self._hand_over(command, read, runner)
        elif read.number:
            self._tell_history(read)
        else:
            say, reason = refusal_of(read)
            self._read(read.shown, accepted=False, say=say, reason=reason)

    def _target(self, number: int | None, read: Reading) -> SlotRunner | None:
        """Return the slot it was typed for, else the one that asks, else the one whose unit it names.

        A slot that does not ask yet keeps the label until it does; so does the only one whose unit is not identified
        yet.
        """
        running = [r for r in self.runners if r.is_running]
        choices = (
            [r for r in running if r.slot.number == number],
            [r for r in running if r.is_waiting_scan],
            [r for r in running if read.number in r.names],
            [r for r in running if len(r.names) < 2 and may_be_label(read.scanned)],
        )
        found = next((some for some in choices if some), [])
        return found[0] if len(found) == 1 else None

    def _hand_over(self, command: Scan, read: Reading, runner: SlotRunner) -> None:
        """Give the scan to the slot, unless the scanner only repeated the one before."""
        now = self._clock.now()
        with self._lock:
            last, self._last_scan = self._last_scan, (command, now)
        if last is not None and last[0] == command and now - last[1] < DOUBLE_READ_S:
            return
        if runner.is_waiting_scan:
            runner.scan(read)  # the step answers it
        elif owner := runner.neighbour(read.number):
            reason = f"label of slot {owner}, not {runner.slot.number}"
            say = Say("label_of_slot", slot=str(owner))
            self._read(read.shown, accepted=False, say=say, reason=reason, slot=runner.slot.number)
        else:
            runner.scan(read)
            self._read(read.shown, accepted=True, slot=runner.slot.number)

    def _tell_history(self, read: Reading) -> None:
        known = self._whose(read.number, "")
        if known is None:
            self._read(read.shown, accepted=False, say=Say("scan_unclaimed"), reason="no slot waits for it")
        elif known.seen is None:
            self._read(read.number, accepted=True, say=Say("unit_begun", unit=known.label))
        else:
            at = known.seen.at.isoformat(timespec="seconds")
            say = Say("unit_history", unit=known.label, verdict=known.seen.verdict.name, at=at)
            self._read(read.number, accepted=True, say=say)

    def _read(
        self, shown: str, *, accepted: bool, reason: str = "", slot: int = 0, field: str = "", say: Say = NOTHING,
    ) -> None:  # fmt: skip
        self._publish(
            ScanRead(
                at=self._clock.utc(), slot=slot, shown=shown, accepted=accepted, reason=reason, field=field,
                say=say,
            )
        )  # fmt: skip

    def _set_operator(self, command: SetOperator) -> None:
        event = OperatorChanged(at=self._clock.utc(), operator=command.badge)
        self._record(event)

    def _bind_port(self, command: BindPort) -> None:
        self._moves.do(lambda: self._bind(command.slot, command.port_path))

    def _bind(self, number: int, path: str) -> None:
        if not self._may_bind(number, path):
            return
        runner = self._add_runner(SlotInfo(number, path))
        runner.start()
        with self._lock:
            stranger = self._strangers.pop(path, None)
        if stranger is not None:
            self._arrived(runner, stranger)

    def _may_bind(self, number: int, path: str) -> bool:
        """Tell whether slot and port are both free; refuse the command if not."""
        with self._lock:
            slot, owner = self._slots.get(number), self._runners.get(path)
        if slot is not None and slot.port_path is None and owner is None:
            return True
        taken = slot is not None and slot.port_path is not None
        reason = (
            f"port {path} is slot {owner.slot.number} already" if owner is not None
            else f"slot {number} is on another port" if taken
            else f"there is no slot {number}"
        )  # fmt: skip
        say = Say("slot_taken", slot=str(number)) if taken and owner is None else NOTHING
        self._publish(CommandRefused(at=self._clock.utc(), say=say, reason=reason))
        return False

    def _bind_next(self, path: str) -> None:
        """Bind a new port to the next free slot, if there is one."""
        with self._lock:
            is_known = path in self._runners
            unbound = [slot.number for slot in self._slots.values() if slot.port_path is None]
        free = [number for number in unbound if not self._closed.is_off(number)]
        if free and not is_known:
            self._bind(free[0], path)

    def _add_runner(self, slot: SlotInfo) -> SlotRunner:
        path = slot.port_path or ""
        runner = self._make_runner(slot, PortWatch(PortPath(path), self._clock))
        with self._lock:
            self._slots[slot.number] = slot
            self._runners[path] = runner
        return runner

    def _slot(self, number: int) -> SlotRunner | None:
        return next((r for r in self.runners if r.slot.number == number), None)

    def _on_slot(self, number: int, act: Callable[[SlotRunner], None]) -> None:
        runner = self._slot(number)
        if runner is not None:
            act(runner)

    def _retry(self, command: RetrySlot) -> None:
        self._on_slot(command.slot, lambda r: self._walk_again(r, None))

    def _stop_slot(self, command: StopSlot) -> None:
        self._on_slot(command.slot, lambda r: r.abort())

    def _run_step(self, command: RunStep) -> None:
        self._on_slot(command.slot, lambda r: self._walk_again(r, self._companions(command.step)))

    def _walk_again(self, runner: SlotRunner, steps: frozenset[str] | None) -> None:
        """Walk again, but refuse while an attempt runs: its verdict would be replaced before anybody saw it."""
        if self._closed.is_off(runner.slot.number):
            self._refuse(f"Slot {runner.slot.number} is out of service.")
        elif runner.is_unjudged:
            self._refuse(f"Slot {runner.slot.number} is at work. Wait for its verdict, or stop it.")
        else:
            runner.retry(steps)

    def _refuse(self, reason: str) -> None:
        self._publish(CommandRefused(at=self._clock.utc(), reason=reason))

    def _take_out(self, command: TakeSlotOut) -> None:
        self._moves.do(lambda: self._out_of_service(OffSlot(command.slot, command.why, self._clock.utc())))

    def _out_of_service(self, off: OffSlot) -> None:
        runner = self._slot(off.number)
        if off.number not in self._slots:
            self._refuse(f"there is no slot {off.number}")
        elif runner is not None and runner.is_unjudged:
            self._refuse(f"Slot {off.number} is at work. Wait for its verdict, or stop it.")
        else:
            self._closed.take_out(off)
            self._record(SlotTakenOut(at=self._clock.utc(), slot=off.number, why=off.why, since=off.since))
            self._keep_off(off.number, off)

    def _put_back(self, command: PutSlotBack) -> None:
        self._moves.do(lambda: self._in_service(command.slot))

    def _in_service(self, number: int) -> None:
        if not self._closed.is_off(number):
            return
        waiting = self._closed.put_back(number)
        self._record(SlotPutBack(at=self._clock.utc(), slot=number))
        runner = self._slot(number)
        if waiting is not None and runner is not None:
            self._arrived(runner, waiting)
        self._keep_off(number, None)

    def _signal(self, command: SignalUnit) -> None:
        self._on_slot(command.slot, lambda r: r.signal(command.on))

    _HANDLERS: Mapping[type[Command], Callable[..., None]] = {
        Scan: _scan,
        SetOperator: _set_operator,
        BindPort: _bind_port,
        RetrySlot: _retry,
        StopSlot: _stop_slot,
        RunStep: _run_step,
        TakeSlotOut: _take_out,
        PutSlotBack: _put_back,
        SignalUnit: _signal,
    }


_FIELDS: dict[str, Callable[[Reading], bool]] = {
    "": lambda _read: False,
    "find": lambda read: not isinstance(read.scanned, ScannedCommand | ScannedBatch),
    "batch": lambda read: not isinstance(read.scanned, ScannedCommand) and not may_be_label(read.scanned),
}
"""Which scans each field of the open screen takes."""
