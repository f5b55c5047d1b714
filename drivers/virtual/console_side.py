"""The listening-mode console as the unit runs it: one-character commands, prompts, echo, flush.

Every command is a small program that yields whenever it wants a byte (``None``) or time (seconds).
Texts are interface and stand here byte for byte. Reference usb-and-serial 5.
"""

from __future__ import annotations

import contextlib
import random
from collections import deque
from collections.abc import Callable, Generator

from ..identity import Secret
from ..platforms import OsVersion
from .boot import BootRequest
from .flash import FlashFailed, Who
from .module_report import describe
from .system import RunningSystem, diagnostics
from .world import Security, StoredNetwork

_BUFFER = 256  # bytes the unit can hold before it loses some
_BACKSPACES, _LINE_ENDS = b"\x08\x7f", b"\r\n"
_V2_1_0, _V5_5_0, _V5_6_0, _V6_0_0 = (OsVersion.parse(v) for v in ("2.1.0", "5.5.0", "5.6.0", "6.0.0"))

SSID = "SSID: "
SECURITY = "Security 0=unsecured, 1=WEP, 2=WPA, 3=WPA2: "
CIPHER = "Security Cipher 1=AES, 2=TKIP, 3=AES+TKIP: "
PASSWORD = "Password: "
SAVING = "Thanks! Wait while I save those credentials...\r\n\r\n"
SAVED = (
    "Awesome. Now we'll connect!\r\n\r\n"
    "If you see a pulsing cyan light, your device \r\n"
    "has connected to the Cloud and is ready to go!\r\n\r\n"
    "If your LED flashes red or you encounter any other problems,\r\n"
    "visit https://www.particle.io/support to debug.\r\n\r\n"
    "    Particle <3 you!\r\n\r\n"
)
NOT_SAVED = "Derp. Sorry, we couldn't save the credentials.\r\n\r\n"
CLAIM_CODE = "Enter 63-digit claim code: "
WRONG_CLAIM_CODE = "Sorry, claim code is not 63 characters long. Claim code unchanged.\r\n"
FLASHING = "Waiting for the binary file to be sent ... (press 'a' to abort)\r\n"
NO_FLASHING = "\x18\x18\x18\x18Serial/YModem flashing is no longer supported\r\n"
CELL_RADIO = "R510S-02B-00 02.05,A00.01"

_SECURITY_DIGITS = {0: Security.NONE, 1: Security.WEP, 2: Security.WPA, 3: Security.WPA2}
_WPA3_DIGIT = 6

Program = Generator[float | None, int | None, None]
Line = Generator[float | None, int | None, str]


class Console:
    """Input buffer, running program and output of one boot. Called with the unit's condition held."""

    def __init__(self, system: RunningSystem) -> None:
        self._system = system
        self.port_is_open = False  # DTR: without it the unit sends nothing
        self.is_in_dialogue = False
        self._in: deque[int] = deque()
        self._out = bytearray()
        self._program: Program | None = None
        self._is_paused = False
        self._session = 0
        self._leaves = False

    # --- the CDC port ---

    def receive(self, data: bytes) -> None:
        """Bytes from the host; lost unless the unit listens and has room."""
        if self._program is not None:
            self._in.extend(data[: _BUFFER - len(self._in)])
            self._run()

    def set_dtr(self, is_on: bool) -> None:
        """The host opened or closed its end; what nobody read is gone with the host's end."""
        self.port_is_open = is_on
        if not is_on:
            self._out.clear()

    @property
    def pending(self) -> int:
        return len(self._out)

    def take(self, max_bytes: int) -> bytes:
        piece = bytes(self._out[:max_bytes])
        del self._out[:max_bytes]
        return piece

    def emit_noise(self, seed: str) -> None:
        """Random bytes on the line, as an ordered fault puts them there."""
        self._send(random.Random(seed).randbytes(16))

    # --- listening mode begins and ends ---

    def open(self) -> None:
        self._session += 1
        self._in.clear()
        self._is_paused = self.is_in_dialogue = False
        self._program = self._main()
        next(self._program)

    def close(self) -> None:
        self._session += 1
        self._program = None
        self.is_in_dialogue = False

    # --- running the program ---

    def _run(self) -> None:
        while self._program is not None and self._in and not self._is_paused:
            self._step(self._in.popleft())

    def _step(self, value: int | None) -> None:
        assert self._program is not None
        pause = self._program.send(value)
        if self._leaves:
            self._leaves = False
            self._system.leave_listening()
        elif pause is not None:
            self._is_paused, session = True, self._session
            self._system.board.after(pause, lambda: self._resume(session))

    def _resume(self, session: int) -> None:
        if session == self._session:
            self._is_paused = False
            self._step(None)
            self._run()

    def _send(self, data: bytes) -> None:
        if self.port_is_open:
            self._out += data
            self._system.board.output_ready()

    def _print(self, text: str) -> None:
        self._send(text.encode())

    def _main(self) -> Program:
        while True:
            key = yield None
            command = _COMMANDS.get(chr(key or 0))
            if command is not None:
                self.is_in_dialogue = True
                yield from command(self)
                self.is_in_dialogue = False

    def _line(self, prompt: str, limit: int) -> Line:
        """Read one line as 5.5 says: echo, backspace, end on CR, LF or one byte too many, then flush."""
        self._print(prompt)
        line = bytearray()
        while True:
            byte = (yield None) or 0
            if byte in _LINE_ENDS or (len(line) == limit and byte not in _BACKSPACES):
                break
            if byte in _BACKSPACES:
                if not line:
                    continue
                line.pop()
            else:
                line.append(byte)
            self._send(bytes([byte]))
        self._print("\r\n")
        self._in.clear()
        return line.decode("utf-8", "replace")

    def _digit(self, prompt: str, allowed: frozenset[int]) -> Generator[float | None, int | None, int]:
        while True:
            answer = yield from self._line(prompt, 1)
            if answer.isdecimal() and int(answer) in allowed:
                return int(answer)

    # --- commands ---

    def _identify(self) -> Program:
        system, spec = self._system, self._system.board.spec
        self._print(f"Device ID: {spec.device_id}\r\n")
        self._print(f"Device Secret: {spec.mobile_secret.reveal()}\r\n")
        self._print(f"Serial Number: {spec.serial or ''}\r\n")
        if spec.imei is None:
            return
        if system.os < _V5_6_0:  # switches the modem on and waits for it
            yield system.radio.modem_delay_s
        known = system.os < _V5_6_0 or system.radio.modem_has_answered
        self._print(f"IMEI: {spec.imei if known else ''}\r\n")
        self._print(f"ICCID: {spec.iccid if known else ''}\r\n")
        if system.os >= _V2_1_0:
            self._print(f"Cell Radio Version: {CELL_RADIO if known else ''}\r\n")

    def _mac(self) -> Program:
        mac = self._system.board.spec.mac
        self._print(f"Your device MAC address is\r\n{mac or '00:00:00:00:00:00'}\r\n")
        yield from ()

    def _version(self) -> Program:
        self._print(f"system firmware version: {self._system.os}\n\r\n")
        yield from ()

    def _modules(self) -> Program:
        system, spec = self._system, self._system.board.spec
        identity = {}
        if spec.imei is not None and (system.os < _V5_6_0 or system.radio.modem_has_answered):
            if system.os < _V5_6_0:
                yield system.radio.modem_delay_s
            identity = {"imei": str(spec.imei), "iccid": str(spec.iccid), "cellfw": CELL_RADIO}
        self._print(describe(spec.platform_id, identity, system.report.modules) + "\r\n")

    def _claimed(self) -> Program:
        self._print(f"Device claimed: {'yes' if self._system.board.memory.dct.is_claimed else 'no'}\r\n")
        yield from ()

    def _claim_code(self) -> Program:
        code = yield from self._line(CLAIM_CODE, 63)
        if len(code) != 63:
            self._print(WRONG_CLAIM_CODE)
            return
        with contextlib.suppress(FlashFailed):  # the unit does not look whether it worked
            self._system.board.memory.dct.set("claim_code", code.encode(), Who.CONSOLE)
        self._print(f"Claim code set to: {code}\r\n")

    def _diagnostics(self) -> Program:
        self._print(diagnostics(self._system) + "\r\n")
        yield from ()

    def _flash(self) -> Program:
        self._print(FLASHING)
        if self._system.os >= _V6_0_0:
            yield 0.1
            self._print(NO_FLASHING)
            return
        while (yield None) != ord("a"):
            pass

    def _wifi(self) -> Program:
        """Store a network without trying it; the scan only saves questions (5.5)."""
        if not self._system.board.spec.platform.has_wifi:
            return
        ssid = ""
        while not ssid:
            ssid = yield from self._line(SSID, 32)
        yield self._system.board.timings.wifi_scan_s
        point = self._system.board.world.access_points.get(ssid)
        security = point.security if point is not None else (yield from self._ask_security())
        if security in (Security.NONE, Security.WEP) or point is None:
            yield from self._digit(CIPHER, frozenset({1, 2, 3}))
        password = ""
        if security is not Security.NONE:
            password = yield from self._line(PASSWORD, 64)
        self._print(SAVING)
        network = StoredNetwork(ssid, Secret(password) if password else None, security)
        try:
            yield self._system.radio.store.add(network, Who.CONSOLE)
        except FlashFailed:
            self._print(NOT_SAVED)
            return
        self._print(SAVED)
        self._leaves = True

    def _ask_security(self) -> Generator[float | None, int | None, Security]:
        knows_wpa3 = self._system.os >= _V5_5_0
        allowed = frozenset(_SECURITY_DIGITS) | ({_WPA3_DIGIT} if knows_wpa3 else frozenset())
        digit = yield from self._digit(SECURITY, allowed)
        return _SECURITY_DIGITS.get(digit, Security.WPA3)

    def _listen_safely(self) -> Program:
        """Restart into safe mode and listen there."""
        with contextlib.suppress(FlashFailed):  # then it is safe mode alone
            self._system.board.memory.dct.set_startup_listening(True, Who.CONSOLE)
        self._system.restart_after_check(BootRequest.SAFE)
        yield from ()

    def _exit(self) -> Program:
        self._leaves = True
        yield from ()


_COMMANDS: dict[str, Callable[[Console], Program]] = {
    "i": Console._identify,
    "m": Console._mac,
    "v": Console._version,
    "s": Console._modules,
    "c": Console._claimed,
    "C": Console._claim_code,
    "d": Console._diagnostics,
    "f": Console._flash,
    "L": Console._listen_safely,
    "w": Console._wifi,
    "x": Console._exit,
}
