"""Compressed modules by control request: which kinds a unit takes, and what it looks at before it installs one."""

from __future__ import annotations

import hashlib
import zlib

import pytest
from support.wrapped import combined, compressed

from drivers.platforms import platform_by_slug
from drivers.virtual import synthetic
from drivers.virtual.boot import BootMode, boot
from drivers.virtual.memory import UnitMemory
from drivers.virtual.ota import CHUNK, OtaUpdate
from drivers.wire.image.host import parse_image
from drivers.wire.results import ResultCode

UNITS = {"photon": "2.3.1", "electron": "3.3.1", "argon": "6.3.4", "tracker": "6.3.4", "p2": "6.3.4", "msom": "6.3.4"}
each_unit = pytest.mark.parametrize("slug", UNITS)


def unit(slug: str) -> UnitMemory:
    number = platform_by_slug(slug).id
    memory = UnitMemory(number)
    memory.install(file.data for file in synthetic.release(number, UNITS[slug]))
    memory.install([synthetic.application(number, UNITS[slug]).data])
    assert boot(memory).mode is BootMode.NORMAL
    return memory


def send(memory: UnitMemory, data: bytes) -> int:
    """Send an update and have it applied; return the result of FINISH."""
    report = boot(memory)
    number = report.system_module_version
    assert number is not None
    update = OtaUpdate(memory, number)
    assert update.begin(len(data)).code == 0
    for at in range(0, len(data), CHUNK):
        assert update.data(data[at : at + CHUNK]).code == 0
    code = update.finish().code
    if update.is_staged:
        update.apply()
    return code


def application(slug: str) -> bytes:
    return synthetic.application(platform_by_slug(slug).id, UNITS[slug], seed="squeezed").data


@each_unit
def test_a_compressed_application_is_unpacked_by_the_next_boot(slug: str) -> None:
    memory, plain = unit(slug), application(slug)
    assert send(memory, compressed(plain)) == 0
    assert boot(memory).mode is BootMode.NORMAL
    assert memory.internal.read(parse_image(plain, "plain").start, len(plain)) == plain


@each_unit
@pytest.mark.parametrize("window", [9, 12, 15])
def test_the_window_is_the_one_its_header_states(slug: str, window: int) -> None:
    memory, plain = unit(slug), application(slug)
    assert send(memory, compressed(plain, window=window)) == 0
    assert boot(memory).mode is BootMode.NORMAL


@each_unit
@pytest.mark.parametrize(("method", "window"), [(1, 0), (255, 0), (0, 7), (0, 16)])
def test_an_unknown_method_or_window_is_refused(slug: str, method: int, window: int) -> None:
    memory, plain = unit(slug), application(slug)
    data = bytearray(compressed(plain))
    data[26:28] = bytes((method, window))
    assert send(memory, _sealed(bytes(data), plain)) == ResultCode.OTA_VALIDATION_FAILED
    assert memory.internal.read(parse_image(plain, "plain").start, len(plain)) != plain


@each_unit
def test_content_that_is_damaged_is_refused(slug: str) -> None:
    plain = bytearray(application(slug))
    plain[3000] ^= 1
    assert send(unit(slug), compressed(bytes(plain))) == ResultCode.OTA_VALIDATION_FAILED


@pytest.mark.parametrize("slug", ["p2", "msom"])
def test_a_stage_of_the_bootloader_is_never_taken_compressed(slug: str) -> None:
    """Reference firmware-and-dfu 3.8: user parts, system parts and assets only."""
    part1, _, system = synthetic.release(platform_by_slug(slug).id, "6.3.4")
    assert send(unit(slug), compressed(part1.data)) == ResultCode.OTA_VALIDATION_FAILED
    assert send(unit(slug), compressed(system.data)) == 0


@each_unit
def test_two_modules_in_one_file_are_taken_and_a_third_is_not_looked_at(slug: str) -> None:
    memory, plain = unit(slug), application(slug)
    bootloader = next(
        one for one in synthetic.release(platform_by_slug(slug).id, UNITS[slug]) if "-bootloader@" in one.name
    )
    other = synthetic.application(platform_by_slug(slug).id, UNITS[slug], seed="third").data
    assert send(memory, combined(bootloader.data, plain, other)) == 0
    assert boot(memory).mode is BootMode.NORMAL
    start = parse_image(plain, "plain").start
    part = combined(plain, other)[: len(plain)]
    assert memory.internal.read(start, len(plain)) == part


def _sealed(data: bytes, plain: bytes) -> bytes:
    size = parse_image(plain, "plain").suffix_size
    body = data[:-38]
    body += hashlib.sha256(body).digest() + size.to_bytes(2, "little")
    return body + zlib.crc32(body).to_bytes(4, "big")
