"""The one configuration file of a station: who it is, its slots, its cloud, its folders, its USB.

Everything has a default, so a bench without a file works. Relative folders are relative to the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from ..model import SlotInfo
from .secrets import SecretRef, secret_ref
from .toml_table import Document, Table, read_all, shown

APP_NAME = "provisioning-station"
DEFAULT_CLOUD = "https://api.particle.io"
DEFAULT_TOKEN = SecretRef("env", "PARTICLE_TOKEN")
MAX_SLOTS = 32
_FOLDER = r"[^\x00-\x1f\x7f]{1,1000}"
_PORT_PATH = re.compile(r"[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}")
_USBIP = re.compile(r"usbip:(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]{1,253}):([0-9]{1,5})")


def default_data_dir() -> Path:
    """Where journal and firmware live when nobody says so."""
    return Path(platformdirs.user_data_path(APP_NAME))


@dataclass(frozen=True, slots=True)
class UsbSource:
    """Where units are plugged in: this host's bus, or a USB/IP server (``host`` and ``port`` then set).

    ``consoles``: the folder of console links that a server of virtual units keeps.
    """

    host: str = ""
    port: int = 0
    consoles: Path | None = None

    @property
    def is_local(self) -> bool:
        return not self.host


@dataclass(frozen=True, slots=True)
class StationConfig:
    """A station's configuration. ``slots`` in the order of the bench, each with a USB port path."""

    station_id: str = "bench"
    is_named: bool = False  # the file names the station; else ``station_id`` is the default
    slots: tuple[SlotInfo, ...] = ()
    cloud_url: str = DEFAULT_CLOUD
    token: SecretRef = DEFAULT_TOKEN
    firmware_folders: tuple[Path, ...] = field(default_factory=lambda: (default_data_dir() / "firmware",))
    data_dir: Path = field(default_factory=default_data_dir)
    usb: UsbSource = UsbSource()
    source: Path | None = None  # the file it came from, None for the defaults


def default_config_path() -> Path:
    """Where the file is looked for when nobody names one."""
    return Path(platformdirs.user_config_path(APP_NAME)) / "station.toml"


def load_config(path: Path | None = None) -> StationConfig:
    """The configuration in ``path``; None: the default file if there is one, else the defaults.

    Raises `station.errors.BadInput` with file, line and what to write instead.
    """
    chosen = path if path is not None else default_config_path()
    if path is None and not chosen.exists():
        return StationConfig()
    document, _ = Document.read(chosen)
    return read_all(document, lambda top: _config(top, chosen))


def _config(top: Table, path: Path) -> StationConfig:
    base = path.parent
    station_id = _station_id(top)
    url, token = _cloud(top)
    data_dir = _data_dir(top, base)
    config = StationConfig(
        station_id=station_id or "bench",
        is_named=bool(station_id),
        slots=_slots(top),
        cloud_url=url,
        token=token,
        firmware_folders=_firmware(top, base, data_dir),
        data_dir=data_dir,
        usb=_usb(top, base),
        source=path,
    )
    top.finish()
    return config


def _station_id(top: Table) -> str:
    """Empty when the file names none."""
    table = top.table("station") or top.empty("station")
    text = table.text_or("id", "", "letters, digits, dots and dashes, at most 40", '"bench-3"', pattern=r"[\w.-]{1,40}")
    table.finish()
    return text


def _slots(top: Table) -> tuple[SlotInfo, ...]:
    """``[slots]`` with lines such as ``1 = "1-2.3"``: number of the slot, port path of its cable."""
    table = top.table("slots") or top.empty("slots")
    slots: list[SlotInfo] = []
    for key in table.keys:
        if not key.isdecimal() or not key.isascii() or not 1 <= int(key) <= MAX_SLOTS or str(int(key)) != key:
            table.refuse(key, f"slot numbers from 1 to {MAX_SLOTS}", 'write 1 = "1-2.3"', found=shown(key))
        example = f'"1-2.{key}"'
        wanted = "a USB port path, bus and hub ports"
        port = table.text(key, wanted, example)
        if not _PORT_PATH.fullmatch(port):
            table.refuse(key, wanted, f"write {key} = {example}", found=shown(port))
        if any(port == slot.port_path for slot in slots):
            table.refuse(key, "a port path of its own for every slot", f"write {key} = {example}", found=shown(port))
        slots.append(SlotInfo(int(key), port))
    return tuple(sorted(slots, key=lambda slot: slot.number))


def _cloud(top: Table) -> tuple[str, SecretRef]:
    table = top.table("cloud") or top.empty("cloud")
    wanted = "the address of the cloud, https:// (http:// on this host only)"
    url = table.text_or("url", DEFAULT_CLOUD, wanted, f'"{DEFAULT_CLOUD}"', pattern=r"https?://\S{1,200}").rstrip("/")
    if not _is_trusted(url):
        table.refuse("url", wanted, f'write url = "{DEFAULT_CLOUD}"', found=shown(url))
    token = DEFAULT_TOKEN
    if table.has("token"):
        token = secret_ref(table, "token", "token", '"env:PARTICLE_TOKEN" or "keyring:station/token"')
    table.finish()
    return url, token


def _is_trusted(url: str) -> bool:
    """A token may go to ``url``: over TLS, or in clear only within this host; never with a name or a query in it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or host in ("127.0.0.1", "localhost", "::1")


def _data_dir(top: Table, base: Path) -> Path:
    table = top.table("data") or top.empty("data")
    text = table.text_or("dir", str(default_data_dir()), "a folder", '"/var/lib/station"', pattern=_FOLDER)
    table.finish()
    return _folder(table, "dir", base, text)


def _firmware(top: Table, base: Path, data_dir: Path) -> tuple[Path, ...]:
    table = top.table("firmware") or top.empty("firmware")
    folders: tuple[Path, ...] = (data_dir / "firmware",)
    if table.has("folders"):
        wanted, example = "folders in quotes", '["firmware"]'
        texts = table.items("folders", wanted, example, at_most=16)
        for text in texts:
            if not isinstance(text, str) or not re.fullmatch(_FOLDER, text):
                table.refuse("folders", wanted, f"write folders = {example}", found=shown(text))
        folders = tuple(_folder(table, "folders", base, text) for text in texts)
    table.finish()
    return folders


def _usb(top: Table, base: Path) -> UsbSource:
    table = top.table("usb") or top.empty("usb")
    wanted = '"libusb", or "usbip:HOST:PORT" for virtual units of another process'
    backend = table.text_or("backend", "libusb", wanted, '"libusb"', pattern=r"\S{1,300}")
    match = _USBIP.fullmatch(backend)
    if backend != "libusb" and (match is None or not 1 <= int(match[2]) <= 65535):
        table.refuse("backend", wanted, 'write backend = "libusb"', found=shown(backend))
    consoles = (
        _folder(table, "consoles", base, table.text("consoles", "a folder", '"consoles"', pattern=_FOLDER))
        if table.has("consoles")
        else None
    )
    if consoles is not None and match is None:
        table.refuse("consoles", 'consoles only with a "usbip:" backend', "remove it")
    table.finish()
    return UsbSource(match[1].strip("[]"), int(match[2]), consoles) if match else UsbSource()


def _folder(table: Table, key: str, base: Path, text: str) -> Path:
    try:
        return base / Path(text).expanduser()
    except RuntimeError:  # ~name of nobody here, or a login without a home
        table.refuse(key, "a folder of a user there is", "write the whole path, from / on", found=shown(text))
