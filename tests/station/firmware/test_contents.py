"""What a file is told by its content: modules of every form, bundles, and everything that is no firmware."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.module_vectors import vector
from support.vendor_files import FOLDER, needs_vendor_files, vendor_file
from support.zips import ASSETS, application, bundle, release, zipped

from drivers.virtual import synthetic
from station.errors import BadInput
from station.firmware.contents import Kind, NotFirmware, check_content, read_content, what_else
from station.firmware.describe import content_lines


def told(data: bytes) -> str:
    return "\n".join(content_lines(read_content(data, "x.bin"), data))


def refusal(data: bytes, name: str = "x.bin") -> str:
    with pytest.raises(BadInput) as caught:
        check_content(read_content(data, name))
    assert len(caught.value.sentences) == 1
    assert str(caught.value).isprintable()
    return str(caught.value)


HEX = b":020000040800F2\r\n:10000000FF0F0020A50100089D0100089D010008AE\r\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "an empty file"),
        (b"\x7fELF\x01\x01" + bytes(2000), "an ELF file"),
        (HEX, "an Intel HEX file"),
        (b"S0030000FC\r\nS1130000285F245F2212226A000424290008237C2A\r\n", "an S-record file"),
        (b"DfuSe\x01" + bytes(500), "a DfuSe file"),
        (vector("V2") + bytes.fromhex("ffff0cd0042b1a01") + b"UFD\x10" + bytes(4), "a .dfu file"),
        (b"UF2\nWQ]\x9e" + bytes(504), "a UF2 file"),
        (b"  <!DOCTYPE html><html><body>Welcome to the guest network</body></html>", "a web page"),
        (b"<html>\n<head><title>502</title>" + b"x" * 5000, "a web page"),
        (b'{"error": "not found"}', "a JSON text"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "an XML text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer"),
        (b"read me first\n", "a text"),
        (b"\x1f\x8b\x08\0" + bytes(100), "a gzip archive"),
        (bytes(257) + b"ustar\x0000" + bytes(1000), "a tar archive"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\xff" * 16384, "blank flash"),
        (bytes(16384), "nothing but zeros"),
        (zipped({"word/document.xml": b"<?xml?>"}), "a ZIP archive with 0 .bin files at its top"),
        (zipped({}), "a ZIP archive with 0 .bin files at its top"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_firmware_is_told_by_what_it_is(data: bytes, what: str) -> None:
    assert f"x.bin is {what}" in refusal(data)


@pytest.mark.parametrize("name", ["V1", "V2", "V3", "V4", "V5", "V6", "V7", "V7c", "V8", "V8b", "V9", "V10", "V11"])
def test_no_module_is_taken_for_something_else(name: str) -> None:
    assert what_else(vector(name)) is None
    check_content(read_content(vector(name), name))


@given(st.binary(max_size=3000))
def test_any_bytes_end_in_content_or_one_sentence(data: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert list(content_lines(read_content(data, "x.bin"), data))


@pytest.mark.parametrize("name", ["V1", "V2", "V3", "V4", "V9", "V11"])
@pytest.mark.parametrize("missing", [1, 4, 20, 40])
def test_a_module_that_was_cut_is_told_as_cut(name: str, missing: int) -> None:
    data = vector(name)
    text = refusal(data[:-missing])
    assert f"x.bin is cut short: its header says {len(data)} bytes, {len(data) - missing} are there" in text


# --- everything it tells ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("V1", ("application, version 3", "Photon (6)", "system part 2, version 6 (Device OS 0.4.5) or newer",
                "4660, firmware version 7", "5609b71d, right", "own hash    f627fe61e22f…, right")),
        ("V2", ("product     none\n", "Device OS 6.1.2")),
        ("V4", ("none (it names the platform), firmware version 4", "dynamic location 0x85ff000, dynalib 0x10080000")),
        ("V5", ("form        compressed", "unpacked    application, version 6, 324 bytes")),
        ("V6", ("2 modules, one after another", "system part 1, version 6102 (Device OS 6.1.2)",
                "SoftDevice, version 202 or newer", "application, version 6")),
        ("V7", ("asset hello.txt", "name hello.txt", "content hash 84ba19f79faa…")),
        ("V7c", ("unpacked    12 bytes", "stored without its header, compressed")),
        ("V8", ("asset hello.txt, SHA-256 84ba19f79faacff0cfa1b992693129dfbb0e18da60c7df0f51bf9a562d1c28f6",)),
        ("V8b", ("extensions behind its header", "asset hello.txt")),
        ("V9", ("security mode: protected", "WARNING     puts every unit it is written to under device protection")),
        ("V10", ("environment of the application",)),
        ("V11", ("SoftDevice, version 202", "0x1000 to 0x1050", "bootloader, version 501 or newer")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_inspection_says_what_the_parser_knows(name: str, words: tuple[str, ...]) -> None:
    text = told(vector(name))
    for one in words:
        assert one in text
    assert ("WARNING" in text) is (name == "V9")


def test_a_dependency_in_an_extension_is_told_like_those_of_the_header() -> None:
    rows = [(0x0003, struct.pack("<BBHI", 7, 0, 5, 0)), (0x0999, b"12345")]
    text = told(synthetic.make_module(12, (5, 2), 6, 0xB4000, bytes(64), extensions=rows))
    assert "needs       NCP firmware, version 5 or newer" in text
    assert "extension 0x0999 of 5 bytes, unknown here" in text


def test_a_damaged_module_is_shown_with_what_speaks_against_it() -> None:
    data = bytearray(vector("V2"))
    data[30] ^= 1
    text = told(bytes(data))
    assert "8d5c9ef6, WRONG: the file is damaged" in text
    assert "not that of its content\n" in text  # and no word of the vendor's stale hashes: this file is damaged
    assert "refused     x.bin: its CRC-32 is not the one stored at its end" in text
    assert "CRC-32" in refusal(bytes(data))


def test_a_damaged_part_of_a_combined_file_is_named() -> None:
    data = bytearray(vector("V6"))
    data[30] ^= 1
    assert "x.bin part 1: its CRC-32" in refusal(bytes(data))


def test_an_encrypted_module_is_refused_as_such() -> None:
    (_, burnt_in), *_ = synthetic.burnt_in(32)
    assert "is encrypted" in refusal(burnt_in.data)


def test_names_out_of_a_file_cannot_reach_the_terminal_raw() -> None:
    text = told(application({"\x1b[31mred\u202e": b""}))
    assert all(line.isprintable() for line in text.splitlines())


# --- bundles ----------------------------------------------------------------------------------


def test_a_bundle_is_its_application_and_its_assets() -> None:
    content = read_content(bundle(), "b.zip")
    check_content(content)
    assert content.kind is Kind.BUNDLE
    assert [(asset.name, asset.size, asset.is_wanted) for asset in content.assets] == [
        (name, len(data), True) for name, data in ASSETS.items()
    ]


def test_a_bundle_without_an_asset_names_it() -> None:
    text = refusal(bundle(assets={"cat.txt": ASSETS["cat.txt"]}), "b.zip")
    assert "b.zip: its application needs the asset house.txt, which is not in it" in text


def test_a_bundle_with_another_asset_under_that_name_says_so() -> None:
    assert "needs the asset cat.txt with other content" in refusal(bundle(assets={**ASSETS, "cat.txt": b"woof\n"}))


def test_an_asset_nobody_asked_for_is_said_and_no_fault() -> None:
    data = bundle(assets={**ASSETS, ".DS_Store": b"junk"})
    assert "asset .DS_Store, 4 bytes: not asked for" in told(data)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"app.bin": release()[0].data, "assets/a": b""}, "is no application"),
        ({"app.bin": b"<html>", "assets/a": b""}, "app.bin is a web page"),
        ({"app.bin": application()[:-40], "assets/a": b""}, "app.bin"),
        ({"a.bin": application(), "b.bin": application()}, "2 .bin files at its top"),
    ],
)
def test_a_bundle_of_anything_but_one_application_is_refused(members: dict[str, bytes], why: str) -> None:
    assert why in refusal(zipped(members))


# --- the vendor's own files -------------------------------------------------------------------


@needs_vendor_files
def test_the_vendors_bundle_is_told_with_its_assets() -> None:
    assert [asset.name for asset in read_content(vendor_file("bundle.zip"), "b").assets] == [
        "cat.txt", "house.txt", "water.txt"
    ]  # fmt: skip
    assert "needs the asset water.txt, which is not in it" in refusal(vendor_file("bundle-missing-assets.zip"))


@needs_vendor_files
def test_the_vendors_broken_files_are_refused_and_all_others_are_firmware() -> None:
    broken = {"RC2_bootloader.bin", "emptybin.bin", "unknown.bin", "bundle-missing-assets.zip", "README.md"}
    refused, others = set[str](), set[str]()
    for path in sorted(FOLDER.iterdir()):
        try:
            check_content(read_content(path.read_bytes(), path.name))
        except BadInput as error:
            refused.add(path.name)
            others |= {path.name} if isinstance(error, NotFirmware) else set()
    assert others == {"emptybin.bin", "README.md"}
    assert refused == broken & {path.name for path in FOLDER.iterdir()}


@needs_vendor_files
def test_a_stale_hash_of_the_vendor_is_said_and_no_fault() -> None:
    text = told(vendor_file("argon-ncp-firmware-0.0.5-ota.bin"))
    assert "not that of its content, as in several files of the vendor; the CRC counts" in text
    assert "NCP firmware, version 5" in text
