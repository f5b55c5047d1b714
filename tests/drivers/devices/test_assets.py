"""Files of an application on their way to a unit, by the same control requests as firmware."""

from __future__ import annotations

import random

import pytest
from support.device_bench import DeviceBench

from drivers.errors import RequestRejected, WriteRefused
from drivers.wire import requests
from drivers.wire.image.asset import asset_module
from drivers.wire.image.host import Image, parse_image

UNITS = pytest.mark.parametrize("platform", ["argon", "boron", "b5som", "esomx", "p2", "msom"])


def module(name: str, content: bytes) -> Image:
    return parse_image(asset_module(name, content), name)


@UNITS
def test_a_file_is_kept_and_told_after_the_restart(bench: DeviceBench, platform: str) -> None:
    bench.unit(platform=platform, device_os="6.3.4")
    device = bench.device()
    device.identify(bench.within(10.0))
    noise = random.Random(1).randbytes(20_000)
    for name, content in (("cat.txt", b"meow"), ("noise.bin", noise)):
        device.update_over_control(module(name, content), bench.within(240.0))
    held = device.ask(requests.get_asset_info(), bench.within(10.0)).available
    assert [(one.name, one.size) for one in held] == [("cat.txt", 4), ("noise.bin", 20_000)]


def test_a_unit_of_an_older_device_os_takes_none(bench: DeviceBench) -> None:
    bench.unit(device_os="5.4.1")
    device = bench.device()
    device.identify(bench.within(10.0))
    with pytest.raises(RequestRejected):
        device.update_over_control(module("cat.txt", b"meow"), bench.within(240.0))


def test_a_file_larger_than_the_platform_takes_is_not_sent(bench: DeviceBench) -> None:
    unit = bench.unit(device_os="6.3.4")
    device = bench.device()
    device.identify(bench.within(10.0))
    before = unit.score.flash_writes
    with pytest.raises(WriteRefused, match="has no place on Boron"):
        device.update_over_control(module("noise.bin", random.Random(1).randbytes(700_000)), bench.within(240.0))
    assert unit.score.flash_writes == before
