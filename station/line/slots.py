"""Binds ports to slots, passes arrivals and commands to the slots' runners.

Reads nothing from any unit and blocks on none, so one bad unit never delays another slot.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from drivers.clock import Clock
from drivers.devices.terminal import MAX_TYPED, is_sendable
from drivers.hotplug import Attached, Detached, PortWatch
from drivers.identity import PortPath

from ..engine.commands import (
    BindPort,
    CloseConsole,
    Command,
    EnterMode,
    OpenConsole,
    PutSlotBack,
    RetrySlot,
    RunStep,
    Scan,
    SetOperator,
    SignalUnit,
    StopSlot,
    TakeSlotOut,
    TellLight,
    TypeConsole,
)
from ..engine.console_events import ConsoleClosed, ConsoleEnd
from ..engine.events import (
    CommandRefused,
    LightSeen,
    SlotPutBack,
    SlotTakenOut,
    UnitArrived,
    UnitLeft,
    UnmappedPort,
)
from ..engine.inorder import InOrder
from ..engine.runner import SlotRunner
from ..engine.step import Emit
from ..model import OffSlot, SlotInfo
from ..words.say import NOTHING, Say
from .closed import ClosedPlaces
from .scans import ScanDesk, Whose

log = logging.getLogger(__name__)

PlatformName = Callable[[int | None], str]


class Line:
    """The slots of one station. `hotplug` and `command` may be called from any thread.

    ``binds_by_itself``: no ports are configured, so a new port takes the next free slot.
    ``closed``: ports and slots that are left alone; ``keep_off`` remembers for the next start that a slot is out of
    service, or in service again (None). ``companions``: the steps to repeat with a step. ``open_batches`` names
    the batches that are open.
    """

    def __init__(
        self,
        slots: tuple[SlotInfo, ...],
        clock: Clock,
        make_runner: Callable[[SlotInfo, PortWatch], SlotRunner],
        publish: Emit,
        platform_name: PlatformName,
        record: Emit,
        whose: Whose,
        *,
        companions: Callable[[str], frozenset[str]],
        open_batches: Callable[[], tuple[str, ...]],
        binds_by_itself: bool,
        closed: ClosedPlaces,
        keep_off: Callable[[int, OffSlot | None], None],
        commands: Mapping[str, Callable[[int | None], None]] = MappingProxyType({}),
    ) -> None:
        self._clock, self._publish, self._record, self._companions = clock, publish, record, companions
        self._scans = ScanDesk(clock, publish, record, whose, open_batches, lambda: self.runners, commands)
        self._binds_by_itself = binds_by_itself
        self._closed, self._keep_off = closed, keep_off
        self._make_runner, self._platform_name = make_runner, platform_name
        self._moves = InOrder()  # arrivals, departures and bindings: out of order they would lose a unit
        self._lock = threading.Lock()  # guards the fields below; no calls to other rooms while it is held
        self._slots = {slot.number: slot for slot in slots}
        self._runners: dict[str, SlotRunner] = {}
        self._strangers: dict[str, Attached] = {}
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

    def batches_changed(self) -> None:
        """Let the units that no open batch took be looked at again."""
        for runner in self.runners:
            runner.batches_changed()

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
        self._scans.take(command)

    def _set_operator(self, command: SetOperator) -> None:
        self._scans.hand_over_to(command.badge)

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
        if owner is not None:
            self._refuse(f"port {path} is slot {owner.slot.number} already")
        elif slot is None:
            self._refuse(f"there is no slot {number}", Say("no_slot", slot=str(number)))
        elif slot.port_path is not None:
            self._refuse(f"slot {number} is on another port", Say("slot_taken", slot=str(number)))
        else:
            return True
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
        steps = frozenset().union(*map(self._companions, (command.step, *command.then)))
        self._on_slot(command.slot, lambda r: self._walk_again(r, steps))

    def _enter_mode(self, command: EnterMode) -> None:
        self._on_idle_unit(command.slot, lambda r: r.enter(command))

    def _on_idle_unit(self, number: int, act: Callable[[SlotRunner], None]) -> None:
        """Do something with the unit in a slot; refuse while it is at work, or where no unit is."""
        runner = self._slot(number)
        if runner is None or runner.port.current is None:
            self._refuse(f"Slot {number} holds no unit. Plug one in.", Say("nothing_there", slot=str(number)))
        elif runner.is_unjudged:
            self._refuse_at_work(number)
        else:
            act(runner)

    def _open_console(self, command: OpenConsole) -> None:
        """Open the console of the unit; say why not while it is at work, or where no unit is."""
        runner = self._slot(command.slot)
        if runner is None or runner.port.current is None:
            self._no_console(command.slot, "empty")
        elif runner.is_unjudged:
            self._no_console(command.slot, "busy")
        else:
            runner.open_console(command)

    def _no_console(self, slot: int, why: ConsoleEnd) -> None:
        self._publish(ConsoleClosed(at=self._clock.utc(), slot=slot, why=why))

    def _type_console(self, command: TypeConsole) -> None:
        if is_sendable(command.text):
            self._on_slot(command.slot, lambda r: r.type(command.text))
        else:
            self._refuse(f"The console takes printable lines of less than {MAX_TYPED} bytes; this one was not sent.")

    def _close_console(self, command: CloseConsole) -> None:
        self._on_slot(command.slot, lambda r: r.close_console())

    def _tell_light(self, command: TellLight) -> None:
        """Keep what a person saw with the attempt it belongs to (M4)."""
        self._record(
            LightSeen(
                at=self._clock.utc(), slot=command.slot, device_id=command.device_id or None, attempt=command.attempt,
                light=command.light,
            )
        )  # fmt: skip

    def _walk_again(self, runner: SlotRunner, steps: frozenset[str] | None) -> None:
        """Walk again, but refuse while an attempt runs: its verdict would be replaced before anybody saw it."""
        number = runner.slot.number
        if self._closed.is_off(number):
            self._refuse(f"Slot {number} is out of service.", Say("slot_closed", slot=str(number)))
        elif runner.is_unjudged:
            self._refuse_at_work(number)
        else:
            runner.retry(steps)

    def _refuse_at_work(self, number: int) -> None:
        why = f"Slot {number} is at work. Wait for its verdict, or stop it."
        self._refuse(why, Say("slot_at_work", slot=str(number)))

    def _refuse(self, reason: str, say: Say = NOTHING) -> None:
        self._publish(CommandRefused(at=self._clock.utc(), say=say, reason=reason))

    def _take_out(self, command: TakeSlotOut) -> None:
        self._moves.do(lambda: self._out_of_service(OffSlot(command.slot, command.why, self._clock.utc())))

    def _out_of_service(self, off: OffSlot) -> None:
        runner = self._slot(off.number)
        if off.number not in self._slots:
            self._refuse(f"there is no slot {off.number}", Say("no_slot", slot=str(off.number)))
        elif runner is not None and runner.is_unjudged:
            self._refuse_at_work(off.number)
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
        self._on_idle_unit(command.slot, lambda r: r.signal(command.on))

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
        EnterMode: _enter_mode,
        TellLight: _tell_light,
        OpenConsole: _open_console,
        TypeConsole: _type_console,
        CloseConsole: _close_console,
    }
