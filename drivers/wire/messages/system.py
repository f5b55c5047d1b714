"""Parses replies about a unit's identity and state. Reference usb-and-serial 4.1, 4.4, 4.5, 4.9."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ...errors import RemoteProtocolError
from ...identity import DeviceId, SerialNumber
from ...platforms import OsVersion
from ..proto import system_pb2
from . import reading
from .tables import ConnectionStatus


@dataclass(frozen=True, slots=True)
class Protection:
    """Device protection (Device OS 6.0 and newer). Service mode lifts it for a while."""

    is_protected: bool
    is_service_mode: bool


def device_id(raw: bytes) -> DeviceId:
    return reading.identity(DeviceId.parse, reading.text(raw))


def serial_number(raw: bytes) -> SerialNumber | None:
    """Parse the serial number; None: it was never programmed. Raises `StrangeIdentity`."""
    text = reading.text(raw)
    return reading.identity(SerialNumber.parse, text) if text else None


def ncp_version(raw: bytes) -> str | None:
    """Parse the module version of the co-processor's firmware; None where it has none of its own (Gen 4)."""
    reply = reading.parse_message(system_pb2.NcpVersionReply, raw)
    return str(reply.module_version) if reading.clean(reply.version) else None


@dataclass(frozen=True, slots=True)
class EnvVariable:
    """One environment variable. ``is_app``: set by the application, not by the cloud."""

    name: str
    value: str
    is_app: bool


def environment(raw: bytes) -> tuple[EnvVariable, ...]:
    """Parse the environment variables (reference usb-and-serial 4.11), at most 128."""
    found = reading.bounded(reading.parse_message(system_pb2.EnvReply, raw).variables, "variables")
    return tuple(EnvVariable(reading.clean(one.name), reading.clean(one.value), one.is_app) for one in found)


def system_version(raw: bytes) -> OsVersion:
    """Parse the Device OS version. Raises `StrangeIdentity` for a text that is not one."""
    return reading.identity(OsVersion.parse, reading.text(raw))


def is_listening(raw: bytes) -> bool:
    """Parse the reply to request 72; raises `RemoteProtocolError` for a mode that does not exist."""
    mode = reading.parse_message(system_pb2.DeviceModeReply, raw).mode
    if mode not in (system_pb2.DeviceModeReply.NORMAL, system_pb2.DeviceModeReply.LISTENING):
        raise RemoteProtocolError(f"device mode {mode} is neither normal (0) nor listening (1); reset the unit")
    return mode == system_pb2.DeviceModeReply.LISTENING


def flag(raw: bytes) -> bool:
    return bool(reading.parse_message(system_pb2.Flag, raw).value)


def protection(raw: bytes) -> Protection:
    reply = reading.parse_message(system_pb2.ProtectedStateReply, raw)
    return Protection(reply.is_protected, reply.is_overridden)


def connection_status(raw: bytes) -> ConnectionStatus:
    """Parse the reply to request 300; raises `RemoteProtocolError` for a status that does not exist."""
    status = reading.parse_message(system_pb2.ConnectionStatusReply, raw).status
    try:
        return ConnectionStatus(status)
    except ValueError:
        raise RemoteProtocolError(f"connection status {status} does not exist; reset the unit") from None


def diagnostics(raw: bytes) -> dict[str, int]:
    """Parse the values of request 100 by their names; a source that failed is left out."""
    try:
        told = json.loads(raw)
        return {str(name)[:64]: value for name, value in told.items() if type(value) is int}
    except (ValueError, AttributeError, RecursionError) as error:
        raise RemoteProtocolError(
            f"{len(raw)} bytes of diagnostics are no JSON object ({type(error).__name__}); reset the unit"
        ) from None


def chunk_size(raw: bytes) -> int:
    """Parse the reply to request 250: bytes of firmware in each request 253. Raises `RemoteProtocolError`."""
    size = reading.parse_message(system_pb2.StartFirmwareUpdateReply, raw).chunk_size
    if not 1 <= size <= 0xF000:
        raise RemoteProtocolError(f"the unit wants firmware in pieces of {size} bytes, expected 1 to {0xF000}")
    return int(size)


def nothing(_raw: bytes) -> None:
    """Ignore the reply: the request has only a result."""
