"""Handlers for a unit's control requests about its network: interfaces, Wi-Fi, SIM.

Reference usb-and-serial 4.6 to 4.10.
"""

from __future__ import annotations

from ..identity import MacAddress, Secret
from ..platforms import OsVersion
from ..wire.console.tables import MAX_PASSWORD, MAX_SSID
from ..wire.control.tables import RequestType
from ..wire.messages.tables import InterfaceType, SimType, WifiSecurity
from ..wire.results import ResultCode
from .control_service import Outcome
from .families import family_of
from .flash import FlashFailed, Who
from .messages import Fields, blob, message, number, text
from .request_handler import Handler, query
from .sims import AccessPointName, SimStore, iccid_in_use
from .system import RunningSystem
from .world import StoredNetwork

_LOOPBACK_INDEX, _ETHERNET_INDEX, _FIRST_RADIO_INDEX = 1, 3, 4

_HIDDEN_SINCE = OsVersion.parse("5.5.0-0")


# --- network interfaces ---------------------------------------------------------------------


def _interfaces(system: RunningSystem) -> dict[int, tuple[str, InterfaceType]]:
    """Return name and kind by index (4.6): loopback, Ethernet, radios, modem first; a name's number is index - 1."""
    spec = system.board.spec
    radios = [("pp", InterfaceType.PPP)] if spec.platform.has_cellular else []
    radios += [("wl", InterfaceType.WIFI)] if spec.mac else []
    rows = {_LOOPBACK_INDEX: ("lo", InterfaceType.LOOPBACK)}
    rows |= {_ETHERNET_INDEX: ("en", InterfaceType.ETHERNET)} if _ethernet_mac(system) else {}
    rows |= dict(enumerate(radios, _FIRST_RADIO_INDEX))
    return {index: (f"{name}{index - 1}", kind) for index, (name, kind) in rows.items()}


def _ethernet_mac(system: RunningSystem) -> MacAddress | None:
    spec, of = system.board.spec, family_of(system.board.spec.platform_id).ethernet_mac
    return of(str(spec.device_id), spec.mac) if system.has_ethernet and of is not None else None


def _described(index: int, name: str, kind: InterfaceType) -> bytes:
    return number(1, index) + text(2, name) + number(3, kind)


def _interface_list(system: RunningSystem) -> Outcome:
    return Outcome(data=b"".join(message(1, _described(index, *row)) for index, row in _interfaces(system).items()))


def _interface(system: RunningSystem, payload: bytes) -> Outcome:
    index = Fields(payload).number(1)
    found = _interfaces(system).get(index)
    if found is None:
        return Outcome(ResultCode.NOT_FOUND)
    macs = {InterfaceType.WIFI: system.board.spec.mac, InterfaceType.ETHERNET: _ethernet_mac(system)}
    mac = macs.get(found[1])
    hardware = blob(8, bytes.fromhex(str(mac).replace(":", ""))) if mac is not None else b""
    return Outcome(data=message(1, _described(index, *found) + hardware + number(9, 1500)))


# --- Wi-Fi ------------------------------------------------------------------------------------


def _network(payload: bytes, os: OsVersion) -> StoredNetwork | int:
    """Decode the network in a JOIN or SET message; return a result code if it is invalid."""
    fields = Fields(payload)
    ssid, credentials = fields.text(1), fields.message(4)
    password = credentials.text(2)
    if not 1 <= len(ssid.encode()) <= MAX_SSID or len(password.encode()) > MAX_PASSWORD:
        return ResultCode.INVALID_ARGUMENT
    if credentials.number(1) not in (0, 1):
        return ResultCode.NOT_SUPPORTED
    security = fields.number(3)
    known = WifiSecurity(security) if security in range(WifiSecurity.WPA2_WPA3_PSK + 1) else WifiSecurity.NONE
    is_hidden = fields.flag(6) and os >= _HIDDEN_SINCE
    return StoredNetwork(ssid, Secret(password) if password else None, known, is_hidden)


def _join(system: RunningSystem, payload: bytes) -> Outcome:
    """Connect, which takes seconds, and store the network only on success."""
    network = _network(payload, system.os)
    if isinstance(network, int):
        return Outcome(network)
    timings = system.board.timings
    is_good = system.radio.admits(network) is not None
    seconds = timings.wifi_join_s if is_good else timings.wifi_refused_s

    def finish() -> Outcome:
        try:
            return Outcome(system.radio.join(network))
        except FlashFailed:
            return Outcome(ResultCode.FLASH_IO)

    return Outcome(seconds=seconds, finish=finish)


def _store_credentials(system: RunningSystem, payload: bytes) -> Outcome:
    network = _network(payload, system.os)
    if isinstance(network, int):
        return Outcome(network)
    return Outcome(seconds=system.radio.store.add(network, Who.CONTROL))


def _join_known(system: RunningSystem, payload: bytes) -> Outcome:
    ssid = Fields(payload).text(1)
    known = next((one for one in system.radio.store.networks() if one.ssid == ssid), None)
    if known is None or system.radio.admits(known) is None:
        return Outcome(ResultCode.NOT_FOUND)
    system.radio.connect()
    return Outcome(seconds=system.board.timings.wifi_join_s)


def _known_networks(system: RunningSystem) -> Outcome:
    rows = (
        text(1, n.ssid) + number(2, int(n.security)) + number(3, int(n.password is not None))
        for n in system.radio.store.networks()
    )
    return Outcome(data=b"".join(message(1, row) for row in rows))


def _remove_network(system: RunningSystem, payload: bytes) -> Outcome:
    ssid = Fields(payload).text(1)
    if all(one.ssid != ssid for one in system.radio.store.networks()):
        return Outcome()
    return Outcome(seconds=system.radio.store.remove(ssid, Who.CONTROL))


def _clear_networks(system: RunningSystem) -> Outcome:
    return Outcome(seconds=system.radio.store.clear(Who.CONTROL))


def _current_network(system: RunningSystem) -> Outcome:
    point = system.radio.joined
    if point is None:
        return Outcome(ResultCode.INVALID_STATE)
    return Outcome(data=text(1, point.ssid) + blob(2, point.bssid) + number(3, point.channel) + number(4, point.rssi))


def _told(security: WifiSecurity) -> int:
    """Return a network's security as these requests number it: those know no enterprise network."""
    return int(security) if security <= WifiSecurity.WPA2_WPA3_PSK else int(WifiSecurity.WPA2_PSK)


def _scan(system: RunningSystem) -> Outcome:
    rows = (
        text(1, "" if p.is_hidden else p.ssid)
        + blob(2, p.bssid)
        + number(3, _told(p.security))
        + number(4, p.channel)
        + number(5, p.rssi)
        for p in system.radio.heard()
    )
    return Outcome(data=b"".join(message(1, row) for row in rows), seconds=system.board.timings.wifi_scan_s)


# --- cellular -----------------------------------------------------------------------------------


def _iccid(system: RunningSystem) -> Outcome:
    """Return ICCID and IMEI, powering up the modem; only some versions report the IMEI (4.10)."""
    spec = system.board.spec
    iccid = iccid_in_use(spec, system.board.memory)
    imei = text(2, str(spec.imei)) if spec.platform.reports("554.imei", system.os) else b""
    told = (text(1, str(iccid)) if iccid else b"") + imei
    return Outcome(data=told, seconds=system.radio.modem_delay_s + system.board.timings.work_s)


def _apdu(_system: RunningSystem) -> Outcome:
    """Answer as a SIM does that knows no instruction (ISO 7816-4: status 6D00)."""
    return Outcome(data=blob(1, b"\x6d\x00"))


def _sim(value: int) -> SimType | None:
    return SimType(value) if value in set(SimType) else None


def _active_sim(system: RunningSystem) -> Outcome:
    return Outcome(data=number(1, int(SimStore(system.board.memory).active)))


def _set_active_sim(system: RunningSystem, payload: bytes) -> Outcome:
    """Set the active SIM. 553 reports it at once; whether a real unit needs a restart first is uncertain (4.10)."""
    sim = _sim(Fields(payload).number(1))
    if sim is None:
        return Outcome(ResultCode.NOT_SUPPORTED)
    return Outcome(seconds=SimStore(system.board.memory).set_active(sim))


def _access_point(system: RunningSystem, payload: bytes) -> Outcome:
    sim = _sim(Fields(payload).number(1))
    if sim is None:
        return Outcome(ResultCode.NOT_SUPPORTED)
    point = SimStore(system.board.memory).access_point(sim)
    stored = text(1, point.apn) + text(2, point.user) + text(3, point.password) if point else number(4, 1)
    return Outcome(data=message(1, stored))


def _set_access_point(system: RunningSystem, payload: bytes) -> Outcome:
    fields = Fields(payload)
    sim, wanted = _sim(fields.number(1)), fields.message(2)
    if sim is None:
        return Outcome(ResultCode.NOT_SUPPORTED)
    point = None if wanted.flag(4) else AccessPointName(wanted.text(1), wanted.text(2), wanted.text(3))
    return Outcome(seconds=SimStore(system.board.memory).set_access_point(sim, point))


NETWORK_REQUESTS: dict[int, Handler] = {
    RequestType.GET_INTERFACE_LIST: query(_interface_list),
    RequestType.GET_INTERFACE: _interface,
    RequestType.JOIN_NEW_NETWORK: _join,
    RequestType.JOIN_KNOWN_NETWORK: _join_known,
    RequestType.GET_KNOWN_NETWORKS: query(_known_networks),
    RequestType.REMOVE_KNOWN_NETWORK: _remove_network,
    RequestType.CLEAR_KNOWN_NETWORKS: query(_clear_networks),
    RequestType.GET_CURRENT_NETWORK: query(_current_network),
    RequestType.SCAN_NETWORKS: query(_scan),
    RequestType.STORE_NETWORK: _store_credentials,
    RequestType.SET_ACCESS_POINT: _set_access_point,
    RequestType.GET_ACCESS_POINT: _access_point,
    RequestType.SET_ACTIVE_SIM: _set_active_sim,
    RequestType.GET_ACTIVE_SIM: query(_active_sim),
    RequestType.GET_ICCID: query(_iccid),
    RequestType.SEND_APDU: query(_apdu),
}
