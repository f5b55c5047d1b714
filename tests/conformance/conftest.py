"""Benches for foreign programs; without what they need a test is skipped, or fails where they are required."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conformance.bench import SPEED, ForeignBench
from conformance.clients import DfuUtil, Lsusb, ParticleCli, ParticleUsb, compile_shim
from conformance.equipment import lacking
from conformance.kernel import PretendKernel
from support.cloud_bench import ME, populate
from support.cloud_web import PASSWORD

from drivers.clock import SystemClock
from drivers.identity import Secret
from drivers.virtual.bus import VirtualBus
from station.cloud.virtual import VirtualCloud


def _need(*names: str) -> None:
    if missing := lacking(*names):
        pytest.skip(f"this machine lacks {missing}")


@pytest.fixture
def bench() -> Iterator[ForeignBench]:
    _need("umockdev")
    clock = SystemClock(SPEED)
    kernel = PretendKernel()
    with VirtualBus(clock) as bus, kernel.showing(bus):
        yield ForeignBench(clock, bus, kernel)
        assert bus.failures == []
    kernel.close()


@pytest.fixture
def dfu_util(bench: ForeignBench) -> DfuUtil:
    _need("dfu-util")
    return DfuUtil(bench)


@pytest.fixture
def particle_usb(bench: ForeignBench) -> ParticleUsb:
    _need("node", "particle-usb")
    return ParticleUsb(bench)


@pytest.fixture
def particle_cli(bench: ForeignBench, tmp_path: Path) -> ParticleCli:
    _need("node", "particle-cli", "udevadm")
    return ParticleCli(bench, tmp_path)


@pytest.fixture
def cloud() -> Iterator[VirtualCloud]:
    """A virtual cloud in real time with the product and units of `support.cloud_bench`, for the vendor's clients."""
    _need("node", "particle-api-js", "particle-cli")
    served = VirtualCloud(SystemClock(), activation_s=0.0)
    populate(served)
    served.create_user(ME, Secret(PASSWORD))
    served.serve()
    yield served
    served.close()


@pytest.fixture
def lsusb(bench: ForeignBench) -> Lsusb:
    _need("lsusb")
    return Lsusb(bench)


@pytest.fixture(scope="session")
def netlink_shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that lets libusb-package's libusb see hot-plug under umockdev."""
    _need("umockdev", "cc")
    return compile_shim(tmp_path_factory.mktemp("shim"))
