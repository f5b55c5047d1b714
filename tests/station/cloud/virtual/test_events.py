"""Event streams of the virtual cloud, and how they can misbehave (reference cloud-api 7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from support.cloud_bench import ARGON, BORON, ME, PRODUCT
from support.cloud_web import STRANGER, Web

from drivers.identity import DeviceId
from drivers.virtual.world import UnitFacts
from station.cloud.virtual import Limit, Limits, StreamTrouble


def connect(cloud: Web, device_id: DeviceId, *, is_safe_mode: bool = False) -> None:
    cloud.cloud.online(
        UnitFacts(
            device_id=str(device_id), platform_id=13, device_os="6.3.4", is_safe_mode=is_safe_mode, product_id=None,
            product_version=None, serial_number="", iccid=None, imei=None, mac=None, claim_code=None,
        )
    )  # fmt: skip


class Stream:
    """An open stream; ``next`` waits for the next event that comes over the wire."""

    def __init__(self, response: requests.Response) -> None:
        self._lines = response.iter_lines(decode_unicode=True)
        assert next(self._lines) == ":ok"

    def next(self) -> tuple[str, dict[str, object]]:
        name = ""
        for line in self._lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            if line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))
        raise EOFError

    def told(self) -> tuple[str, object, object]:
        name, body = self.next()
        return name, body["data"], body["coreid"]


@contextmanager
def listening(cloud: Web, path: str) -> Iterator[Stream]:
    headers = {"Authorization": f"Bearer {cloud.token}"}
    with requests.get(cloud.cloud.base_url + path, headers=headers, stream=True, timeout=60) as response:
        assert response.status_code == 200
        assert "text/event-stream" in response.headers["Content-Type"]
        yield Stream(response)


@pytest.fixture
def mine(cloud: Web) -> Web:
    """The cloud with a Boron in the product and an Argon of one's own."""
    cloud("POST", f"/v1/products/{PRODUCT}/devices", {"id": str(BORON)})
    cloud.cloud.edit_device(ARGON, owner=ME)
    return cloud


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        ("/v1/devices/events", ARGON), ("/v1/devices/events/spark", ARGON), ("/v1/events/", ARGON),
        (f"/v1/devices/{ARGON}/events/spark/status", ARGON), (f"/v1/products/{PRODUCT}/events", BORON),
        (f"/v1/products/{PRODUCT}/devices/{BORON}/events/", BORON),
    ],
)  # fmt: skip
def test_each_stream_tells_of_its_own_devices(mine: Web, path: str, heard: DeviceId) -> None:
    with listening(mine, path) as stream:
        for device_id in (ARGON, BORON):
            connect(mine, device_id)
        assert stream.told() == ("spark/status", "online", str(heard))


def test_only_events_whose_name_begins_as_asked_are_told(mine: Web) -> None:
    with listening(mine, f"/v1/products/{PRODUCT}/events/spark/device") as stream:
        connect(mine, BORON)
        mine("POST", f"/v1/products/{PRODUCT}/diagnostics/{BORON}/update", {})
        name, body = stream.next()
        assert name == "spark/device/diagnostics/update"
        assert json.loads(str(body["data"]))["service"]
    last = mine("GET", f"/v1/products/{PRODUCT}/diagnostics/{BORON}/last")["diagnostics"]
    assert last["deviceID"] == str(BORON)
    assert last["payload"]["device"]["network"]["signal"]["strengthv"] == -57


def test_an_event_has_a_date_and_a_session_that_ended_unannounced_shows_with_the_next(mine: Web) -> None:
    with listening(mine, f"/v1/devices/{ARGON}/events") as stream:
        connect(mine, ARGON)
        _, body = stream.next()
        assert str(body["published_at"]).endswith("Z")
        mine.cloud.offline(str(ARGON))
        connect(mine, ARGON, is_safe_mode=True)
        assert [stream.told()[:2] for _ in range(3)] == [
            ("spark/status", "offline"), ("spark/status", "online"), ("spark/status/safe-mode", "{}")
        ]  # fmt: skip


def test_people_publish_to_their_own_stream(mine: Web) -> None:
    with listening(mine, "/v1/devices/events/batch") as stream:
        assert mine("POST", "/v1/devices/events", {"name": "batch/over", "data": "42", "private": True}) == {"ok": True}
        assert stream.told() == ("batch/over", "42", "api")


def test_a_stream_is_opened_by_who_may_look_and_closed_with_the_cloud(mine: Web) -> None:
    stranger = mine.as_user(STRANGER)
    stranger("GET", f"/v1/products/{PRODUCT}/events")
    assert stranger.status == 403
    with listening(mine, f"/v1/products/{PRODUCT}/events") as stream:
        mine.cloud.down_for(60)
        with pytest.raises(EOFError):
            stream.next()


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (StreamTrouble.REPEAT, ["online", "online", "offline", "offline"]),
        (StreamTrouble.REORDER, ["offline", "online"]),
        (StreamTrouble.CLOSE, ["online"]),
    ],
)
def test_a_stream_repeats_reorders_or_closes(mine: Web, trouble: StreamTrouble, told: list[str]) -> None:
    mine.cloud.trouble_streams(trouble)
    with listening(mine, "/v1/devices/events") as stream:
        for data in ("online", "offline"):
            mine("POST", "/v1/devices/events", {"name": "it", "data": data})
        assert [stream.told()[1] for _ in told] == told
        if trouble is StreamTrouble.CLOSE:
            with pytest.raises(EOFError):
                stream.next()


def test_a_stream_that_stalls_swallows_what_is_said_meanwhile(mine: Web) -> None:
    with listening(mine, "/v1/devices/events") as stream:
        mine.cloud.trouble_streams(StreamTrouble.STALL)
        mine("POST", "/v1/devices/events", {"name": "it", "data": "lost"})
        mine.cloud.trouble_streams(None)
        mine("POST", "/v1/devices/events", {"name": "it", "data": "heard"})
        while (data := stream.told()[1]) == "lost":
            pytest.fail("it did not stall")
        assert data == "heard"


def test_too_many_streams_and_too_many_openings_are_refused(mine: Web) -> None:
    mine.cloud.limits = Limits(open_streams=1)
    with listening(mine, "/v1/devices/events"):
        mine("GET", "/v1/devices/events")
        assert mine.status == 529
    mine.cloud.limits = Limits(streams=Limit(2, 300, Limits().streams.refusal))
    mine("GET", "/v1/devices/events")
    assert mine.status == 529
