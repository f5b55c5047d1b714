"""Units whose memories the tests here look into, and a host that speaks raw DFU to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from support.raw_dfu import CutAt, CutShort, MakeCut, MakeHost, RawHost
from support.vendor_files import vendor_file

from drivers.virtual import synthetic
from drivers.virtual.families import family_of
from drivers.virtual.flash import PowerLost
from drivers.virtual.memory import UnitMemory

ARGON, BORON = 12, 13


@pytest.fixture(scope="session")
def vendor() -> Callable[[str], bytes]:
    """Content of one of the vendor's own firmware files; skips, saying so, where it is absent."""
    return vendor_file


@pytest.fixture(scope="session")
def files() -> Callable[[int, str], tuple[bytes, ...]]:
    """Synthetic bootloader, SoftDevice, system part and application of one platform and version."""
    made: dict[tuple[int, str], tuple[bytes, ...]] = {}

    def get(platform_id: int, version: str) -> tuple[bytes, ...]:
        if (platform_id, version) not in made:
            release = synthetic.release(platform_id, version)
            application = synthetic.application(platform_id, version)
            made[platform_id, version] = (*(f.data for f in release), application.data)
        return made[platform_id, version]

    return get


@pytest.fixture
def unit(files: Callable[[int, str], tuple[bytes, ...]]) -> Callable[..., UnitMemory]:
    """A unit that holds a synthetic Device OS: ``unit("6.3.4", platform=13, directory=...)``."""

    def make(version: str = "6.3.4", platform: int = ARGON, directory: Path | None = None) -> UnitMemory:
        memory = UnitMemory(platform, directory)
        memory.install(files(platform, version))
        return memory

    return make


@pytest.fixture
def dfu() -> MakeHost:
    """A host on a unit in DFU mode: ``dfu(memory, bootloader=3200)``."""
    return lambda memory, bootloader=3200: RawHost(
        family_of(memory.platform_id).dfu_function(memory, bootloader, False)
    )


@pytest.fixture
def cut_at() -> MakeCut:
    return CutAt


@pytest.fixture
def cut_short(cut_at: MakeCut) -> CutShort:
    """Run ``action`` on a unit and take the power away before flash step ``n``."""

    def cut(memory: UnitMemory, n: int, action: Callable[[], object]) -> None:
        memory.set_fault(cut_at(n))
        try:
            action()
        except PowerLost:
            pass
        finally:
            memory.set_fault(None)

    return cut


@pytest.fixture
def seeds() -> Iterable[int]:
    """Twelve fixed numbers, so that a failure can be repeated."""
    return range(12)
