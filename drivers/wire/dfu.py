"""USB DFU 1.1 as Particle bootloaders speak it: states, statuses, requests, descriptor.

Tables and byte layouts only; what follows what stands in ``dfuse.py``. Reference firmware-and-dfu 1.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

from ..errors import LocalProtocolError, RemoteProtocolError
from .usb import Setup

INTERFACE = 0
TRANSFER_SIZE = 4096  # also the constant in the unit's block arithmetic
STATUS_SIZE = 6
MAX_POLL_MS = 10_000  # more is garbage

_OUT = 0x21  # class request to an interface
_IN = 0xA1


class DfuRequest(enum.IntEnum):
    """bRequest values, DFU 1.1 table 3.2."""

    DETACH = 0  # not used in DFU mode
    DNLOAD = 1  # data, a DfuSe command (block 0), or leave (length 0)
    UPLOAD = 2  # read data, or list commands (block 0)
    GETSTATUS = 3  # status and next state; also starts the pending operation
    CLRSTATUS = 4  # dfuERROR -> dfuIDLE
    GETSTATE = 5  # state, without side effect
    ABORT = 6  # back to dfuIDLE; a pending operation is dropped


class DfuState(enum.IntEnum):
    """bState values, DFU 1.1 section 6.1.2."""

    APP_IDLE = 0  # application firmware, idle
    APP_DETACH = 1  # application firmware, about to enter DFU
    IDLE = 2  # waiting for a request
    DNLOAD_SYNC = 3  # has a block, starts on it at the next GETSTATUS
    DNBUSY = 4  # erasing or programming
    DNLOAD_IDLE = 5  # done with a block, waiting for the next
    MANIFEST_SYNC = 6  # was told to leave, starts at the next GETSTATUS
    MANIFEST = 7  # leaving
    MANIFEST_WAIT_RESET = 8  # resets any moment
    UPLOAD_IDLE = 9  # in the middle of an upload
    ERROR = 10  # needs CLRSTATUS


class DfuStatusCode(enum.IntEnum):
    """bStatus values, DFU 1.1 section 6.1.2, with what these bootloaders use them for."""

    OK = 0x00  # no error
    ERR_TARGET = 0x01  # mass erase, or data block number 1
    ERR_FILE = 0x02  # not produced
    ERR_WRITE = 0x03  # not produced
    ERR_ERASE = 0x04  # not produced
    ERR_CHECK_ERASED = 0x05  # not produced
    ERR_PROG = 0x06  # not produced
    ERR_VERIFY = 0x07  # not produced
    ERR_ADDRESS = 0x08  # not produced
    ERR_NOTDONE = 0x09  # not produced
    ERR_FIRMWARE = 0x0A  # not produced
    ERR_VENDOR = 0x0B  # device protection refuses
    ERR_USBR = 0x0C  # not produced
    ERR_POR = 0x0D  # not produced
    ERR_UNKNOWN = 0x0E  # anything else: wrong state, bad address, failed erase or write
    ERR_STALLED_PACKET = 0x0F  # a DfuSe command this bootloader does not know


STATUS_WORDS: dict[DfuStatusCode, str] = {
    DfuStatusCode.OK: "no error",
    DfuStatusCode.ERR_TARGET: "mass erase or block number 1, which is a bug of the host",
    DfuStatusCode.ERR_VENDOR: "the unit is protected",
    DfuStatusCode.ERR_UNKNOWN: "wrong state, refused address, or a failed erase or write",
    DfuStatusCode.ERR_STALLED_PACKET: "a command this bootloader does not know",
}


@dataclass(frozen=True, slots=True)
class DfuStatus:
    """A GETSTATUS reply. ``poll_ms`` is what the unit asks to wait, 0 to 10 000."""

    status: DfuStatusCode
    poll_ms: int
    state: DfuState
    string_index: int

    def __str__(self) -> str:
        words = STATUS_WORDS.get(self.status, "a code these bootloaders do not use")
        return f"{self.state.name} ({self.state:#04x}), {self.status.name} ({self.status:#04x}: {words})"


def parse_status(raw: bytes) -> DfuStatus:
    """The six bytes of a GETSTATUS reply; raises `RemoteProtocolError` for anything else."""
    if len(raw) != STATUS_SIZE:
        raise RemoteProtocolError(f"DFU status of {len(raw)} bytes ({raw[:16].hex(' ')}), expected {STATUS_SIZE}")
    poll_ms = int.from_bytes(raw[1:4], "little")
    if poll_ms > MAX_POLL_MS:
        raise RemoteProtocolError(f"DFU status {raw.hex(' ')} asks to wait {poll_ms} ms; power the unit off and on")
    try:
        return DfuStatus(DfuStatusCode(raw[0]), poll_ms, DfuState(raw[4]), raw[5])
    except ValueError:
        raise RemoteProtocolError(f"DFU status {raw.hex(' ')} is no status and state of DFU 1.1") from None


def parse_state(raw: bytes) -> DfuState:
    """The one byte of a GETSTATE reply; raises `RemoteProtocolError`."""
    if len(raw) != 1 or raw[0] > max(DfuState):
        raise RemoteProtocolError(f"DFU state {raw[:16].hex(' ') or 'without a byte'} is no state of DFU 1.1")
    return DfuState(raw[0])


# --- requests -------------------------------------------------------------------------------


def _out(request: DfuRequest, value: int, length: int) -> Setup:
    return Setup(_OUT, request, value, INTERFACE, length)


def _in(request: DfuRequest, value: int, length: int) -> Setup:
    return Setup(_IN, request, value, INTERFACE, length)


def dnload(block: int, length: int) -> Setup:
    """DNLOAD of ``length`` bytes (0 to 4096) as block ``block``; data blocks count from 2."""
    _require(0 <= block <= 0xFFFF and 0 <= length <= TRANSFER_SIZE, f"DNLOAD of block {block}, {length} bytes")
    return _out(DfuRequest.DNLOAD, block, length)


def upload(block: int, length: int) -> Setup:
    """UPLOAD of at most ``length`` bytes (1 to 4096) of block ``block``; data blocks count from 2."""
    _require(0 <= block <= 0xFFFF and 0 < length <= TRANSFER_SIZE, f"UPLOAD of block {block}, {length} bytes")
    return _in(DfuRequest.UPLOAD, block, length)


def get_status() -> Setup:
    return _in(DfuRequest.GETSTATUS, 0, STATUS_SIZE)


def clear_status() -> Setup:
    return _out(DfuRequest.CLRSTATUS, 0, 0)


def get_state() -> Setup:
    return _in(DfuRequest.GETSTATE, 0, 1)


def abort() -> Setup:
    return _out(DfuRequest.ABORT, 0, 0)


def set_interface(alternate: int) -> Setup:
    """The standard SET_INTERFACE that picks a memory (USB 2.0 section 9.4.10)."""
    return Setup(0x01, 0x0B, alternate, INTERFACE, 0)


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise LocalProtocolError(f"{what} is outside what DFU allows; this is a bug of the station")


# --- functional descriptor --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FunctionalDescriptor:
    """DFU 1.1 table 4.2."""

    attributes: int
    detach_timeout_ms: int
    transfer_size: int
    version: int  # bcdDFUVersion; 0x011A says DfuSe


_FUNCTIONAL = struct.Struct("<BBBHHH")
_FUNCTIONAL_TYPE = 0x21


def parse_functional_descriptor(configuration: bytes) -> FunctionalDescriptor:
    """Find and read the DFU functional descriptor in a whole configuration descriptor.

    It stands once, after the last alternate setting. A transfer size other than 4096 is refused:
    the unit computes addresses with that constant, so another number would corrupt flash.
    Raises `RemoteProtocolError`.
    """
    at = 0
    while at + 2 <= len(configuration) and configuration[at] >= 2:
        length, kind = configuration[at], configuration[at + 1]
        if kind == _FUNCTIONAL_TYPE and length == _FUNCTIONAL.size and at + length <= len(configuration):
            return _functional(configuration[at : at + length])
        at += length
    raise RemoteProtocolError("no DFU functional descriptor in the configuration; is the unit in DFU mode?")


def _functional(raw: bytes) -> FunctionalDescriptor:
    _, _, attributes, detach_ms, transfer_size, version = _FUNCTIONAL.unpack(raw)
    if transfer_size != TRANSFER_SIZE:
        raise RemoteProtocolError(
            f"DFU descriptor {raw.hex(' ')} says {transfer_size} bytes a transfer, expected {TRANSFER_SIZE}"
        )
    return FunctionalDescriptor(attributes, detach_ms, transfer_size, version)
