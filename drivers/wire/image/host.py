"""Parses firmware module files: header, suffix, CRC, extensions. Bytes in, an `Image` out.

Reference firmware-and-dfu 3. `parse_image` reads what a file contains; `Image.check` must pass before
any write. Which addresses may be written is for the write guard to decide.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ...errors import BadImage
from ...plain_text import printable
from ...platforms import ModuleFunction, is_module_platform, stage_name
from .tables import (
    ALL_FLAGS,
    CRC_SIZE,
    EXTENSION_ASSET_DEPENDENCY,
    EXTENSION_DEPENDENCY,
    EXTENSION_END,
    EXTENSION_INVALID,
    EXTENSION_PRODUCT_DATA,
    EXTENSION_SECURITY_MODE,
    FLAG_COMBINED,
    FLAG_DROP_PREFIX,
    FLAG_ENCRYPTED,
    FLAG_PREFIX_EXTENSIONS,
    MIN_SUFFIX,
    PREFIX,
    PREFIX_SIZE,
    PRODUCT_SUFFIX,
    RADIO_BUILD_AT,
    RADIO_BUILD_SIZE,
    VECTORS_SIZE,
)

FULL_SCORE = 7
MAX_FILE_SIZE = 4 * 1024 * 1024  # the largest known module has 1.3 MiB

_ASSET_NAME_AT = 2 + 32  # in the payload: hash type, hash size, SHA-256, name
_NAME_SHOWN = 64
MAX_EXTENSIONS = 64  # the vendor defines a handful; 4 MiB of empty ones would become a million objects

PREFIX_OFFSETS = (0, VECTORS_SIZE, 0x184, 0xC0, 0x10C)  # the usual places, tried first
_LAST_PREFIX_OFFSET = 8192
_KNOWN_FUNCTIONS = frozenset(ModuleFunction)
_NO_PRODUCT = (0, 0xFFFF)


@dataclass(frozen=True, slots=True)
class Dependency:
    """A module that must be present, and its minimum version."""

    function: int
    index: int
    version: int

    def __str__(self) -> str:
        return f"{_module_name(self.function, self.index)} version {self.version} or newer"


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension of a prefix or suffix (reference firmware-and-dfu 3.7). ``type``: an EXTENSION_* number."""

    type: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class AssetDependency:
    """A file the application needs in the unit's asset store. ``hash``: SHA-256 of its content."""

    name: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class FlashHeader:
    """The prefix of a module in flash; what follows it has not been read.

    ``start``: address of the module's first byte, ``end``: address of its CRC.
    """

    start: int
    end: int
    version: int
    platform_id: int
    function: int
    index: int


def parse_flash_header(raw: bytes) -> FlashHeader | None:
    """Parse the prefix in the `PREFIX_SIZE` bytes ``raw``; None for blank flash or implausible addresses."""
    start, end, _, _, version, platform_id, function, index, *_ = PREFIX.unpack(raw)
    if not 0 < end - start <= MAX_FILE_SIZE:
        return None
    return FlashHeader(start, end, version, platform_id, function, index)


def has_valid_crc(module: bytes) -> bool:
    """Return whether the last four bytes are the CRC of the bytes before them."""
    return zlib.crc32(module[:-CRC_SIZE]).to_bytes(CRC_SIZE, "big") == module[-CRC_SIZE:]


@dataclass(frozen=True, slots=True)
class Image:
    """One parsed firmware file. ``function`` may be a number that is not in `ModuleFunction`."""

    name: str
    data: bytes = field(repr=False)
    prefix_offset: int
    score: int  # 0-7: confidence that the prefix is at that offset
    start: int  # address of file byte 0
    end: int  # address of the CRC
    flags: int
    version: int
    platform_id: int
    function: int
    index: int
    dependencies: tuple[Dependency, ...]
    suffix_size: int
    product_id: int | None
    product_version: int | None
    sha256: bytes = field(repr=False)  # as stored; it is stale in several official files
    crc: bytes
    extensions: tuple[Extension, ...] = field(repr=False)

    @property
    def is_crc_valid(self) -> bool:
        return has_valid_crc(self.data)

    @property
    def is_combined(self) -> bool:
        return bool(self.flags & FLAG_COMBINED)

    def build(self, info_at: int) -> bytes:
        """Return the 20 bytes that name a radio stack's build; ``info_at``: flash address of its information block."""
        at = info_at - self.start + RADIO_BUILD_AT
        return self.flash_bytes[at : at + RADIO_BUILD_SIZE]

    @property
    def assets(self) -> tuple[AssetDependency, ...]:
        """Return the files without which the unit starts in safe mode (reference firmware-and-dfu 3.11)."""
        return tuple(_asset(one.payload) for one in self.extensions if one.type == EXTENSION_ASSET_DEPENDENCY)

    @property
    def flash_address(self) -> int:
        """Return the address at which `flash_bytes` are written over DFU."""
        return self.start

    @property
    def flash_bytes(self) -> bytes:
        """Return the content of flash after a write: the whole file, but without the prefix for a SoftDevice."""
        return self.data[PREFIX_SIZE:] if self.flags & FLAG_DROP_PREFIX else self.data

    def product(self) -> int | None:
        """Return the product id, or None when the file is not for a particular product.

        0, 0xFFFF and the platform's own id mean none (rules D6 D7).
        """
        return None if self.product_id in (None, *_NO_PRODUCT, self.platform_id) else self.product_id

    @property
    def is_locking(self) -> bool:
        """Return whether it enables device protection on units it is written to (reference firmware-and-dfu 3.12)."""
        return any(
            one.type == EXTENSION_SECURITY_MODE and one.payload[:1] not in (b"", b"\0") for one in self.extensions
        )

    def describe(self) -> str:
        """Return file name, function, index and version, for messages."""
        return f"{self.name}: {_module_name(self.function, self.index)} version {self.version}"

    def check(self) -> None:
        """Raise `BadImage` unless the file may be sent to a unit.

        It needs the full score for its prefix, a correct CRC, and exactly one plain module: combined files must be
        split first, encrypted ones are never flashed (reference firmware-and-dfu 3.5, 3.9, 3.10).
        """
        for is_wrong, sentence in _FAULTS:
            if is_wrong(self):
                raise BadImage(f"{self.name}: {sentence.format(image=self)}")


_FAULTS: tuple[tuple[Callable[[Image], bool], str], ...] = (
    (lambda i: i.is_combined, "holds several modules in one file; split it first"),
    (
        lambda i: i.score < FULL_SCORE,
        "its header reaches {image.score} of 7 points, so it is no plain module; use the vendor's file",
    ),
    (lambda i: bool(i.flags & FLAG_ENCRYPTED), "is encrypted, and no station flashes such a module; leave it out"),
    (lambda i: not i.is_crc_valid, "its CRC-32 is not the one stored at its end; download it again"),
)


def _module_name(function: int, index: int) -> str:
    """Return the name of a module with its index, or the number of its function if that is unknown."""
    if function == ModuleFunction.BOOTLOADER and index:
        return stage_name(index)
    if function in _KNOWN_FUNCTIONS:
        return f"{ModuleFunction(function).name.lower().replace('_', ' ')} {index}"
    return f"module of unknown function {function} {index}"


def parse_image(data: bytes, name: str) -> Image:
    """Parse the module in ``data`` (the whole file); ``name`` is used in messages only.

    Raises `BadImage` when there is no header, or the suffix cannot be read. Call `Image.check` to find out
    whether the file may be flashed. Reference firmware-and-dfu 3.2 to 3.7.
    """
    if len(data) > MAX_FILE_SIZE:
        raise BadImage(f"{name}: {len(data)} bytes are no firmware module, the largest has {MAX_FILE_SIZE}")
    offset, score = _find_prefix(data)
    if score == 0:
        raise BadImage(
            f"{name}: no module header in its {len(data)} bytes, so it is no firmware; name the .bin of a build"
        )
    start, end, _, flags, version, platform_id, function, index, *rest = PREFIX.unpack_from(data, offset)
    size = _suffix_size(data, offset, name)
    in_prefix, in_suffix = _prefix_extensions(data, offset, flags, name), _suffix_extensions(data, size, name)
    extensions = (*in_prefix, *in_suffix)
    product_id, product_version = _product(data, size, in_prefix, in_suffix, name)
    return Image(
        name=name,
        data=data,
        prefix_offset=offset,
        score=score,
        start=start,
        end=end,
        flags=flags,
        version=version,
        platform_id=platform_id,
        function=_function(function),
        index=index,
        dependencies=(
            *(_dependency(*rest[i : i + 3]) for i in (0, 3) if rest[i]),
            *_dependency_extensions(extensions, name),
        ),
        suffix_size=size,
        product_id=product_id,
        product_version=product_version,
        sha256=data[-38:-6],
        crc=data[-CRC_SIZE:],
        extensions=extensions,
    )


# --- finding the prefix ---------------------------------------------------------------------


def _candidate_offsets() -> Iterator[int]:
    yield from PREFIX_OFFSETS
    yield from range(4, _LAST_PREFIX_OFFSET + 1, 4)


def _find_prefix(data: bytes) -> tuple[int, int]:
    """Return offset and score of the best candidate, which is the first one with full score, if any."""
    best = (0, 0)
    for offset in _candidate_offsets():
        score = _score(data, offset)
        if score == FULL_SCORE:
            return offset, score
        if score > best[1]:
            best = (offset, score)
    return best


def _score(data: bytes, offset: int) -> int:
    if len(data) < offset + PREFIX_SIZE:
        return 0
    start, end, _, flags, _, platform_id, function, _, f1, i1, v1, f2, i2, v2 = PREFIX.unpack_from(data, offset)
    if (
        end <= start
        or len(data) < end - start + CRC_SIZE
        or function == 0
        or (f1 == 0 and (i1, v1) != (0, 0))
        or (f2 == 0 and (i2, v2) != (0, 0))
    ):
        return 0
    points: tuple[bool, ...] = (
        is_module_platform(platform_id),
        function in _KNOWN_FUNCTIONS,
        f1 in _KNOWN_FUNCTIONS,
        f2 in _KNOWN_FUNCTIONS,
        len(data) == end - start + CRC_SIZE,
        not flags & ~ALL_FLAGS,
    )
    return 1 + sum(points)


# --- suffix and extensions --------------------------------------------------------------------


def _asset(payload: bytes) -> AssetDependency:
    name = printable(payload[_ASSET_NAME_AT:].decode("utf-8", "replace"))
    return AssetDependency(name[:_NAME_SHOWN], payload[2:_ASSET_NAME_AT])


def _function(value: int) -> int:
    return ModuleFunction(value) if value in _KNOWN_FUNCTIONS else value


def _dependency(function: int, index: int, version: int) -> Dependency:
    return Dependency(_function(function), index, version)


def _suffix_size(data: bytes, prefix_offset: int, name: str) -> int:
    size = int.from_bytes(data[-6:-4], "little")
    room = len(data) - CRC_SIZE - prefix_offset - PREFIX_SIZE
    if not MIN_SUFFIX <= size <= room:
        raise BadImage(
            f"{name}: its suffix claims {size} bytes, expected {MIN_SUFFIX} to {max(room, 0)}; "
            "the file is padded or cut, get the vendor's original"
        )
    return size


def _product(
    data: bytes, suffix_size: int, in_prefix: Iterable[Extension], in_suffix: Iterable[Extension], name: str
) -> tuple[int | None, int | None]:
    """Return product id and version from the end of the suffix, or from an extension there, which has a longer id."""
    found = [_product_data(one, name) for one in in_suffix if one.type == EXTENSION_PRODUCT_DATA]
    if not found and suffix_size >= PRODUCT_SUFFIX:
        found = [struct.unpack_from("<HH", data, len(data) - 44)]
    found += [_product_data(one, name) for one in in_prefix if one.type == EXTENSION_PRODUCT_DATA]
    real = dict.fromkeys(one for one in found if one[0] not in _NO_PRODUCT)
    if len(real) > 1:
        names = " and ".join(f"{number} version {version}" for number, version in real)
        raise BadImage(f"{name}: it names the products {names}; build it again for one of them")
    return next(iter(real), found[0] if found else (None, None))


def _product_data(extension: Extension, name: str) -> tuple[int, int]:
    """Parse PRODUCT_DATA: the upper half of the id (0xFFFF: none), its lower half, the version."""
    high, low, version = _unpacked("<HHH", extension, name)
    return (low if high == 0xFFFF else high << 16 | low), version


def _dependency_extensions(extensions: Iterable[Extension], name: str) -> Iterator[Dependency]:
    """Parse DEPENDENCY extensions, used by modules with more dependencies than the two in the prefix."""
    for one in extensions:
        if one.type == EXTENSION_DEPENDENCY:
            function, index, version, _target = _unpacked("<BBHI", one, name)
            if function:
                yield _dependency(function, index, version)


def _unpacked(layout: str, extension: Extension, name: str) -> tuple[int, ...]:
    if len(extension.payload) < struct.calcsize(layout):
        raise BadImage(
            f"{name}: extension {extension.type:#06x} has {len(extension.payload)} bytes, expected "
            f"{struct.calcsize(layout)}; damaged"
        )
    return struct.unpack_from(layout, extension.payload)


def _prefix_extensions(data: bytes, offset: int, flags: int, name: str) -> tuple[Extension, ...]:
    if not flags & FLAG_PREFIX_EXTENSIONS:
        return ()
    return tuple(_walk(data[offset + PREFIX_SIZE :], name))


def _suffix_extensions(data: bytes, size: int, name: str) -> tuple[Extension, ...]:
    if size <= PRODUCT_SUFFIX:
        return ()
    return tuple(_walk(data[-CRC_SIZE - size : -PRODUCT_SUFFIX], name))


def _walk(raw: bytes, name: str) -> Iterator[Extension]:
    """Yield the extensions up to END, the invalid type, or the end of ``raw``."""
    at = count = 0
    while at + 4 <= len(raw):
        kind, length = struct.unpack_from("<HH", raw, at)
        if kind == EXTENSION_INVALID:
            return
        if length < 4 or at + length > len(raw):
            raise BadImage(f"{name}: extension {kind:#06x} claims {length} bytes, {len(raw) - at} are there; damaged")
        if kind == EXTENSION_END:
            return
        count += 1
        if count > MAX_EXTENSIONS:
            raise BadImage(f"{name}: more than {MAX_EXTENSIONS} extensions, no module has that many; damaged")
        yield Extension(kind, raw[at + 4 : at + length])
        at += length
