"""Combined and compressed modules, taken apart: the reference's vectors, and files that lie about what they hold."""

from __future__ import annotations

import contextlib
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.module_vectors import vector

from drivers.errors import BadImage
from drivers.wire.image import wrapping
from drivers.wire.image.host import MAX_FILE_SIZE, Image, parse_image
from drivers.wire.image.tables import FLAG_COMPRESSED, MIN_SUFFIX, PREFIX


def parsed(data: bytes) -> Image:
    return parse_image(data, "x.bin")


def test_a_combined_file_is_split_where_its_first_module_ends() -> None:
    first, second = wrapping.split(parsed(vector("V6")))
    assert first.data == vector("V6-first")
    assert second.data == vector("V2")
    for part in (first, second):
        part.check()


def test_a_plain_module_is_its_only_part() -> None:
    image = parsed(vector("V2"))
    assert wrapping.split(image) == (image,)
    assert wrapping.inner(image) is None


@pytest.mark.parametrize("cut", [len(vector("V6-first")), len(vector("V6-first")) + 30])
def test_a_combined_file_that_was_cut_is_refused(cut: int) -> None:
    with pytest.raises(BadImage):
        wrapping.split(parsed(vector("V6")[:cut]))


def test_more_modules_in_one_file_than_anybody_sends_are_refused() -> None:
    first = vector("V6")[: len(vector("V6-first"))]
    assert len(wrapping.split(parsed(first * 7 + vector("V2")))) == wrapping.MAX_PARTS
    with pytest.raises(BadImage, match="more than 8 modules"):
        wrapping.split(parsed(first * 8 + vector("V2")))


def test_a_compressed_module_unpacks_to_the_file_it_was_made_of() -> None:
    image = parsed(vector("V5"))
    assert wrapping.is_compressed(image)
    assert wrapping.unpacked(image) == vector("V5-src")
    inside = wrapping.inner(image)
    assert inside is not None
    inside.check()


def test_a_compressed_asset_unpacks_to_its_content() -> None:
    image = parsed(vector("V7c"))
    assert wrapping.unpacked(image) == b"hello asset\n"
    assert wrapping.inner(image) is None


def compressed(header: bytes, packed: bytes) -> bytes:
    body = header + packed
    end = PREFIX.size + len(body) + MIN_SUFFIX
    data = PREFIX.pack(0xB4000, 0xB4000 + end, 0, FLAG_COMPRESSED, 6, 12, 5, 2, 4, 1, 6102, 0, 0, 0) + body
    data += bytes(MIN_SUFFIX - 2) + struct.pack("<H", MIN_SUFFIX)
    return data + zlib.crc32(data).to_bytes(4, "big")


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


BOMB = deflated(bytes(MAX_FILE_SIZE + 1))


@pytest.mark.parametrize(
    ("header", "packed", "why"),
    [
        (struct.pack("<HBBI", 8, 0, 0, 5), deflated(b"123456"), "other than the 5 bytes"),
        (struct.pack("<HBBI", 8, 0, 0, 7), deflated(b"123456"), "other than the 7 bytes"),
        (struct.pack("<HBBI", 8, 0, 0, 100), BOMB, "other than the 100 bytes"),
        (struct.pack("<HBBI", 8, 0, 0, MAX_FILE_SIZE + 1), BOMB, "no module has more than"),
        (struct.pack("<HBBI", 8, 1, 0, 6), deflated(b"123456"), "unknown method"),
        (struct.pack("<HBBI", 8, 0, 16, 6), deflated(b"123456"), "unknown method"),
        (struct.pack("<HBBI", 4, 0, 0, 6), deflated(b"123456"), "unknown method"),
        (struct.pack("<HBBI", 9000, 0, 0, 6), deflated(b"123456"), "unknown method"),
        (struct.pack("<HBBI", 8, 0, 0, 6), b"\xff\xff\xff\xff", "does not unpack"),
        (b"\x08\x00", b"", "hold no header"),
    ],
)
def test_a_module_that_lies_about_what_it_unpacks_to_is_refused(header: bytes, packed: bytes, why: str) -> None:
    image = parsed(compressed(header, packed))
    image.check()  # the lie is inside: its CRC is right
    with pytest.raises(BadImage, match=why):
        wrapping.unpacked(image)


@given(st.integers(0, len(vector("V5")) - 1), st.integers(1, 255), st.sampled_from(["V5", "V6", "V7c"]))
def test_damage_anywhere_ends_in_a_module_or_a_refusal(at: int, flip: int, name: str) -> None:
    data = bytearray(vector(name))
    data[at % len(data)] ^= flip
    with contextlib.suppress(BadImage):
        for part in wrapping.split(parsed(bytes(data))):
            wrapping.inner(part)
