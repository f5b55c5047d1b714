"""The DFU interface of a Gen 2 bootloader, where it differs from the later ones.

A refused or failed operation stalls the GETSTATUS that started it and leaves no error behind; nothing but
CLRSTATUS ever leads to dfuERROR. Reference firmware-and-dfu 1.3, 1.4 and 1.8 (Gen 2 column).
"""

from __future__ import annotations

from ..platforms import ModuleFunction, platform
from ..wire.dfu.tables import COMMAND_BLOCK, FIRST_BLOCK, TRANSFER_SIZE, DfuseCommand, DfuState, DfuStatusCode
from ..wire.usb import Setup
from .dfu_function import ABORTABLE, DfuFunction, DfuReply
from .flash import FlashFailed, NorFlash, Who
from .inventory import find_at

_NO_STATE = 15  # what UPLOAD of block 1 leaves behind
_PROTECTED = range(0x0800_0000, 0x0802_0000)  # whatever memory is selected
_ROUNDS = 3  # of programming and comparing, before a block counts as failed
_WORD = 4
_OLD_POLL_MS = 50
_DCT_ERASE_MS, _DCT_OTHER_MS = 500, 1
_DCT_SINCE = 200  # module version of the first system parts that hold the code for the configuration memory
_COMMANDS = bytes([DfuseCommand.GET_COMMANDS, DfuseCommand.SET_ADDRESS, DfuseCommand.ERASE])


class _Refused(Exception):
    """The operation does not happen; GETSTATUS is stalled."""


class Stm32DfuFunction(DfuFunction):
    """The DFU interface of this family."""

    def _illegal(self) -> DfuReply:
        """Stall what does not fit the state, and change nothing."""
        return DfuReply(stall=True)

    def _upload(self, setup: Setup, _: bytes) -> DfuReply:
        if setup.length == 0:
            self._state = DfuState.IDLE
            return DfuReply()
        if self._state not in (DfuState.IDLE, DfuState.UPLOAD_IDLE) or setup.length > TRANSFER_SIZE:
            self._pending = b""
            return self._illegal()
        if setup.value == COMMAND_BLOCK:
            self._state = DfuState.IDLE if setup.length > len(_COMMANDS) else DfuState.UPLOAD_IDLE
            return DfuReply(_COMMANDS[: setup.length])
        if setup.value < FIRST_BLOCK:
            self._state = _NO_STATE
            return self._illegal()
        self._state = DfuState.UPLOAD_IDLE
        return DfuReply(self._read(self._block_address(setup.value), setup.length))

    def _get_status(self, setup: Setup, _: bytes) -> DfuReply:
        if self._state == DfuState.MANIFEST_SYNC:
            self._state = DfuState.MANIFEST_WAIT_RESET  # but says something else, for the sake of a tool's output
            return DfuReply(self._status_bytes(DfuState.DNLOAD_IDLE)[: setup.length], leaving=True)
        if self._state == DfuState.DNLOAD_SYNC and self._pending:
            reply = self._busy_bytes()[: setup.length]
            try:
                seconds = self._run_pending()
            except (_Refused, FlashFailed):
                return DfuReply(stall=True)
            finally:
                self._pending = b""
            return DfuReply(reply, seconds=seconds)
        if self._state == DfuState.DNLOAD_SYNC:
            self._state = DfuState.DNLOAD_IDLE
        return DfuReply(self._status_bytes(self._state)[: setup.length])

    def _clear_status(self, _setup: Setup, _: bytes) -> DfuReply:
        """Outside dfuERROR this is the error, though not stalled."""
        is_error = self._state == DfuState.ERROR
        self._state = DfuState.IDLE if is_error else DfuState.ERROR
        self._status = DfuStatusCode.OK if is_error else DfuStatusCode.ERR_UNKNOWN
        return DfuReply()

    def _get_state(self, setup: Setup, _: bytes) -> DfuReply:
        return DfuReply(bytes([self._state])[: setup.length])

    def _abort(self, _setup: Setup, _: bytes) -> DfuReply:
        """Ignore it, without a stall, where it has no place."""
        if self._state in ABORTABLE:
            self._state, self._status, self._pending = DfuState.IDLE, DfuStatusCode.OK, b""
        return DfuReply()

    # --- operations --------------------------------------------------------------------------

    def _busy_bytes(self) -> bytes:
        """Say dfuDNBUSY and how long to wait. Erasing and writing have changed places for the configuration memory."""
        is_erase = self._block == COMMAND_BLOCK and self._pending[0] == DfuseCommand.ERASE
        if self._chip() is None:
            poll_ms = _DCT_ERASE_MS if is_erase else _DCT_OTHER_MS
        else:
            poll_ms = 0 if self._version >= self._milestones.no_poll_time else _OLD_POLL_MS
        return bytes([self._status, *poll_ms.to_bytes(3, "little"), DfuState.DNBUSY, 0])

    def _run_pending(self) -> float:
        """Work on the received block; return seconds."""
        if self._block == COMMAND_BLOCK:
            return self._command(self._pending[0], self._pending[1:])
        if self._block < FIRST_BLOCK:
            return 0.0  # block 1 is taken and forgotten
        return self._write(self._block_address(self._block), self._pending)

    def _command(self, command: int, argument: bytes) -> float:
        if command == DfuseCommand.GET_COMMANDS and not argument:
            return 0.0
        if len(argument) != 4 or command not in (DfuseCommand.SET_ADDRESS, DfuseCommand.ERASE):
            raise _Refused
        self._pointer = int.from_bytes(argument, "little")
        return self._erase_at(self._pointer) if command == DfuseCommand.ERASE else 0.0

    def _erase_at(self, address: int) -> float:
        chip = self._chip()
        self._check(chip, address)
        return 0.0 if chip is None else chip.erase_page(address, Who.DFU)

    def _write(self, address: int, data: bytes) -> float:
        chip = self._chip()
        self._check(chip, address)
        if chip is None:
            return self._write_dct(address, data)
        data = data.ljust(-(-len(data) // _WORD) * _WORD, b"\xff")
        if not chip.holds(address, len(data)):
            raise _Refused
        seconds = 0.0
        for _ in range(_ROUNDS):
            try:
                seconds += chip.program(address, data, Who.DFU)
            except FlashFailed:
                continue
            if chip.read(address, len(data)) == data:
                return seconds
        raise _Refused

    def _write_dct(self, address: int, data: bytes) -> float:
        if not self._reaches_dct() or address + len(data) > self._memory.layout.dct_limit:
            raise _Refused
        return self._memory.dct.write(address, data, Who.DFU)

    def _check(self, chip: NorFlash | None, address: int) -> None:
        """The first byte alone is looked at."""
        is_there = address < self._memory.layout.dct_limit if chip is None else chip.holds(address, 1)
        if not is_there or address in _PROTECTED:
            raise _Refused

    def _read(self, address: int, length: int) -> bytes:
        """Where nothing can be read, zeros come back."""
        chip = self._chip()
        if chip is None:
            content = self._memory.dct.read(address, length) if self._reaches_dct() else b"\0" * length
            inside = max(0, min(length, self._memory.layout.dct_limit - address))
            return content.ljust(inside, b"\xff").ljust(length, b"\0")
        inside = max(0, min(length, chip.end - address)) if address >= chip.base else 0
        return (chip.read(address, inside) if inside else b"").ljust(length, b"\0")

    def _reaches_dct(self) -> bool:
        """Newer bootloaders of units with Wi-Fi borrow the code from whole, not too old system parts."""
        if self._version < platform(self._memory.platform_id).dct_through_system_parts:
            return True
        one, two = (find_at(self._memory, (ModuleFunction.SYSTEM_PART.value, index)) for index in (1, 2))
        if one is None or two is None or two.header.version < _DCT_SINCE:
            return False
        return all(
            one.header.version >= d.version for d in two.dependencies if (d.function, d.index) == one.header.kind
        )
