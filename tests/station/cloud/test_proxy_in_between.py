"""A proxy set on this host that answers the wish for a connection itself: named as who spoke, and nothing was sent."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from contextlib import closing

import pytest
from support.cloud_bench import BORON, PRODUCT
from support.loopback_talker import serving

from drivers.clock import SimulatedClock
from drivers.identity import Secret
from station.cloud import api
from station.cloud.client import CloudClient
from station.cloud.errors import NotTheCloud, is_waiting
from station.cloud.http import HttpLink
from station.cloud.retry import NoAnswer
from station.cloud.way_out import WayOut

PAGE = b"<html>Please log in</html>"
OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"


def page(status: str, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\n%bContent-Length: %d\r\n\r\n" % (status.encode(), head, len(PAGE)) + PAGE


SAID: list[tuple[str, bytes, str]] = [
    ("forbidden", page("403 Forbidden"), "answers with a page of its own (403)"),
    ("a portal", page("302 Found", b"Location: http://portal.example/\r\n"), "answers with a page of its own (302)"),
    ("log in", page("511 Network Authentication Required"), "answers with a page of its own (511)"),
    ("cloud not reached", page("502 Bad Gateway"), "answers with a page of its own (502)"),
    ("a password", page("407 Proxy Authentication Required"), "wants a password (407)"),
    ("no HTTP", b"SSH-2.0-OpenSSH\r\n", "does not open a way to the cloud"),
    ("nothing", b"", "does not open a way to the cloud"),
    ("a page behind an open way", OPEN + page("200 OK"), "leads to somebody without the cloud's certificate"),
    ("nobody behind an open way", OPEN, "leads to somebody without the cloud's certificate"),
]


@pytest.fixture(autouse=True)
def no_proxy_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def ask(client: CloudClient) -> object:
    return client.run(api.user())


def write(client: CloudClient) -> object:
    """Must not be taken for perhaps done: what the proxy was sent is not our request."""
    return client.run(api.add_to_product(PRODUCT, BORON))


@pytest.mark.parametrize("verb", [ask, write])
@pytest.mark.parametrize(("raw", "words"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_a_proxy_that_answers_itself_is_named_and_counts_as_a_cloud_that_is_away(
    raw: bytes, words: str, verb: Callable[[CloudClient], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(raw)

    clock, heard = SimulatedClock(), list[bytes]()
    with (
        serving(talk, heard) as proxy,
        clock.registered(),
        closing(
            CloudClient("https://cloud.invalid", lambda: Secret("our-token"), clock, rng=random.Random(1))
        ) as client,
    ):
        place = proxy.removeprefix("http://")
        monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:his-password@{place}")
        with pytest.raises(NotTheCloud) as caught:
            verb(client)
    said = str(caught.value)
    assert f"the proxy {place} set on this host {words}" in said
    assert "his-password" not in said
    assert is_waiting(caught.value)
    assert "network" in caught.value.who
    assert len(heard) == 5, "asked again as often as a cloud that is not reached"
    assert all(request.startswith(b"CONNECT ") and b"our-token" not in request for request in heard)


def test_the_proxy_of_the_config_file_goes_before_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.sendall(page("403 Forbidden"))

    ours, others = list[bytes](), list[bytes]()
    with serving(refuse, ours) as proxy, serving(refuse, others) as other:
        monkeypatch.setenv("HTTPS_PROXY", other)
        monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
        with closing(HttpLink("https://cloud.invalid", WayOut(proxy=proxy))) as link:
            said = link.send("GET", "/v1/user", Secret("our-token"), None)
    assert isinstance(said, NoAnswer)
    assert said.is_blocked
    assert (len(ours), others) == (1, [])
    assert ours[0].startswith(b"CONNECT cloud.invalid:443 ")
