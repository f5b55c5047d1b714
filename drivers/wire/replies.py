"""What units answer to control requests, as typed values.

Every decoder takes the reply's bytes, is bounded, and raises `RemoteProtocolError` and nothing else. A
reply whose fields all have their default is empty on the wire, so ``b""`` is a valid reply everywhere.
Reference usb-and-serial 4.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from ..errors import BadIdentity, RemoteProtocolError, StrangeIdentity
from ..identity import DeviceId, Iccid, Imei, MacAddress, SerialNumber, printable
from ..platforms import ModuleFunction, OsVersion
from .image.host import Dependency
from .proto import network_pb2, system_pb2

_MAX_TEXT = 255
_MAX_ITEMS = 128
_HASH_SIZE = 32


# --- modules --------------------------------------------------------------------------------

CHECK_INTEGRITY = 0x02
CHECK_DEPENDENCIES = 0x04
CHECK_RANGE = 0x08
CHECK_PLATFORM = 0x10


class Store(enum.IntEnum):
    """Where a module lies."""

    MAIN = 0  # the one in use
    FACTORY = 1  # what a factory reset restores
    BACKUP = 2  # a copy
    SCRATCHPAD = 3  # the update slot


@dataclass(frozen=True, slots=True)
class ModuleInfo:
    """One module a unit holds. ``size`` counts the CRC in; it means nothing for radio stack and NCP."""

    function: int  # a ModuleFunction, or a number nobody knows
    index: int
    version: int
    store: int
    max_size: int  # 0 when the unit does not tell (before 5.6.0)
    size: int
    checked: int  # CHECK_* bits
    passed: int
    hash: bytes | None  # None when the unit does not tell
    dependencies: tuple[Dependency, ...]

    @property
    def is_valid(self) -> bool:
        return self.checked == self.passed

    @property
    def failed(self) -> int:
        """The CHECK_* bits that failed."""
        return self.checked ^ self.passed


_OLD_FUNCTIONS = {
    1: ModuleFunction.BOOTLOADER,
    2: ModuleFunction.SYSTEM_PART,
    3: ModuleFunction.USER_PART,
    4: ModuleFunction.MONOLITHIC,
    5: ModuleFunction.NCP,
    6: ModuleFunction.RADIO_STACK,
}


def module_info(raw: bytes) -> tuple[ModuleInfo, ...]:
    """Modules of either reply form, in the unit's order (reference usb-and-serial 4.2)."""
    reply = _parse(system_pb2.ModuleInfoReply, raw)
    if reply.modules:
        return tuple(_module(m) for m in _bounded(reply.modules, "modules"))
    return tuple(_old_module(m) for m in _bounded(reply.old_modules, "modules"))


def _module(m: system_pb2.Module) -> ModuleInfo:
    if len(m.hash) not in (0, _HASH_SIZE):
        raise RemoteProtocolError(f"module hash has {len(m.hash)} bytes, expected {_HASH_SIZE}; reset the unit")
    return ModuleInfo(
        function=_function(m.type),
        index=m.index,
        version=m.version,
        store=m.store,
        max_size=m.max_size,
        size=m.size,
        checked=m.checked_flags,
        passed=m.passed_flags,
        hash=m.hash or None,
        dependencies=_dependencies(m.dependencies, _function),
    )


def _old_module(m: system_pb2.OldModule) -> ModuleInfo:
    failed = m.failed_checks << 1  # bit 0 is integrity there and bit 1 in the new form
    checked = CHECK_INTEGRITY | CHECK_DEPENDENCIES | failed
    return ModuleInfo(
        function=_old_function(m.type),
        index=m.index,
        version=m.version,
        store=Store.MAIN,
        max_size=0,
        size=m.size + 4 if m.size else 0,
        checked=checked,
        passed=checked & ~failed,
        hash=None,
        dependencies=_dependencies(m.dependencies, _old_function),
    )


def _function(value: int) -> int:
    return ModuleFunction(value) if value in frozenset(ModuleFunction) else value


def _old_function(value: int) -> int:
    return _OLD_FUNCTIONS.get(value, ModuleFunction.NONE)


def _dependencies(items: Sequence[system_pb2.Dependency], function: Callable[[int], int]) -> tuple[Dependency, ...]:
    found = _bounded(items, "dependencies")
    return tuple(Dependency(function(d.type), d.index, d.version) for d in found)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file the application brings along. ``size`` in bytes as the application sees it."""

    name: str
    hash: bytes
    size: int


@dataclass(frozen=True, slots=True)
class AssetInfo:
    available: tuple[Asset, ...]
    required: tuple[Asset, ...]


def asset_info(raw: bytes) -> AssetInfo:
    """Assets the unit has and needs; bounded. Raises `RemoteProtocolError`."""
    reply = _parse(system_pb2.AssetInfoReply, raw)
    lists = [
        tuple(Asset(_clean(a.name), a.hash, a.size) for a in _bounded(items, "assets"))
        for items in (reply.available, reply.required)
    ]
    return AssetInfo(*lists)


# --- identity and state -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NcpVersion:
    version: str
    module_version: int


@dataclass(frozen=True, slots=True)
class Protection:
    """Device protection (Device OS 6.0 and newer). In service mode a protected unit is open for a while."""

    is_protected: bool
    is_service_mode: bool


class ConnectionStatus(enum.IntEnum):
    """How the unit stands with the cloud."""

    DISCONNECTED = 0  # and not trying
    CONNECTING = 1  # trying
    CONNECTED = 2  # online
    DISCONNECTING = 3  # on its way out


class CellularIdentity(NamedTuple):
    """What the modem says; either may be missing (no SIM; Device OS that does not tell the IMEI)."""

    iccid: Iccid | None
    imei: Imei | None


def device_id(raw: bytes) -> DeviceId:
    return _identity(DeviceId.parse, _text(raw))


def serial_number(raw: bytes) -> SerialNumber | None:
    """None: it was never programmed."""
    text = _text(raw)
    return _identity(SerialNumber.parse, text) if text else None


def system_version(raw: bytes) -> OsVersion:
    """Device OS version. Raises `StrangeIdentity` for a text that is none."""
    return _identity(OsVersion.parse, _text(raw))


def ncp_version(raw: bytes) -> NcpVersion:
    reply = _parse(system_pb2.NcpFirmwareVersionReply, raw)
    return NcpVersion(_clean(reply.version), reply.module_version)


def is_listening(raw: bytes) -> bool:
    mode = _parse(system_pb2.DeviceModeReply, raw).mode
    if mode not in (system_pb2.DeviceModeReply.NORMAL, system_pb2.DeviceModeReply.LISTENING):
        raise RemoteProtocolError(f"device mode {mode} is neither normal (0) nor listening (1); reset the unit")
    return mode == system_pb2.DeviceModeReply.LISTENING


def flag(raw: bytes) -> bool:
    return bool(_parse(system_pb2.Flag, raw).value)


def protection(raw: bytes) -> Protection:
    reply = _parse(system_pb2.ProtectedStateReply, raw)
    return Protection(reply.is_protected, reply.is_overridden)


def connection_status(raw: bytes) -> ConnectionStatus:
    status = _parse(system_pb2.ConnectionStatusReply, raw).status
    try:
        return ConnectionStatus(status)
    except ValueError:
        raise RemoteProtocolError(f"connection status {status} does not exist; reset the unit") from None


def chunk_size(raw: bytes) -> int:
    size = _parse(system_pb2.StartFirmwareUpdateReply, raw).chunk_size
    if not 1 <= size <= 0xF000:
        raise RemoteProtocolError(f"the unit wants firmware in pieces of {size} bytes, expected 1 to {0xF000}")
    return int(size)


def cellular_identity(raw: bytes) -> CellularIdentity:
    """ICCID and IMEI, each None when not told. Raises `StrangeIdentity` for a text that is none.

    An ICCID is kept as read however odd: it says nothing about the unit.
    """
    reply = _parse(network_pb2.IccidReply, raw)
    iccid, imei = _clean(reply.iccid), _clean(reply.imei)
    return CellularIdentity(
        _identity(Iccid.told, iccid) if iccid else None,
        _identity(Imei.parse, imei) if imei else None,
    )


def nothing(_raw: bytes) -> None:
    """For requests that answer with their result alone."""


def echoed(raw: bytes) -> bytes:
    return raw


# --- network --------------------------------------------------------------------------------


class InterfaceType(enum.IntEnum):
    """What an interface is; the unit derives it from the interface's name."""

    INVALID = 0  # not told
    LOOPBACK = 1  # lo0
    THREAD = 2  # mesh, before Device OS 2.0
    ETHERNET = 4  # en2
    WIFI = 8  # wl3, wl4
    PPP = 16  # pp3: the modem


class WifiSecurity(enum.IntEnum):
    """Security of a network, as requests 500 to 507 number it."""

    NONE = 0  # open, or with a password: let the unit scan
    WEP = 1  # obsolete
    WPA_PSK = 2  # obsolete
    WPA2_PSK = 3  # usual
    WPA_WPA2_PSK = 4  # mixed
    WPA3_PSK = 5  # newest
    WPA2_WPA3_PSK = 6  # mixed


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. ``mac`` is None for an interface without a 6-byte hardware address."""

    index: int
    name: str
    type: int
    mac: MacAddress | None = None


@dataclass(frozen=True, slots=True)
class KnownNetwork:
    """A network the unit has stored; its password cannot be read back."""

    ssid: str
    security: int
    has_password: bool


@dataclass(frozen=True, slots=True)
class CurrentNetwork:
    ssid: str
    bssid: MacAddress | None
    channel: int
    rssi: int  # dBm


@dataclass(frozen=True, slots=True)
class ScannedNetwork:
    """A network in range; a hidden one has an empty ``ssid``."""

    ssid: str
    bssid: MacAddress | None
    security: int
    channel: int
    rssi: int  # dBm


def interface_list(raw: bytes) -> tuple[Interface, ...]:
    reply = _parse(network_pb2.InterfaceListReply, raw)
    return tuple(_interface(i) for i in _bounded(reply.interfaces, "interfaces"))


def interface(raw: bytes) -> Interface:
    return _interface(_parse(network_pb2.InterfaceReply, raw).interface)


def _interface(i: network_pb2.Interface) -> Interface:
    return Interface(i.index, _clean(i.name), i.type, _mac(i.hw_address))


def known_networks(raw: bytes) -> tuple[KnownNetwork, ...]:
    reply = _parse(network_pb2.KnownNetworksReply, raw)
    found = _bounded(reply.networks, "networks")
    return tuple(KnownNetwork(_ssid(n.ssid), n.security, n.credentials_type != 0) for n in found)


def current_network(raw: bytes) -> CurrentNetwork:
    reply = _parse(network_pb2.CurrentNetworkReply, raw)
    return CurrentNetwork(_ssid(reply.ssid), _mac(reply.bssid), reply.channel, reply.rssi)


def scanned_networks(raw: bytes) -> tuple[ScannedNetwork, ...]:
    reply = _parse(network_pb2.ScanNetworksReply, raw)
    found = _bounded(reply.networks, "networks")
    return tuple(ScannedNetwork(_ssid(n.ssid), _mac(n.bssid), n.security, n.channel, n.rssi) for n in found)


# --- helpers --------------------------------------------------------------------------------

M = TypeVar("M", bound=Message)
T = TypeVar("T")


def _parse(kind: type[M], raw: bytes) -> M:
    message = kind()
    try:
        message.ParseFromString(raw)
    except DecodeError:
        raise RemoteProtocolError(
            f"reply of {len(raw)} bytes is no {kind.__name__} message; reset the unit and try again"
        ) from None
    return message


def _text(raw: bytes) -> str:
    return _clean(_parse(system_pb2.TextReply, raw).text)


def _clean(text: str) -> str:
    """Text from a unit, fit for a terminal; refused when it is longer than any real one."""
    if len(text) > _MAX_TEXT:
        raise RemoteProtocolError(f"text of {len(text)} characters in a reply, expected at most {_MAX_TEXT}")
    return printable(text)


def _ssid(raw: bytes) -> str:
    return _clean(raw.decode("utf-8", "replace"))


def _mac(raw: bytes) -> MacAddress | None:
    return MacAddress.parse(raw.hex()) if len(raw) == 6 and any(raw) else None


def _identity(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except BadIdentity as error:
        raise StrangeIdentity(f"in a reply: {error}") from None


def _bounded(items: Sequence[T], what: str) -> Sequence[T]:
    if len(items) > _MAX_ITEMS:
        raise RemoteProtocolError(f"reply lists {len(items)} {what}, expected at most {_MAX_ITEMS}; reset the unit")
    return items
