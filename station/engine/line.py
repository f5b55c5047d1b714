"""Binds ports to slots, hands arrivals to the slots' runners, routes scans and commands.

It reads nothing from any unit and blocks on none: one sick unit never delays another slot.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from drivers.clock import Clock
from drivers.errors import BadIdentity
from drivers.hotplug import Attached, Detached, PortWatch
from drivers.identity import (
    PortPath,
    ScannedBadge,
    ScannedBatch,
    ScannedCommand,
    ScannedDeviceId,
    ScannedSerial,
    SerialNumber,
    parse_scan,
    printable,
)  # fmt: skip

from ..model import SlotInfo
from ..step_graph import with_companions
from .commands import BindPort, Command, RetrySlot, RunStep, Scan, SetOperator, SignalUnit, StopSlot
from .events import CommandRefused, OperatorChanged, ScanRead, UnitArrived, UnitLeft, UnmappedPort
from .inorder import InOrder
from .runner import SlotRunner
from .step import Emit

log = logging.getLogger(__name__)

PlatformName = Callable[[int | None], str]


class Line:
    """The slots of one station. `hotplug` and `command` may be called from any thread.

    ``binds_by_itself``: nobody configured ports, so a new port takes the next free slot.
    """

    def __init__(
        self,
        slots: tuple[SlotInfo, ...],
        clock: Clock,
        make_runner: Callable[[SlotInfo, PortWatch], SlotRunner],
        publish: Emit,
        platform_name: PlatformName,
        record: Emit,
        *,
        binds_by_itself: bool = False,
    ) -> None:
        self._clock, self._publish, self._record = clock, publish, record
        self._binds_by_itself = binds_by_itself
        self._make_runner, self._platform_name = make_runner, platform_name
        self._moves = InOrder()  # arrivals, departures and bindings: what overtook another would lose a unit
        self._lock = threading.Lock()  # guards the three tables below; nobody is called while it is held
        self._slots = {slot.number: slot for slot in slots}
        self._runners: dict[str, SlotRunner] = {}
        self._strangers: dict[str, Attached] = {}
        self._doubted: tuple[int, str] | None = None
        for slot in slots:
            if slot.port_path:
                self._add_runner(slot)

    @property
    def runners(self) -> tuple[SlotRunner, ...]:
        with self._lock:
            return tuple(self._runners.values())

    def start(self) -> None:
        for runner in self.runners:
            runner.start()

    def stop(self) -> None:
        """End all attempts and threads; as slow as the slowest slot, not as all of them together."""
        for runner in self.runners:
            runner.stop()
        for runner in self.runners:
            runner.join()

    # --- hot-plug ---

    def hotplug(self, event: Attached | Detached) -> None:
        """Called by the enumerator's thread; never blocks on a unit."""
        self._moves.do(lambda: self._moved(event))

    def _moved(self, event: Attached | Detached) -> None:
        match event:
            case Attached():
                self._attached(event)
            case Detached():
                self._detached(event.port_path.value)

    def _attached(self, event: Attached) -> None:
        path = event.candidate.port_path.value
        if self._binds_by_itself:
            self._bind_next(path)
        with self._lock:
            runner = self._runners.get(path)
            if runner is None:
                self._strangers[path] = event
        if runner is None:
            self._publish(UnmappedPort(at=self._clock.utc(), port_path=path))
        else:
            self._arrived(runner, event, path)

    def _arrived(self, runner: SlotRunner, event: Attached, path: str) -> None:
        usb_id = event.candidate.usb_id
        self._publish(
            UnitArrived(
                at=self._clock.utc(), slot=runner.slot.number, port_path=path,
                platform=self._platform_name(usb_id.platform_id), mode=str(usb_id.mode or ""),
            )
        )  # fmt: skip
        runner.port.attached(event.candidate)
        runner.port_changed()

    def _detached(self, path: str) -> None:
        with self._lock:
            self._strangers.pop(path, None)
            runner = self._runners.get(path)
        if runner is not None:
            runner.port.detached()
            runner.port_changed()
        if runner is None or not runner.port.is_restart_expected:
            slot = runner.slot.number if runner is not None else 0
            self._publish(UnitLeft(at=self._clock.utc(), slot=slot, port_path=path))

    # --- commands ---

    def command(self, command: Command) -> None:
        """Carry out one command; unknown kinds are somebody else's."""
        handler = self._HANDLERS.get(type(command))
        if handler is not None:
            handler(self, command)

    def _scan(self, command: Scan) -> None:
        try:
            scanned = parse_scan(command.text)
        except BadIdentity as error:
            log.info("unreadable scan: %s", error)  # it repeats nothing that may be a secret
            self._read(legible(command.text), accepted=False, reason=_why_unreadable(command.text))
            return
        if isinstance(scanned, ScannedBadge):
            self._set_operator(SetOperator(scanned.badge))
            self._read(f"OP:{scanned.badge}", accepted=True)
        elif isinstance(scanned, ScannedCommand | ScannedBatch):
            self._read(command.text, accepted=False, reason="not used here")
        else:
            self._bind_scan(command, shown_scan(scanned))

    def _bind_scan(self, command: Scan, shown: str) -> None:
        """To the slot it was typed for, the slot that asks, the slot whose unit it names, or the only running slot.

        A label of another slot's unit is doubted once - a hand took the wrong one -, and believed the second time.
        """
        runner = self._scan_target(command.slot, shown)
        if runner is None:
            self._read(shown, accepted=False, reason="no slot waits for it")
            return
        owner = next((r.slot.number for r in self.runners if r is not runner and shown in r.names), 0)
        doubt = (runner.slot.number, shown)
        if owner and doubt != self._doubted:
            self._doubted = doubt
            reason = f"label of slot {owner}, not {runner.slot.number}"
            self._read(shown, accepted=False, reason=reason, slot=runner.slot.number)
            return
        runner.scan(command.text)
        self._read(shown, accepted=True, slot=runner.slot.number)

    def _scan_target(self, number: int | None, shown: str) -> SlotRunner | None:
        """At most one slot asks at a time. None: nobody does, and nothing says whose the scan is.

        A slot named by hand need not ask yet: the label is kept for when it does.
        """
        asking = [r for r in self.runners if r.is_waiting_scan]
        running = [r for r in self.runners if r.is_running]
        named = [r for r in running if r.slot.number == number]
        found = named or asking or [r for r in running if shown in r.names] or running
        return found[0] if len(found) == 1 else None

    def _read(self, shown: str, *, accepted: bool, reason: str = "", slot: int = 0) -> None:
        self._publish(ScanRead(at=self._clock.utc(), slot=slot, shown=shown, accepted=accepted, reason=reason))

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
            self._arrived(runner, stranger, path)

    def _may_bind(self, number: int, path: str) -> bool:
        """A slot keeps its port and a port its slot; whoever wants another one is told so."""
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
        sentence = "slot_taken" if taken and owner is None else ""
        self._publish(CommandRefused(at=self._clock.utc(), sentence=sentence, values=(str(number),), reason=reason))
        return False

    def _bind_next(self, path: str) -> None:
        """A bench without configured slots gives each new port the next free one."""
        with self._lock:
            is_known = path in self._runners
            free = [slot.number for slot in self._slots.values() if slot.port_path is None]
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
        self._on_slot(command.slot, lambda r: r.retry())

    def _stop_slot(self, command: StopSlot) -> None:
        self._on_slot(command.slot, lambda r: r.abort())

    def _run_step(self, command: RunStep) -> None:
        self._on_slot(command.slot, lambda r: r.retry(with_companions(command.step)))

    def _signal(self, command: SignalUnit) -> None:
        self._on_slot(command.slot, lambda r: r.signal(command.on))

    _HANDLERS: Mapping[type[Command], Callable[..., None]] = {
        Scan: _scan,
        SetOperator: _set_operator,
        BindPort: _bind_port,
        RetrySlot: _retry,
        StopSlot: _stop_slot,
        RunStep: _run_step,
        SignalUnit: _signal,
    }


_SECRET_LENGTH = 15
"""A word as long as a mobile secret may be one."""


def legible(text: str) -> str:
    """What may be displayed of a scan nobody can read: nothing that may be a secret by the grammar of labels.

    That is all after the first blank, and a word as long as a secret.
    """
    head, _, tail = text.strip().partition(" ")
    shown = "***" if len(head) >= _SECRET_LENGTH else printable(head)
    return f"{shown} ***" if tail else shown


def _why_unreadable(text: str) -> str:
    """For the operator, in few words."""
    try:
        SerialNumber.parse(text.strip().partition(" ")[0])
    except BadIdentity:
        return "no label or badge"
    return "label is not whole"


def shown_scan(scanned: object) -> str:
    """What may be displayed of a scan: never what follows the serial number."""
    match scanned:
        case ScannedSerial(serial=serial):
            return str(serial)
        case ScannedDeviceId(device_id=device_id):
            return str(device_id)
        case _:
            return str(getattr(scanned, "iccid", getattr(scanned, "imei", "")))
