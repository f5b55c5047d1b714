"""A virtual unit's handlers for control requests, in one table, `REQUESTS`.

Handlers receive the running system and the payload and return an `Outcome`;
messages are encoded with the unit's own encoder. Reference usb-and-serial 4.
"""

from __future__ import annotations

from ..platforms import ModuleFunction, OsVersion
from ..wire.control.tables import RequestType
from ..wire.results import ResultCode
from . import programs, self_test
from .boot import BootRequest
from .control_service import Outcome
from .dct import FEATURE_ETHERNET
from .families import family_of
from .flash import FlashFailed, Who
from .gen2_requests import GEN2_REQUESTS
from .messages import BadMessage, Fields, blob, message, number, text
from .module_report import describe, module_info
from .network_requests import NETWORK_REQUESTS
from .ota import CHUNK
from .request_handler import Handler, query
from .system import RunningSystem, diagnostics

_ETHERNET_DETECTION = 1  # the feature's number in requests 33 and 34
_STARTUP_LISTENING = 1


def answer_request(system: RunningSystem, request_type: int, payload: bytes) -> Outcome:
    """Process one request. Results: -120 unsupported, -280 undecodable payload, -219 failed flash.

    Under device protection nearly every request ends with -1801.
    """
    if system.protection.refuses(request_type):
        return Outcome(ResultCode.PROTECTED, seconds=system.board.timings.work_s)
    handler, refusal = REQUESTS.get(request_type), system.board.spec.platform.refusal(request_type, system.os)
    if handler is None or refusal is not None:
        return Outcome(refusal or ResultCode.NOT_SUPPORTED, seconds=system.board.timings.work_s)
    try:
        outcome = handler(system, payload)
    except BadMessage:
        outcome = Outcome(ResultCode.BAD_DATA)
    except FlashFailed:
        outcome = Outcome(ResultCode.FLASH_IO)
    if outcome.seconds or outcome.is_lost:
        return outcome
    return Outcome(outcome.result, outcome.data, system.board.timings.work_s, outcome.finish, outcome.completed)


# --- identity and system --------------------------------------------------------------------


def _echo(_system: RunningSystem, payload: bytes) -> Outcome:
    return Outcome(data=payload)


def _ask_application(system: RunningSystem, payload: bytes) -> Outcome:
    """Pass the request to the application; -120 in safe mode, or if the application has no handler."""
    if system.is_safe or not programs.is_active(system.board.memory, programs.SELF_TEST):
        return Outcome(ResultCode.NOT_SUPPORTED)
    return self_test.answer(payload, system.board.sensors, system.board.application_says())


def _device_id(system: RunningSystem) -> Outcome:
    return Outcome(data=text(1, str(system.board.spec.device_id)))


def _serial_number(system: RunningSystem) -> Outcome:
    spec = system.board.spec
    if spec.serial is None or not spec.platform.reports("21.serial", system.os):
        return Outcome(spec.platform.blank_serial_result)
    return Outcome(data=text(1, str(spec.serial)))


def _system_version(system: RunningSystem) -> Outcome:
    return Outcome(data=text(1, str(system.os)))


def _ncp_version(system: RunningSystem) -> Outcome:
    """Where the radio is part of the processor there is no version, and its number is 1 (4.1)."""
    if system.board.spec.platform.slot(ModuleFunction.NCP, 0) is None:
        return Outcome(data=number(2, 1))
    version = next((m.version for m in system.report.modules if m.function == 7), None)
    if version is None:
        return Outcome(ResultCode.INVALID_STATE)
    return Outcome(data=text(1, f"0.0.{version}") + number(2, version))


def _nothing(_system: RunningSystem) -> Outcome:
    return Outcome()


def _restart_into(request: BootRequest) -> Handler:
    def handler(system: RunningSystem) -> Outcome:
        return Outcome(completed=lambda: system.restart_after_check(request))

    return query(handler)


def _start_listening(system: RunningSystem) -> Outcome:
    delay = system.board.timings.start_listening_s
    if system.os < OsVersion.parse("4.0.0"):  # replies at once, acts later
        system.board.after(delay, system.enter_listening)
        return Outcome()
    if not system.may_listen:
        return Outcome(ResultCode.NOT_ALLOWED)
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
    if system.has_setup_flag:
        return Outcome(seconds=system.board.memory.dct.set("setup_done", bytes([done]), Who.CONTROL))
    return Outcome(0 if done else ResultCode.NOT_SUPPORTED)


def _is_setup_done(system: RunningSystem) -> Outcome:
    done = not system.has_setup_flag or system.board.memory.dct.is_setup_done
    return Outcome(data=number(1, int(done)))


def _module_info(system: RunningSystem) -> Outcome:
    spec, modules = system.board.spec, system.report.modules
    if spec.platform.reports("90.json", system.os):
        return Outcome(data=describe(spec.platform_id, {}, modules).encode())
    return Outcome(data=module_info(modules, system.os))


def _asset_info(system: RunningSystem) -> Outcome:
    """Return the assets in the store, and those the application in flash requires."""
    memory = system.board.memory
    application = family_of(memory.platform_id).find_application(memory)
    wanted = application.suffix.asset_dependencies if application is not None else ()
    held = memory.assets.held() if memory.assets is not None else ()
    rows = [
        message(1, blob(1, one.hash) + text(2, one.name) + number(3, one.size) + number(4, one.storage_size))
        for one in held
    ]
    return Outcome(data=b"".join([*rows, *(message(2, blob(1, one.hash) + text(2, one.name)) for one in wanted)]))


def _set_feature(system: RunningSystem, payload: bytes) -> Outcome:
    """Store a feature flag for the next boot; a cleared bit enables the feature."""
    fields = Fields(payload)
    if fields.number(1) != _ETHERNET_DETECTION:
        return Outcome(ResultCode.NOT_SUPPORTED)
    flags = system.board.memory.dct.get("feature_flags")
    first = flags[0] & ~FEATURE_ETHERNET if fields.flag(2) else flags[0] | FEATURE_ETHERNET
    return Outcome(seconds=system.board.memory.dct.set("feature_flags", bytes([first]) + flags[1:], Who.CONTROL))


def _get_feature(system: RunningSystem, payload: bytes) -> Outcome:
    if Fields(payload).number(1) != _ETHERNET_DETECTION:
        return Outcome(ResultCode.NOT_SUPPORTED)
    is_on = not system.board.memory.dct.get("feature_flags")[0] & FEATURE_ETHERNET
    return Outcome(data=number(1, int(is_on)))


def _set_startup_mode(system: RunningSystem, payload: bytes) -> Outcome:
    wants_listening = Fields(payload).number(1) == _STARTUP_LISTENING
    return Outcome(seconds=system.board.memory.dct.set_startup_listening(wants_listening, Who.CONTROL))


def _protected_state(system: RunningSystem) -> Outcome:
    return Outcome(data=system.protection.state())


def _set_protected_state(system: RunningSystem, payload: bytes) -> Outcome:
    return Outcome(*system.protection.change(payload))


def _diagnostics(system: RunningSystem, payload: bytes) -> Outcome:
    return Outcome(ResultCode.NOT_SUPPORTED) if payload else Outcome(data=diagnostics(system).encode())


# --- claiming, update, cloud ----------------------------------------------------------------


def _set_claim_code(system: RunningSystem, payload: bytes) -> Outcome:
    """Store the first 63 bytes of the payload; the unit does not check its length."""
    code = Fields(payload).blob(1)[:63]
    return Outcome(seconds=system.board.memory.dct.set("claim_code", code.ljust(63, b"\0"), Who.CONTROL))


def _is_claimed(system: RunningSystem) -> Outcome:
    return Outcome(data=number(1, int(system.board.memory.dct.is_claimed)))


def _rainbow(is_on: bool) -> Handler:
    def handler(system: RunningSystem) -> Outcome:
        system.is_rainbow = is_on
        return Outcome()

    return query(handler)


def _start_update(system: RunningSystem, payload: bytes) -> Outcome:
    fields = Fields(payload)
    if fields.number(2):  # MINIZ: gone since 2.x
        return Outcome(ResultCode.NOT_SUPPORTED)
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


def _environment(system: RunningSystem) -> Outcome:
    rows = (text(1, name) + text(2, value) + number(3, 1) for name, value in system.environment.items())
    return Outcome(data=b"".join(message(1, row) for row in rows))


def _clear_environment(system: RunningSystem) -> Outcome:
    """The application sees the change after a restart, if there was anything to clear."""
    needs_reset = bool(system.environment)
    system.environment.clear()
    return Outcome(data=number(1, int(needs_reset)))


_OTHERS = NETWORK_REQUESTS | GEN2_REQUESTS
REQUESTS: dict[int, Handler] = {
    RequestType.ECHO: _echo,
    RequestType.APP_CUSTOM: _ask_application,
    RequestType.DEVICE_ID: query(_device_id),
    RequestType.SERIAL_NUMBER: query(_serial_number),
    RequestType.SYSTEM_VERSION: query(_system_version),
    RequestType.NCP_FIRMWARE_VERSION: query(_ncp_version),
    RequestType.GET_SYSTEM_CAPABILITIES: query(_nothing),
    RequestType.SET_FEATURE: _set_feature,
    RequestType.GET_FEATURE: _get_feature,
    RequestType.RESET: _restart_into(BootRequest.NORMAL),
    RequestType.FACTORY_RESET: _restart_into(BootRequest.NORMAL),  # no virtual unit has a factory image to restore
    RequestType.DFU_MODE: _restart_into(BootRequest.DFU),
    RequestType.SAFE_MODE: _restart_into(BootRequest.SAFE),
    RequestType.START_LISTENING: query(_start_listening),
    RequestType.STOP_LISTENING: query(_stop_listening),
    RequestType.GET_DEVICE_MODE: query(_device_mode),
    RequestType.SET_DEVICE_SETUP_DONE: _set_setup_done,
    RequestType.IS_DEVICE_SETUP_DONE: query(_is_setup_done),
    RequestType.SET_STARTUP_MODE: _set_startup_mode,
    RequestType.GET_PROTECTED_STATE: query(_protected_state),
    RequestType.SET_PROTECTED_STATE: _set_protected_state,
    RequestType.GET_MODULE_INFO: query(_module_info),
    RequestType.GET_ASSET_INFO: query(_asset_info),
    RequestType.DIAGNOSTIC_INFO: _diagnostics,
    RequestType.SET_CLAIM_CODE: _set_claim_code,
    RequestType.IS_CLAIMED: query(_is_claimed),
    RequestType.START_NYAN_SIGNAL: _rainbow(True),
    RequestType.STOP_NYAN_SIGNAL: _rainbow(False),
    RequestType.START_FIRMWARE_UPDATE: _start_update,
    RequestType.FINISH_FIRMWARE_UPDATE: _finish_update,
    RequestType.CANCEL_FIRMWARE_UPDATE: query(_cancel_update),
    RequestType.FIRMWARE_UPDATE_DATA: _update_data,
    RequestType.GET_CONNECTION_STATUS: query(_connection_status),
    RequestType.CONNECT: query(_connect),
    RequestType.DISCONNECT: query(_disconnect),
    RequestType.ENV_GET: query(_environment),
    RequestType.ENV_CLEAR: query(_clear_environment),
} | _OTHERS
