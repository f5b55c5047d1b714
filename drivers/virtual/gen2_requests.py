"""What a Gen 2 unit does for the control requests no newer family knows: old Wi-Fi requests, keys, set-up network.

Reference usb-and-serial 4.4 and 4.8 (legacy set).
"""

from __future__ import annotations

from ..identity import Secret
from ..wire.console.tables import MAX_PASSWORD, MAX_SSID
from ..wire.control.tables import RequestType
from ..wire.messages.tables import ENTERPRISE, EapType, WifiSecurity
from ..wire.results import ResultCode
from .control_service import Outcome
from .flash import Who
from .messages import Fields, blob, message, number, text
from .pem import readable
from .request_handler import Handler, query
from .system import RunningSystem
from .world import Login, StoredNetwork

_LEGACY_SECURITY = {
    WifiSecurity.NONE: 0, WifiSecurity.WEP: 1, WifiSecurity.WPA_PSK: 2, WifiSecurity.WPA2_PSK: 3,
    WifiSecurity.WPA_WPA2_PSK: 3, WifiSecurity.WPA_ENTERPRISE: 4, WifiSecurity.WPA2_ENTERPRISE: 5,
}  # fmt: skip
_UNKNOWN_SECURITY = 255
_BY_NUMBER = {
    0: WifiSecurity.NONE, 1: WifiSecurity.WEP, 2: WifiSecurity.WPA_PSK, 3: WifiSecurity.WPA2_PSK,
    4: WifiSecurity.WPA_ENTERPRISE, 5: WifiSecurity.WPA2_ENTERPRISE,
}  # fmt: skip
_AES = 1
_ANTENNAS = frozenset({1, 2, 3})  # internal, external, automatic
_SHORTEST_KEY = 8

_KEYS = {
    1: "device_private_key_tcp",
    2: "device_public_key_tcp",
    3: "server_public_key_tcp",
    4: "device_private_key_udp",
    5: "device_public_key_udp",
    6: "server_public_key_udp",
}
_TCP, _UDP = 1, 2
_TRANSPORT_TCP, _TRANSPORT_DEFAULT = b"\x00", b"\xff"
_MAX_PREFIX, _MAX_SUFFIX = 25, 6


# --- Wi-Fi ------------------------------------------------------------------------------------------------


def _set_antenna(system: RunningSystem, payload: bytes) -> Outcome:
    antenna = Fields(payload).number(1)
    if antenna not in _ANTENNAS:
        return Outcome(ResultCode.INVALID_ARGUMENT)
    return Outcome(seconds=system.board.memory.dct.set("antenna_selection", bytes([antenna]), Who.CONTROL))


def _antenna(system: RunningSystem) -> Outcome:
    stored = system.board.memory.dct.get("antenna_selection")[0]
    return Outcome(data=number(1, stored if stored in _ANTENNAS else 1))


def _scan(system: RunningSystem) -> Outcome:
    rows = (
        text(1, "" if one.is_hidden else one.ssid) + blob(2, one.bssid) + _security(one.security)
        + number(5, one.channel) + number(7, one.rssi)
        for one in system.radio.heard()
    )  # fmt: skip
    listed = b"".join(message(1, row) for row in rows)
    return Outcome(data=message(1, listed), seconds=system.board.timings.wifi_scan_s)


def _security(security: WifiSecurity) -> bytes:
    value = _LEGACY_SECURITY.get(security, _UNKNOWN_SECURITY)
    return number(3, value) + number(4, _AES if value >= _LEGACY_SECURITY[WifiSecurity.WPA_PSK] else 0)


def _set_credentials(system: RunningSystem, payload: bytes) -> Outcome:
    """Store a network without connecting to it."""
    point = Fields(payload).message(1)
    ssid, password, security = point.text(1), point.text(8), _BY_NUMBER.get(point.number(3))
    secret = Secret(password) if password else None
    if security is None or not 1 <= len(ssid.encode()) <= MAX_SSID:
        return Outcome(ResultCode.INVALID_ARGUMENT)
    has_key = security in (WifiSecurity.WPA_PSK, WifiSecurity.WPA2_PSK)
    if has_key and not _SHORTEST_KEY <= len(password.encode()) <= MAX_PASSWORD:
        return Outcome(ResultCode.INVALID_ARGUMENT)
    network = StoredNetwork(ssid, secret, security)
    if security in ENTERPRISE:
        if point.number(9) not in set(EapType):
            return Outcome(ResultCode.INVALID_ARGUMENT)
        key = readable(point.text(12))
        login = Login(
            EapType(point.number(9)), point.text(10), secret, readable(point.text(13)), Secret(key) if key else None,
            point.text(11), readable(point.text(14)),
        )  # fmt: skip
        network = StoredNetwork(ssid, None, security, login=login)
    return Outcome(seconds=system.radio.store.add(network, Who.CONTROL))


def _credentials(system: RunningSystem) -> Outcome:
    rows = (text(1, one.ssid) + _security(one.security) for one in system.radio.store.networks())
    return Outcome(data=message(1, b"".join(message(1, row) for row in rows)))


def _clear_credentials(system: RunningSystem) -> Outcome:
    return Outcome(seconds=system.radio.store.clear(Who.CONTROL))


# --- keys and servers ---------------------------------------------------------------------------------------


def _set_key(system: RunningSystem, payload: bytes) -> Outcome:
    fields, dct = Fields(payload), system.board.memory.dct
    name, key = _KEYS.get(fields.number(1)), fields.blob(2)
    if name is None or len(key) > len(dct.get(name)):
        return Outcome(ResultCode.INVALID_ARGUMENT)
    return Outcome(seconds=dct.set(name, key, Who.CONTROL))


def _key(system: RunningSystem, payload: bytes) -> Outcome:
    name = _KEYS.get(Fields(payload).number(1))
    if name is None:
        return Outcome(ResultCode.INVALID_ARGUMENT)
    return Outcome(data=blob(1, system.board.memory.dct.get(name)))


def _set_protocol(system: RunningSystem, payload: bytes) -> Outcome:
    """Switch the cloud's transport, where there is a choice: on units with a modem."""
    protocol = Fields(payload).number(1)
    if protocol not in (_TCP, _UDP):
        return Outcome(ResultCode.INVALID_ARGUMENT)
    if not system.board.spec.platform.has_cellular:
        return Outcome(0 if protocol == _TCP else ResultCode.NOT_SUPPORTED)
    value = _TRANSPORT_TCP if protocol == _TCP else _TRANSPORT_DEFAULT
    return Outcome(seconds=system.board.memory.dct.set("cloud_transport", value, Who.CONTROL))


def _protocol(system: RunningSystem) -> Outcome:
    is_tcp = system.board.memory.dct.get("cloud_transport") == _TRANSPORT_TCP
    is_udp = system.board.spec.platform.has_cellular and not is_tcp
    return Outcome(data=number(1, _UDP if is_udp else _TCP))


def _set_softap_ssid(system: RunningSystem, payload: bytes) -> Outcome:
    fields, dct = Fields(payload), system.board.memory.dct
    prefix, suffix = fields.text(1).encode(), fields.text(2).encode()
    if len(prefix) > _MAX_PREFIX or len(suffix) > _MAX_SUFFIX:
        return Outcome(ResultCode.INVALID_ARGUMENT)
    seconds = dct.set("ssid_prefix", bytes([len(prefix)]) + prefix, Who.CONTROL)
    return Outcome(seconds=seconds + dct.set("device_code", suffix, Who.CONTROL))


GEN2_REQUESTS: dict[int, Handler] = {
    RequestType.SET_ANTENNA: _set_antenna,
    RequestType.GET_ANTENNA: query(_antenna),
    RequestType.LEGACY_SCAN: query(_scan),
    RequestType.LEGACY_SET_CREDENTIALS: _set_credentials,
    RequestType.LEGACY_GET_CREDENTIALS: query(_credentials),
    RequestType.LEGACY_CLEAR_CREDENTIALS: query(_clear_credentials),
    RequestType.SET_SECURITY_KEY: _set_key,
    RequestType.GET_SECURITY_KEY: _key,
    RequestType.SET_SERVER_PROTOCOL: _set_protocol,
    RequestType.GET_SERVER_PROTOCOL: query(_protocol),
    RequestType.SET_SOFTAP_SSID: _set_softap_ssid,
}
