"""The virtual cloud as any program sees it: see `support.cloud_web`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.cloud_web import Web, web


@pytest.fixture
def cloud() -> Iterator[Web]:
    with web() as served:
        yield served
