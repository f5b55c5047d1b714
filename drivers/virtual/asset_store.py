"""The files a unit keeps for its application, in the region of flash that Device OS has for them.

How the real store lays them out is not told. This one puts each file on whole blocks, its first block last, so that a
power cut leaves no half file. Reference firmware-and-dfu 2.3, 3.8, 3.11.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass

from ..wire.image.tables import (
    COMPRESSION,
    CRC_SIZE,
    EXTENSION_HASH,
    EXTENSION_NAME,
    FLAG_COMPRESSED,
    MIN_SUFFIX,
    PREFIX_SIZE,
    PRODUCT_SUFFIX,
    SHA_SIZE,
)
from .flash import NorFlash, Who
from .header import AssetDependency, Header, extensions
from .layout import PAGE

_HEADER = struct.Struct("<4sHI32s")  # magic, bytes of the name, bytes of the content, its SHA-256
_MAGIC = b"ASET"
_RESERVED = 10  # blocks that stay free
_OVERHEAD = 8  # bytes of each block


class StoreFull(Exception):
    """There is no room for another file."""


@dataclass(frozen=True, slots=True)
class StoredAsset:
    """One file in the store, ``blocks`` long from ``address`` on."""

    name: str
    hash: bytes
    size: int
    address: int
    blocks: int

    @property
    def wanted(self) -> AssetDependency:
        return AssetDependency(self.name, self.hash)

    @property
    def storage_size(self) -> int:
        return self.blocks * (PAGE + _OVERHEAD)


class AssetStore:
    """The store in ``flash`` from ``start`` to ``end`` (exclusive), whole pages."""

    def __init__(self, flash: NorFlash, start: int, end: int) -> None:
        self._flash, self._start, self._end = flash, start, end

    def held(self) -> list[StoredAsset]:
        """List the whole files, by address."""
        found, at = [], self._start
        while at < self._end:
            one = self._at(at)
            if one is not None:
                found.append(one)
            at += PAGE * (one.blocks if one is not None else 1)
        return found

    def add(self, name: str, content: bytes, keep: Collection[AssetDependency]) -> float:
        """Store a file; return seconds. One of that name goes, and where room is short those not in ``keep``.

        Raises `StoreFull`, `FlashFailed`.
        """
        raw_name = name.encode()
        header = _HEADER.pack(_MAGIC, len(raw_name), len(content), hashlib.sha256(content).digest())
        whole = header + raw_name + content
        seconds = sum(self._remove(one) for one in self.held() if one.name == name)
        blocks = -(-len(whole) // PAGE)
        address = self._room_for(blocks)
        if address is None:
            seconds += sum(self._remove(one) for one in self.held() if one.wanted not in keep)
            address = self._room_for(blocks)
        if address is None:
            raise StoreFull
        seconds += self._flash.erase_range(address, blocks * PAGE, Who.SYSTEM)
        pieces = [(address + at, whole[at : at + PAGE]) for at in range(0, len(whole), PAGE)]
        return seconds + sum(self._flash.program(at, piece, Who.SYSTEM) for at, piece in (*pieces[1:], pieces[0]))

    def _at(self, address: int) -> StoredAsset | None:
        magic, name_size, size, digest = _HEADER.unpack(self._flash.read(address, _HEADER.size))
        length = _HEADER.size + name_size + size
        if magic != _MAGIC or address + length > self._end:
            return None
        name, content = self._flash.read(address + _HEADER.size, name_size), address + _HEADER.size + name_size
        if hashlib.sha256(self._flash.read(content, size)).digest() != digest:
            return None
        return StoredAsset(name.decode("utf-8", "replace"), digest, size, address, -(-length // PAGE))

    def _remove(self, one: StoredAsset) -> float:
        return self._flash.erase_page(one.address, Who.SYSTEM)

    def _room_for(self, blocks: int) -> int | None:
        """Find the first free run of ``blocks`` blocks that leaves the reserve free."""
        taken = {at for one in self.held() for at in range(one.address, one.address + one.blocks * PAGE, PAGE)}
        total = (self._end - self._start) // PAGE
        if len(taken) + blocks > total - _RESERVED:
            return None
        places = range(self._start, self._end - blocks * PAGE + 1, PAGE)
        return next((at for at in places if not taken.intersection(range(at, at + blocks * PAGE, PAGE))), None)


def unwrap(flash: NorFlash, address: int, header: Header) -> tuple[str, bytes] | None:
    """Return name and content of the asset module at ``address``, its CRC checked before; None if it is not whole."""
    module = flash.read(address, header.length)
    size = int.from_bytes(module[-6:-4], "little")
    if not PRODUCT_SUFFIX <= size <= len(module) - PREFIX_SIZE - CRC_SIZE:
        return None
    told = dict(extensions(module[-CRC_SIZE - size : -CRC_SIZE - MIN_SUFFIX]))
    content = module[PREFIX_SIZE : -CRC_SIZE - size]
    if header.flags & FLAG_COMPRESSED:
        content = _inflated(content)
    name, digest = told.get(EXTENSION_NAME, b""), told.get(EXTENSION_HASH, b"")[2 : 2 + SHA_SIZE]
    is_whole = bool(name) and hashlib.sha256(content).digest() == digest
    return (name.decode("utf-8", "replace"), content) if is_whole else None


def _inflated(payload: bytes) -> bytes:
    """Inflate what follows the compression header; b"" if that is damaged."""
    if len(payload) < COMPRESSION.size:
        return b""
    size, _method, _window, original = COMPRESSION.unpack_from(payload)
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(payload[size:], original)
    except zlib.error:
        return b""
