"""The listening-mode console, device side: one-character commands, prompts, echo, flush.

Every command is a generator that yields to wait for a byte (``None``) or for time (seconds).
Its texts are part of the interface and are in ``wire.console.tables``. Reference usb-and-serial 5.
"""

from __future__ import annotations

import contextlib
import random
from collections import deque
from collections.abc import Callable

from ..platforms import OsVersion
from ..wire.console import tables
from .boot import BootRequest
from .flash import FlashFailed, Who
from .module_report import describe
from .sims import iccid_in_use
from .system import RunningSystem, diagnostics
from .wifi_dialogue import Digit, Line, Program, Terminal, store_network

_BUFFER = 256  # bytes of input buffer; more are lost
_BACKSPACES, _LINE_ENDS = b"\x08\x7f", b"\r\n"
_V6_0_0, _V6_2_0 = (OsVersion.parse(text) for text in ("6.0.0-0", "6.2.0-0"))
_FLOOD = "tick 0123456789 abcdefghijklmnopqrstuvwxyz\r\n"
_FLOOD_S = 0.01

CELL_RADIO = "R510S-02B-00 02.05,A00.01"


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
        """Receive bytes from the host; they are lost unless the unit is in listening mode and has room."""
        if self._program is not None:
            self._in.extend(data[: _BUFFER - len(self._in)])
            self._run()

    def set_dtr(self, is_on: bool) -> None:
        """Record that the host opened or closed the port; closing discards unread output."""
        was_open, self.port_is_open = self.port_is_open, is_on
        if not is_on:
            self._out.clear()
        elif not was_open and self._system.floods:
            self._flood()

    def _flood(self) -> None:
        """Print what fits into the buffer, again and again while the port is open and the application runs.

        It has one thread, which before 6.2.0 stands still in listening mode (reference usb-and-serial 5.1).
        """
        if not self.port_is_open:
            return
        if self._program is None or self._system.os >= _V6_2_0:
            self._print(_FLOOD * ((_BUFFER - len(self._out)) // len(_FLOOD)))
        self._system.board.after(_FLOOD_S, self._flood)

    @property
    def pending(self) -> int:
        return len(self._out)

    def take(self, max_bytes: int) -> bytes:
        piece = bytes(self._out[:max_bytes])
        del self._out[:max_bytes]
        return piece

    def emit_noise(self, seed: str) -> None:
        """Output random bytes, for an injected fault."""
        self._send(random.Random(seed).randbytes(16))

    # --- entering and leaving listening mode ---

    def open(self) -> None:
        """Begin to read commands, from an empty buffer: the unit entered listening mode."""
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
            if command is not None and self._system.board.spec.platform.knows_command(chr(key or 0), self._system.os):
                self.is_in_dialogue = True
                yield from command(self)
                self.is_in_dialogue = False

    def _line(self, prompt: str, limit: int) -> Line:
        """Read one line (5.5): echo, handle backspace, end at CR, LF or one byte too many, then flush."""
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

    def _digit(self, prompt: str, allowed: frozenset[int]) -> Digit:
        while True:
            answer = yield from self._line(prompt, 1)
            if answer.isdecimal() and int(answer) in allowed:
                return int(answer)

    # --- commands ---

    def _identify(self) -> Program:
        system, spec = self._system, self._system.board.spec
        has_serial = spec.serial is not None and spec.platform.reports("i.serial", system.os)
        is_alone = not has_serial and spec.platform.reports("i.your_id", system.os)
        self._print(f"{tables.OLD_ID_LINE if is_alone else tables.ID_LINE}{spec.device_id}\r\n")
        if has_serial or spec.platform.has_serial_numbers:
            self._print(f"{tables.SECRET}: {spec.mobile_secret.reveal()}\r\n")
        if has_serial:
            self._print(f"{tables.SERIAL}: {spec.serial}\r\n")
        if spec.imei is None:
            return
        is_fresh = spec.platform.reports("i.fresh", system.os)
        if is_fresh:  # powers up the modem and waits for it
            yield system.radio.modem_delay_s
        known = is_fresh or system.radio.modem_has_answered
        self._print(f"{tables.IMEI}: {spec.imei if known else ''}\r\n")
        self._print(f"{tables.ICCID}: {(known and iccid_in_use(spec, system.board.memory)) or ''}\r\n")
        if spec.platform.reports("i.cell_radio", system.os):
            self._print(f"{tables.CELL_RADIO}: {CELL_RADIO if known else ''}\r\n")

    def _mac(self) -> Program:
        mac = self._system.board.spec.mac
        self._print(tables.MAC_LINES.format(mac or "00:00:00:00:00:00"))
        yield from ()

    def _version(self) -> Program:
        self._print(tables.VERSION_LINE.format(self._system.os))
        yield from ()

    def _modules(self) -> Program:
        system, spec = self._system, self._system.board.spec
        identity, is_fresh = {}, spec.platform.reports("i.fresh", system.os)
        if spec.imei is not None and (is_fresh or system.radio.modem_has_answered):
            if is_fresh:
                yield system.radio.modem_delay_s
            identity = {"imei": str(spec.imei), "iccid": str(iccid_in_use(spec, system.board.memory) or "")}
            if spec.platform.reports("s.cellfw", system.os):
                identity["cellfw"] = CELL_RADIO
        self._print(describe(spec.platform_id, identity, system.report.modules) + "\r\n")

    def _claimed(self) -> Program:
        self._print(tables.CLAIMED_LINE.format("yes" if self._system.board.memory.dct.is_claimed else "no"))
        yield from ()

    def _claim_code(self) -> Program:
        code = yield from self._line(tables.CLAIM_CODE, tables.CLAIM_CODE_SIZE)
        if len(code) != tables.CLAIM_CODE_SIZE:
            self._print(tables.WRONG_CLAIM_CODE)
            return
        with contextlib.suppress(FlashFailed):  # the unit does not check the result
            self._system.board.memory.dct.set("claim_code", code.encode(), Who.CONSOLE)
        self._print(tables.CLAIM_CODE_SET.format(code))

    def _diagnostics(self) -> Program:
        self._print(diagnostics(self._system) + "\r\n")
        yield from ()

    def _flash(self) -> Program:
        self._print(tables.FLASHING)
        if self._system.os >= _V6_0_0:
            yield 0.1
            self._print(tables.NO_FLASHING)
            return
        while (yield None) != ord("a"):
            pass

    def _wifi(self) -> Program:
        self._leaves = yield from store_network(Terminal(self._print, self._line, self._digit), self._system)

    def _listen_safely(self) -> Program:
        """Restart into safe mode, and into listening mode there."""
        with contextlib.suppress(FlashFailed):  # then only into safe mode
            self._system.board.memory.dct.set_startup_listening(True, Who.CONSOLE)
        self._system.restart_after_check(BootRequest.SAFE)
        yield from ()

    def _exit(self) -> Program:
        self._leaves = True
        yield from ()


_COMMANDS: dict[str, Callable[[Console], Program]] = {
    tables.Key.IDENTITY: Console._identify,
    tables.Key.MAC: Console._mac,
    tables.Key.VERSION: Console._version,
    tables.Key.MODULES: Console._modules,
    tables.Key.CLAIMED: Console._claimed,
    tables.Key.CLAIM_CODE: Console._claim_code,
    tables.Key.DIAGNOSTICS: Console._diagnostics,
    tables.Key.FLASH: Console._flash,
    tables.Key.SAFE_MODE: Console._listen_safely,
    tables.Key.WIFI: Console._wifi,
    tables.Key.LEAVE: Console._exit,
}
