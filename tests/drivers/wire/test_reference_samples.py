"""Appendix B of firmware-and-dfu: 67 files of the vendor, what is in them and where each of them goes.

Of most of them only the appendix's line is at hand. A stand-in has the line's size, header, suffix and extensions,
with nothing in between; the files that are there are parsed in `test_module_files.py`.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Callable

import pytest
from support.module_vectors import VECTORS
from support.reference_files import SampleFile, needs_reference, sample_files

from drivers.errors import BadImage, UnknownPlatform, WriteRefused
from drivers.guard import WriteGuard
from drivers.platforms import platform
from drivers.wire.image.host import FULL_SCORE, Image, parse_image

pytestmark = needs_reference


def each_sample(where: Callable[[SampleFile], bool] = lambda row: True) -> pytest.MarkDecorator:
    chosen = [row for row in sample_files() if where(row)]
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row.id)


def is_padded(row: SampleFile) -> bool:
    return row.suffix_size is None


# --- stand-ins, made by chapter 3 and not by our own code -------------------------------------------


def extension(kind: int, payload: bytes) -> bytes:
    return struct.pack("<HH", kind, 4 + len(payload)) + payload


def assets(count: int, size: int) -> bytes:
    """``count`` dependencies on assets, ``size`` bytes in all; the names take what the hashes leave."""
    room = size - count * 38
    names = [room // count] * (count - 1)
    names.append(room - sum(names))
    return b"".join(extension(0x12, b"\x00\x20" + bytes(32) + b"a" * length) for length in names)


def product_data(row: SampleFile) -> bytes:
    return extension(1, struct.pack("<HHH", 0xFFFF, *row.product))


def suffix(row: SampleFile) -> bytes:
    """Everything between code and CRC: extensions, product data, reserved, SHA-256, its own size."""
    assert row.suffix_size is not None
    size, tail = row.suffix_size, bytes(2) + bytes(32) + struct.pack("<H", row.suffix_size)
    count, cert = re.search(r"(\d+) assets", row.notes), re.search(r"(\d+)-byte cert", row.notes)
    own = b""
    if "protected" in row.notes:
        own = extension(0x13, b"\x01" + bytes(int(cert[1]) if cert else 0))
    if row.kind[0] == 9:  # an asset: its hash and its name
        own = extension(0x10, b"\x00\x20" + bytes(32)) + extension(0x11, bytes(size - 36 - 38 - 4 - 10))
        tail = product_data(row) + tail
    elif size - len(own) == 62:  # RTL872x: dynamic location and product data
        tail = extension(2, bytes(12)) + product_data(row) + tail
    elif size >= 40:
        if count:
            own = assets(int(count[1]), size - 40 - 4)
        end = extension(0, b"") if own else b""
        tail = end + struct.pack("<HH", *row.product) + tail
    assert len(own + tail) == size, "the appendix adds up"
    return own + tail


def stand_in(row: SampleFile) -> bytes:
    flat = [number for needs in row.dependencies for number in (*needs, 0, 0, 0)[:3]]
    mcu = int(found[1], 16) if (found := re.search(r"mcu 0x(\d+)", row.notes)) else 0
    prefix = struct.pack(
        "<IIBBHHBBBBHBBH",
        row.start, row.end, mcu, row.flags, row.version, row.platform_id, *row.kind, *flat,
    )  # fmt: skip
    if "prefix ext" in row.notes:
        prefix += assets(2, row.size % 64 + 88) + extension(0, bytes(3))
    end = b"" if is_padded(row) else suffix(row)
    length = row.end - row.start
    body = (bytes(row.prefix_offset) + prefix).ljust(length - len(end), b"\0") + end
    sha = hashlib.sha256(body[:-34]).digest()
    body = body[:-34] + sha + body[-2:] if not is_padded(row) else body
    return (body + zlib.crc32(body).to_bytes(4, "big")).ljust(row.size, b"\xff")


def parsed(row: SampleFile) -> Image:
    data = stand_in(row)
    assert len(data) == row.size, "the appendix adds up"
    return parse_image(data, row.name)


# --- what is in them ---------------------------------------------------------------------------------


def test_the_appendix_is_whole() -> None:
    assert len(sample_files()) == 67
    assert len({row.id for row in sample_files()}) == 67


@pytest.mark.parametrize("name", VECTORS["file"])
def test_what_our_own_table_says_of_the_files_at_hand_is_the_appendixs(name: str) -> None:
    *numbers, needs, suffix_size, product, crc, is_hash_right = VECTORS["file"][name]
    rows = [row for row in sample_files() if (row.name, row.crc) == (name, crc)]
    assert len(rows) == 1
    (row,) = rows
    assert numbers == [
        row.size, row.prefix_offset, row.start, row.end, row.flags, row.version, row.platform_id, *row.kind,
    ]  # fmt: skip
    assert needs == [list(one) for one in row.dependencies if one]
    assert (suffix_size, tuple(product)) == (row.suffix_size, row.product)
    assert is_hash_right == ("sha-" not in row.notes)


@each_sample(lambda row: not is_padded(row))
def test_every_column_of_a_file_is_read(row: SampleFile) -> None:
    image = parsed(row)
    assert (image.prefix_offset, image.start, image.end) == (row.prefix_offset, row.start, row.end)
    assert (image.flags, image.version, image.platform_id) == (row.flags, row.version, row.platform_id)
    assert (image.function, image.index) == row.kind
    needs = tuple((one.function, one.index, one.version) for one in image.dependencies)
    assert needs == tuple(one for one in row.dependencies if one)
    assert image.suffix_size == row.suffix_size
    assert (image.product_id, image.product_version) == (row.product or (None, None))
    assert image.is_crc_valid
    assert image.is_locking is ("protected" in row.notes)
    wanted = re.search(r"(\d+) assets", row.notes)
    assert len(image.assets) == (int(wanted[1]) if wanted else 0)


UNKNOWN_PLATFORMS = {103, 129}


@each_sample(lambda row: not is_padded(row))
def test_only_files_of_platforms_nobody_knows_lack_points(row: SampleFile) -> None:
    image = parsed(row)
    assert (image.score == FULL_SCORE) is (row.platform_id not in UNKNOWN_PLATFORMS)


@each_sample(is_padded)
def test_a_padded_file_is_refused(row: SampleFile) -> None:
    with pytest.raises(BadImage, match="padded or cut"):
        parsed(row)


# --- where they go ----------------------------------------------------------------------------------


def raw(row: SampleFile) -> bool:
    """Whether that file is written raw over DFU: system parts, applications and radio stacks (4.3)."""
    return not is_padded(row) and row.platform_id not in (*UNKNOWN_PLATFORMS, 0) and row.kind[0] in (4, 5, 8)


@each_sample(raw)
def test_a_file_is_written_at_the_address_in_its_header_and_nowhere_else(row: SampleFile) -> None:
    permit = WriteGuard(platform(row.platform_id)).allow_module(parsed(row))
    dropped = 24 if row.kind == (8, 0) else 0
    assert (permit.start, permit.end) == (row.start, row.start + row.size - dropped)
    assert (permit.alternate, permit.content) == (0, stand_in(row)[dropped:])


@each_sample(lambda row: not raw(row) and not is_padded(row))
def test_bootloaders_co_processors_assets_and_old_monoliths_are_never_written_raw(row: SampleFile) -> None:
    unit = row.platform_id if row.platform_id not in (*UNKNOWN_PLATFORMS, 0) else 12
    why = "control-request update" if row.kind[0] in (2, 7) else "no place" if unit == row.platform_id else "for platf"
    why = "points" if row.platform_id in UNKNOWN_PLATFORMS else why
    with pytest.raises(WriteRefused, match=why):
        WriteGuard(platform(unit)).allow_module(parsed(row))


@pytest.mark.parametrize("platform_id", sorted({*UNKNOWN_PLATFORMS, 0}))
def test_three_platforms_of_the_appendix_are_none_of_ours(platform_id: int) -> None:
    assert any(row.platform_id == platform_id for row in sample_files())
    with pytest.raises(UnknownPlatform):
        platform(platform_id)


# --- what else the appendix says ---------------------------------------------------------------------


def test_a_protected_bootloader_is_longer_by_its_extension_alone() -> None:
    """3.12: nine bytes on an nRF52840, five on an RTL872x."""
    by_name = {row.name: row.size for row in sample_files()}
    for slug, more in (("tracker", 9), ("p2", 5)):
        plain, locked = by_name[f"{slug}-bootloader@5.6.0.bin"], by_name[f"{slug}-bootloader-protected.bin"]
        assert locked - plain == more
        assert by_name[f"{slug}-bootloader-protected-cert.bin"] - locked == 300


def test_an_application_of_the_largest_size_fits_a_tracker_to_the_byte() -> None:
    (row,) = (one for one in sample_files() if one.name == "tracker-max-size@5.5.0-rc.1.bin")
    slot = platform(26).slot(*row.kind)
    assert slot is not None
    assert 0 <= slot.end - (row.start + row.size) < 4
