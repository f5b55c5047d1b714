"""Where each value of a unit can be read: one table of sources, asked from the top. Reference usb-and-serial 6.

What a unit, its Device OS and its mode offer is decided here from the platform table before anything is asked; what
is not offered leaves a sentence that says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.clock import Deadline
from drivers.devices import Console, ParticleDevice, read_interfaces
from drivers.errors import RequestRejected
from drivers.identity import DeviceId, MobileSecret
from drivers.platforms import Kind, ModuleFunction, OsVersion, Platform
from drivers.wire import requests
from drivers.wire.console.tables import Key
from drivers.wire.control.tables import Raw, RequestType
from drivers.wire.dfu.tables import SETUP_DONE
from drivers.wire.messages.modules import ModuleInfo
from drivers.wire.messages.system import Protection
from drivers.wire.messages.tables import InterfaceType

Answer = Mapping[str, object]
"""Name of a value -> what the unit told; None: it answered, and told nothing."""


@dataclass(frozen=True, slots=True)
class At:
    """One unit to be asked. ``console``: its console, if it is open."""

    device: ParticleDevice
    platform: Platform
    deadline: Deadline
    console: Console | None = None

    @property
    def typed(self) -> Console:
        """Return the console of a source that was found to need it, and to have it."""
        assert self.console is not None
        return self.console


@dataclass(frozen=True, slots=True)
class Source:
    """One place to read values at. ``kind`` and ``key``: its row in the capability table; None: every unit has it.

    ``fields``: rows of that table that say which values come with the answer. ``again_s``: pauses before it is asked
    again for a value that should be there and is not, or that differs from another source's.
    """

    name: str
    kind: Kind | None
    key: int | str
    tells: tuple[str, ...]
    read: Callable[[At], Answer]
    in_walk: bool = False  # what every walk reads; the others are read by those who look at a unit
    fields: tuple[tuple[str, str], ...] = ()
    again_s: tuple[float, ...] = (0.0,)
    is_slow: bool = False  # a radio has to start first


MODEM_AGAIN_S = (2.0, 2.0)
"""Pauses before a radio that has just started is asked again: it answers, and tells nothing yet."""


def _request(kind: RequestType, *tells: str, read: Callable[[At], Answer], **more: object) -> Source:
    return Source(f"request {kind.value}", Kind.REQUEST, kind, tells, read, **more)  # type: ignore[arg-type]


def _serial(at: At) -> Answer:
    """A unit whose number was never programmed refuses the question, or answers nothing (A4)."""
    blank = at.platform.blank_serial_result
    try:
        return {"serial": at.device.ask(requests.get_serial_number(blank), at.deadline)}
    except RequestRejected as refused:
        if refused.code != blank:
            raise
        return {"serial": None}


def of_modules(modules: tuple[ModuleInfo, ...]) -> Answer:
    """Read off a list of modules what it says besides: the versions of bootloader and co-processor."""
    versions = {
        name: next((str(one.version) for one in modules if (one.function, one.index) == (function, 0)), None)
        for name, function in (("bootloader", ModuleFunction.BOOTLOADER), ("ncp", ModuleFunction.NCP))
    }
    return {"modules": modules or None, **versions}


def _interface(at: At) -> Answer:
    found = read_interfaces(at.device, InterfaceType.WIFI, at.deadline)
    return {"mac": next((one.mac for one in found), None)}


def _cellular(at: At) -> Answer:
    return at.device.ask(requests.get_iccid(), at.deadline)._asdict()


def _active_sim(at: At) -> Answer:
    return {"active_sim": at.device.ask(requests.get_active_sim(), at.deadline).name.lower()}


def _mode(at: At) -> Answer:
    return {"mode": "listening" if at.device.ask(requests.get_device_mode(), at.deadline) else "normal"}


def _protection(at: At) -> Answer:
    return {"protection": described(at.device.protection(at.deadline))}


def described(state: Protection) -> str:
    """Say in one word what device protection a unit is under."""
    return ("service mode" if state.is_service_mode else "protected") if state.is_protected else "open"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _printed(at: At) -> Answer:
    found = at.typed.identify(at.deadline)
    return {
        "device_id": found.device_id, "serial": found.serial, "secret": found.secret, "imei": found.imei,
        "iccid": found.iccid, "modem": found.cell_radio,
    }  # fmt: skip


def _described(at: At) -> Answer:
    found = at.typed.modules(at.deadline)
    return {**of_modules(found.modules), "imei": found.imei, "iccid": found.iccid}


RUNNING: tuple[Source, ...] = (
    Source(
        "raw request 20", Kind.RAW, Raw.DEVICE_ID, ("device_id",),
        lambda at: {"device_id": at.device.raw_device_id(at.deadline)},
    ),
    Source(
        "raw request 30", Kind.RAW, Raw.SYSTEM_VERSION, ("device_os",),
        lambda at: {"device_os": at.device.os_version(at.deadline)}, in_walk=True,
    ),
    _request(
        RequestType.DEVICE_ID, "device_id", in_walk=True,
        read=lambda at: {"device_id": at.device.ask(requests.get_device_id(), at.deadline)},
    ),
    _request(RequestType.SERIAL_NUMBER, "serial", in_walk=True, read=_serial),
    _request(
        RequestType.SYSTEM_VERSION, "device_os",
        read=lambda at: {"device_os": at.device.ask(requests.get_system_version(), at.deadline)},
    ),
    _request(
        RequestType.GET_MODULE_INFO, "modules", "bootloader", "ncp", in_walk=True,
        read=lambda at: of_modules(at.device.ask(requests.get_module_info(), at.deadline)),
    ),
    _request(RequestType.GET_ACTIVE_SIM, "active_sim", in_walk=True, read=_active_sim),
    _request(
        RequestType.GET_ICCID, "iccid", "imei", in_walk=True, read=_cellular, fields=(("imei", "554.imei"),),
        again_s=MODEM_AGAIN_S, is_slow=True,
    ),
    _request(RequestType.GET_INTERFACE, "mac", in_walk=True, read=_interface, again_s=MODEM_AGAIN_S, is_slow=True),
    _request(
        RequestType.NCP_FIRMWARE_VERSION, "ncp",
        read=lambda at: {"ncp": at.device.ask(requests.get_ncp_version(), at.deadline)},
    ),
    _request(RequestType.GET_DEVICE_MODE, "mode", read=_mode),
    _request(
        RequestType.IS_DEVICE_SETUP_DONE, "setup_done",
        read=lambda at: {"setup_done": _yes(at.device.ask(requests.is_setup_done(), at.deadline))},
    ),
    _request(RequestType.GET_PROTECTED_STATE, "protection", read=_protection),
    _request(
        RequestType.IS_CLAIMED, "claimed",
        read=lambda at: {"claimed": _yes(at.device.ask(requests.is_claimed(), at.deadline))},
    ),
    _request(
        RequestType.ENV_GET, "environment",
        read=lambda at: {"environment": at.device.ask(requests.get_environment(), at.deadline)},
    ),
)  # fmt: skip
"""Sources of a unit that runs, in any mode but DFU."""

CONSOLE: tuple[Source, ...] = (
    Source(
        "console i", Kind.COMMAND, Key.IDENTITY, ("device_id", "serial", "secret", "imei", "iccid", "modem"), _printed,
        in_walk=True, fields=(("serial", "i.serial"), ("secret", "i.serial"), ("modem", "i.cell_radio")),
    ),
    Source(
        "console v", Kind.COMMAND, Key.VERSION, ("device_os",),
        lambda at: {"device_os": OsVersion.parse(at.typed.version(at.deadline))},
    ),
    Source("console s", Kind.COMMAND, Key.MODULES, ("modules", "bootloader", "ncp", "imei", "iccid"), _described),
    Source("console m", Kind.COMMAND, Key.MAC, ("mac",), lambda at: {"mac": at.typed.mac(at.deadline)}),
    Source(
        "console c", Kind.COMMAND, Key.CLAIMED, ("claimed",),
        lambda at: {"claimed": _yes(at.typed.claimed(at.deadline))},
    ),
)  # fmt: skip
"""Sources of a unit that listens."""


def _kept(at: At) -> Answer:
    """Read the configuration memory (reference usb-and-serial 2.8), as far as the platform keeps these things there."""
    fields = {one.name for one in at.platform.dct_fields}
    dfu = at.device.dfu(at.deadline)
    found: dict[str, object] = {"claimed": _yes(dfu.read_field("claimed") == b"1")}
    if "device_secret" in fields:
        found["secret"] = _secret(dfu.read_field("device_secret"))
    # else: not done, or a Device OS without it
    if "setup_done" in fields and dfu.read_field("setup_done") == SETUP_DONE:
        found["setup_done"] = _yes(True)
    if "device_id" in fields:
        stored = dfu.read_field("device_id").hex()
        found["device_id"] = None if set(stored) == {"f"} else DeviceId.parse(stored)
    return found


def _secret(raw: bytes) -> MobileSecret | None:
    text = raw.decode("ascii", "replace")
    return MobileSecret(text) if len(text) == 15 and text.isascii() and text.isprintable() else None


IN_DFU: tuple[Source, ...] = (
    Source("DFU descriptors", None, "", ("protection",), _protection),
    Source("DFU memory 1", None, "", ("claimed", "setup_done", "secret", "device_id"), _kept),
)
"""Sources of a unit in DFU mode; a protected one shows its descriptors only."""


# --- why a value cannot be had ------------------------------------------------------------------

NOT_THERE = {"serial": "not programmed", "secret": "not programmed", "iccid": "the modem told no number, is a SIM in?"}
"""What an empty answer means; for any other value: "told empty"."""
_RADIOS = {
    "iccid": ("has_cellular", "modem"), "imei": ("has_cellular", "modem"), "modem": ("has_cellular", "modem"),
    "mac": ("has_mac", "Wi-Fi"),
}  # fmt: skip


def absent(name: str, platform: Platform, version: OsVersion | None) -> str:
    """Return why no such unit has the value, or nothing that can be asked tells it; "" if one may."""
    attribute, radio = _RADIOS.get(name, ("", ""))
    if attribute and not getattr(platform, attribute):
        return f"{platform.name} has no {radio}"
    if name == "ble_mac":
        return (
            "no request, console command or memory that DFU reads tells it"
            if platform.capabilities.ever(Kind.FIELD, "radio.ble")
            else f"{platform.name} has no Bluetooth"
        )
    if name == "active_sim" and not platform.capabilities.ever(Kind.REQUEST, RequestType.GET_ACTIVE_SIM):
        return f"{platform.name} has one SIM at most" if platform.has_cellular else f"{platform.name} has no modem"
    if name == "ncp" and platform.slot(ModuleFunction.NCP, 0) is None:
        return f"{platform.name} has no co-processor with firmware of its own"
    if name == "setup_done":
        before = platform.setup_done_before
        if before is None:
            return f"{platform.name} never had such a flag"
        return f"Device OS {version} has no such flag" if version is not None and version >= before else ""
    return ""


_WHAT = {Kind.REQUEST: "request", Kind.RAW: "raw request", Kind.COMMAND: "console command"}


def lack(source: Source, platform: Platform, version: OsVersion | None) -> str:
    """Return why a unit with that Device OS (None: not known) does not have the source; "" if it may."""
    if source.kind is None:
        return ""
    what = f"{_WHAT[source.kind]} {source.key if isinstance(source.key, str) else int(source.key)}"
    if not platform.capabilities.ever(source.kind, source.key):
        return f"{platform.name} has no {what}"
    if version is None:
        return ""
    since = platform.requests_since
    if source.kind is Kind.REQUEST and since is not None and version < since:
        return f"Device OS {version} has no control requests"
    return "" if platform.capabilities.has(source.kind, source.key, version) else f"Device OS {version} has no {what}"


def untold(source: Source, name: str, platform: Platform, version: OsVersion | None) -> str:
    """Return why the answer of a source comes without that value in this Device OS; "" if it comes with it."""
    field = dict(source.fields).get(name, "")
    if not field or version is None or platform.reports(field, version):
        return ""
    return f"Device OS {version} does not tell it by {source.name}"
