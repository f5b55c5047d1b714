"""A virtual unit: an identity, non-volatile memories, and the software in those memories.

At every reset `boot` decides what comes up; this module makes it appear on the bus at
the right time and disappear again. The software's behaviour is in `application.py` and
`bootloader.py`. Locks: everything that happens to a unit happens with its condition held.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ..clock import Clock
from ..errors import DriverError
from ..identity import PortPath
from ..wire.usb import Setup
from . import self_test
from .application import Application
from .boot import BootMode, BootReport, BootRequest, boot
from .bootloader import Bootloader
from .bus import Gone, HostError, Presence, Socket
from .console_side import Console
from .dct import CLAIMED, SETUP_DONE
from .endpoint import Endpoint
from .factory import UnitSpec, load_identity, make_spec, save_identity
from .families import family_of
from .faults import Fault, FaultInjector
from .flash import FlashStep, PowerLost, Score, Who
from .memory import UnitMemory
from .radio import WifiStore
from .timing import REAL, Timings
from .world import World

SWAP_AFTER_S = 0.5
_LISTENS_AFTER_S, _FORGETS_AFTER_S = 3.0, 13.0  # reference provisioning-rules 3.1
"""How long a port is empty while units are swapped."""


class UnitMode(enum.StrEnum):
    """State of a unit."""

    OFF = "off"  # no power
    STARTING = "starting"  # between reset and enumeration
    NORMAL = "normal"  # Device OS and application run
    LISTENING = "listening"  # Device OS waits for credentials
    SAFE = "safe"  # Device OS runs without the application; over USB it looks like NORMAL
    DFU = "dfu"  # the bootloader waits for a host
    DEAD = "dead"  # powered, but nothing comes up on USB


class VirtualUnit:
    """One Particle device. With a ``directory`` it is stored on disk, and a new process finds it as it was.

    ``spec.modules`` and the other factory settings apply only to a new unit; one found in ``directory``
    keeps its memories. Raises `DriverError` if ``directory`` contains another unit. ``make_stranger`` creates the unit
    that replaces this one after the fault ``swap``; it is called with this unit's condition held.
    """

    def __init__(
        self,
        spec: UnitSpec,
        clock: Clock,
        world: World | None = None,
        directory: Path | None = None,
        *,
        timings: Timings = REAL,
        make_stranger: Callable[[UnitSpec], VirtualUnit] | None = None,
    ) -> None:
        self.spec, self.clock, self.timings = spec, clock, timings
        self._make_stranger = make_stranger or self._stranger
        self.world = world or World()
        self.condition = clock.condition()
        self.presence: Presence | None = None
        self.successor: VirtualUnit | None = None  # the unit plugged in after a fault pulled the cable; often itself
        self.transfers: Counter[str] = Counter()  # "control", "console" (bytes)
        self.faults = FaultInjector(self, str(spec.device_id))
        self.sensors = self_test.sensors(spec.device_id)  # what its application can measure
        self.memory = UnitMemory(spec.platform_id, directory, fault=self._flash_step)
        self.report: BootReport | None = None  # how it came up last
        self._software: Application | Bootloader | None = None
        self._socket: Socket | None = None
        self._boots = 0  # timers of earlier boots are ignored
        self._first_request = spec.arrives
        self._read_error: HostError | None = None  # of the console's next read
        self._endpoint = Endpoint(clock, self.condition, lambda: self.presence)
        self._settle(directory)

    def _settle(self, directory: Path | None) -> None:
        """Install factory firmware and settings, unless ``directory`` already contains the unit."""
        known = load_identity(directory) if directory is not None else None
        if known is not None:
            if known.device_id != self.spec.device_id:
                raise DriverError(f"{directory} holds unit {known.device_id}, not {self.spec.device_id}")
            return
        self.memory.install(self.spec.modules)
        dct = self.memory.dct
        if self.spec.setup_done:
            dct.set("setup_done", SETUP_DONE, Who.FACTORY)
        if self.spec.claimed:
            dct.set("claimed", CLAIMED, Who.FACTORY)
        if self.spec.modules and family_of(self.spec.platform_id).keeps_device_id:  # its Device OS ran there already
            dct.keep_device_id(self.device_id, Who.FACTORY)
        for network in self.spec.networks:
            WifiStore(self).add(network, Who.FACTORY)
        if directory is not None:
            save_identity(self.spec, directory)

    # --- for tests and the demo ---

    @property
    def device_id(self) -> str:
        return str(self.spec.device_id)

    @property
    def label(self) -> str:
        """Return the content of the label on this unit; another unit's after the fault ``wrong-label``."""
        if "wrong-label" in self.faults.lasting:
            return make_spec(self.spec.platform.slug, 0, _far_number(self.spec)).label
        return self.spec.label

    @property
    def score(self) -> Score:
        return self.memory.score

    @property
    def port(self) -> PortPath | None:
        return self._socket.port if self._socket else None

    @property
    def mode(self) -> UnitMode:
        """Return the state of the unit now, as its LED would show it."""
        with self.condition:
            if self._socket is None:
                return UnitMode.OFF
            if self.report is not None and self.report.mode is BootMode.DEAD:
                return UnitMode.DEAD
            if self._software is None:
                return UnitMode.STARTING
            if isinstance(self._software, Bootloader):
                return UnitMode.DFU
            if self._software.is_listening:
                return UnitMode.LISTENING
            return UnitMode.SAFE if self._software.is_safe else UnitMode.NORMAL

    def order(self, *faults: Fault) -> None:
        """Inject ``faults`` into this unit, whatever their ``unit=`` says."""
        with self.condition:
            self.faults.order(faults)
            if self._socket is not None:
                self._start_plug_orders()

    def press_mode_button(self) -> None:
        """Hold MODE, tap RESET, release at yellow: enters DFU mode by hand, even from a crash loop."""
        with self.condition:
            self.after(0.0, lambda: self._reset(BootRequest.DFU))

    def hold_mode_button(self, seconds: float = 3.0) -> None:
        """Hold MODE: listens after 3 s, where the request is refused too, and forgets its settings after 13 s (H11)."""
        with self.condition:
            software = self._software
            if isinstance(software, Application):
                self.after(min(seconds, _LISTENS_AFTER_S), software.enter_listening)
                if seconds >= _FORGETS_AFTER_S:
                    self.after(_FORGETS_AFTER_S, software.forget)

    def close(self) -> None:
        """Release the files of its memories if it is unplugged. It cannot be used afterwards."""
        with self.condition:
            if self._socket is None:
                self.memory.close()

    # --- power and resets ---

    def power_on(self, socket: Socket) -> None:
        """Plug into ``socket``: boot once power is up, and start the timed faults."""
        with self.condition:
            self._socket = socket
            self._boots += 1
            self.report = None
            request, self._first_request = self._first_request, BootRequest.NORMAL
            self.after(self.timings.power_up_s, lambda: self._reset(request))
            self._start_plug_orders()

    def power_off(self) -> None:
        """Lose what is in RAM: mode, open requests, DFU state."""
        with self.condition:
            self._stop()
            self._socket = None
            self.faults.unplugged()

    def restart(self, request: BootRequest = BootRequest.NORMAL, delay_s: float = 0.0) -> None:
        """Implement `Board.restart`: reset now, or after ``delay_s`` seconds unless another reset comes first."""
        if delay_s > 0:
            self.after(delay_s, lambda: self._reset(request))
        else:
            self._reset(request)

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Implement `Board.after`: a reset or power cut in between cancels the action."""
        boots = self._boots

        def guarded() -> None:
            with self.condition:
                if boots == self._boots and self._socket is not None:
                    self._run_until_power_cut(action)

        if self._socket is not None:
            self._socket.at(delay_s, guarded)

    def run_unlocked(self, action: Callable[[], None]) -> None:
        if self._socket is not None:
            self._socket.at(0.0, action)

    def rejection(self) -> int | None:
        return self.faults.rejection()

    def application_says(self) -> str:
        return self.faults.application_says()

    @property
    def wifi_loss_db(self) -> int:
        return self.faults.wifi_loss_db

    def output_ready(self) -> None:
        self.condition.notify_all()

    def _reset(self, request: BootRequest) -> None:
        """Reboot from flash; raises `PowerLost` if a fault cuts the power during a pending update."""
        self._stop()
        self.report, shuns = None, request is BootRequest.DFU and "no-dfu" in self.faults.lasting
        self.report = report = boot(self.memory, BootRequest.NORMAL if shuns else request)
        if report.mode is BootMode.DEAD:
            return
        appears = self.timings.dfu_appears_s if report.mode is BootMode.DFU else self.timings.application_appears_s
        delay = report.seconds + report.restarts * self.timings.dfu_appears_s + appears
        self.after(delay, lambda: self._appear(report))
        if request is BootRequest.LISTENING:
            self.after(delay, lambda: self.hold_mode_button(0.0))

    def _stop(self) -> None:
        self._boots += 1
        software, self._software = self._software, None
        if software is not None:
            software.stop()
        self._endpoint.restart()
        self._show(None)

    def _appear(self, report: BootReport) -> None:
        assert self._socket is not None
        now = self.clock.now()
        if report.mode is BootMode.DFU:
            self._software = bootloader = Bootloader(self, report)
            denied = "denied" in self.faults.lasting
            presence = Presence(self._socket.new_address(), bootloader.descriptors, now, is_denied=denied)
        else:
            self._software = application = Application(self, report)
            serial_from = now + self.timings.serial_after_usb_s
            presence = Presence(self._socket.new_address(), application.descriptors, now, serial_from)
        self._show(presence)
        if isinstance(self._software, Application):
            self._software.start()

    def _show(self, presence: Presence | None) -> None:
        if self.presence is presence:
            return
        self.presence = presence
        self.condition.notify_all()  # transfers in progress find the unit gone
        if self._socket is not None:
            self._socket.changed()

    def _run_until_power_cut(self, action: Callable[[], None]) -> None:
        """Run ``action``; power off when it raises `PowerLost` in the middle of a flash operation."""
        try:
            action()
        except PowerLost:
            if self._socket is not None:
                self.power_off()

    # --- USB ---

    def control(self, presence: Presence, setup: Setup, data: bytes, timeout_s: float) -> bytes:
        """Run one control transfer of the enumeration ``presence``; raises `Stall`, `Gone`, `TimedOut`, `HostError`."""
        with self.condition:
            self._check(presence)
            self.transfers["control"] += 1
            disturbance = self.faults.control(setup)
            self._check(presence)
            assert self._software is not None
            try:
                return self._endpoint.transfer(presence, self._software, setup, data, timeout_s, disturbance)
            except PowerLost:
                if self._socket is not None:
                    self.power_off()
                raise Gone from None

    def bus_reset(self, presence: Presence) -> None:
        """Take a bus reset in the enumeration ``presence``; raises `Gone` once the unit has left it."""
        with self.condition:
            self._check(presence)
            assert self._software is not None
            self._software.bus_reset()

    def _check(self, presence: Presence) -> None:
        if self.presence is not presence:
            raise Gone

    # --- the CDC port ---

    def serial_write(self, presence: Presence, data: bytes) -> None:
        """Receive bytes from the host: a whole write reaches the unit's buffer before its software reads any of it."""
        with self.condition:
            console = self._serial(presence)
            received = bytes(byte for byte in data if self._is_received(presence, console))
            self._run_until_power_cut(lambda: console.receive(received))

    def _is_received(self, presence: Presence, console: Console) -> bool:
        """Count one byte and let faults happen; return False if the unit ignores it."""
        self.transfers["console"] += 1
        disturbance = self.faults.console_byte()
        self._check(presence)
        if disturbance.garbage is not None:
            console.emit_noise(disturbance.garbage)
        if disturbance.host_error is not None:
            if not disturbance.host_error.loses_reply:
                raise disturbance.host_error
            self._read_error = disturbance.host_error
        return not disturbance.is_silent

    def serial_read(self, presence: Presence, max_bytes: int, timeout_s: float | None) -> bytes:
        """Return 1 to ``max_bytes`` bytes as soon as any are there; b"" when ``timeout_s`` has passed."""
        with self.condition:
            console = self._serial(presence)
            if (error := self._read_error) is not None:
                self._read_error = None
                raise error
            self.condition.wait_for(lambda: self.presence is not presence or console.pending > 0, timeout_s)
            return self._serial(presence).take(max_bytes)

    def serial_pending(self, presence: Presence) -> int:
        with self.condition:
            return self._serial(presence).pending

    def serial_line(self, presence: Presence, *, baud: int, dtr: bool) -> None:
        """Set rate and DTR, as the CDC requests do: two rates switch modes (5.1), DTR enables output."""
        with self.condition:
            self._serial(presence)
            assert isinstance(self._software, Application)
            self._software.serial_line(baud=baud, dtr=dtr)

    def _serial(self, presence: Presence) -> Console:
        self._check(presence)
        if not isinstance(self._software, Application):
            raise Gone
        return self._software.console

    # --- effects of faults ---

    def now(self) -> float:
        return self.clock.now()

    def pull(self, back_after_s: float | None) -> None:
        self.successor = self if back_after_s is not None else None
        if self._socket is not None:
            self._socket.replace(self.successor, back_after_s or 0.0)

    def swap(self, platform: str | None) -> None:
        """Have the fault ``swap`` put another unit into the socket, of ``platform`` (None: of the same one)."""
        stranger = self._make_stranger(make_spec(platform or self.spec.platform.slug, 0, _far_number(self.spec)))
        self.successor = stranger
        if self._socket is not None:
            self._socket.replace(stranger, SWAP_AFTER_S)

    def _stranger(self, spec: UnitSpec) -> VirtualUnit:
        return VirtualUnit(spec, self.clock, self.world, timings=self.timings)

    def _start_plug_orders(self) -> None:
        for delay, action in self.faults.plug_orders():
            self._powered_after(delay, action)

    def _powered_after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Run ``action`` later, as `after` does, but even if the unit resets in between."""
        socket = self._socket

        def guarded() -> None:
            with self.condition:
                if self._socket is socket and socket is not None:
                    action()

        if socket is not None:
            socket.at(delay_s, guarded)

    def _flash_step(self, step: FlashStep) -> None:
        self.faults.flash_step(step)


def _far_number(spec: UnitSpec) -> int:
    """Return a unit number that no demo uses, the same in every run."""
    return 1_000_000 + int(str(spec.device_id)[-4:], 16)
