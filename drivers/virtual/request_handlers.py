"""What a unit does for each control request, and from which Device OS it knows it.

One table, `REQUESTS`. Handlers get the running system and the payload and return an `Outcome`;
messages are made with the unit's own encoder. Reference usb-and-serial 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..identity import Secret
from ..platforms import OsVersion
from .boot import BootRequest
from .control_service import Outcome
from .flash import FlashFailed, Who
from .inventory import find_application
from .messages import BadMessage, Fields, blob, message, number, text
from .module_report import module_info
from .ota import CHUNK
from .protection import PROTECTED
from .sims import AccessPointName, SimStore, SimType
from .system import RunningSystem, diagnostics
from .world import Security, StoredNetwork

UNKNOWN, NOT_SUPPORTED, NOT_ALLOWED, NOT_FOUND = -100, -120, -130, -170
INVALID_STATE, FLASH_IO, INVALID_ARGUMENT, BAD_DATA = -210, -219, -270, -280

Handler = Callable[[RunningSystem, bytes], Outcome]
Versions = tuple[tuple[str, str | None], ...]

_ALWAYS: Versions = (("0.0.0", None),)
_WIFI_TYPE, _PPP_TYPE, _LOOPBACK_TYPE = 8, 16, 1
_LOOPBACK_INDEX, _RADIO_INDEX = 1, 4
_NAME_LIMIT, _PASSWORD_LIMIT = 32, 64
_ETHERNET_DETECTION, _ETHERNET_FLAG = 1, 0x02  # the feature's number in requests 33 and 34; its bit in the flags
_STARTUP_LISTENING = 1


@dataclass(frozen=True, slots=True)
class Request:
    """One row: who knows the request and since when. ``radio``: "wifi", "cellular" or "" for all units."""

    name: str
    handler: Handler
    versions: Versions = _ALWAYS
    radio: str = ""

    def is_known(self, system: RunningSystem) -> bool:
        """Whether this unit with this Device OS knows the request at all."""
        platform = system.board.spec.platform
        has_radio = {"": True, "wifi": platform.has_wifi, "cellular": platform.has_cellular}[self.radio]
        return has_radio and is_within(system.os, self.versions)


def is_within(version: OsVersion, versions: Versions) -> bool:
    """Whether ``version`` lies in one of the half-open ranges (since, before)."""
    return any(
        OsVersion.parse(since) <= version and (before is None or version < OsVersion.parse(before))
        for since, before in versions
    )


def answer_request(system: RunningSystem, request_type: int, payload: bytes) -> Outcome:
    """Work on one request; an unknown one ends with -120, an undecodable payload with -280, broken flash with -219.

    Under device protection nearly everything ends with -1801.
    """
    if system.protection.refuses(request_type):
        return Outcome(PROTECTED, seconds=system.board.timings.work_s)
    row = REQUESTS.get(request_type)
    if row is None or not row.is_known(system):
        return Outcome(NOT_SUPPORTED, seconds=system.board.timings.work_s)
    try:
        outcome = row.handler(system, payload)
    except BadMessage:
        outcome = Outcome(BAD_DATA)
    except FlashFailed:
        outcome = Outcome(FLASH_IO)
    if outcome.seconds:
        return outcome
    return Outcome(outcome.result, outcome.data, system.board.timings.work_s, outcome.finish, outcome.completed)


def _query(handler: Callable[[RunningSystem], Outcome]) -> Handler:
    """A request that needs no payload and looks at none."""
    return lambda system, _payload: handler(system)


# --- identity and system --------------------------------------------------------------------


def _echo(_system: RunningSystem, payload: bytes) -> Outcome:
    return Outcome(data=payload)


def _device_id(system: RunningSystem) -> Outcome:
    return Outcome(data=text(1, str(system.board.spec.device_id)))


def _serial_number(system: RunningSystem) -> Outcome:
    return Outcome(data=text(1, str(system.board.spec.serial)))


def _system_version(system: RunningSystem) -> Outcome:
    return Outcome(data=text(1, str(system.os)))


def _ncp_version(system: RunningSystem) -> Outcome:
    version = next((m.version for m in system.report.modules if m.function == 7), None)
    if version is None:
        return Outcome(INVALID_STATE)
    return Outcome(data=text(1, f"0.0.{version}") + number(2, version))


def _nothing(_system: RunningSystem) -> Outcome:
    return Outcome()


def _restart_into(request: BootRequest) -> Handler:
    def handler(system: RunningSystem) -> Outcome:
        return Outcome(completed=lambda: system.restart_after_check(request))

    return _query(handler)


def _start_listening(system: RunningSystem) -> Outcome:
    delay = system.board.timings.start_listening_s
    if system.os < OsVersion.parse("4.0.0"):  # answers at once, acts later
        system.board.after(delay, system.enter_listening)
        return Outcome()
    if not system.may_listen:
        return Outcome(NOT_ALLOWED)
    if system.is_listening:
        return Outcome()

    def enter() -> Outcome:
        system.enter_listening()
        return Outcome()

    return Outcome(seconds=delay, finish=enter)


def _stop_listening(system: RunningSystem) -> Outcome:
    system.board.after(system.board.timings.work_s, system.leave_listening)
    return Outcome()


def _device_mode(system: RunningSystem) -> Outcome:
    return Outcome(data=number(1, int(system.is_listening)))


def _set_setup_done(system: RunningSystem, payload: bytes) -> Outcome:
    done = Fields(payload).flag(1)
    if system.os < OsVersion.parse("4.0.0"):
        return Outcome(seconds=system.board.memory.dct.set("setup_done", bytes([done]), Who.CONTROL))
    return Outcome(0 if done else NOT_SUPPORTED)


def _is_setup_done(system: RunningSystem) -> Outcome:
    done = system.os >= OsVersion.parse("4.0.0") or system.board.memory.dct.is_setup_done
    return Outcome(data=number(1, int(done)))


def _module_info(system: RunningSystem) -> Outcome:
    return Outcome(data=module_info(system.report.modules, system.os))


def _asset_info(system: RunningSystem) -> Outcome:
    """What the application in flash asks for; there is no asset store here, so nothing of it is available."""
    application = find_application(system.board.memory)
    wanted = application.asset_dependencies if application is not None else ()
    return Outcome(data=b"".join(message(2, blob(1, one.hash) + text(2, one.name)) for one in wanted))


def _set_feature(system: RunningSystem, payload: bytes) -> Outcome:
    """Stored for the next start; a cleared bit switches the feature on."""
    fields = Fields(payload)
    if fields.number(1) != _ETHERNET_DETECTION:
        return Outcome(NOT_SUPPORTED)
    flags = system.board.memory.dct.get("feature_flags")
    first = flags[0] & ~_ETHERNET_FLAG if fields.flag(2) else flags[0] | _ETHERNET_FLAG
    return Outcome(seconds=system.board.memory.dct.set("feature_flags", bytes([first]) + flags[1:], Who.CONTROL))


def _get_feature(system: RunningSystem, payload: bytes) -> Outcome:
    if Fields(payload).number(1) != _ETHERNET_DETECTION:
        return Outcome(NOT_SUPPORTED)
    is_on = not system.board.memory.dct.get("feature_flags")[0] & _ETHERNET_FLAG
    return Outcome(data=number(1, int(is_on)))


def _set_startup_mode(system: RunningSystem, payload: bytes) -> Outcome:
    wants_listening = Fields(payload).number(1) == _STARTUP_LISTENING
    return Outcome(seconds=system.board.memory.dct.set_startup_listening(wants_listening, Who.CONTROL))


def _protected_state(system: RunningSystem) -> Outcome:
    return Outcome(data=system.protection.state())


def _set_protected_state(system: RunningSystem, payload: bytes) -> Outcome:
    return Outcome(*system.protection.change(payload))


def _diagnostics(system: RunningSystem, payload: bytes) -> Outcome:
    return Outcome(NOT_SUPPORTED) if payload else Outcome(data=diagnostics(system).encode())


# --- claiming, update, cloud ----------------------------------------------------------------


def _set_claim_code(system: RunningSystem, payload: bytes) -> Outcome:
    """Stores 63 bytes of whatever came; the length is not looked at."""
    code = Fields(payload).blob(1)[:63]
    return Outcome(seconds=system.board.memory.dct.set("claim_code", code.ljust(63, b"\0"), Who.CONTROL))


def _is_claimed(system: RunningSystem) -> Outcome:
    return Outcome(data=number(1, int(system.board.memory.dct.is_claimed)))


def _rainbow(is_on: bool) -> Handler:
    def handler(system: RunningSystem) -> Outcome:
        system.is_rainbow = is_on
        return Outcome()

    return _query(handler)


def _start_update(system: RunningSystem, payload: bytes) -> Outcome:
    fields = Fields(payload)
    if fields.number(2):  # MINIZ: gone since 2.x
        return Outcome(NOT_SUPPORTED)
    reply = system.ota.begin(fields.number(1))
    return Outcome(reply.code, number(1, CHUNK) if reply.code == 0 else b"", reply.seconds)


def _update_data(system: RunningSystem, payload: bytes) -> Outcome:
    reply = system.ota.data(Fields(payload).blob(1))
    return Outcome(reply.code, seconds=reply.seconds)


def _finish_update(system: RunningSystem, payload: bytes) -> Outcome:
    reply = system.ota.finish(Fields(payload).flag(1))
    return Outcome(reply.code, seconds=reply.seconds, completed=system.apply_update if system.ota.is_staged else None)


def _cancel_update(system: RunningSystem) -> Outcome:
    system.ota.cancel()
    return Outcome()


def _connection_status(system: RunningSystem) -> Outcome:
    return Outcome(data=number(1, int(system.radio.link)))


def _connect(system: RunningSystem) -> Outcome:
    system.radio.connect()
    return Outcome()


def _disconnect(system: RunningSystem) -> Outcome:
    system.radio.disconnect()
    return Outcome()


# --- network interfaces ---------------------------------------------------------------------


def _interfaces(system: RunningSystem) -> dict[int, bytes]:
    """Index -> Interface message (4.6): loopback, and the one radio."""
    spec = system.board.spec
    radio = (text(2, "wl3") + number(3, _WIFI_TYPE)) if spec.mac else (text(2, "pp3") + number(3, _PPP_TYPE))
    return {
        _LOOPBACK_INDEX: number(1, _LOOPBACK_INDEX) + text(2, "lo0") + number(3, _LOOPBACK_TYPE),
        _RADIO_INDEX: number(1, _RADIO_INDEX) + radio,
    }


def _interface_list(system: RunningSystem) -> Outcome:
    if system.board.spec.platform.has_cellular and is_within(system.os, (("6.2.0", "6.2.1"),)):
        return Outcome(UNKNOWN)  # that build has an interface whose type has no name
    return Outcome(data=b"".join(message(1, one) for one in _interfaces(system).values()))


def _interface(system: RunningSystem, payload: bytes) -> Outcome:
    index = Fields(payload).number(1)
    found = _interfaces(system).get(index)
    if found is None:
        return Outcome(NOT_FOUND)
    mac = system.board.spec.mac
    hardware = blob(8, bytes.fromhex(str(mac).replace(":", ""))) if mac and index == _RADIO_INDEX else b""
    return Outcome(data=message(1, found + hardware + number(9, 1500)))


# --- Wi-Fi ------------------------------------------------------------------------------------


def _network(payload: bytes) -> StoredNetwork | int:
    """The network a JOIN or SET message names, or a result code."""
    fields = Fields(payload)
    ssid, credentials = fields.text(1), fields.message(4)
    password = credentials.text(2)
    if not 1 <= len(ssid.encode()) <= _NAME_LIMIT or len(password.encode()) > _PASSWORD_LIMIT:
        return INVALID_ARGUMENT
    if credentials.number(1) not in (0, 1):
        return NOT_SUPPORTED
    security = fields.number(3)
    known = security in set(Security)
    return StoredNetwork(ssid, Secret(password) if password else None, Security(security if known else 0))


def _join(system: RunningSystem, payload: bytes) -> Outcome:
    """Really connects, which takes seconds, and stores only on success."""
    network = _network(payload)
    if isinstance(network, int):
        return Outcome(network)
    timings = system.board.timings
    is_good = system.board.world.admits(network) is not None
    seconds = timings.wifi_join_s if is_good else timings.wifi_refused_s

    def finish() -> Outcome:
        try:
            return Outcome(system.radio.join(network))
        except FlashFailed:
            return Outcome(FLASH_IO)

    return Outcome(seconds=seconds, finish=finish)


def _store_credentials(system: RunningSystem, payload: bytes) -> Outcome:
    network = _network(payload)
    if isinstance(network, int):
        return Outcome(network)
    return Outcome(seconds=system.radio.store.add(network, Who.CONTROL))


def _join_known(system: RunningSystem, payload: bytes) -> Outcome:
    ssid = Fields(payload).text(1)
    known = next((one for one in system.radio.store.networks() if one.ssid == ssid), None)
    if known is None or system.board.world.admits(known) is None:
        return Outcome(NOT_FOUND)
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
    point = system.radio.current
    if point is None:
        return Outcome(INVALID_STATE)
    return Outcome(data=text(1, point.ssid) + blob(2, point.bssid) + number(3, point.channel) + number(4, point.rssi))


def _scan(system: RunningSystem) -> Outcome:
    rows = (
        text(1, p.ssid) + blob(2, p.bssid) + number(3, int(p.security)) + number(4, p.channel) + number(5, p.rssi)
        for p in system.board.world.access_points.values()
    )
    return Outcome(data=b"".join(message(1, row) for row in rows), seconds=system.board.timings.wifi_scan_s)


# --- cellular -----------------------------------------------------------------------------------

_IMEI_VERSIONS: Versions = (("5.8.0", "6.0.0-alpha.1"), ("6.1.0", None))


def _iccid(system: RunningSystem) -> Outcome:
    """Switches the modem on; the IMEI came and went with the versions (4.10)."""
    spec = system.board.spec
    imei = text(2, str(spec.imei)) if is_within(system.os, _IMEI_VERSIONS) else b""
    return Outcome(
        data=text(1, str(spec.iccid)) + imei, seconds=system.radio.modem_delay_s + system.board.timings.work_s
    )


def _sim(value: int) -> SimType | None:
    return SimType(value) if value in set(SimType) else None


def _active_sim(system: RunningSystem) -> Outcome:
    return Outcome(data=number(1, int(SimStore(system.board.memory).active)))


def _set_active_sim(system: RunningSystem, payload: bytes) -> Outcome:
    """Told by 553 at once; whether a real unit wants a restart first is uncertain (4.10)."""
    sim = _sim(Fields(payload).number(1))
    return Outcome(NOT_SUPPORTED) if sim is None else Outcome(seconds=SimStore(system.board.memory).set_active(sim))


def _access_point(system: RunningSystem, payload: bytes) -> Outcome:
    sim = _sim(Fields(payload).number(1))
    if sim is None:
        return Outcome(NOT_SUPPORTED)
    point = SimStore(system.board.memory).access_point(sim)
    stored = text(1, point.apn) + text(2, point.user) + text(3, point.password) if point else number(4, 1)
    return Outcome(data=message(1, stored))


def _set_access_point(system: RunningSystem, payload: bytes) -> Outcome:
    fields = Fields(payload)
    sim, wanted = _sim(fields.number(1)), fields.message(2)
    if sim is None:
        return Outcome(NOT_SUPPORTED)
    point = None if wanted.flag(4) else AccessPointName(wanted.text(1), wanted.text(2), wanted.text(3))
    return Outcome(seconds=SimStore(system.board.memory).set_access_point(sim, point))


_STORE_VERSIONS: Versions = (("5.8.2", "6.0.0-alpha.1"), ("6.2.0", None))
_SINCE_5_6: Versions = (("5.6.0", None),)
_SINCE_6: Versions = (("6.0.0", None),)

REQUESTS: dict[int, Request] = {
    1: Request("echo", _echo),
    20: Request("device id", _query(_device_id)),
    21: Request("serial number", _query(_serial_number)),
    30: Request("system version", _query(_system_version)),
    31: Request("ncp firmware version", _query(_ncp_version), radio="wifi"),
    32: Request("system capabilities", _query(_nothing)),
    33: Request("set feature", _set_feature),
    34: Request("get feature", _get_feature),
    40: Request("reset", _restart_into(BootRequest.NORMAL)),
    41: Request("factory reset", _restart_into(BootRequest.NORMAL)),  # no unit here holds a factory image to restore
    50: Request("dfu mode", _restart_into(BootRequest.DFU)),
    60: Request("safe mode", _restart_into(BootRequest.SAFE)),
    70: Request("start listening", _query(_start_listening)),
    71: Request("stop listening", _query(_stop_listening)),
    72: Request("device mode", _query(_device_mode)),
    73: Request("set setup done", _set_setup_done),
    74: Request("is setup done", _query(_is_setup_done)),
    75: Request("set startup mode", _set_startup_mode),
    76: Request("protected state", _query(_protected_state), _SINCE_6),
    77: Request("set protected state", _set_protected_state, _SINCE_6),
    90: Request("module info", _query(_module_info)),
    91: Request("asset info", _query(_asset_info), _SINCE_5_6),
    100: Request("diagnostics", _diagnostics),
    200: Request("set claim code", _set_claim_code),
    201: Request("is claimed", _query(_is_claimed)),
    230: Request("start rainbow", _rainbow(True)),
    231: Request("stop rainbow", _rainbow(False)),
    250: Request("start update", _start_update),
    251: Request("finish update", _finish_update),
    252: Request("cancel update", _query(_cancel_update)),
    253: Request("update data", _update_data),
    300: Request("connection status", _query(_connection_status)),
    301: Request("connect", _query(_connect)),
    302: Request("disconnect", _query(_disconnect)),
    400: Request("interface list", _query(_interface_list)),
    401: Request("interface", _interface),
    500: Request("join new network", _join, radio="wifi"),
    501: Request("join known network", _join_known, radio="wifi"),
    502: Request("known networks", _query(_known_networks), radio="wifi"),
    503: Request("remove network", _remove_network, radio="wifi"),
    504: Request("clear networks", _query(_clear_networks), radio="wifi"),
    505: Request("current network", _query(_current_network), radio="wifi"),
    506: Request("scan", _query(_scan), radio="wifi"),
    507: Request("store credentials", _store_credentials, _STORE_VERSIONS, radio="wifi"),
    550: Request("set access point", _set_access_point, radio="cellular"),
    551: Request("access point", _access_point, radio="cellular"),
    552: Request("set active sim", _set_active_sim, radio="cellular"),
    553: Request("active sim", _query(_active_sim), radio="cellular"),
    554: Request("iccid", _query(_iccid), radio="cellular"),
}
