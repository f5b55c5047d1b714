"""The DFU interface of a Gen 3 or Gen 4 bootloader, including its quirks.

The device side of DFU 1.1 with DfuSe commands, without enumeration, strings or time. Reference
firmware-and-dfu 1 (Gen 3 column) and 9.1, usb-and-serial 2.6. Service mode is not modelled: a protected unit stays so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..platforms import platform
from ..wire.dfu.tables import (
    CLASS_IN,
    CLASS_OUT,
    COMMAND_BLOCK,
    FIRST_BLOCK,
    TRANSFER_SIZE,
    DfuRequest,
    DfuseCommand,
    DfuState,
    DfuStatusCode,
)
from ..wire.usb import Setup
from .descriptors import ERROR_STRING
from .flash import FlashFailed, NorFlash, Who
from .layout import Chip
from .memory import UnitMemory

MANIFEST_S = 0.5
"""Seconds between the GETSTATUS that returns dfuMANIFEST and the reset, where a tick is a millisecond."""

ABORTABLE = frozenset(
    {DfuState.IDLE, DfuState.DNLOAD_SYNC, DfuState.DNLOAD_IDLE, DfuState.MANIFEST_SYNC, DfuState.UPLOAD_IDLE}
)
_MUTE = frozenset({DfuState.DNBUSY, DfuState.MANIFEST, DfuState.MANIFEST_WAIT_RESET})  # GETSTATE is an error there


@dataclass(frozen=True, slots=True)
class DfuReply:
    """Reply to one class request."""

    data: bytes = b""
    stall: bool = False
    seconds: float = 0.0  # the flash is busy that long after this reply; transfers are NAKed until then
    leaving: bool = False  # reset a moment from now (`Family.leave_s`)
    safe_mode: bool = False  # ... into safe mode


class _Failed(Exception):
    """The operation ends in dfuERROR with ``status``."""

    def __init__(self, status: DfuStatusCode) -> None:
        super().__init__(status.name)
        self.status = status


class DfuFunction:
    """One unit's DFU interface since it entered DFU mode. Lives in RAM; does not catch `PowerLost` from a fault."""

    def __init__(self, memory: UnitMemory, bootloader_version: int, *, is_protected: bool = False) -> None:
        self._memory = memory
        self._version, self._milestones = bootloader_version, platform(memory.platform_id).bootloader
        self._is_protected = is_protected
        self._buffer = bytearray(TRANSFER_SIZE)  # not cleared between transfers
        self._requests: dict[tuple[int, int], Callable[[Setup, bytes], DfuReply]] = {
            (CLASS_OUT, DfuRequest.DNLOAD): self._download,
            (CLASS_IN, DfuRequest.UPLOAD): self._upload,
            (CLASS_IN, DfuRequest.GETSTATUS): self._get_status,
            (CLASS_OUT, DfuRequest.CLRSTATUS): self._clear_status,
            (CLASS_IN, DfuRequest.GETSTATE): self._get_state,
            (CLASS_OUT, DfuRequest.ABORT): self._abort,
        }
        self._commands: dict[int, Callable[[bytes], float]] = {
            DfuseCommand.SET_ADDRESS: self._set_address,
            DfuseCommand.ERASE: self._erase,
        }
        if bootloader_version >= self._milestones.clear_override_command:
            self._commands[DfuseCommand.CLEAR_OVERRIDE] = lambda _: 0.0
        self.set_configuration()

    @property
    def state(self) -> int:
        return self._state

    @property
    def alternate(self) -> int:
        return self._alternate

    def set_configuration(self) -> None:
        """Reset the class as SET_CONFIGURATION(1) does: dfuIDLE, OK, pointer 0, alternate setting 0."""
        self._state: int = DfuState.IDLE
        self._status = DfuStatusCode.OK
        self._pointer, self._alternate = 0, 0
        self._block, self._pending = 0, b""

    def set_interface(self, alternate: int) -> bool:
        """Handle SET_INTERFACE; return False (stall) for an unknown setting. State and pointer do not change."""
        if alternate not in self._memory.layout.alternates:
            return False
        self._alternate = alternate
        return True

    def handle(self, setup: Setup, data: bytes = b"") -> DfuReply:
        """Answer one class request to interface 0 (request type 0x21 or 0xA1); ``data`` is the OUT data stage."""
        if setup.index != 0:
            return DfuReply(stall=True)
        request = self._requests.get((setup.request_type, setup.request))
        return request(setup, data) if request else self._illegal()

    # --- requests ----------------------------------------------------------------------------

    def _download(self, setup: Setup, data: bytes) -> DfuReply:
        if self._state not in (DfuState.IDLE, DfuState.DNLOAD_IDLE) or setup.length > TRANSFER_SIZE:
            return self._illegal()
        if setup.length == 0:
            self._state = DfuState.MANIFEST_SYNC
            return DfuReply()
        self._buffer[: len(data)] = data
        self._block, self._pending = setup.value, data
        self._state = DfuState.DNLOAD_SYNC
        return DfuReply()

    def _upload(self, setup: Setup, _: bytes) -> DfuReply:
        if self._state not in (DfuState.IDLE, DfuState.UPLOAD_IDLE) or not 0 < setup.length <= TRANSFER_SIZE:
            return self._illegal()
        if setup.value == COMMAND_BLOCK:
            self._state = DfuState.IDLE
            return DfuReply(self._known_commands()[: setup.length])
        try:
            content = self._read(self._block_address(setup.value), setup.length)
        except _Failed as failed:
            self._fail(failed.status)
            return DfuReply(stall=True)
        self._state = DfuState.UPLOAD_IDLE
        return DfuReply(content)

    def _get_status(self, setup: Setup, _: bytes) -> DfuReply:
        """Return the status; also executes a received block, or leaves DFU mode if that was requested."""
        wants_safe_mode = self._state is DfuState.DNLOAD_SYNC and self._is_safe_mode_command()
        if wants_safe_mode or self._state is DfuState.MANIFEST_SYNC:
            reply = self._status_bytes(DfuState.MANIFEST)[: setup.length]
            self._state = DfuState.MANIFEST_WAIT_RESET
            return DfuReply(reply, leaving=True, safe_mode=wants_safe_mode)
        if self._state is DfuState.DNLOAD_SYNC:
            reply = self._status_bytes(DfuState.DNBUSY)[: setup.length]
            self._state = DfuState.DNBUSY
            return DfuReply(reply, seconds=self._execute())
        return DfuReply(self._status_bytes(self._state)[: setup.length])

    def _clear_status(self, _setup: Setup, _: bytes) -> DfuReply:
        if self._state is not DfuState.ERROR:
            return self._illegal()
        self._state, self._status = DfuState.IDLE, DfuStatusCode.OK
        return DfuReply()

    def _get_state(self, setup: Setup, _: bytes) -> DfuReply:
        if self._state in _MUTE:
            return self._illegal()
        return DfuReply(bytes([self._state])[: setup.length])

    def _abort(self, _setup: Setup, _: bytes) -> DfuReply:
        if self._state not in ABORTABLE:
            return self._illegal()
        self._state = DfuState.IDLE
        return DfuReply()

    def _illegal(self) -> DfuReply:
        """Refuse a request that is illegal in this state: STALL, then dfuERROR with errUNKNOWN."""
        self._fail(DfuStatusCode.ERR_UNKNOWN)
        return DfuReply(stall=True)

    def _fail(self, status: DfuStatusCode) -> None:
        self._state, self._status = DfuState.ERROR, status

    def _status_bytes(self, state: int) -> bytes:
        """Encode bStatus, bwPollTimeout (always 0 on Gen 3 and 4), bState, iString."""
        return bytes([self._status, 0, 0, 0, state, ERROR_STRING if self._status is DfuStatusCode.ERR_VENDOR else 0])

    # --- operations --------------------------------------------------------------------------

    def _execute(self) -> float:
        """Execute the received block; return the seconds it takes. Failures end in dfuERROR, without a stall."""
        try:
            seconds = self._run_block()
        except _Failed as failed:
            self._fail(failed.status)
            return 0.0
        except (FlashFailed, ValueError):  # ValueError: outside the memory
            self._fail(DfuStatusCode.ERR_UNKNOWN)
            return 0.0
        self._state = DfuState.DNLOAD_IDLE
        return seconds

    def _run_block(self) -> float:
        if self._is_protected and (self._block != COMMAND_BLOCK or self._pending[0] != DfuseCommand.CLEAR_OVERRIDE):
            raise _Failed(DfuStatusCode.ERR_VENDOR)
        if self._block != COMMAND_BLOCK:
            return self._write(self._block_address(self._block), self._pending)
        command = self._commands.get(self._pending[0])
        if command is None:
            raise _Failed(DfuStatusCode.ERR_STALLED_PACKET)
        return command(self._pending[1:])

    def _is_safe_mode_command(self) -> bool:
        is_command = self._block == COMMAND_BLOCK and self._pending[:1] == bytes([DfuseCommand.ENTER_SAFE_MODE])
        return is_command and self._version >= self._milestones.safe_mode_command

    def _known_commands(self) -> bytes:
        newer = [
            (DfuseCommand.ENTER_SAFE_MODE, self._milestones.safe_mode_command),
            (DfuseCommand.CLEAR_OVERRIDE, self._milestones.clear_override_command),
        ]
        known = [DfuseCommand.GET_COMMANDS, DfuseCommand.SET_ADDRESS, DfuseCommand.ERASE]
        return bytes(known + [command for command, since in newer if self._version >= since])

    def _block_address(self, block: int) -> int:
        if block < FIRST_BLOCK:
            raise _Failed(DfuStatusCode.ERR_TARGET)
        return self._pointer + (block - FIRST_BLOCK) * TRANSFER_SIZE

    def _set_address(self, argument: bytes) -> float:
        self._pointer = _address(argument)
        return 0.0

    def _erase(self, argument: bytes) -> float:
        if not argument:
            raise _Failed(DfuStatusCode.ERR_TARGET)  # mass erase
        chip = self._chip()
        return 0.0 if chip is None else chip.erase_page(_address(argument), Who.DFU)

    def _write(self, address: int, data: bytes) -> float:
        chip = self._chip()
        if chip is None:
            return self._memory.dct.write(address, data, Who.DFU)
        seconds = chip.program(address, data, Who.DFU)
        return seconds + self._after_write(chip, address)

    def _read(self, address: int, length: int) -> bytes:
        if self._is_protected:
            raise _Failed(DfuStatusCode.ERR_VENDOR)
        chip = self._chip()
        if chip is None:
            return self._read_dct(address, length)
        if not chip.holds(address, length):
            raise _Failed(DfuStatusCode.ERR_UNKNOWN)
        return chip.read(address, length)

    def _read_dct(self, address: int, length: int) -> bytes:
        """Read the configuration area; past its end the reply contains what was in the transfer buffer before."""
        if address + length > self._memory.layout.dct_limit:
            raise _Failed(DfuStatusCode.ERR_UNKNOWN)
        content = self._memory.dct.read(address, length)
        self._buffer[: len(content)] = content
        return bytes(self._buffer[:length])

    def _after_write(self, _chip: NorFlash, _address: int) -> float:
        """Do what the bootloader does of its own accord after a write to ``_address``; return seconds."""
        return 0.0

    def _chip(self) -> NorFlash | None:
        """Return the flash chip of the alternate setting, None for the configuration area."""
        chip = self._memory.layout.alternates[self._alternate]
        return None if chip is Chip.DCT else self._memory.flash(chip)


def _address(argument: bytes) -> int:
    if len(argument) != 4:
        raise _Failed(DfuStatusCode.ERR_UNKNOWN)
    return int.from_bytes(argument, "little")
