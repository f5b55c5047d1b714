"""A running Device OS: the software of a unit in normal, listening and safe mode, since its last boot.

It owns the state in RAM: open control requests, an update in progress, the console dialogue, the
radio's session. The Device OS version is that of the system part actually in flash.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from typing import NoReturn

from ..platforms import ModuleFunction, OsVersion
from ..wire.control.tables import PIECES_SINCE, RAW_REQUEST, REPLY_LENGTH, Raw
from ..wire.messages.tables import SimType
from ..wire.usb import Setup
from . import programs
from .board import Board
from .boot import BootMode, BootReport, BootRequest
from .bus import Stall
from .console_side import Console
from .control_service import ControlService, Outcome
from .dct import FEATURE_ETHERNET
from .descriptors import with_protection
from .endpoint import Answer
from .families import family_of
from .flash import FlashFailed, Who
from .ota import OtaUpdate
from .protection import Protection
from .radio import Radio
from .request_handlers import answer_request
from .session import Session
from .sims import SimStore

_V0_5_0, _V0_7_0, _V0_8_0 = (OsVersion.parse(text) for text in ("0.5.0-0", "0.7.0-0", "0.8.0-0"))
V5_2_0 = OsVersion.parse("5.2.0")
V6_0_0 = OsVersion.parse("6.0.0")

_DFU_BAUD, _LISTENING_BAUD = 14400, 28800
_FEATURE_NO_LISTENING = 0x08  # a cleared bit enables the feature (reference usb-and-serial 2.8)
_ALLOCATE_S = 0.0002
_APPLY_S = 0.1  # reference firmware-and-dfu 8.1
_CDC_OUT, _CDC_IN = 0x21, 0xA1
_SET_LINE_CODING, _GET_LINE_CODING, _SET_CONTROL_LINE_STATE = 0x20, 0x21, 0x22
_LINE_CODING = struct.Struct("<IBBB")  # rate, stop bits, parity, data bits; CDC PSTN 1.2 section 6.3.11
_RETRY_S = 0.1


def _refuse() -> NoReturn:
    raise Stall


class Application:
    """Created at boot, discarded at the next reset. All methods are called with the unit's condition held."""

    def __init__(self, board: Board, report: BootReport) -> None:
        self.board, self.report = board, report
        self.os = OsVersion.parse(report.system_version or "0.0.0")
        self.is_safe = report.mode is BootMode.SAFE
        flags = board.memory.dct.get("feature_flags")[0]
        self.has_ethernet = board.spec.has_ethernet and not flags & FEATURE_ETHERNET  # looked for at boot only
        self.is_listening = False
        self.is_rainbow = False  # the LED, as requests 230 and 231 set it
        self.started_at = board.clock.now()
        self.ota = OtaUpdate(board.memory, self._system_module_version())
        is_protected = report.is_protected and self.os >= V6_0_0
        self.protection = Protection(str(board.spec.device_id), is_protected, board.clock.now)
        self.radio = Radio(board, report, str(self.os), self.enter_listening, self._open_session)
        self.environment = dict(board.spec.environment)
        self.floods = not self.is_safe and programs.is_active(board.memory, programs.FLOODER)
        self.console = Console(self)
        self.service = ControlService(self, in_pieces=self.os >= PIECES_SINCE)
        self._family = family = family_of(board.spec.platform_id)
        self.descriptors = family.application_descriptors(board.spec.shown_platform, str(board.spec.device_id), self.os)
        since = family.application_tells_protection_since
        if since is not None and self.os >= since:
            self.descriptors = with_protection(self.descriptors, is_protected=is_protected)
        self._line = (9600, False)  # rate and DTR of the CDC port
        self._listened = 0  # how often it entered listening mode
        self._is_asleep = False  # the system thread waits for a requested restart
        self._free_at = 0.0  # clock seconds until which the system thread is busy

    def _system_module_version(self) -> int:
        system = ModuleFunction.SYSTEM_PART.value
        return next((m.version for m in self.report.modules if m.function == system), 0)

    def start(self) -> None:
        """Finish the boot: enter listening mode if setup was never done (H7) or on request, else connect."""
        if self._family.keeps_device_id:
            self.board.memory.dct.keep_device_id(str(self.board.spec.device_id), Who.SYSTEM)
        if self.has_setup_flag and not self.board.memory.dct.is_setup_done:
            self.enter_listening()
        if self.board.memory.dct.take_startup_listening() and (self.is_safe or self.os < _V0_7_0):
            self.enter_listening()
        if not self.is_listening:
            self.radio.connect()

    def stop(self) -> None:
        """End this boot: a reset or a power cut."""
        self._is_asleep = True
        self.radio.stop()

    def _open_session(self, bytes_per_s: float) -> Session:
        return Session(self.board, self.ota, bytes_per_s, self.apply_update, self._show_rainbow)

    def _show_rainbow(self, is_on: bool) -> None:
        self.is_rainbow = is_on

    # --- listening mode ---

    @property
    def has_setup_flag(self) -> bool:
        """Return whether this Device OS evaluates the setup-done flag (H7)."""
        before = self.board.spec.platform.setup_done_before
        return before is not None and self.os < before

    @property
    def may_listen(self) -> bool:
        """Return whether the feature flag allows listening mode."""
        return bool(self.board.memory.dct.get("feature_flags")[0] & _FEATURE_NO_LISTENING)

    def enter_listening(self) -> None:
        """Enter listening mode unless a feature flag forbids it; does nothing in it."""
        if self.may_listen and not self.is_listening:
            self.is_listening = True
            if not self.protection.is_active:  # a protected unit enters listening mode without its console
                self.console.open()
            self.radio.listening(True)
            self._limit_listening()

    def _limit_listening(self) -> None:
        """Leave by itself after a time, on platforms that do."""
        self._listened = session = self._listened + 1
        limit_s = self.board.spec.platform.listening_timeout_s
        if limit_s:
            self.board.after(limit_s, lambda: self.leave_listening() if session == self._listened else None)

    def leave_listening(self) -> None:
        """Return to normal mode; a Wi-Fi unit without a stored network re-enters at once (reference 5.1)."""
        if self.is_listening:
            self.is_listening = False
            self.console.close()
            self.radio.listening(False)

    def forget(self) -> None:
        """Reset the network settings, among them the SIM choice, and on Gen 3 that the unit was set up (H11)."""
        self.radio.store.clear(Who.SYSTEM)
        if SimStore(self.board.memory).active is not SimType.INTERNAL:
            SimStore(self.board.memory).set_active(SimType.INTERNAL, Who.SYSTEM)
        if self.has_setup_flag:
            self.board.memory.dct.set("setup_done", bytes([0]), Who.SYSTEM)

    # --- restarts ---

    def restart_after_check(self, request: BootRequest) -> None:
        """Let the system thread sleep for a second, then reset; no request is processed meanwhile (3.7)."""
        if not self._is_asleep:
            self._is_asleep = True
            self.board.restart(request, self.board.timings.restart_after_check_s)

    def apply_update(self) -> None:
        """Stage the received module for the next boot and reset, whatever the outcome (firmware-and-dfu 5.4)."""
        if not self._is_asleep:
            self._is_asleep = True
            seconds = 0.0
            with contextlib.suppress(FlashFailed):  # the unit does not report it (firmware-and-dfu 5.4)
                seconds = self.ota.apply().seconds
            self.board.restart(BootRequest.NORMAL, max(_APPLY_S, seconds))

    # --- the system thread ---

    def now(self) -> float:
        return self.board.clock.now()

    def allocate(self) -> float | None:
        return None if self._is_asleep else max(self.now(), self._free_at) + _ALLOCATE_S

    def run(self, request_type: int, payload: bytes, done: Callable[[Outcome, float], None]) -> None:
        """Process one request, or queue it behind the current one."""
        if self._is_asleep:
            return
        wait = self._free_at - self.now()
        if self.console.is_in_dialogue and self.os < V5_2_0:
            wait = _RETRY_S  # before 5.2.0 a console dialogue blocked the system thread (5.5)
        if wait > 0:
            self.board.after(wait, lambda: self.run(request_type, payload, done))
            return
        code = self.board.rejection()
        outcome = answer_request(self, request_type, payload) if code is None else Outcome(code)
        if outcome.is_lost:
            return
        self._free_at = self.now() + outcome.seconds
        if outcome.finish is None:
            done(outcome, self._free_at)
        else:
            finish = outcome.finish
            self.board.after(outcome.seconds, lambda: done(finish(), self.now()))

    # --- endpoint 0 ---

    def request(self, setup: Setup, data: bytes) -> Answer:
        """Answer vendor requests to the device: the service protocol, and the raw ones of 3.8."""
        if setup.request_type in (_CDC_OUT, _CDC_IN) and setup.index == self.descriptors.kernel_bound[0]:
            return Answer(self._cdc(setup, data))
        if setup.request_type & 0x7F != 0x40:
            raise Stall
        if self.descriptors.vendor_interface is None:
            return Answer(is_unfinished=True) if setup.request in self._family.mute_requests else _refuse()
        if setup.request == RAW_REQUEST:
            is_unfinished = not setup.is_in and setup.length == 0 and self.board.spec.platform.out_needs_data
            return Answer(self._raw(setup), is_unfinished=is_unfinished)
        since = self.board.spec.platform.requests_since
        if since is not None and self.os < since:
            raise Stall
        return Answer(self.service.handle(setup, data))

    def _raw(self, setup: Setup) -> bytes:
        is_known = self.board.spec.platform.knows_raw(setup.index, self.os)
        if setup.is_in:
            return self._raw_text(setup) if is_known else _refuse()
        action = self._raw_actions().get(setup.index) if is_known else None
        if action is not None:
            action(setup.value)
        elif setup.length == 0 or not self._family.swallows_raw_data:
            raise Stall  # with 1 to 64 data bytes an unknown index is accepted and ignored
        return b""

    def _raw_text(self, setup: Setup) -> bytes:
        """Return the text, which the first versions fill up with NULs; their Device ID came in binary too."""
        device_id, is_first = str(self.board.spec.device_id), self.os < _V0_8_0
        texts: dict[int, bytes] = {
            Raw.DEVICE_ID: device_id.upper().encode(),
            Raw.SYSTEM_VERSION: str(self.os).encode(),
        }
        text = texts.get(setup.index, b"")
        if is_first and setup.index == Raw.DEVICE_ID and setup.value == 1:
            text = bytes.fromhex(device_id)
        if not text or not len(text) <= setup.length <= REPLY_LENGTH:
            raise Stall
        return text.ljust(setup.length, b"\0") if is_first else text

    def _raw_actions(self) -> dict[int, Callable[[int], None]]:
        """Actions by wIndex; each gets wValue."""
        return {
            Raw.RESTART: lambda _: self.board.after(0.0, self.board.restart),
            Raw.DFU_MODE: lambda _: self.board.after(0.0, lambda: self.board.restart(BootRequest.DFU)),
            Raw.SAFE_MODE: lambda _: self.board.after(0.0, lambda: self.board.restart(BootRequest.SAFE)),
            Raw.LISTENING: self._raw_listening,
            Raw.CLOUD_DISCONNECT: lambda _: self.radio.disconnect(),
        }

    def _raw_listening(self, value: int) -> None:
        """Enter listening mode, in 0.6 by a restart; any other value but 0 leaves it again."""
        if self.os < _V0_7_0:
            with contextlib.suppress(FlashFailed):
                self.board.memory.dct.set_startup_listening(True, Who.CONTROL)
            self.board.after(0.0, self.board.restart)
        else:
            self.board.after(0.0, self.leave_listening if value else self.enter_listening)

    def _cdc(self, setup: Setup, data: bytes) -> bytes:
        """Answer the three requests a host's serial driver sends (CDC PSTN 1.2 section 6.3)."""
        if setup.request_type == _CDC_IN and setup.request == _GET_LINE_CODING:
            return _LINE_CODING.pack(self._line[0], 0, 0, 8)
        if setup.request_type == _CDC_OUT and setup.request == _SET_LINE_CODING and len(data) == _LINE_CODING.size:
            self.serial_line(baud=_LINE_CODING.unpack(data)[0], dtr=self._line[1])
        elif setup.request_type == _CDC_OUT and setup.request == _SET_CONTROL_LINE_STATE:
            self.serial_line(baud=self._line[0], dtr=bool(setup.value & 1))
        else:
            raise Stall
        return b""

    def set_configuration(self, value: int) -> None:
        """Accept the one configuration; setting it again changes nothing here."""

    def get_configuration(self) -> int:
        return 1

    def set_interface(self, interface: int, alternate: int) -> None:
        if interface >= self.descriptors.interfaces or alternate != 0:
            raise Stall

    def get_interface(self, interface: int) -> int:
        if interface >= self.descriptors.interfaces:
            raise Stall
        return 0

    def bus_reset(self) -> None:
        if not self._family.keeps_requests_over_bus_reset:
            self.service.abort_all()

    # --- the CDC port ---

    def serial_line(self, *, baud: int, dtr: bool) -> None:
        """Set rate and DTR: two magic rates switch modes (5.1); output is sent only while DTR is set (2.10)."""
        self._line = (baud, dtr)
        self.console.set_dtr(dtr)
        if baud == _DFU_BAUD:
            self.board.after(0.0, lambda: self.board.restart(BootRequest.DFU))
        elif baud == _LISTENING_BAUD and _V0_5_0 <= self.os < V6_0_0:
            self.enter_listening()
