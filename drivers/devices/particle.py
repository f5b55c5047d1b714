"""One physical unit on one port, followed through its restarts.

It opens what is on the port now, checks that it is still the same unit, and offers the operations of its
mode. Every restart it requests is announced on the `PortWatch` and confirmed by the unit itself: USB
product id, Device ID, and in application mode a reply to a request. Reference usb-and-serial 7.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from ..clock import CancelToken, Clock, Deadline
from ..errors import (
    Disconnected,
    DriverError,
    LinkError,
    NeedsHands,
    NotFound,
    ProtectionUnknown,
    RequestRejected,
    Swapped,
    TransferFailed,
)
from ..hotplug import PortWatch
from ..identity import DeviceId
from ..platforms import Kind, OsVersion
from ..transport import SerialHost, UsbCandidate
from ..wire import requests
from ..wire.console.tables import Key
from ..wire.image.host import Image
from ..wire.messages.system import Protection
from ..wire.patience import is_repeatable
from ..wire.requests import Request
from ..wire.usb import Mode
from .asking import command_filter, has_ever, knows_request, require
from .console import Console, open_console, probe_console, touch_port
from .control import ControlDevice
from .dialogue import Progress, Trace, no_progress, no_trace
from .holding import EVERY_KIND, Goal, Holding
from .opening import SERIAL_STRING, Opened, Opener, Verbs, ask_id, swapped
from .restarting import VANISH_S, OtherMode, Restarts
from .staging import StagingDevice
from .updating import Updating

T = TypeVar("T")

UNDO_S = 2.0
"""Time limit for the clean-up after a failure."""


class ParticleDevice:
    """One physical unit. One owner thread; ``cancel`` ends every wait. Raises `DriverError` subclasses only.

    ``port`` is updated by the listener of the enumerator. ``trace`` receives one masked line per exchange.
    """

    def __init__(
        self, port: PortWatch, serial_host: SerialHost, clock: Clock, cancel: CancelToken, trace: Trace | None = None
    ) -> None:
        self.port = port
        self.device_id: DeviceId | None = None
        self.id_source = ""
        """Which source the Device ID came from."""
        self._serial_host, self._clock, self._cancel = serial_host, clock, cancel
        self._trace = trace or no_trace
        self._opened: Opened | None = None
        self._proved: UsbCandidate | None = None
        self._restarts = Restarts(self, clock, cancel, self._trace)
        self._holding = Holding(self, clock, cancel, self._trace)
        current = port.current
        self.platform_id = None if current is None else current.usb_id.platform_id

    @property
    def mode(self) -> Mode | None:
        """Return the mode by the product id of what is on the port now; None when the port is empty."""
        current = self.port.current
        return None if current is None else current.usb_id.mode

    def close(self) -> None:
        """Release the unit; the next operation opens it again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.verbs.close()

    @property
    def where(self) -> str:
        """Return the name of the unit in error messages."""
        return f"the unit on port {self.port.port_path}"

    @property
    def firmware(self) -> str:
        """Return what runs on it, as far as it was told, for error messages."""
        verbs = self._opened.verbs if self._opened is not None else None
        known = isinstance(verbs, ControlDevice) and verbs.version
        return f"Device OS {known}" if known else "a Device OS older than control requests"

    # --- identity ---------------------------------------------------------------------------

    def identify(self, deadline: Deadline) -> DeviceId:
        """Read the Device ID from the first source that has it (`id_source`), and bind this object to that unit.

        Sources: serial string; in application mode raw request, request 20 and console; in DFU mode the configuration
        memory. A unit this object is bound to is asked again only while its port alone vouches for it (`is_proved`).
        Raises `Swapped` when this object is already bound to another unit, `NeedsHands` when only the console
        has it and the unit does not obey, `RemoteProtocolError` when no source has one.
        """
        opened = self._open(deadline)
        if self.device_id is None or not self.is_proved:
            found, source = ask_id(opened, self.where, lambda: self._console_id(deadline), deadline, self._cancel)
            if self.device_id is not None and found != self.device_id:
                raise swapped(self.where, self.device_id, found)
            self.device_id, self.id_source, self._proved = found, source, self.port.current
        return self.device_id

    @property
    def is_proved(self) -> bool:
        """Whether what is on the port now has said that it is the unit this object is bound to."""
        return self._proved is not None and self._proved is self.port.current

    def _console_id(self, deadline: Deadline) -> str:
        with self.console(deadline) as console:  # which compares the Device ID of a unit we are bound to
            return str(self.device_id or console.identify(deadline).device_id)

    def raw_device_id(self, deadline: Deadline) -> DeviceId:
        """Read the Device ID by the raw request, which needs no system thread; raises `Stalled` on old firmware."""
        return DeviceId.parse(self._control(deadline).raw_device_id(deadline, self._cancel))

    def protection(self, deadline: Deadline) -> Protection:
        """Read whether the unit is under device protection, in either mode (reference firmware-and-dfu 9.1).

        A Device OS without that request has no protection either. A refusal proves nothing and raises
        `ProtectionUnknown`: even a protected unit answers this request.
        """
        verbs = self.open(deadline)
        if isinstance(verbs, StagingDevice):
            verbs.deadline, verbs.cancel = deadline, self._cancel
            return verbs.protection()
        request = requests.get_protected_state()
        if not self.knows(request, deadline):
            return Protection(is_protected=False, is_service_mode=False)
        try:
            return self.ask(request, deadline)
        except RequestRejected as refused:
            raise ProtectionUnknown(f"{refused}; whether it is protected is not known, walk it again") from refused

    # --- opening ----------------------------------------------------------------------------

    def present(self) -> UsbCandidate:
        """Return what is on the port now; raises `Disconnected`, and `Swapped` when its platform has changed.

        A unit has the same platform id in all its modes: a different one is a different unit, whatever its Device ID.
        """
        current = self.port.current
        if current is None:
            self.close()
            raise Disconnected(f"no unit on port {self.port.port_path}; plug it in again")
        shown = current.usb_id.platform_id
        self.platform_id = shown if self.platform_id is None else self.platform_id
        if shown != self.platform_id:
            self.close()
            raise Swapped(
                f"{self.where} shows platform {shown}, it was {self.platform_id}; plug the first one in again",
                expected=str(self.device_id or ""),
                found="",
            )
        return current

    def open(self, deadline: Deadline) -> Verbs:
        """Open what is on the port now; once this object is bound to a unit, check that it is that one."""
        return self._open(deadline).verbs

    def _open(self, deadline: Deadline) -> Opened:
        candidate = self.present()
        if self._opened is None or self._opened.candidate is not candidate:
            self.close()
            opener = Opener(self._clock, self._cancel, self._trace, by_port=self.id_source not in ("", SERIAL_STRING))
            self._opened = opener.open(candidate, self.device_id, lambda: self.port.current is candidate, deadline)
            if self._opened.is_proved:
                self._proved = candidate
        return self._opened

    # --- application mode -------------------------------------------------------------------

    def ask(self, request: Request[T], deadline: Deadline | None = None) -> T:
        """Send a control request and return its reply; raises as `ControlDevice.ask`, and `Swapped`.

        Raises `RequestUnknown`, and sends nothing, where `knows` returns False.
        """
        deadline = deadline or Deadline.after(self._clock, request.timeout_s)
        with self._released_when_gone():
            require(self, request, deadline)
            try:
                return self._control(deadline).ask(request, deadline=deadline, cancel=self._cancel)
            except TransferFailed as error:
                if not is_repeatable(request.type_id):
                    raise
                self._trace(f"open again after {error}")
            self.close()  # the handle may be what is broken
            return self._control(deadline).ask(request, deadline=deadline, cancel=self._cancel)

    def knows(self, request: Request[T], deadline: Deadline) -> bool:
        """Return whether the unit's platform and Device OS support the request; True where the table does not say."""
        return self.has(Kind.REQUEST, request.type_id, deadline)

    def has(self, kind: Kind, name: int | str, deadline: Deadline) -> bool:
        """Return whether its platform and Device OS have a request, command or rate; True where the table is silent.

        A unit that shows no interface for requests has none; its Device OS is older than any that has them, and how
        old is told by its console only: what its family has had at some time is worth a try.
        """
        verbs = self.open(deadline)
        if isinstance(verbs, ControlDevice) and not verbs.has_requests:
            if kind in (Kind.REQUEST, Kind.RAW):
                return False
            return has_ever(self.platform_id, kind, name, verbs.version)
        if kind is Kind.REQUEST:
            return knows_request(self.platform_id, int(name), lambda: self.os_version(deadline))
        return has_ever(self.platform_id, kind, name, self.os_version(deadline))

    def has_requests(self, deadline: Deadline) -> bool:
        """Return whether its firmware is new enough for control requests at all; in DFU mode there are none."""
        verbs = self.open(deadline)
        return isinstance(verbs, ControlDevice) and verbs.has_requests

    def os_version(self, deadline: Deadline) -> OsVersion:
        """Read the Device OS version: from the raw request, request 30, or the console of a unit that has neither."""
        verbs = self._control(deadline)
        if verbs.version is None and not verbs.has_requests:
            with self.console(deadline) as console:
                verbs.version = OsVersion.parse(console.version(deadline))
        return verbs.version or self.ask(requests.get_system_version(), deadline)

    def is_listening(self, deadline: Deadline) -> bool:
        """Ask whether the unit is in listening mode; one too old for the request is, if its console answers."""
        if self.knows(requests.get_device_mode(), deadline):
            return self.ask(requests.get_device_mode(), deadline)
        found = probe_console(self._open_console(deadline), deadline)
        if found is not None:
            self._control(deadline).version = found
        return found is not None

    def reach(self, goal: Goal, deadline: Deadline, kinds: frozenset[Kind] = EVERY_KIND) -> None:
        """Bring the unit into a mode by whatever it listens to, or its ways of ``kinds`` (`Holding.reach`)."""
        self._holding.reach(goal, deadline, kinds)

    def await_mode(self, goal: Goal, deadline: Deadline) -> None:
        """Wait until a person's hands have brought the unit into a mode; raises `DidNotReturn`, `Swapped`."""
        if goal is Goal.DFU:
            while self.mode is not Mode.DFU:
                with contextlib.suppress(OtherMode):
                    self._restarts.run("dfu by hand", Mode.DFU, deadline, lambda: True, deadline.remaining, tries=1)
        elif goal in (Goal.SAFE, Goal.RESTART):
            self._restarts.run(f"{goal} by hand", Mode.APPLICATION, deadline, lambda: True, deadline.remaining, tries=1)
        else:
            with self.port.expecting(f"{goal} by hand", deadline):
                self._holding.await_mode(goal, deadline)

    def enter_listening(self, deadline: Deadline) -> None:
        """Enter listening mode and wait until the unit confirms it; raises `NeedsHands` where it does not obey."""
        self.reach(Goal.LISTENING, deadline)

    def leave_listening(self, deadline: Deadline) -> bool:
        """Leave listening mode; return False when the unit is still in it after `OBEY_S`.

        A unit with Wi-Fi and no stored network stays in it or returns to it, which is not a fault
        (reference usb-and-serial 5.1).
        """
        try:
            self.reach(Goal.NORMAL, deadline)
        except NeedsHands:
            deadline.check("leave listening mode")
            return False
        return True

    def type_key(self, key: Key, deadline: Deadline) -> None:
        """Type a command that prints nothing into the console of a unit that listens."""
        with self._open_console(deadline) as console:
            console.press(key)

    def touch(self, baud: int, deadline: Deadline) -> None:
        """Set a line rate that the unit takes as a command. Raises `RateRefused`, `NotFound`."""
        touch_port(self._serial_host, self.device_id, self.port.port_path, baud, self._clock, deadline, self._cancel)

    def _open_console(self, deadline: Deadline) -> contextlib.AbstractContextManager[Console]:
        version = self._control(deadline).version
        knows = command_filter(self.platform_id, version) if version is not None else lambda _: True
        return open_console(
            self._serial_host, self.device_id, self.port.port_path, self._clock, deadline, self._cancel,
            self._trace, knows,
        )  # fmt: skip

    @contextlib.contextmanager
    def console(self, deadline: Deadline, *, is_listening: bool = False) -> Iterator[Console]:
        """Open the serial console, in listening mode (``is_listening``: as it has just said), and leave that again."""
        was_listening = is_listening or self.is_listening(deadline)
        try:
            if not was_listening:
                self.enter_listening(deadline)
            with self._open_console(deadline) as opened:
                self._prove(opened, deadline)
                yield opened
        except BaseException:
            if not was_listening:
                self.undo_listening()
            raise
        if not was_listening:
            self.leave_listening(deadline)

    def _prove(self, console: Console, deadline: Deadline) -> None:
        """Compare the Device ID once in each enumeration of a unit that only its console names. Raises `Swapped`."""
        if self.device_id is None or self.is_proved:
            return
        found = console.identify(deadline).device_id
        if found != self.device_id:
            raise swapped(self.where, self.device_id, found)
        self._proved = self.port.current

    def update_over_control(self, image: Image, deadline: Deadline, on_progress: Progress = no_progress) -> None:
        """Send ``image`` as a firmware update and wait until the unit is back from applying it.

        Returning does not mean success: the unit restarts in any case, so read module info afterwards
        (reference firmware-and-dfu 5.4). Failures another try may cure are retried, see `update.RETRIES`; a unit
        that was put into safe mode for that and fails again stays in safe mode until its next restart.
        Raises `RequestRejected` when the unit refused the module, `WriteRefused` when it is not for this unit.
        """
        Updating(self, self._clock, self._cancel, self._trace).run(image, deadline, on_progress)

    def undo_listening(self) -> None:
        """Leave listening mode after a failure, best effort. Never raises `DriverError`."""
        self.undo(requests.stop_listening())

    def undo(self, request: Request[None]) -> None:
        """Send ``request`` to clean up after a failure; errors are dropped, the failure itself says more.

        Uses its own time limit and no token: it matters most when the deadline has passed or we were cancelled.
        """
        deadline = Deadline.after(self._clock, UNDO_S)
        with contextlib.suppress(DriverError):
            self._control(deadline).ask(request, deadline=deadline)

    # --- DFU mode ---------------------------------------------------------------------------

    def dfu(self, deadline: Deadline) -> StagingDevice:
        """Return the opened bootloader, valid until ``deadline`` or a restart. Raises `LinkError` in another mode."""
        with self._released_when_gone():
            opened = self.open(deadline)
        if not isinstance(opened, StagingDevice):
            raise LinkError(f"{self.where} is not in DFU mode; enter it first")
        opened.deadline, opened.cancel = deadline, self._cancel
        return opened

    def _control(self, deadline: Deadline) -> ControlDevice:
        opened = self.open(deadline)
        if not isinstance(opened, ControlDevice):
            raise LinkError(f"{self.where} is in DFU mode and answers no requests; leave it first")
        return opened

    # --- restarts ---------------------------------------------------------------------------

    def enter_dfu(self, deadline: Deadline) -> None:
        """Restart into DFU mode, unless the unit is in it. Raises `NeedsHands`, `DidNotReturn`, `Swapped`."""
        self.reach(Goal.DFU, deadline)

    def leave_dfu(self, deadline: Deadline) -> None:
        """Restart into the firmware; does nothing when it is running. Raises `DidNotReturn`, `Swapped`."""
        opened = self.open(deadline)
        if isinstance(opened, StagingDevice):
            self._restarts.run("application", Mode.APPLICATION, deadline, lambda: self.dfu(deadline).leave())

    def reset(self, deadline: Deadline) -> None:
        """Restart and wait until the firmware answers again. Raises `NeedsHands`, `DidNotReturn`, `Swapped`."""
        self.reach(Goal.RESTART, deadline)

    def restart(
        self, reason: str, wanted: Mode, deadline: Deadline, act: Callable[[], bool], vanish_s: float = VANISH_S
    ) -> None:
        """Request a restart by ``act`` and wait for the unit in mode ``wanted``, as `Restarts.run`."""
        self._restarts.run(reason, wanted, deadline, act, vanish_s)

    def send_restart(self, request: Request[None], deadline: Deadline) -> bool:
        """Send a request that ends in a restart, as `ControlDevice.ask_restart`."""
        return self._control(deadline).ask_restart(request, deadline=deadline, cancel=self._cancel)

    def send_raw_restart(self, deadline: Deadline) -> bool:
        """Restart at once, without the system thread; returns False, as the reply does not tell."""
        self._control(deadline).raw_restart(deadline, self._cancel)
        return False

    @contextlib.contextmanager
    def _released_when_gone(self) -> Iterator[None]:
        """Close the handle when the unit has left, so that the next operation opens what is there then."""
        try:
            yield
        except (Disconnected, NotFound):
            self.close()
            raise
