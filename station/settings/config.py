"""The one configuration file of a station: who it is, its slots, its cloud, its folders, its USB.

Everything has a default, so a bench without a file works. Relative folders are relative to the file.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema, field_validator

from drivers.identity import HUB_PORTS, STABLE_PORT

from ..model import MAX_REASON, OffSlot, SlotInfo
from .document import Document
from .outside import (
    HookPlace,
    HookSection,
    PrinterPlace,
    PrinterSection,
    are_named,
    go_somewhere,
    hooks_field,
    printers_field,
)
from .secrets import LOGIN, SecretRef, TokenField
from .sections import ABSENT, Mistake, Section, json_schema, read_document, refusal, refuse, shown
from .usb_source import LOCAL, PORT, USBIP, UsbSource

APP_NAME = "provisioning-station"
DEFAULT_CLOUD = "https://api.particle.io"
DEFAULT_TOKEN = SecretRef(LOGIN, "PARTICLE_TOKEN")
"""The environment, then what `station login` keeps."""
CACHE = "firmware-cache"
"""The release cache's folder in the data directory, unless the file names another."""
MOST_REQUESTS_PER_S = 33.0
"""What the cloud allows one address: 10,000 requests in 5 minutes (reference cloud-api 9)."""
REQUESTS_PER_S = 20.0
"""What a station takes of that unless its file says otherwise: the office behind the same address needs the rest."""
MAX_SLOTS = 32
EXAMPLE_PORT = "pci-0000:00:14.0-usb-0:2"
_PORT_PATH = rf"({STABLE_PORT.pattern}|[0-9]{{1,3}}-{HUB_PORTS})"
_HOSTS = r"https://([^\]\[\s/?#@:]+|\[[0-9a-fA-F:]+\])|http://(127\.0\.0\.1|localhost|\[::1\])"
"""Where a token may go: over TLS, or in clear only within this host."""


def default_data_dir() -> Path:
    """Where journal and firmware live when nobody says so."""
    return Path(platformdirs.user_data_path(APP_NAME))


@dataclass(frozen=True, slots=True)
class StationConfig:
    """A station's configuration. ``slots`` in the order of the bench, each with a USB port path."""

    station_id: str = "bench"
    language: str = "en"  # what its faces speak
    is_named: bool = False  # the file names the station; else ``station_id`` is the default
    slots: tuple[SlotInfo, ...] = ()
    cloud_url: str = DEFAULT_CLOUD
    token: SecretRef = DEFAULT_TOKEN
    proxy: str = ""  # to the cloud; "": the environment's
    ca_file: Path | None = None  # certificates to believe; None: the environment's
    requests_per_s: float = REQUESTS_PER_S
    firmware_folders: tuple[Path, ...] = field(default_factory=lambda: (default_data_dir() / "firmware",))
    firmware_cache: Path = field(default_factory=lambda: default_data_dir() / CACHE)
    data_dir: Path = field(default_factory=default_data_dir)
    usb: UsbSource = LOCAL
    power: int | None = None  # how many cellular units may be written or transmit at once; None: all
    off: tuple[OffSlot, ...] = ()  # slots out of service
    ignored_ports: Mapping[str, str] = field(default_factory=dict)  # port path: what sits there
    layout: tuple[tuple[int, ...], ...] = ()  # the slots as they are on the bench, row by row; 0: a gap
    theme: str = "dark"  # of the screen
    sounds: bool = False  # for verdicts and YOUR TURN
    printers: tuple[PrinterPlace, ...] = ()
    hooks: tuple[HookPlace, ...] = ()
    source: Path | None = None  # the file it came from, None for the defaults


def default_config_path() -> Path:
    """Where the file is looked for when nobody names one."""
    return Path(platformdirs.user_config_path(APP_NAME)) / "station.toml"


def _folder(text: object, info: ValidationInfo) -> Path:
    if not isinstance(text, str) or not 1 <= len(text) <= 1000:
        raise refusal(Mistake(found=shown(text)))
    assert isinstance(info.context, Document)
    try:
        return Path(info.context.name).parent / Path(text).expanduser()
    except RuntimeError:  # ~name of nobody here, or a login without a home
        expected, advice = "a folder of a user there is", "write the whole path, from / on"
        raise refusal(Mistake((), expected, advice, shown(text))) from None


_Folder = Annotated[Path, PlainValidator(_folder, json_schema_input_type=str)]


def _slots(ports: dict[str, Any]) -> dict[str, str]:
    """``[slots]`` with lines such as ``1 = "pci-0000:00:14.0-usb-0:2.3"``: number of the slot, its USB port."""
    mistakes = []
    for at, (key, port) in enumerate(ports.items()):
        expected, example = "a USB port path, controller and hub ports", f'write {key} = "{EXAMPLE_PORT}.{key}"'
        if key not in map(str, range(1, MAX_SLOTS + 1)):
            mistakes.append(
                Mistake(key, f"slot numbers from 1 to {MAX_SLOTS}", f'write 1 = "{EXAMPLE_PORT}.1"', shown(key))
            )
        elif not isinstance(port, str) or not re.fullmatch(_PORT_PATH, port):
            mistakes.append(Mistake(key, expected, example, shown(port)))
        elif port in list(ports.values())[:at]:
            mistakes.append(Mistake(key, "a port path of its own for every slot", example, shown(port)))
    refuse(mistakes)
    return ports


_SLOTS_SCHEMA = {
    "type": "object",
    "description": "Number on the bench = USB port path, as `station slots learn` writes it.",
    "properties": {str(n): {"type": "string", "pattern": f"^{_PORT_PATH}$"} for n in range(1, MAX_SLOTS + 1)},
    "additionalProperties": False,
}


class _Station(Section):
    """Who this bench is."""

    id: str = Field(
        default="", pattern=r"^[\w.-]{1,40}$", examples=["bench-3"], description="Stands in every record.",
        title="letters, digits, dots and dashes, at most 40",
    )  # fmt: skip
    language: str = Field(
        default="en", pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", examples=["de", "zh"],
        title="the code of a language", description="What screen and lines speak: en, de, zh, or a plug-in's.",
    )  # fmt: skip


class _Cloud(Section):
    """The cloud and the account."""

    url: str = Field(
        default=DEFAULT_CLOUD, max_length=208, pattern=rf"^({_HOSTS})(:{PORT})?(/[^\s?#@]*)?$",
        title="the address of the cloud, https:// (http:// on this host only)", description="Where the cloud is.",
    )  # fmt: skip
    token: TokenField = Field(
        default=DEFAULT_TOKEN, title="a reference to the token, never the token itself",
        examples=["keyring", "env:PARTICLE_TOKEN", "keyring:station/token"],
        description="Where it is: keyring (what `station login` keeps), a variable, a keyring entry. Unless said: "
        "PARTICLE_TOKEN, then what `station login` keeps.",
    )  # fmt: skip
    proxy: str = Field(
        default="", max_length=208, pattern=rf"^(https?://([^\]\[\s/?#@:]+|\[[0-9a-fA-F:]+\])(:{PORT})?/?)?$",
        title="the address of a proxy, http://host:port, without a password", examples=["http://proxy:3128"],
        description="The proxy to the cloud; without it that of the environment, HTTPS_PROXY.",
    )  # fmt: skip
    ca_file: _Folder | None = Field(
        default=None, title="a file", examples=["factory-ca.pem"],
        description="Certificates to believe, PEM, as a network with its own needs them; relative to this file.",
    )  # fmt: skip
    requests_per_s: float = Field(
        default=REQUESTS_PER_S, ge=0.1, le=MOST_REQUESTS_PER_S, examples=[5.0],
        description="Requests a second at most; all stations and the office behind one address share 33 (N3).",
    )  # fmt: skip


class _Firmware(Section):
    """Where the files of the profiles lie."""

    folders: tuple[_Folder, ...] | None = Field(
        default=None, strict=False, min_length=1, max_length=16, title="folders in quotes", examples=[["firmware"]],
        description="Looked through in this order; relative ones lie beside this file.",
    )  # fmt: skip
    cache: _Folder | None = Field(
        default=None, title="a folder", examples=["/var/lib/station/firmware-cache"],
        description="The release cache, which `station firmware` fills; files are found there by their SHA-256.",
    )  # fmt: skip


class _Data(Section):
    """Where the journal lives."""

    dir: _Folder | None = Field(
        default=None, title="a folder", examples=["/var/lib/station"], description="Its folder."
    )


class _Usb(
    Section,
    json_schema_extra={
        "if": {"properties": {"backend": {"const": "libusb"}}}, "then": {"properties": {"consoles": ABSENT}},
    },
):  # fmt: skip
    """Where units are plugged in."""

    backend: str = Field(
        default="libusb", pattern=f"^(libusb|{USBIP})$", description="This host's bus, or a server of virtual units.",
        title='"libusb", or "usbip:HOST:PORT" for virtual units of another process',
    )  # fmt: skip
    consoles: _Folder | None = Field(
        default=None, title="a folder", examples=["consoles"],
        description="The folder of console links that a server of virtual units keeps.",
    )  # fmt: skip

    @field_validator("consoles")
    @classmethod
    def _are_remote(cls, folder: Path | None, info: ValidationInfo) -> Path | None:
        if folder is not None and info.data.get("backend") == "libusb":
            raise refusal(Mistake((), 'consoles only with a "usbip:" backend', "remove it"))
        return folder


def is_reason(text: object) -> bool:
    """Return whether ``text`` can stand on the screen as what sits on a port, or why a slot is off."""
    return isinstance(text, str) and 1 <= len(text.strip()) <= MAX_REASON and text.isprintable()


def _ignored(ports: dict[str, Any]) -> dict[str, str]:
    """``[ports.ignore]`` with lines such as ``"pci-0000:00:14.0-usb-0:4" = "label printer"``."""
    example = f'write "{EXAMPLE_PORT}" = "label printer"'
    mistakes = []
    for port, what in ports.items():
        if not re.fullmatch(_PORT_PATH, port):
            mistakes.append(Mistake(port, "a USB port path, controller and hub ports", example, shown(port)))
        elif not is_reason(what):
            mistakes.append(Mistake(port, f"what sits there, in 1 to {MAX_REASON} characters", example, shown(what)))
    refuse(mistakes)
    return ports


def _out_of_service(slots: dict[str, Any]) -> dict[str, OffSlot]:
    """``[off]`` with lines such as ``3 = { why = "socket worn out", since = 2026-11-20 }``."""
    example = 'write 3 = { why = "socket worn out", since = 2026-11-20 }'
    mistakes, found = [], {}
    for key, row in slots.items():
        row = row if isinstance(row, dict) else {}
        since = row.get("since")
        if key not in map(str, range(1, MAX_SLOTS + 1)):
            mistakes.append(Mistake(key, f"slot numbers from 1 to {MAX_SLOTS}", example, shown(key)))
        elif not is_reason(row.get("why")) or set(row) - {"why", "since"}:
            mistakes.append(Mistake(key, f"why it is off, in 1 to {MAX_REASON} characters", example))
        elif since is not None and not isinstance(since, datetime.date):
            mistakes.append(Mistake(key, "since when as a TOML date", example, shown(since)))
        else:
            found[key] = OffSlot(int(key), row["why"].strip(), _moment(since))
    refuse(mistakes)
    return found


def _moment(since: datetime.date | None) -> datetime.datetime | None:
    """Return ``since`` as a time in UTC: a TOML date counts from noon, so it is the same day almost everywhere."""
    if since is None or isinstance(since, datetime.datetime):
        return since if since is None or since.tzinfo is not None else since.replace(tzinfo=datetime.UTC)
    return datetime.datetime.combine(since, datetime.time(12), datetime.UTC)


_IGNORED_SCHEMA = {
    "type": "object",
    "description": "USB port path = what sits there. The station leaves it alone.",
    "patternProperties": {f"^{_PORT_PATH}$": {"type": "string", "minLength": 1, "maxLength": MAX_REASON}},
    "additionalProperties": False,
}
_OFF_ROW = {
    "type": "object",
    "properties": {"why": {"type": "string", "minLength": 1, "maxLength": MAX_REASON}, "since": {}},
    "required": ["why"],
    "additionalProperties": False,
}
_OFF_SCHEMA = {
    "type": "object",
    "description": "Number of a slot that is out of service = why, and since when.",
    "properties": {str(n): _OFF_ROW for n in range(1, MAX_SLOTS + 1)},
    "additionalProperties": False,
}


class _Ports(Section):
    """USB ports that are no business of the station."""

    ignore: Annotated[dict[str, Any], AfterValidator(_ignored), WithJsonSchema(_IGNORED_SCHEMA)] = Field(
        default={}, title="a table [ports.ignore]", examples=[{EXAMPLE_PORT: "label printer"}]
    )


class _Bench(Section):
    """What the bench can bear."""

    power: int | None = Field(
        default=None, ge=1, le=MAX_SLOTS, title=f"how many units, 1 to {MAX_SLOTS}", examples=[4],
        description="At most so many cellular units are written or transmit at once; the others wait their turn.",
    )  # fmt: skip


_Row = Annotated[tuple[Annotated[int, Field(ge=0, le=MAX_SLOTS)], ...], Field(strict=False, max_length=MAX_SLOTS)]


class _Layout(Section):
    """Where the slots are on the bench, for the screen."""

    rows: tuple[_Row, ...] = Field(
        default=(), strict=False, max_length=MAX_SLOTS, examples=[[[1, 2, 3], [6, 5, 4]]],
        title=f"rows of slot numbers, 1 to {MAX_SLOTS}, 0 for a gap",
        description="Each row from left to right, the farthest first; all slots of [slots], each once.",
    )  # fmt: skip


class _Screen(Section):
    """How the screen looks and sounds."""

    theme: str = Field(
        default="dark", pattern=r"^(dark|light)$", title='"dark" or "light"', examples=["light"],
        description="light: for bright halls, where a dark screen mirrors the lamps.",
    )  # fmt: skip
    sounds: bool = Field(default=False, description="PASS one high short tone, FAIL two low, YOUR TURN three.")


class _File(Section):
    """One station: who it is, its slots, its cloud, its folders, its USB. Everything has a default."""

    station: _Station = _Station()
    slots: Annotated[dict[str, Any], AfterValidator(_slots), WithJsonSchema(_SLOTS_SCHEMA)] = Field(
        default={}, title="a table [slots]", examples=[{"1": f"{EXAMPLE_PORT}.1"}]
    )
    ports: _Ports = _Ports()
    off: Annotated[dict[str, Any], AfterValidator(_out_of_service), WithJsonSchema(_OFF_SCHEMA)] = Field(
        default={}, title="a table [off]", examples=[{"3": {"why": "socket worn out"}}]
    )
    bench: _Bench = _Bench()
    layout: _Layout = _Layout()
    screen: _Screen = _Screen()
    printers: Annotated[dict[str, PrinterSection], AfterValidator(are_named)] = printers_field()
    hooks: Annotated[tuple[HookSection, ...], AfterValidator(go_somewhere)] = hooks_field()
    cloud: _Cloud = _Cloud()
    firmware: _Firmware = _Firmware()
    data: _Data = _Data()
    usb: _Usb = _Usb()

    @field_validator("layout")
    @classmethod
    def _has_every_slot_once(cls, layout: _Layout, info: ValidationInfo) -> _Layout:
        found = sorted(number for row in layout.rows for number in row if number)
        wanted = sorted(map(int, info.data.get("slots", {})))
        if found and found != (wanted or sorted(set(found))):
            expected = "every slot of [slots] once" if wanted else "every slot once"
            advice = f"write rows = [{wanted or sorted(set(found))}], broken into the rows of the bench"
            raise refusal(Mistake("rows", expected, advice, shown(found)))
        return layout


def load_config(path: Path | None = None) -> StationConfig:
    """Read the configuration in ``path``; None: the default file if there is one, else the defaults.

    Raises `station.errors.BadInput` with file, line and what to write instead.
    """
    chosen = path if path is not None else default_config_path()
    if path is None and not chosen.exists():
        return StationConfig()
    file = read_document(Document.read(chosen), _File)
    data_dir = file.data.dir or default_data_dir()
    remote = re.fullmatch(USBIP, file.usb.backend)
    return StationConfig(
        station_id=file.station.id or "bench",
        language=file.station.language,
        is_named=bool(file.station.id),
        slots=tuple(sorted((SlotInfo(int(key), port) for key, port in file.slots.items()), key=lambda row: row.number)),
        cloud_url=file.cloud.url.rstrip("/"),
        token=file.cloud.token,
        proxy=file.cloud.proxy,
        ca_file=file.cloud.ca_file,
        requests_per_s=file.cloud.requests_per_s,
        firmware_folders=file.firmware.folders or (data_dir / "firmware",),
        firmware_cache=file.firmware.cache or data_dir / CACHE,
        data_dir=data_dir,
        usb=UsbSource(remote[1].strip("[]"), int(remote[2]), file.usb.consoles) if remote else LOCAL,
        power=file.bench.power,
        off=tuple(file.off.values()),
        ignored_ports=file.ports.ignore,
        hooks=tuple(one.place() for one in file.hooks),
        layout=file.layout.rows,
        theme=file.screen.theme,
        sounds=file.screen.sounds,
        printers=tuple(PrinterPlace(name, one.to, one.status) for name, one in file.printers.items()),
        source=chosen,
    )


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the configuration file."""
    return json_schema(_File, "Configuration of a provisioning station")
