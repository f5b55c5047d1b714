from __future__ import annotations

import hashlib
import zlib

import pytest

from drivers.platforms import release_of
from drivers.virtual import synthetic
from drivers.virtual.boot import Dependency


@pytest.mark.parametrize("platform", [12, 13])
@pytest.mark.parametrize("version", synthetic.versions(12))
def test_every_file_has_good_checksums_says_what_it_is_and_is_always_the_same(platform: int, version: str) -> None:
    files = [*synthetic.release(platform, version), synthetic.application(platform, version)]
    for file in files:
        assert zlib.crc32(file.data[:-4]).to_bytes(4, "big") == file.data[-4:]
        assert hashlib.sha256(file.data[:-38]).digest() == file.data[-38:-6]
        assert b"synthetic, not vendor firmware" in file.data[:0x300]
        assert file.name.startswith("synthetic-")
    assert files == [*synthetic.release(platform, version), synthetic.application(platform, version)]


@pytest.mark.parametrize("version", [one for one in synthetic.versions(13) if release_of(one)])
def test_module_versions_are_those_of_the_real_release(version: str) -> None:
    known = release_of(version)
    bootloader, _, system = synthetic.release(13, version)
    versions = [int.from_bytes(f.data[0x20A:0x20C], "little") for f in (bootloader, system)]
    assert known is not None
    assert versions == [known.bootloader_version, known.system_version]


def test_names_of_a_release() -> None:
    assert [f.name for f in synthetic.release(13, "6.3.4")] == [
        "synthetic-boron-bootloader@6.3.4.bin",
        "synthetic-boron-softdevice@6.3.4.bin",
        "synthetic-boron-system-part1@6.3.4.bin",
    ]


def test_an_application_carries_the_product_it_was_built_for() -> None:
    plain = synthetic.application(13, "6.3.4").data
    mine = synthetic.application(13, "6.3.4", product_id=12345, product_version=7, seed="widget")
    assert (plain[-44:-40], mine.data[-44:-40]) == (b"\xff\xff\xff\xff", bytes.fromhex("3930 0700"))
    assert mine.name == "synthetic-boron-widget@6.3.4.bin"


def test_a_known_module_comes_out_byte_for_byte() -> None:
    """Vector V2 of the reference's appendix C, made by the vendor's own tool."""
    made = synthetic.make_module(12, (5, 2), 6, 0xB4000, bytes(range(16)), (Dependency(4, 1, 6102), None))
    assert hashlib.sha256(made).hexdigest() == "8c909da6fa1eb361208f80c3a88ce2e4b2b0ea5fea26ae88f93164e2d7813b5d"


def test_a_known_headerless_module_comes_out_byte_for_byte() -> None:
    """Vector V11: SoftDevice-like, without product data."""
    wants = (Dependency(2, 0, 501), Dependency(4, 1, 1321))
    made = synthetic.make_module(12, (8, 0), 202, 0x1000, bytes(range(16)), wants, flags=1, has_product=False)
    assert zlib.crc32(made[:-4]).to_bytes(4, "big").hex() == "4abeb4cc"


def test_a_known_bootloader_locks_its_unit_once_the_security_mode_is_added() -> None:
    """Vectors V3 and V9, without and with the extension."""
    vectors = bytes.fromhex("0000042021420f00").ljust(0x200, b"\0")
    prefix = bytes.fromhex("00400f0060420f000000ba0b0c0002000000000000000000")
    tail = "ffffffff0000737ffb6c8744e3e56513b405b9048280d0d47358527eae5882567641932e849428 00b6fdafc1"
    plain = vectors + prefix + bytes(range(32)) + bytes.fromhex(tail)
    made = synthetic.locking(plain)
    assert hashlib.sha256(made).hexdigest() == "0e8f52e685a7b2918a27e89517d5371e2325a27afe12db283cdf1c2f4c9c16ed"
    application = synthetic.application(13, "6.3.4").data
    assert synthetic.locking(application) == application


@pytest.mark.parametrize(
    ("version", "bootloader", "radio"),
    [
        ("0.9.0", 101, None), ("1.2.1", 311, None), ("1.3.1", 400, None), ("1.4.4", 400, 202), ("1.5.2", 400, 202),
        ("2.0.1", 1003, 202), ("3.3.1", 1003, 202), ("4.1.0", 1200, 202), ("5.8.0", 2600, 202), ("6.1.1", 3001, 202),
        ("6.2.0", 3100, 202),
        ("6.3.4", 3100, 202),
    ],
)  # fmt: skip
@pytest.mark.parametrize("platform", [12, 13])
def test_a_system_part_asks_for_what_the_vendors_build_tables_say(
    platform: int, version: str, bootloader: int, radio: int | None
) -> None:
    """Reference 4.4; the bootloader first, but on an Argon."""
    prefix = synthetic.release(platform, version)[2].data[0x200:0x218]
    wants = [(prefix[at], prefix[at + 1], int.from_bytes(prefix[at + 2 : at + 4], "little")) for at in (16, 20)]
    expected = [(2, 0, bootloader), (8, 0, radio) if radio else (0, 0, 0)]
    assert wants == (expected[::-1] if platform == 12 and radio else expected)


@pytest.mark.parametrize(("version", "second"), [("6.1.1", (7, 0, 7)), ("6.2.0", (4, 1, 3001))])
def test_a_tracker_asks_for_its_co_processor_and_from_6_2_on_for_device_os_3(
    version: str, second: tuple[int, int, int]
) -> None:
    prefix = synthetic.release(26, version)[2].data[0x200:0x218]
    assert (prefix[20], prefix[21], int.from_bytes(prefix[22:24], "little")) == second


@pytest.mark.parametrize(("version", "radio"), [("1.2.1", 169), ("1.3.1", 182), ("1.4.4", 202)])
def test_the_softdevice_of_a_release(version: str, radio: int) -> None:
    assert synthetic.release(13, version)[1].data == synthetic.softdevice(13, radio).data


def test_an_application_for_an_old_device_os_lies_in_the_old_place() -> None:
    old, new = (synthetic.application(13, version).data[:24] for version in ("3.0.0", "3.1.0"))
    assert (int.from_bytes(old[:4], "little"), old[15]) == (0xD4000, 1)
    assert (int.from_bytes(new[:4], "little"), new[15]) == (0xB4000, 2)


@pytest.mark.parametrize(("version", "number"), [("6.2.1", 6201), ("6.4.0", 6400)])
def test_releases_too_new_for_the_table_have_the_module_version_of_convention(version: str, number: int) -> None:
    system = synthetic.release(13, version)[2].data
    assert int.from_bytes(system[0x20A:0x20C], "little") == number


def test_from_6_1_2_on_a_system_part_carries_a_second_header_with_its_own_crc() -> None:
    system = synthetic.release(12, "6.3.4")[2].data
    second = system[0x8000:0x8400]
    assert int.from_bytes(system[0x200:0x204], "little") == 0x28000
    assert int.from_bytes(second[0x200:0x204], "little") == 0x30000
    assert zlib.crc32(second[:-4]).to_bytes(4, "big") == second[-4:]


@pytest.mark.parametrize(
    ("platform", "version"),
    [(12, "1.2.3"), (12, "6.3.5"), (12, "nonsense"), (12, "6.4.0-rc.1"), (14, "2.0.0"), (24, "1.5.2"), (15, "3.3.1")],
)
def test_a_release_that_never_was_is_a_key_error(platform: int, version: str) -> None:
    """6305 is the module version of 6.3.4: nothing else can have it."""
    with pytest.raises(KeyError):
        synthetic.release(platform, version)
