"""A virtual unit: an identity, memories that outlive the power, and the software those memories hold.

At every reset the memory side decides what comes up; this module makes it appear on the bus at
the right time and takes it away again. What the software then says is in `application.py` and
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
from .faults import Fault, FaultDesk
from .flash import FlashStep, PowerLost, Score, Who
from .memory import UnitMemory
from .radio import WifiStore
from .timing import REAL, Timings
from .world import World

SWAP_AFTER_S = 0.5
"""How long a port stays empty while somebody swaps units."""


class UnitMode(enum.StrEnum):
    """What a unit is doing."""

    OFF = "off"  # no power
    STARTING = "starting"  # between reset and its appearance on the bus
    NORMAL = "normal"  # Device OS and application run
    LISTENING = "listening"  # Device OS waits for credentials
    SAFE = "safe"  # Device OS runs without the application; over USB it looks like NORMAL
    DFU = "dfu"  # the bootloader waits for a host
    DEAD = "dead"  # powered, but nothing comes up on USB


class VirtualUnit:
    """One Particle device. With a ``directory`` it lives on disk and a new process finds it as it was left.

    ``spec.modules`` and the other factory settings apply only to a unit made new; one found in ``directory``
    keeps its memories. Raises `DriverError` if another unit lives there. ``make_stranger`` makes whoever takes this
    unit's place after the fault ``swap``; it is called with this unit's condition held.
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
        self.successor: VirtualUnit | None = None  # who comes after an ordered fault pulled the cable; often itself
        self.transfers: Counter[str] = Counter()  # "control", "console" (bytes)
        self.faults = FaultDesk(self, str(spec.device_id))
        self.sensors = self_test.sensors(spec.device_id)  # what its application can measure
        self.memory = UnitMemory(spec.platform_id, directory, fault=self._flash_step)
        self.report: BootReport | None = None  # how it came up last
        self._software: Application | Bootloader | None = None
        self._socket: Socket | None = None
        self._boots = 0  # timers of an earlier boot are void
        self._first_request = spec.arrives
        self._read_error: HostError | None = None  # of the console's next read
        self._endpoint = Endpoint(clock, self.condition, lambda: self.presence)
        self._settle(directory)

    def _settle(self, directory: Path | None) -> None:
        """Leave the factory: install firmware and settings, unless the unit already lives in ``directory``."""
        known = load_identity(directory) if directory is not None else None
        if known is not None:
            if known.device_id != self.spec.device_id:
                raise DriverError(f"{directory} holds unit {known.device_id}, not {self.spec.device_id}")
            self._first_request = BootRequest.NORMAL  # RAM, and with it any mode, went with the power
            return
        self.memory.install(self.spec.modules)
        dct = self.memory.dct
        if self.spec.setup_done:
            dct.set("setup_done", SETUP_DONE, Who.FACTORY)
        if self.spec.claimed:
            dct.set("claimed", CLAIMED, Who.FACTORY)
        for network in self.spec.networks:
            WifiStore(self).add(network, Who.FACTORY)
        if directory is not None:
            save_identity(self.spec, directory)

    # --- what a test or the demo asks ---

    @property
    def device_id(self) -> str:
        return str(self.spec.device_id)

    @property
    def label(self) -> str:
        """What a scanner reads off this unit; another unit's label after the fault ``wrong-label``."""
        if self.faults.has_wrong_label:
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
        """What it is doing now, as somebody who sees its LED would say."""
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
        """Have ``faults`` happen to this unit, whatever their ``unit=`` says."""
        with self.condition:
            self.faults.order(faults)
            if self._socket is not None:
                self._start_plug_orders()

    def press_mode_button(self) -> None:
        """Hold MODE, tap RESET, let go at yellow: DFU by hand, also for a unit in a crash loop."""
        with self.condition:
            self.after(0.0, lambda: self._reset(BootRequest.DFU))

    def hold_mode_button(self) -> None:
        """Hold MODE for three seconds: listening mode by hand, also where the request for it is refused."""
        with self.condition:
            software = self._software
            if isinstance(software, Application):
                self.after(3.0, software.enter_listening)

    def close(self) -> None:
        """Release the files of its memories; an unplugged unit that nobody needs any more."""
        with self.condition:
            if self._socket is None:
                self.memory.close()

    # --- power and resets ---

    def power_on(self, socket: Socket) -> None:
        """Plug into ``socket``: boot once power is up, and begin what was ordered for that moment."""
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
        if delay_s > 0:
            self.after(delay_s, lambda: self._reset(request))
        else:
            self._reset(request)

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do as `Board.after` says: a reset or power cut in between makes it void."""
        boots = self._boots

        def guarded() -> None:
            with self.condition:
                if boots == self._boots and self._socket is not None:
                    self._surviving(action)

        if self._socket is not None:
            self._socket.at(delay_s, guarded)

    def tell(self, action: Callable[[], None]) -> None:
        if self._socket is not None:
            self._socket.at(0.0, action)

    def rejection(self) -> int | None:
        return self.faults.rejection()

    def application_says(self) -> str:
        return self.faults.application_says()

    def output_ready(self) -> None:
        self.condition.notify_all()

    def _reset(self, request: BootRequest) -> None:
        """Start over from what flash holds; raises `PowerLost` if an ordered fault cuts a pending update."""
        self._stop()
        self.report = None
        self.report = report = boot(self.memory, request)
        if report.mode is BootMode.DEAD:
            return
        appears = self.timings.dfu_appears_s if report.mode is BootMode.DFU else self.timings.application_appears_s
        delay = report.seconds + report.restarts * self.timings.dfu_appears_s + appears
        self.after(delay, lambda: self._appear(report))

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
            presence = Presence(self._socket.new_address(), bootloader.descriptors, now)
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
        self.condition.notify_all()  # whoever waits inside a transfer finds the unit gone
        if self._socket is not None:
            self._socket.changed()

    def _surviving(self, action: Callable[[], None]) -> None:
        """Run ``action``; a power cut in the middle of a flash operation ends here."""
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
            sabotage = self.faults.control(setup)
            self._check(presence)
            assert self._software is not None
            try:
                return self._endpoint.transfer(presence, self._software, setup, data, timeout_s, sabotage)
            except PowerLost:
                if self._socket is not None:
                    self.power_off()
                raise Gone from None

    def bus_reset(self, presence: Presence) -> None:
        with self.condition:
            self._check(presence)
            assert self._software is not None
            self._software.bus_reset()

    def _check(self, presence: Presence) -> None:
        if self.presence is not presence:
            raise Gone

    # --- the CDC port ---

    def serial_write(self, presence: Presence, data: bytes) -> None:
        """Take bytes from the host: all of one write reach the unit's buffer before its software looks at them."""
        with self.condition:
            console = self._serial(presence)
            heard = bytes(byte for byte in data if self._is_heard(presence, console))
            self._surviving(lambda: console.receive(heard))

    def _is_heard(self, presence: Presence, console: Console) -> bool:
        """Count one byte and let faults happen; False if the unit is deaf."""
        self.transfers["console"] += 1
        sabotage = self.faults.console_byte()
        self._check(presence)
        if sabotage.garbage is not None:
            console.emit_noise(sabotage.garbage)
        if sabotage.host_error is not None:
            if not sabotage.host_error.loses_reply:
                raise sabotage.host_error
            self._read_error = sabotage.host_error
        return not sabotage.is_silent

    def serial_read(self, presence: Presence, max_bytes: int, timeout_s: float | None) -> bytes:
        """Read as soon as there is at least one byte; b"" when ``timeout_s`` passed."""
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
        """Set rate and DTR, as the CDC requests do: two rates are magic (5.1), DTR opens the port for output."""
        with self.condition:
            self._serial(presence)
            assert isinstance(self._software, Application)
            self._software.serial_line(baud=baud, dtr=dtr)

    def _serial(self, presence: Presence) -> Console:
        self._check(presence)
        if not isinstance(self._software, Application):
            raise Gone
        return self._software.console

    # --- what faults can do ---

    def now(self) -> float:
        return self.clock.now()

    def pull(self, back_after_s: float | None) -> None:
        self.successor = self if back_after_s is not None else None
        if self._socket is not None:
            self._socket.replace(self.successor, back_after_s or 0.0)

    def swap(self, platform: str | None) -> None:
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
        """Like `after`, but resets do not cancel it."""
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
    """A unit number no demo uses, the same in every run."""
    return 1_000_000 + int(str(spec.device_id)[-4:], 16)
