"""The catalogue of control requests: what to send, how long it may take, how to parse the reply.

Each function returns a `Request`; `drivers.devices` sends it. Reference usb-and-serial 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from ..errors import LocalProtocolError
from ..identity import DeviceId, Secret, SerialNumber
from ..platforms import OsVersion
from .console.tables import CLAIM_CODE_SIZE, MAX_PASSWORD, MAX_SSID
from .control.tables import MAX_PAYLOAD, RequestType
from .messages import modules, network, system
from .messages.tables import ENTERPRISE, OLD_SECURITY, ConnectionStatus, OldCipher, SimType, WifiSecurity
from .proto import network_pb2, system_pb2

SHORT_S = 10.0  # the unit has the reply in memory
USUAL_S = 60.0  # what the vendor's tools allow; a busy system thread replies late
RADIO_S = 60.0  # a modem may have to power up, or a network be joined


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One control request. ``timeout_s`` is the time from sending to result; `decode` raises `RemoteProtocolError`."""

    type_id: int
    name: str
    decode: Callable[[bytes], T] = field(repr=False)
    payload: bytes = field(default=b"", repr=False)
    timeout_s: float = USUAL_S
    is_secret: bool = False  # payload never in a trace
    blank: int | None = None  # result by which a unit says that there is nothing to tell: no refusal to repeat


def _plain(kind: RequestType, decode: Callable[[bytes], T], timeout_s: float = USUAL_S) -> Request[T]:
    return Request(kind, kind.name, decode, timeout_s=timeout_s)


def _with(
    kind: RequestType,
    payload: bytes,
    decode: Callable[[bytes], T],
    *,
    timeout_s: float = USUAL_S,
    is_secret: bool = False,
) -> Request[T]:
    if len(payload) > MAX_PAYLOAD:
        raise LocalProtocolError(f"{kind.name} with {len(payload)} bytes; a control request carries {MAX_PAYLOAD}")
    return Request(kind, kind.name, decode, payload, timeout_s, is_secret)


# --- the application --------------------------------------------------------------------------


def ask_application(question: bytes, timeout_s: float = USUAL_S) -> Request[bytes]:
    """Ask whatever handler the application registered (4.1): -120 if none; it may answer anything, or never.

    ``question`` at most 65535 bytes, 4096 before Device OS 1.5.0. It may be asked more than once.
    """
    return _with(RequestType.APP_CUSTOM, question, bytes, timeout_s=timeout_s)


# --- identity and state -----------------------------------------------------------------------


def get_device_id() -> Request[DeviceId]:
    return _plain(RequestType.DEVICE_ID, system.device_id, SHORT_S)


def get_serial_number(blank: int | None = None) -> Request[SerialNumber | None]:
    return Request(RequestType.SERIAL_NUMBER, "SERIAL_NUMBER", system.serial_number, timeout_s=SHORT_S, blank=blank)


def get_system_version() -> Request[OsVersion]:
    return _plain(RequestType.SYSTEM_VERSION, system.system_version, SHORT_S)


def get_ncp_version() -> Request[str | None]:
    """Read the version of the network co-processor's firmware; powers the Wi-Fi chip on."""
    return _plain(RequestType.NCP_FIRMWARE_VERSION, system.ncp_version)


def get_environment() -> Request[tuple[system.EnvVariable, ...]]:
    request = _plain(RequestType.ENV_GET, system.environment, SHORT_S)
    return replace(request, is_secret=True)  # a variable may be anybody's password


def get_module_info() -> Request[tuple[modules.ModuleInfo, ...]]:
    return _plain(RequestType.GET_MODULE_INFO, modules.module_info)


def get_asset_info() -> Request[modules.AssetInfo]:
    return _plain(RequestType.GET_ASSET_INFO, modules.asset_info)


def get_protected_state() -> Request[system.Protection]:
    return _plain(RequestType.GET_PROTECTED_STATE, system.protection, SHORT_S)


def is_claimed() -> Request[bool]:
    """Read the unit's own claimed bit: a hint, never proof (rules B4 B5)."""
    return _plain(RequestType.IS_CLAIMED, system.flag, SHORT_S)


def set_claim_code(code: Secret) -> Request[None]:
    """Store a claim code, which the unit hands to the cloud when it connects next (reference usb-and-serial 4.4).

    A unit takes any length and keeps 63 bytes: another one would be lost without a word (8, pitfall 24).
    """
    text = code.reveal()
    if len(text) != CLAIM_CODE_SIZE or not (text.isascii() and text.isprintable()):
        raise LocalProtocolError(f"a claim code of {len(text)} characters; it has {CLAIM_CODE_SIZE}, all printable")
    payload = system_pb2.ClaimCodeRequest(code=text).SerializeToString()
    return _with(RequestType.SET_CLAIM_CODE, payload, system.nothing, timeout_s=SHORT_S, is_secret=True)


# --- modes ----------------------------------------------------------------------------------


def reset() -> Request[None]:
    return _plain(RequestType.RESET, system.nothing)


def enter_dfu() -> Request[None]:
    return _plain(RequestType.DFU_MODE, system.nothing)


def safe_mode() -> Request[None]:
    return _plain(RequestType.SAFE_MODE, system.nothing)


def start_listening() -> Request[None]:
    """Enter listening mode. Result -130: it is disabled in this unit."""
    return _plain(RequestType.START_LISTENING, system.nothing)


def stop_listening() -> Request[None]:
    return _plain(RequestType.STOP_LISTENING, system.nothing)


def get_device_mode() -> Request[bool]:
    """Read whether the unit is in listening mode."""
    return _plain(RequestType.GET_DEVICE_MODE, system.is_listening, SHORT_S)


def is_setup_done() -> Request[bool]:
    return _plain(RequestType.IS_DEVICE_SETUP_DONE, system.flag, SHORT_S)


def set_setup_done(done: bool) -> Request[None]:
    payload = system_pb2.Flag(value=done).SerializeToString()
    return _with(RequestType.SET_DEVICE_SETUP_DONE, payload, system.nothing, timeout_s=SHORT_S)


def start_signal() -> Request[None]:
    """Show a rainbow on the LED, until stopped or restarted."""
    return _plain(RequestType.START_NYAN_SIGNAL, system.nothing, SHORT_S)


def stop_signal() -> Request[None]:
    return _plain(RequestType.STOP_NYAN_SIGNAL, system.nothing, SHORT_S)


# --- firmware update --------------------------------------------------------------------------


def start_firmware_update(size: int) -> Request[int]:
    """Begin an update of ``size`` bytes; the reply is the chunk size for `firmware_update_data`."""
    payload = system_pb2.StartFirmwareUpdateRequest(size=size).SerializeToString()
    return _with(RequestType.START_FIRMWARE_UPDATE, payload, system.chunk_size)


def firmware_update_data(data: bytes) -> Request[None]:
    """Send the next chunk, in order. Any error cancels the update: restart with `start_firmware_update`."""
    payload = system_pb2.FirmwareUpdateDataRequest(data=data).SerializeToString()
    return _with(RequestType.FIRMWARE_UPDATE_DATA, payload, system.nothing)


def finish_firmware_update(validate_only: bool = False) -> Request[None]:
    """Have the module validated and, by a restart, applied; ``validate_only`` cancels the update instead.

    The result means "valid", not "applied": read the module info again after the restart.
    """
    payload = system_pb2.FinishFirmwareUpdateRequest(validate_only=validate_only).SerializeToString()
    return _with(RequestType.FINISH_FIRMWARE_UPDATE, payload, system.nothing)


def cancel_firmware_update() -> Request[None]:
    return _plain(RequestType.CANCEL_FIRMWARE_UPDATE, system.nothing)


# --- cloud and network --------------------------------------------------------------------------


def get_connection_status() -> Request[ConnectionStatus]:
    return _plain(RequestType.GET_CONNECTION_STATUS, system.connection_status, SHORT_S)


def connect() -> Request[None]:
    return _plain(RequestType.CONNECT, system.nothing)


def disconnect() -> Request[None]:
    return _plain(RequestType.DISCONNECT, system.nothing)


def get_interface_list() -> Request[tuple[network.Interface, ...]]:
    """Read all interfaces, without hardware addresses. Result -100 on cellular units with 6.2.0: ask one by one."""
    return _plain(RequestType.GET_INTERFACE_LIST, network.interface_list)


def get_interface(index: int) -> Request[network.Interface]:
    """Read one interface with its hardware address; indices 3, 4 and 5 are in use."""
    payload = network_pb2.InterfaceRequest(index=index).SerializeToString()
    return _with(RequestType.GET_INTERFACE, payload, network.interface)


def get_active_sim() -> Request[SimType]:
    """Read which SIM a unit with two of them uses (4.10)."""
    return _plain(RequestType.GET_ACTIVE_SIM, network.active_sim)


def get_iccid() -> Request[network.CellularIdentity]:
    return _plain(RequestType.GET_ICCID, network.cellular_identity, RADIO_S)


def join_new_network(
    ssid: str, password: Secret | None, security: WifiSecurity, *, hidden: bool = False
) -> Request[None]:
    """Join a network, and store it only on success: 5 to 30 s. ``ssid`` 1 to 32 bytes, ``password`` at most 64.

    The unit stays in listening mode. Names and passwords outside those limits raise
    `LocalProtocolError`: a missing name may crash the unit.
    """
    payload = _new_network(ssid, password, security, hidden)
    return _with(RequestType.JOIN_NEW_NETWORK, payload, system.nothing, timeout_s=RADIO_S, is_secret=True)


def store_network(ssid: str, password: Secret | None, security: WifiSecurity, *, hidden: bool = False) -> Request[None]:
    """Store a network without joining it, which proves nothing of it; the limits are those of `join_new_network`."""
    payload = _new_network(ssid, password, security, hidden)
    return _with(RequestType.STORE_NETWORK, payload, system.nothing, is_secret=True)


def _new_network(ssid: str, password: Secret | None, security: WifiSecurity, hidden: bool) -> bytes:
    if security in ENTERPRISE:
        raise LocalProtocolError(f"requests 500 and 507 know no {security.name}; the console of a Photon does")
    message = network_pb2.JoinNewNetworkRequest(ssid=_name(ssid), security=security, hidden=hidden)
    if password:
        message.credentials.type = network_pb2.Credentials.PASSWORD
        message.credentials.password = _short(password)
    return message.SerializeToString()


def _name(ssid: str) -> bytes:
    raw = ssid.encode()
    if not 1 <= len(raw) <= MAX_SSID:
        raise LocalProtocolError(f"network name {ssid[:40]!r} has {len(raw)} bytes, expected 1 to {MAX_SSID}")
    return raw


def _short(password: Secret | None) -> str:
    text = password.reveal() if password else ""
    if len(text.encode()) > MAX_PASSWORD:
        raise LocalProtocolError(f"Wi-Fi password has {len(text.encode())} bytes, a unit takes {MAX_PASSWORD}")
    return text


def get_known_networks() -> Request[tuple[network.KnownNetwork, ...]]:
    return _plain(RequestType.GET_KNOWN_NETWORKS, network.known_networks)


def scan_networks() -> Request[tuple[network.ScannedNetwork, ...]]:
    return _plain(RequestType.SCAN_NETWORKS, network.scanned_networks, RADIO_S)


def get_current_network() -> Request[network.CurrentNetwork]:
    """Read which network the unit is joined to; result -210 while it is joined to none."""
    return _plain(RequestType.GET_CURRENT_NETWORK, network.current_network, SHORT_S)


def remove_known_network(ssid: str) -> Request[None]:
    payload = network_pb2.KnownNetworkRequest(ssid=_name(ssid)).SerializeToString()
    return _with(RequestType.REMOVE_KNOWN_NETWORK, payload, system.nothing)


# --- Wi-Fi of old Gen 2 units -------------------------------------------------------------------


def old_set_credentials(
    ssid: str, password: Secret | None, security: WifiSecurity, enterprise: network.Enterprise | None = None
) -> Request[None]:
    """Store a network without joining it (4.8); the limits are those of `join_new_network`."""
    one = network_pb2.OldNetwork(ssid=_name(ssid), security=OLD_SECURITY[security], password=_short(password))
    if security is not WifiSecurity.NONE:
        one.cipher = OldCipher.AES_TKIP if security is WifiSecurity.WPA_WPA2_PSK else OldCipher.AES
    if enterprise is not None:
        one.eap_type, one.outer_identity = enterprise.type, enterprise.outer_identity
        one.inner_identity, one.password = enterprise.username, _short(enterprise.password)
        one.client_certificate, one.ca_certificate = enterprise.certificate, enterprise.root_ca
        one.private_key = enterprise.private_key.reveal() if enterprise.private_key else ""
    payload = network_pb2.OldSetRequest(network=one).SerializeToString()
    return _with(RequestType.LEGACY_SET_CREDENTIALS, payload, system.nothing, is_secret=True)


def old_get_credentials() -> Request[tuple[network.KnownNetwork, ...]]:
    request = _plain(RequestType.LEGACY_GET_CREDENTIALS, network.old_stored_networks)
    return replace(request, is_secret=True)  # nobody says that it leaves the passwords out


def old_clear_credentials() -> Request[None]:
    return _plain(RequestType.LEGACY_CLEAR_CREDENTIALS, system.nothing)


def old_scan() -> Request[tuple[network.ScannedNetwork, ...]]:
    return _plain(RequestType.LEGACY_SCAN, network.old_scanned_networks, RADIO_S)


def get_diagnostics() -> Request[dict[str, int]]:
    """Read what the unit tells of its own state, numbers by names such as ``net:ip:addr``."""
    return _plain(RequestType.DIAGNOSTIC_INFO, system.diagnostics)
