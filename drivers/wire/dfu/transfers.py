"""DFU transfers, host side: builds setup packets and parses replies and descriptors.

Their sequence is in ``host.py``. Reference firmware-and-dfu 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import LocalProtocolError, RemoteProtocolError
from ..usb import TO_INTERFACE, Setup, StandardRequest
from .tables import (
    CLASS_IN,
    CLASS_OUT,
    FUNCTIONAL_DESCRIPTOR,
    FUNCTIONAL_TYPE,
    INTERFACE,
    STATUS_SIZE,
    TRANSFER_SIZE,
    DfuRequest,
    DfuState,
    DfuStatusCode,
)

MAX_POLL_MS = 10_000  # a larger value is garbage

STATUS_WORDS: dict[DfuStatusCode, str] = {
    DfuStatusCode.OK: "no error",
    DfuStatusCode.ERR_TARGET: "mass erase or block number 1, which is a bug of the host",
    DfuStatusCode.ERR_VENDOR: "the unit is protected",
    DfuStatusCode.ERR_UNKNOWN: "wrong state, refused address, or a failed erase or write",
    DfuStatusCode.ERR_STALLED_PACKET: "a command this bootloader does not know",
}


@dataclass(frozen=True, slots=True)
class DfuStatus:
    """A GETSTATUS reply. ``poll_ms``: time to wait before the next one, 0 to 10 000 ms."""

    status: DfuStatusCode
    poll_ms: int
    state: DfuState
    string_index: int

    def __str__(self) -> str:
        words = STATUS_WORDS.get(self.status, "a code these bootloaders do not use")
        return f"{self.state.name} ({self.state:#04x}), {self.status.name} ({self.status:#04x}: {words})"


def parse_status(raw: bytes) -> DfuStatus:
    """Parse the six bytes of a GETSTATUS reply; raises `RemoteProtocolError` for anything else."""
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
    """Parse the one byte of a GETSTATE reply; raises `RemoteProtocolError`."""
    if len(raw) != 1 or raw[0] > max(DfuState):
        raise RemoteProtocolError(f"DFU state {raw[:16].hex(' ') or 'without a byte'} is no state of DFU 1.1")
    return DfuState(raw[0])


# --- requests -------------------------------------------------------------------------------


def _out(request: DfuRequest, value: int, length: int) -> Setup:
    return Setup(CLASS_OUT, request, value, INTERFACE, length)


def _in(request: DfuRequest, value: int, length: int) -> Setup:
    return Setup(CLASS_IN, request, value, INTERFACE, length)


def dnload(block: int, length: int) -> Setup:
    """Build a DNLOAD of ``length`` bytes (0 to 4096) as block ``block``; data blocks count from 2."""
    _require(0 <= block <= 0xFFFF and 0 <= length <= TRANSFER_SIZE, f"DNLOAD of block {block}, {length} bytes")
    return _out(DfuRequest.DNLOAD, block, length)


def upload(block: int, length: int) -> Setup:
    """Build an UPLOAD of at most ``length`` bytes (1 to 4096) of block ``block``; data blocks count from 2."""
    _require(0 <= block <= 0xFFFF and 0 < length <= TRANSFER_SIZE, f"UPLOAD of block {block}, {length} bytes")
    return _in(DfuRequest.UPLOAD, block, length)


def get_status() -> Setup:
    return _in(DfuRequest.GETSTATUS, 0, STATUS_SIZE)


def clear_status() -> Setup:
    return _out(DfuRequest.CLRSTATUS, 0, 0)


def abort() -> Setup:
    return _out(DfuRequest.ABORT, 0, 0)


def set_interface(alternate: int) -> Setup:
    """Build the standard SET_INTERFACE that selects a memory (USB 2.0 section 9.4.10)."""
    return Setup(TO_INTERFACE, StandardRequest.SET_INTERFACE, alternate, INTERFACE, 0)


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
    version: int  # bcdDFUVersion; 0x011A means DfuSe


def parse_functional_descriptor(configuration: bytes) -> FunctionalDescriptor:
    """Find and parse the DFU functional descriptor in a whole configuration descriptor.

    It occurs once, after the last alternate setting. A transfer size other than 4096 is refused:
    the unit computes addresses with that constant, so another one would corrupt flash.
    Raises `RemoteProtocolError`.
    """
    at = 0
    while at + 2 <= len(configuration) and configuration[at] >= 2:
        length, kind = configuration[at], configuration[at + 1]
        if kind == FUNCTIONAL_TYPE and length == FUNCTIONAL_DESCRIPTOR.size and at + length <= len(configuration):
            return _functional(configuration[at : at + length])
        at += length
    raise RemoteProtocolError("no DFU functional descriptor in the configuration; is the unit in DFU mode?")


def _functional(raw: bytes) -> FunctionalDescriptor:
    _, _, attributes, detach_ms, transfer_size, version = FUNCTIONAL_DESCRIPTOR.unpack(raw)
    if transfer_size != TRANSFER_SIZE:
        raise RemoteProtocolError(
            f"DFU descriptor {raw.hex(' ')} says {transfer_size} bytes a transfer, expected {TRANSFER_SIZE}"
        )
    return FunctionalDescriptor(attributes, detach_ms, transfer_size, version)


_INTERFACE_DESCRIPTOR = 0x04


def memory_string(configuration: bytes, alternate: int) -> int:
    """Find iInterface, the string index of one alternate setting of interface 0 (USB 2.0 table 9-12).

    Raises `RemoteProtocolError` when there is no such setting.
    """
    at = 0
    while at + 9 <= len(configuration) and configuration[at] >= 2:
        kind, number, alt = configuration[at + 1], configuration[at + 2], configuration[at + 3]
        if (kind, number, alt) == (_INTERFACE_DESCRIPTOR, INTERFACE, alternate):
            return configuration[at + 8]
        at += configuration[at]
    raise RemoteProtocolError(f"the unit shows no memory {alternate} in DFU mode; reset it and try again")
