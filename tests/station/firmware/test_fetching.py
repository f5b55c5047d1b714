"""A release from the cloud into the cache: whole, again, cut short, and from a cloud that lies."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.module_vectors import vector
from support.scarce_disk import files_of_at_most
from support.zips import bundle, release, sha256

from drivers.clock import SimulatedClock
from drivers.platforms import Platform, platform, platforms
from drivers.virtual import synthetic
from station.cloud.client import CloudClient
from station.cloud.device_os import device_os
from station.cloud.download import Downloads, Progress
from station.cloud.errors import CloudDown
from station.cloud.virtual import Fault, FaultKind, VirtualCloud
from station.firmware.cache import CacheUnwritable, Entry, FirmwareCache
from station.firmware.fetching import fetch
from station.firmware.intake import Arrival, State

FILE_ROUTE = "GET /v1/firmware/device-os/:version/:file"
BORON = release(13)
SYSTEM = 2
"""Which file of it is the system part."""


class Place:
    """A cache, and a virtual cloud to fill it from."""

    def __init__(self, folder: Path) -> None:
        self.clock = SimulatedClock()
        self.cloud = VirtualCloud(self.clock)
        self.cache = FirmwareCache(folder / "cache")
        self.told: list[str] = []
        self._token = self.cloud.create_token("line@example.com")
        url = self.cloud.serve()
        self._client = CloudClient(url, lambda: self._token, self.clock, rng=random.Random(1))
        self._downloads = Downloads(url, lambda: self._token, self.clock, random.Random(1))

    def fetch(self, platform_id: int = 13, version: str = "6.3.4") -> list[Arrival]:
        row = platform(platform_id)
        found = self._client.run(device_os(version, row.id))
        return list(fetch(found, row, self.cache, self._downloads, self.clock.utc(), self._progress))

    def _progress(self, name: str) -> Progress:
        self.told.append(name)
        return lambda done, total: None

    @property
    def downloads(self) -> int:
        return sum(request.route == FILE_ROUTE for request in self.cloud.requests())

    def held(self) -> set[str]:
        found = list(self.cache.entries())
        assert all(isinstance(one, Entry) for one in found), found
        return {one.sha256 for one in found if isinstance(one, Entry)}

    def close(self) -> None:
        self._client.close()
        self._downloads.close()
        self.cloud.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    with place.clock.registered():
        yield place
        place.close()


@pytest.mark.parametrize("row", platforms(), ids=lambda row: row.slug)
def test_the_newest_release_of_every_platform_comes_in_whole(row: Platform, place: Place) -> None:
    row_id = row.id
    version = synthetic.versions(row_id)[-1]
    arrivals = place.fetch(row_id, version)
    modules, application = release(row_id, version)[:-1], release(row_id, version)[-1]
    if row.slug == "tracker":  # its releases hold no Tinker (reference firmware-and-dfu 4.1)
        application = synthetic.application(row_id, version, seed="tracker-edge")
    wanted = {sha256(one.data) for one in (*modules, application)}
    assert place.held() == wanted
    others = [one for one in arrivals if one.state is not State.ADDED]
    assert all("encrypted: no station flashes it" in one.why for one in others)
    assert len(others) == len(synthetic.burnt_in(row_id))
    for entry in place.cache.of_platform(platform(row_id)):
        assert entry.origin is not None
        assert entry.origin.source == f"Device OS {version} of the cloud"


def test_what_is_there_is_not_fetched_again(place: Place) -> None:
    place.fetch()
    before = place.downloads
    assert {one.state for one in place.fetch()} == {State.THERE}
    assert place.downloads == before == len(place.told) == len(BORON)


def test_a_fetch_that_was_cut_goes_on_where_it_was(place: Place) -> None:
    place.cloud.order(Fault(FaultKind.DROP_BEFORE, FILE_ROUTE, times=None, after=2))
    with pytest.raises(CloudDown):
        place.fetch()
    assert len(place.held()) == 2
    place.cloud.cancel_faults()
    before = place.downloads
    assert [one.state for one in place.fetch()] == [State.THERE, State.THERE, State.ADDED, State.ADDED]
    assert place.downloads == before + 2


OTHER_CONTENT = bytearray(BORON[SYSTEM].data)
OTHER_CONTENT[9000] ^= 1
LIES = {
    "page": (b"<!DOCTYPE html><html>Guest network: log in</html>", "is a web page, no firmware module; fetch it again"),
    "json": (b'{"error": "gone"}', "is a JSON text, most likely an error message"),
    "empty": (b"", "is an empty file"),
    "cut": (BORON[SYSTEM].data[:-1], "is cut short: its header says"),
    "damaged": (bytes(OTHER_CONTENT), "came damaged, its CRC-32 is not the one stored at its end"),
    "other platform": (release(12)[SYSTEM].data, "is for Argon (12), asked for was Boron"),
    "other release": (release(13, "6.2.0")[SYSTEM].data, "the cloud's list says"),
    "other module": (BORON[0].data, "the cloud's list says"),
    "combined": (vector("V6"), "holds more than one module"),
    "bundle": (bundle(), "holds more than one module"),
    "huge": (bytes(4 << 20) + b"x", ""),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_cloud_that_lies_leaves_the_cache_as_it_was(lie: str, place: Place) -> None:
    data, words = LIES[lie]
    place.fetch(version="6.2.0")
    before = place.held()
    place.cloud.order(Fault(FaultKind.LIE, FILE_ROUTE, after=SYSTEM, body=data))
    if lie == "huge":
        with pytest.raises(Exception, match="has more than 4194304 bytes"):
            place.fetch()
        assert place.held() == before | {sha256(one.data) for one in BORON[:SYSTEM]}
        return
    arrivals = place.fetch()
    (refused,) = [one for one in arrivals if one.state is State.REFUSED]
    assert refused.where == BORON[SYSTEM].name
    assert words in refused.why
    assert place.held() == before | {sha256(one.data) for n, one in enumerate(BORON) if n != SYSTEM}
    assert State.ADDED in {one.state for one in place.fetch()}
    assert place.held() == before | {sha256(one.data) for one in BORON}


def test_a_full_disk_ends_it_and_a_second_fetch_goes_on(place: Place) -> None:
    with files_of_at_most(60_000), pytest.raises(CacheUnwritable, match="cannot be kept in the cache"):
        place.fetch()
    before = place.held()
    assert before < {sha256(one.data) for one in BORON}
    place.fetch()
    assert place.held() == {sha256(one.data) for one in BORON}
