"""The bench every test of this room gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.device_bench import DeviceBench, device_bench


@pytest.fixture
def bench() -> Iterator[DeviceBench]:
    with device_bench() as made:
        yield made
