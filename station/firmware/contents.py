"""Tells what a file is: a module, several in one, an application with its assets, or no firmware at all. Pure.

A name decides nothing (reference firmware-and-dfu 4.1): headers and content do. `read_content` says what a file
holds, `check_content` whether a station may ever send it to a unit.
"""

from __future__ import annotations

import enum
import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.errors import BadImage
from drivers.plain_text import printable
from drivers.platforms import ModuleFunction, is_module_platform
from drivers.wire.image import wrapping
from drivers.wire.image.host import MAX_FILE_SIZE, PREFIX_OFFSETS, Image, parse_flash_header, parse_image
from drivers.wire.image.tables import CRC_SIZE, PREFIX_SIZE

from ..errors import BadInput
from .archive import Archive, Budget, is_zip

_FUNCTIONS = frozenset(ModuleFunction) - {ModuleFunction.NONE}
MAX_BUNDLE = 8 << 20  # a unit keeps less than 2 MiB of assets (reference 3.11)
ASSETS = "assets/"


class NotFirmware(BadInput):
    """A file holds no firmware. ``what`` it is instead: "an ELF file"."""

    def __init__(self, name: str, what: str, advice: str) -> None:
        super().__init__(f"{name} is {what}, no firmware module; {advice}")
        self.what = what


class Kind(enum.Enum):
    """What a file of firmware holds."""

    MODULE = "module"
    COMBINED = "combined"  # several modules, one after another
    BUNDLE = "bundle"  # an application with its assets, as ZIP


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of a bundle, which the unit keeps for its application. ``is_wanted``: the application asks for it."""

    name: str
    content: bytes = field(repr=False)
    is_wanted: bool

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Content:
    """What one file holds. ``modules``: of a bundle the application alone, of a combined file each part."""

    kind: Kind
    modules: tuple[Image, ...]
    assets: tuple[Asset, ...] = ()

    @property
    def plain(self) -> tuple[Image, ...]:
        """Return the modules as a unit keeps them: of a compressed one what it holds."""
        return tuple(wrapping.inner(image) or image for image in self.modules)

    @property
    def main(self) -> Image:
        """Return the module that gives the file its platform and name."""
        return self.modules[0]


def read_content(data: bytes, name: str) -> Content:
    """Tell what ``data`` holds; raises `NotFirmware`, or `BadInput` for firmware that is damaged or incomplete."""
    if is_zip(data):
        return read_bundle(data, name)
    if other := what_else(data):
        raise NotFirmware(name, *other)
    try:
        image = parse_image(data, name)
        parts = wrapping.split(image)
        for part in parts:
            wrapping.inner(part)
    except BadImage as error:
        raise BadInput(_why(data, name) or str(error)) from error
    return Content(Kind.MODULE if len(parts) == 1 else Kind.COMBINED, parts)


def _why(data: bytes, name: str) -> str:
    """Say how a file differs in length from what its header says; "" if it does not, or has none."""
    size = _stated_size(data)
    if size > len(data):
        return f"{name} is cut short: its header says {size} bytes, {len(data)} are there; get it again"
    if size and not data[size:].strip(b"\xff") and data[size:]:  # old bootloaders (reference 3.6)
        return f"{name} is padded: behind its {size} bytes are {len(data) - size} of FF; cut them off, or get it again"
    return ""


def _stated_size(data: bytes) -> int:
    """Return how long a file is by a header at one of the usual places; 0 if there is none."""
    for at in PREFIX_OFFSETS:
        raw = data[at : at + PREFIX_SIZE]
        header = parse_flash_header(raw) if len(raw) == PREFIX_SIZE else None
        if header is not None and is_module_platform(header.platform_id) and header.function in _FUNCTIONS:
            return header.end - header.start + CRC_SIZE
    return 0


def check_content(content: Content) -> None:
    """Raise `BadInput` unless every module may be sent to a unit: whole, plain header, right CRC, not encrypted."""
    try:
        for image in content.modules:
            image.check()
            if (module := wrapping.inner(image)) is not None:
                module.check()
            elif wrapping.is_compressed(image):
                wrapping.unpacked(image)
    except BadImage as error:
        raise BadInput(str(error)) from error


# --- application and assets -------------------------------------------------------------------


def is_bundle(archive: Archive) -> bool:
    """Return whether a ZIP is meant as a bundle: one .bin at its top, with assets beside it or asked for inside it."""
    top = _top(archive)
    if len(top) != 1:
        return False
    if any(member.filename.startswith(ASSETS) for member in archive.members):
        return True
    try:
        return bool(parse_image(archive.read(top[0], MAX_FILE_SIZE), top[0].filename).assets)
    except (BadImage, BadInput):
        return False


def read_bundle(data: bytes, name: str) -> Content:
    """Read an application with its assets (reference 3.11); raises `BadInput` naming every asset that is missing."""
    archive = Archive.of_bytes(data, name, Budget())
    top = _top(archive)
    if len(top) != 1:
        raise NotFirmware(
            name, f"a ZIP archive with {len(top)} .bin files at its top", "import it, and name the files it holds"
        )
    inside = f"{name}: {printable(top[0].filename)}"
    application = read_content(archive.read(top[0], MAX_FILE_SIZE), inside).main
    if application.function != ModuleFunction.USER_PART:
        raise BadInput(f"{inside} is no application; a bundle holds one with its assets")
    return Content(Kind.BUNDLE, (application,), _assets(archive, application, name))


def _top(archive: Archive) -> list[zipfile.ZipInfo]:
    return [member for member in archive.members if "/" not in member.filename and _ends_as_module(member.filename)]


def _ends_as_module(name: str) -> bool:
    return name.lower().endswith(".bin") and not name.startswith(".")


def _assets(archive: Archive, application: Image, name: str) -> tuple[Asset, ...]:
    wanted = {asset.name: asset.hash for asset in application.assets}
    found, wrong = [], []
    for member in archive.members:
        if not member.filename.startswith(ASSETS):
            continue
        asset = member.filename.removeprefix(ASSETS)
        if asset != printable(asset):
            raise BadInput(
                f"{name}: the asset {printable(asset)} has signs in its name that no screen shows; rename it"
            )
        content = archive.read(member, MAX_FILE_SIZE)
        if asset in wanted and hashlib.sha256(content).digest() != wanted[asset]:
            wrong.append(asset)
        found.append(Asset(asset, content, asset in wanted))
    missing = sorted(wanted.keys() - {asset.name for asset in found})
    faults = [f"the asset {asset}, which is not in it" for asset in missing]
    faults += [f"the asset {asset} with other content" for asset in wrong]
    if faults:
        raise BadInput(f"{name}: its application needs {' and '.join(faults)}; bundle it again")
    return tuple(found)


# --- what is no firmware ----------------------------------------------------------------------

_BESIDE = "take the .bin the same build made"
_PORTAL = "fetch it again; is there a proxy, firewall or portal in between?"
_OTHER = "name a module of the vendor, or an archive of them"

_BEGINS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x7fELF", "an ELF file, which debuggers read", _BESIDE),
    (b"DfuSe", "a DfuSe file", _BESIDE),
    (b"UF2\n", "a UF2 file", _BESIDE),
    (b"version https://git-lfs", "a Git LFS pointer, which stands for a file", "fetch the file itself: git lfs pull"),
    (b"%PDF", "a PDF document", _OTHER),
    (b"\x89PNG", "a picture", _OTHER),
    (b"\xff\xd8\xff", "a picture", _OTHER),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\xfd7zXZ", "an xz archive", "unpack it first"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
)
_TAR_AT, _TAR = 257, b"ustar"
_DFU_SUFFIX = b"UFD\x10"  # before the checksum at the end of the 16 bytes that dfu-suffix adds (DFU 1.1, appendix B)
_LOOKED_AT = 1024


def what_else(data: bytes) -> tuple[str, str] | None:
    """Return what ``data`` is if it is surely no module, and what to do; None if it may be one."""
    for begin, what, advice in _BEGINS:
        if data.startswith(begin):
            return what, advice
    return next(((what, advice) for fits, what, advice in _LOOKS if fits(data)), None)


def _text(data: bytes) -> str:
    """Return the beginning of a text in lower case; "" if it is none."""
    try:
        text = data[:_LOOKED_AT].decode("utf-8-sig", "ignore" if len(data) > _LOOKED_AT else "strict")
    except UnicodeDecodeError:
        return ""
    is_text = all(char.isprintable() or char in "\r\n\t\f" for char in text)
    return text.strip().lower() if is_text else ""


def _is_hex_record(data: bytes) -> bool:
    first = _text(data).partition("\n")[0].strip()
    return first.startswith(":") and len(first) >= 11 and all(char in "0123456789abcdef" for char in first[1:])


def _is_s_record(data: bytes) -> bool:
    return data[:2] in (b"S0", b"S1", b"S2", b"S3") and bool(_text(data))


def _is_json(data: bytes) -> bool:
    if not _text(data).startswith(("{", "[")):
        return False
    try:
        json.loads(data[: 64 << 10])
    except (ValueError, RecursionError):
        return False
    return True


_LOOKS: tuple[tuple[Callable[[bytes], bool], str, str], ...] = (
    (lambda data: not data, "an empty file", "get it again"),
    (lambda data: data[_TAR_AT:].startswith(_TAR), "a tar archive", "unpack it first"),
    (lambda data: data[-8:-4] == _DFU_SUFFIX, "a .dfu file", "take the .bin it was made from"),
    (_is_hex_record, "an Intel HEX file", _BESIDE),
    (_is_s_record, "an S-record file", _BESIDE),
    (lambda data: _text(data).startswith(("<!doctype", "<html", "<head", "<body")), "a web page", _PORTAL),
    (lambda data: _text(data).startswith("<?xml"), "an XML text", _OTHER),
    (_is_json, "a JSON text, most likely an error message", _PORTAL),
    (lambda data: bool(_text(data)), "a text", _OTHER),
    (lambda data: not data.strip(b"\xff"), "blank flash, nothing but FF", _OTHER),
    (lambda data: not data.strip(b"\0"), "nothing but zeros", "get it again"),
)
"""The first that fits counts: the special before the general."""
