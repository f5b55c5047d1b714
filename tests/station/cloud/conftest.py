"""The cloud room's bench: see `support.cloud_bench`."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from support.cloud_bench import Bench, populate

from drivers.clock import SimulatedClock
from station.cloud.client import CloudClient
from station.cloud.virtual import VirtualCloud


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock = SimulatedClock()
    cloud = VirtualCloud(clock)
    token = populate(cloud)
    bench = Bench(clock, cloud, token)
    with clock.registered():
        bench.client = CloudClient(
            cloud.serve(), bench.provide_token, clock, rng=random.Random(1), bucket_rate=2.0,
            on_call=bench.calls.append, on_reachable=lambda is_up, why: bench.reachable.append((is_up, why)),
        )  # fmt: skip
        yield bench
        bench.client.close()
        cloud.close()
