"""Firmware modules: the reference's vectors, the vendor's files, and files nobody should flash."""

from __future__ import annotations

import contextlib
import hashlib
import struct
import zipfile
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.dfu_model import make_module
from support.module_vectors import VECTORS, vector
from support.vendor_files import FOLDER, needs_vendor_files, vendor_file

from drivers.errors import BadImage
from drivers.platforms import ModuleFunction
from drivers.wire.image import host, tables
from drivers.wire.image.host import Dependency, Extension, Image, parse_image

# --- appendix C.2 -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", VECTORS["vector"])
def test_vectors_are_typed_in_right_and_their_crc_is_found(name: str) -> None:
    data, row = vector(name), VECTORS["vector"][name]
    assert hashlib.sha256(data).hexdigest() == row["file_sha256"]
    image = parse_image(data, name)
    assert image.crc.hex() == row["crc"]
    assert image.is_crc_valid == (name != "V6")


def summary(image: Image) -> tuple[object, ...]:
    deps = [(d.function, d.index, d.version) for d in image.dependencies]
    product = (image.product_id, image.product_version)
    place = (image.prefix_offset, image.start, image.end)
    return (*place, image.flags, image.version, image.platform_id, image.function, image.index, deps, *product)


NO_PRODUCT = (0xFFFF, 0xFFFF)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("V1", (0, 0x080A0000, 0x080A0050, 0, 3, 6, 5, 1, [(4, 2, 6)], 4660, 7)),
        ("V2", (0, 0xB4000, 0xB4050, 0, 6, 12, 5, 2, [(4, 1, 6102)], *NO_PRODUCT)),
        ("V3", (0x200, 0xF4000, 0xF4260, 0, 3002, 12, 2, 0, [], *NO_PRODUCT)),
        ("V4", (0, 0x085FFF96, 0x085FFFFC, 0, 6, 32, 5, 1, [(4, 1, 6102)], 32, 4)),
        ("V5-src", (0, 0xB4000, 0xB4140, 0, 6, 12, 5, 2, [(4, 1, 6102)], *NO_PRODUCT)),
        ("V5", (0, 0xB4000, 0xB408F, 2, 6, 12, 5, 2, [(4, 1, 6102)], *NO_PRODUCT)),
        ("V6-first", (0, 0x28000, 0x28050, 0, 6102, 12, 4, 1, [(8, 0, 202), (2, 0, 3002)], *NO_PRODUCT)),
        ("V7", (0, 0, 0x85, 1, 0, 0, 9, 0, [], *NO_PRODUCT)),
        ("V7c", (0, 0, 0x8F, 3, 0, 0, 9, 0, [], *NO_PRODUCT)),
        ("V8", (0, 0xB4000, 0xB4083, 0, 6, 12, 5, 2, [(4, 1, 6102)], *NO_PRODUCT)),
        ("V8b", (0, 0x085FFF60, 0x085FFFFC, 0x10, 6, 32, 5, 1, [(4, 1, 6102)], 32, 4)),
        ("V9", (0x200, 0xF4000, 0xF4269, 0, 3002, 12, 2, 0, [], *NO_PRODUCT)),
        ("V10", (0, 0, 0x85, 1, 0, 0, 9, 0, [], *NO_PRODUCT)),
        ("V11", (0, 0x1000, 0x104C, 1, 202, 12, 8, 0, [(2, 0, 501), (4, 1, 1321)], None, None)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_headers_of_the_vectors(name: str, wanted: tuple[object, ...]) -> None:
    image = parse_image(vector(name), name)
    assert summary(image) == wanted
    assert image.score == host.FULL_SCORE
    image.check()


HELLO_HASH = b"\x00\x20" + bytes.fromhex("84ba19f79faacff0cfa1b992693129dfbb0e18da60c7df0f51bf9a562d1c28f6")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("V1", []),
        ("V4", [(2, bytes.fromhex("00f05f080000081000000810")), (1, bytes.fromhex("ffff20000400"))]),
        ("V7", [(0x10, HELLO_HASH), (0x11, b"hello.txt"), (1, b"\xff" * 6)]),
        ("V8", [(0x12, HELLO_HASH + b"hello.txt")]),
        (
            "V8b",
            [
                (0x12, HELLO_HASH + b"hello.txt"),
                (2, bytes.fromhex("60ff5f080000081000000810")),
                (1, bytes.fromhex("ffff20000400")),
            ],
        ),
        ("V9", [(0x13, b"\x01")]),
    ],
)
def test_extensions_of_the_vectors(name: str, wanted: list[tuple[int, bytes]]) -> None:
    assert parse_image(vector(name), name).extensions == tuple(Extension(*row) for row in wanted)


def test_v10_is_an_environment_asset() -> None:
    extensions = {e.type: e.payload for e in parse_image(vector("V10"), "V10").extensions}
    assert extensions[tables.EXTENSION_NAME] == b"env"
    assert extensions[tables.EXTENSION_ASSET_TYPE] == b"\x01\x00"


def test_v1_tells_its_suffix_and_hash() -> None:
    image = parse_image(vector("V1"), "V1")
    assert image.suffix_size == 40
    assert image.sha256.hex().startswith("f627fe61")
    assert image.sha256.hex().endswith("ff4507")
    assert image.function is ModuleFunction.USER_PART
    assert image.dependencies == (Dependency(ModuleFunction.SYSTEM_PART, 2, 6),)


def test_v5_unpacks_to_its_source() -> None:
    packed = vector("V5")
    size, method, window, length = struct.unpack_from("<HBBI", packed, 24)
    assert (size, method, window) == (8, 0, 0)
    suffix = parse_image(packed, "V5").suffix_size + 4
    unpacked = zlib.decompress(packed[32:-suffix], -15)
    assert unpacked == vector("V5-src")
    assert len(unpacked) == length


def test_v6_is_refused_whole_and_splits_into_its_parts() -> None:
    whole = parse_image(vector("V6"), "V6")
    assert whole.is_combined
    with pytest.raises(BadImage, match="split"):
        whole.check()
    assert f"{zlib.crc32(whole.data[:-4]):08x}" == "57a580d3"


# --- appendix B: the vendor's files --------------------------------------------------------------


@needs_vendor_files
@pytest.mark.parametrize("name", VECTORS["file"])
def test_vendor_files_parse_as_the_reference_says(name: str) -> None:
    size, offset, start, end, flags, version, platform, function, index, deps, suffix, product, crc, _ = VECTORS[
        "file"
    ][name]
    image = parse_image(vendor_file(name), name)
    wanted_product = product or [None, None]
    assert summary(image) == (
        *(offset, start, end, flags, version, platform, function, index),
        *([tuple(d) for d in deps], *wanted_product),
    )
    assert (len(image.data), image.suffix_size, image.crc.hex()) == (size, suffix, crc)
    assert image.is_crc_valid


@needs_vendor_files
@pytest.mark.parametrize("name", VECTORS["head_and_tail"])
def test_heads_and_tails_of_vendor_files(name: str) -> None:
    prefix, tail = (bytes.fromhex(text) for text in VECTORS["head_and_tail"][name])
    image = parse_image(vendor_file(name), name)
    assert image.data[image.prefix_offset :][:24] == prefix
    assert image.data[-4 - image.suffix_size :] == tail
    assert tail[-6 - 32 : -6] == image.sha256


@needs_vendor_files
def test_every_vendor_file_is_either_in_the_table_or_known_to_be_broken() -> None:
    files = {path.name for path in FOLDER.glob("*.bin")}
    assert files - set(VECTORS["file"]) == {"RC2_bootloader.bin", "emptybin.bin"}


@needs_vendor_files
@pytest.mark.parametrize("name", ["RC2_bootloader.bin", "emptybin.bin"])
def test_broken_vendor_files_are_refused(name: str) -> None:
    with pytest.raises(BadImage) as caught:
        parse_image(vendor_file(name), name)
    assert str(caught.value).startswith(name)


@needs_vendor_files
def test_a_file_that_parses_without_full_score_may_not_be_flashed() -> None:
    image = parse_image(vendor_file("unknown.bin"), "unknown.bin")
    assert image.is_crc_valid
    with pytest.raises(BadImage, match="points"):
        image.check()


@needs_vendor_files
def test_the_application_of_a_bundle() -> None:
    with zipfile.ZipFile(FOLDER / "bundle.zip") as bundle:
        image = parse_image(bundle.read("app.bin"), "app.bin")
    assert image.data == vendor_file("app-with-assets.bin")
    assets = [e.payload[34:] for e in image.extensions if e.type == tables.EXTENSION_ASSET_DEPENDENCY]
    assert sorted(assets) == [b"cat.txt", b"house.txt", b"water.txt"]


@needs_vendor_files
def test_a_softdevice_loses_its_prefix_and_keeps_its_name_inside() -> None:
    image = parse_image(vendor_file("argon-softdevice-6.1.1.bin"), "softdevice")
    assert (image.flash_address, image.flash_bytes) == (0x1000, image.data[24:])
    at = 0x3018 - 0x1000
    assert image.flash_bytes[at : at + 20] == image.build(0x3000)
    assert len(set(image.build(0x3000))) > 10, "a digest, not padding"


# --- refusals and properties --------------------------------------------------------------------


def test_a_prefix_with_full_score_beats_a_likely_one_before_it() -> None:
    data = bytearray(make_module(4, 1, 0x30000, 2048, prefix_offset=0x200))
    data[:24] = tables.PREFIX.pack(0x30000, 0x30100, 0, 0, 9, 12, 5, 1, *(0,) * 6)  # fits, but for its length
    data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "big")
    image = parse_image(bytes(data), "x")
    assert (image.prefix_offset, image.function, image.score) == (0x200, 4, 7)


@pytest.mark.parametrize(("flip", "wanted"), [(40, "CRC"), (-1, "CRC"), (9, "points")])
def test_one_changed_byte_is_noticed(flip: int, wanted: str) -> None:
    data = bytearray(vector("V2"))
    data[flip] ^= 0x80
    with pytest.raises(BadImage, match=wanted):
        parse_image(bytes(data), "V2").check()


def test_encrypted_and_padded_and_oversized_files_are_refused() -> None:
    encrypted = bytearray(vector("V2"))
    encrypted[9] |= tables.FLAG_ENCRYPTED
    with pytest.raises(BadImage, match="encrypted"):
        parse_image(bytes(encrypted), "x").check()
    with pytest.raises(BadImage, match="padded"):
        parse_image(vector("V3") + b"\xff" * 100, "x")
    with pytest.raises(BadImage, match="no firmware"):
        parse_image(bytes(host.MAX_FILE_SIZE + 1), "x")


def with_product(product_id: int) -> Image:
    data = bytearray(vector("V2"))
    data[-44:-42] = product_id.to_bytes(2, "little")
    data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "big")
    image = parse_image(bytes(data), "x")
    image.check()
    return image


@pytest.mark.rule("D6")
@pytest.mark.rule("D7")
@given(st.integers(0, 0xFFFF))
@example(0)
@example(12)
@example(0xFFFF)
def test_zero_ffff_and_the_platform_id_are_no_product(product_id: int) -> None:
    image = with_product(product_id)
    assert image.product_id == product_id
    assert image.product() == (None if product_id in (0, 0xFFFF, 12) else product_id)


@pytest.mark.rule("D6")
@pytest.mark.rule("D7")
def test_a_file_without_product_data_has_no_product() -> None:
    image = parse_image(vector("V11"), "V11")
    assert (image.product_id, image.product()) == (None, None)
    assert parse_image(vector("V1"), "V1").product() == 4660


@given(st.binary(max_size=600))
def test_parsing_anything_raises_nothing_but_bad_image(data: bytes) -> None:
    with contextlib.suppress(BadImage):
        parse_image(data, "x")


@given(st.sampled_from(sorted(VECTORS["vector"])), st.data())
def test_parsing_damaged_modules_raises_nothing_but_bad_image(name: str, data: st.DataObject) -> None:
    raw = bytearray(vector(name))
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw
    with contextlib.suppress(BadImage):
        image = parse_image(bytes(raw), name)
        image.check()
        assert image.is_crc_valid
        assert image.end - image.start + 4 == len(raw)
