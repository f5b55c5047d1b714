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
    BadIdentity,
    Cancelled,
    DeadlineExceeded,
    DeviceRefused,
    Disconnected,
    DriverError,
    LinkError,
    NotFound,
    OutcomeUnknown,
    OutOfRequests,
    ProtectionUnknown,
    RemoteProtocolError,
    RequestRejected,
    Stalled,
    Swapped,
    TransferFailed,
    TransferTimeout,
)
from ..hotplug import PortWatch
from ..identity import DeviceId
from ..platforms import OsVersion
from ..transport import SerialHost, UsbCandidate
from ..wire import requests
from ..wire.actions import Transfer
from ..wire.image.host import Image
from ..wire.messages.system import Protection
from ..wire.patience import is_repeatable, standing
from ..wire.requests import Request
from ..wire.usb import Mode
from .asking import command_filter, knows_request, require, restart_transfer
from .console import Console, open_console
from .control import ControlDevice
from .dfu import DfuDevice
from .dialogue import Progress, Trace, no_progress, no_trace
from .opening import Opened, Opener, Verbs
from .restarting import MODE_POLL_S, VANISH_S, OtherMode, Restarts
from .update import RETRY_PAUSE_S, First, Retries, apply_s, check_module, send_update

T = TypeVar("T")

LISTENING_SETTLE_S = 1.0
"""Between entering listening mode and an update, for the network to stop (reference firmware-and-dfu 5.3)."""
LEAVE_LISTENING_S = 10.0
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
        self._serial_host, self._clock, self._cancel = serial_host, clock, cancel
        self._trace = trace or no_trace
        self._opened: Opened | None = None
        self._restarts = Restarts(self, clock, cancel, self._trace)
        current = port.current
        self._platform_id = None if current is None else current.usb_id.platform_id

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

    # --- identity ---------------------------------------------------------------------------

    def identify(self, deadline: Deadline) -> DeviceId:
        """Read the Device ID from the first source that has it, and bind this object to that unit.

        Sources: serial string; then, in application mode, raw request, request 20 and console. Raises `Swapped`
        when this object is already bound to another unit, `RemoteProtocolError` when no source has one.
        """
        if self.device_id is not None:
            self.close()
        verbs = self.open(deadline)
        if self.device_id is None:
            serial_id = self._opened.serial_id if self._opened else None
            self.device_id = serial_id or self._ask_id(verbs, deadline)
        return self.device_id

    def _ask_id(self, verbs: Verbs, deadline: Deadline) -> DeviceId:
        sources: list[Callable[[], str]] = []
        if isinstance(verbs, ControlDevice):
            sources = [
                lambda: verbs.raw_device_id(deadline, self._cancel),
                lambda: str(verbs.ask(requests.get_device_id(), deadline=deadline, cancel=self._cancel)),
                lambda: self._console_id(deadline),
            ]
        for source in sources:
            with contextlib.suppress(
                BadIdentity, DeviceRefused, RemoteProtocolError, Stalled, TransferTimeout, NotFound
            ):
                return DeviceId.parse(source())
        raise RemoteProtocolError(f"{self.where} did not report a Device ID; hand it to the technician")

    def _console_id(self, deadline: Deadline) -> str:
        with self.console(deadline) as console:
            return str(console.identify(deadline).device_id or "")

    def protection(self, deadline: Deadline) -> Protection:
        """Read whether the unit is under device protection, in either mode (reference firmware-and-dfu 9.1).

        A Device OS without that request has no protection either. A refusal proves nothing and raises
        `ProtectionUnknown`: even a protected unit answers this request.
        """
        verbs = self.open(deadline)
        if isinstance(verbs, DfuDevice):
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
        self._platform_id = shown if self._platform_id is None else self._platform_id
        if shown != self._platform_id:
            self.close()
            raise Swapped(
                f"{self.where} shows platform {shown}, it was {self._platform_id}; plug the first one in again",
                expected=str(self.device_id or ""),
                found="",
            )
        return current

    def open(self, deadline: Deadline) -> Verbs:
        """Open what is on the port now; once this object is bound to a unit, check that it is that one."""
        candidate = self.present()
        if self._opened is None or self._opened.candidate is not candidate:
            self.close()
            opener = Opener(self._clock, self._cancel, self._trace)
            self._opened = opener.open(candidate, self.device_id, lambda: self.port.current is candidate, deadline)
        return self._opened.verbs

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
        return knows_request(self._platform_id, request.type_id, lambda: self.os_version(deadline))

    def os_version(self, deadline: Deadline) -> OsVersion:
        """Read the Device OS version, from the raw request or request 30."""
        return self._control(deadline).version or self.ask(requests.get_system_version(), deadline)

    def is_listening(self, deadline: Deadline) -> bool:
        """Read whether the unit is in listening mode."""
        return self.ask(requests.get_device_mode(), deadline)

    def enter_listening(self, deadline: Deadline) -> None:
        """Enter listening mode and wait until the unit reports it; `RequestRejected` with -130 where it is disabled."""
        self.ask(requests.start_listening(), deadline)
        self._await_listening(True, deadline)

    def leave_listening(self, deadline: Deadline) -> bool:
        """Leave listening mode; return False when the unit is still in it after `LEAVE_LISTENING_S`.

        A unit with Wi-Fi and no stored network stays in it or returns to it, which is not a fault
        (reference usb-and-serial 5.1).
        """
        self.ask(requests.stop_listening(), deadline)
        try:
            self._await_listening(False, deadline.sooner(LEAVE_LISTENING_S))
        except DeadlineExceeded:
            deadline.check("leave listening mode")
            return False
        return True

    def _await_listening(self, wanted: bool, deadline: Deadline) -> None:
        while self.is_listening(deadline) != wanted:
            deadline.check("enter listening mode" if wanted else "leave listening mode")
            self._clock.sleep(min(MODE_POLL_S, deadline.remaining), self._cancel)

    @contextlib.contextmanager
    def console(self, deadline: Deadline) -> Iterator[Console]:
        """Open the serial console; enters listening mode for it if needed and leaves it again afterwards."""
        was_listening = self.is_listening(deadline)
        try:
            if not was_listening:
                self.enter_listening(deadline)
            knows = command_filter(self._platform_id, self.os_version(deadline))
            with open_console(
                self._serial_host, self.device_id, self.port.port_path, self._clock, deadline, self._cancel,
                self._trace, knows,
            ) as opened:  # fmt: skip
                yield opened
        except BaseException:
            if not was_listening:
                self.undo_listening()
            raise
        if not was_listening:
            self.leave_listening(deadline)

    def update_over_control(self, image: Image, deadline: Deadline, on_progress: Progress = no_progress) -> None:
        """Send ``image`` as a firmware update and wait until the unit is back from applying it.

        Returning does not mean success: the unit restarts in any case, so read module info afterwards
        (reference firmware-and-dfu 5.4). Failures another try may cure are retried, see `RETRIES`; a unit
        that was put into safe mode for that and fails again stays in safe mode until its next restart.
        Raises `RequestRejected` when the unit refused the module, `WriteRefused` when it is not for this unit.
        """
        platform_id = self.present().usb_id.platform_id or 0
        check_module(platform_id, image)
        retries = Retries()
        while True:
            try:
                return self._update(image, deadline, on_progress)
            except (RequestRejected, OutOfRequests, OutcomeUnknown, Stalled, TransferFailed, TransferTimeout) as error:
                retry = retries.after(error)
                if retry is None or deadline.remaining <= RETRY_PAUSE_S:
                    if isinstance(error, RequestRejected):
                        raise standing(error) from error
                    raise
                self._trace(f"update: {error}; trying again")
            self._clock.sleep(RETRY_PAUSE_S, self._cancel)
            if retry.first is First.RESET:
                self.reset(deadline)
            elif retry.first is First.SAFE_MODE:
                self._restart_by_request("safe mode", requests.safe_mode(), deadline)

    def _update(self, image: Image, deadline: Deadline, on_progress: Progress) -> None:
        with self._quiet(deadline):
            try:
                send_update(self, image, deadline, on_progress)
            except Cancelled:
                self._undo(requests.cancel_firmware_update())
                raise
            finish = requests.finish_firmware_update(validate_only=False)
            self._restart_by_request("update", finish, deadline, vanish_s=apply_s(image.function))

    @contextlib.contextmanager
    def _quiet(self, deadline: Deadline) -> Iterator[None]:
        """Hold the unit in listening mode, if it allows that, to keep its network quiet; undone if the block fails.

        If the block succeeds, the unit has restarted into whatever mode it chooses.
        """
        was_listening = self.is_listening(deadline)
        try:
            if not was_listening:
                with contextlib.suppress(RequestRejected):
                    self.enter_listening(deadline)
                    self._clock.sleep(min(LISTENING_SETTLE_S, deadline.remaining), self._cancel)
            yield
        except BaseException:
            if not was_listening:
                self.undo_listening()
            raise

    def undo_listening(self) -> None:
        """Leave listening mode after a failure, best effort. Never raises `DriverError`."""
        self._undo(requests.stop_listening())

    def _undo(self, request: Request[None]) -> None:
        """Send ``request`` to clean up after a failure; errors are dropped, the failure itself says more.

        Uses its own time limit and no token: it matters most when the deadline has passed or we were cancelled.
        """
        deadline = Deadline.after(self._clock, UNDO_S)
        with contextlib.suppress(DriverError):
            self._control(deadline).ask(request, deadline=deadline)

    # --- DFU mode ---------------------------------------------------------------------------

    def dfu(self, deadline: Deadline) -> DfuDevice:
        """Return the opened `DfuDevice`, valid until ``deadline`` or a restart. Raises `LinkError` in another mode."""
        with self._released_when_gone():
            opened = self.open(deadline)
        if not isinstance(opened, DfuDevice):
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
        """Restart into DFU mode; does nothing when the unit is in it. Raises `DidNotReturn`, `Swapped`."""
        if isinstance(self.open(deadline), ControlDevice):
            self._restart_by_request("dfu", requests.enter_dfu(), deadline, wanted=Mode.DFU)

    def await_dfu(self, deadline: Deadline) -> None:
        """Wait until a person has put the unit into DFU mode with its buttons, however many tries that takes.

        Raises `DidNotReturn`, `Swapped`.
        """
        while self.mode is not Mode.DFU:
            with contextlib.suppress(OtherMode):
                self._restarts.run("dfu by hand", Mode.DFU, deadline, lambda: True, deadline.remaining, tries=1)

    def leave_dfu(self, deadline: Deadline) -> None:
        """Restart into the firmware; does nothing when it is running. Raises `DidNotReturn`, `Swapped`."""
        opened = self.open(deadline)
        if isinstance(opened, DfuDevice):
            self._restarts.run("application", Mode.APPLICATION, deadline, lambda: self.dfu(deadline).leave())

    def reset(self, deadline: Deadline) -> None:
        """Restart and wait until the firmware answers again. Raises `DidNotReturn`, `Swapped`."""
        if isinstance(self.open(deadline), DfuDevice):
            self.leave_dfu(deadline)
        else:
            raw = restart_transfer(self._platform_id, self._control(deadline).version)
            self._restart_by_request("application", requests.reset(), deadline, raw=raw)

    def _restart_by_request(
        self,
        reason: str,
        request: Request[None],
        deadline: Deadline,
        *,
        wanted: Mode = Mode.APPLICATION,
        vanish_s: float = VANISH_S,
        raw: Transfer | None = None,
    ) -> None:
        require(self, request, deadline)

        def send() -> bool:
            return self._control(deadline).ask_restart(request, deadline=deadline, cancel=self._cancel, raw=raw)

        self._restarts.run(reason, wanted, deadline, send, vanish_s)

    @contextlib.contextmanager
    def _released_when_gone(self) -> Iterator[None]:
        """Close the handle when the unit has left, so that the next operation opens what is there then."""
        try:
            yield
        except (Disconnected, NotFound):
            self.close()
            raise
