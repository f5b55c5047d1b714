"""A cloud, proxy or portal that means harm, byte for byte: a `CloudError` comes of it, in time, without our token."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import random
import re
import select
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from support.cloud_bench import BORON, PRODUCT
from support.loopback_talker import serving

from drivers.clock import Deadline, SimulatedClock, SystemClock
from drivers.errors import Cancelled
from drivers.identity import Secret
from station.cloud import api, http
from station.cloud import flight as flight_room
from station.cloud.body import MAX_BODY_BYTES, MAX_LIST_BYTES, Answer
from station.cloud.client import CloudClient
from station.cloud.errors import CloudDown, CloudError, NotTheCloud, TokenRejected
from station.cloud.flight import Flight
from station.cloud.http import HttpLink
from station.cloud.retry import NoAnswer
from station.errors import BadInput

TOKEN = "0123456789abcdef0123456789abcdef01234567"
PATIENCE_S = 120.0
"""A backstop against a hang, however busy the machine is."""
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def cloud_saying(raw: bytes, token: str = TOKEN) -> Iterator[CloudClient]:
    """A client of a server that says ``raw``, under simulated time."""
    clock = SimulatedClock()
    with (
        serving(lambda connection: connection.sendall(raw)) as url,
        clock.registered(),
        closing(CloudClient(url, lambda: Secret(token), clock, rng=random.Random(1))) as client,
    ):
        yield client


def ask(url: str, flight: Flight | None = None) -> Answer | NoAnswer:
    """One request, without retries."""
    with closing(HttpLink(url)) as link:
        return link.send("GET", "/v1/user", Secret(TOKEN), None, flight)


def answer(body: bytes, head: bytes = OK) -> bytes:
    """A whole answer of a server that hangs up, and says so: a connection kept might break under the next try."""
    return kept_answer(body, head + b"Connection: close\r\n")


def kept_answer(body: bytes, head: bytes = OK) -> bytes:
    """A whole answer of a server that waits for the next request."""
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def moved(location: bytes) -> bytes:
    return answer(b"{}", b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\n")


HARM: list[tuple[str, bytes]] = [
    ("a redirect to nowhere", moved(b"http://[")),
    ("a redirect to another host", moved(b"http://example.invalid/steal")),
    ("a redirect in no known letters", moved(b"\xff\xfe\x1b[2J")),
    ("a login page", answer(b"<html><body>Welcome to the plant</body></html>")),
    ("an empty page", answer(b"")),
    ("a date beyond time", answer(b"[]", OK + b"Date: Mon, 01 Jan 2024 00:00:00 +99999999999999999999\r\n")),
    ("nested too deep", answer(b"[" * 200_000)),
    ("a number too long", answer(b'{"id":' + b"9" * 20_000 + b"}")),
    ("no UTF-8", answer(b'{"id":"\xff\xfe"}')),
    ("half a surrogate pair", answer(b'{"id":"\\ud800"}')),
    ("a device that is a list", answer(b"[[[[]]]]")),
    ("cut off", OK + b"Content-Length: 1000\r\n\r\n{"),
    ("no HTTP", b"SSH-2.0-OpenSSH\r\n"),
    ("a thousand headers", OK + b"".join(b"X-%d: 1\r\n" % n for n in range(1000)) + b"\r\n"),
    ("a header without end", OK + b"X: " + b"y" * 200_000 + b"\r\n\r\n"),
    ("a wrong chunk", OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    ("no gzip", OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
    ("nothing", b""),
]


@pytest.mark.parametrize("raw", [row[1] for row in HARM], ids=[row[0] for row in HARM])
def test_whatever_answers_comes_to_a_cloud_error_in_printable_words(raw: bytes) -> None:
    with cloud_saying(raw) as client, pytest.raises(CloudError) as caught:
        client.run(api.device_in_product(PRODUCT, BORON))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "raw",
    [answer(b'{"error": "login"}', b"HTTP/1.1 401 Unauthorized\r\n"), answer(b"[]"), answer(b'{"login": "/here"}')],
    ids=["please log in", "a list", "an object of something else"],
)
def test_json_of_a_stranger_is_a_cloud_that_is_away(raw: bytes) -> None:
    with cloud_saying(raw) as client, pytest.raises(NotTheCloud):
        client.run(api.user())


def test_a_redirect_with_an_endless_body_is_not_read() -> None:
    """The station follows no redirect, so whatever comes with one is not its business."""
    size = MAX_BODY_BYTES * 4
    head = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: %d\r\n\r\n" % size
    with cloud_saying(head + b" " * size) as client, pytest.raises(CloudError) as caught:
        client.run(api.device_in_product(PRODUCT, BORON))
    assert "302" in str(caught.value)


def test_a_token_repeated_to_us_is_told_to_nobody() -> None:
    """As a proxy's debugging page does it: in the body, and in a header we quote."""
    body = b'{"error":"bad header Authorization: Bearer ' + TOKEN.encode() + b'"}'
    head = b"HTTP/1.1 403 Forbidden\r\nX-Request-Id: " + TOKEN.encode() + b"\x1b[31m\r\n"
    with cloud_saying(answer(body, head)) as client, pytest.raises(CloudError) as caught:
        client.run(api.add_to_product(PRODUCT, BORON))
    assert TOKEN not in str(caught.value)
    assert "***" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("url", ["http://example.com", "ftp://127.0.0.1", "http://127.0.0.1.example.com", "https://"])
def test_a_cloud_that_would_see_the_token_in_clear_text_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        CloudClient(url, lambda: Secret(TOKEN), SimulatedClock())


UNSENDABLE = [TOKEN + "\r", TOKEN + "\n", TOKEN + "\x7f", TOKEN + "…", "ü" + TOKEN, TOKEN + "\udcff", ""]


@pytest.mark.rule("N5")
@pytest.mark.parametrize("token", UNSENDABLE)
def test_a_token_no_header_can_carry_is_rejected_without_showing_it(token: str) -> None:
    with cloud_saying(answer(b"{}"), token) as client, pytest.raises(TokenRejected) as caught:
        client.run(api.user())
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert str(caught.value).isprintable()


@pytest.mark.rule("N5")
@pytest.mark.parametrize("token", UNSENDABLE[:6])
def test_no_error_of_a_library_leaves_the_link(token: str) -> None:
    """The HTTP library quotes a header it cannot send: what comes out has our words only."""
    with closing(HttpLink("http://127.0.0.1:9")) as link:
        said = link.send("GET", "/v1/user", Secret(token), None)
    assert isinstance(said, NoAnswer)
    assert TOKEN not in repr(said)


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS: list[tuple[str, bytes, bytes]] = [
    ("a chunk of length -1", CHUNKED + b"-1\r\n", b"a" * 65536),
    ("a chunk of absurd length", CHUNKED + b"f" * 16 + b"\r\n", b"a" * 65536),
    ("remarks to every chunk", CHUNKED, b"1;" + b"a" * 60_000 + b"\r\n \r\n"),
    ("headers behind the body", CHUNKED + b"2\r\n{}\r\n0\r\n", b"x: " + b"a" * 60_000 + b"\r\n"),
    ("promises of an answer", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    ("a body without length", OK + b"\r\n", b"a" * 65536),
]
POURED_AT_MOST = 256 << 20


@pytest.mark.parametrize(("head", "piece"), [row[1:] for row in ENDLESS], ids=[row[0] for row in ENDLESS])
def test_an_endless_answer_is_not_read_to_its_end(head: bytes, piece: bytes) -> None:
    """However the answer words its length: what counts is what comes out of the socket."""
    poured = [0]
    is_over = threading.Event()

    def pour(connection: socket.socket) -> None:
        try:
            connection.sendall(head)
            while poured[0] < POURED_AT_MOST:
                connection.sendall(piece)
                poured[0] += len(piece)
        finally:
            is_over.set()

    with serving(pour) as url:
        said = ask(url)
        assert is_over.wait(PATIENCE_S)
    assert isinstance(said, NoAnswer) or not said.is_json
    assert poured[0] < 2 * MAX_BODY_BYTES + (16 << 20)  # what is on its way in socket buffers counts too


@pytest.mark.parametrize("size", [b"-5", b"-1", b"-0x1", b"f" * 16, b"", b"5 apples"])
def test_a_chunk_of_impossible_length_is_no_answer(size: bytes) -> None:
    with serving(lambda c: c.sendall(CHUNKED + size + b"\r\n{}\r\n\r\n0\r\n\r\n")) as url:
        assert ask(url) == NoAnswer(was_sent=True, reason="the connection broke before an answer came")


def test_an_answer_in_honest_chunks_is_read() -> None:
    with serving(lambda c: c.sendall(CHUNKED + b'5\r\n{"id"\r\n4;x=y\r\n: 1}\r\n0\r\nX: y\r\n\r\n')) as url:
        said = ask(url)
    assert isinstance(said, Answer)
    assert said.body == {"id": 1}


SAID = f'{{"error":"you sent {TOKEN}"}}'
ESCAPED = "".join(f"\\u{ord(letter):04x}" for letter in TOKEN)


@pytest.mark.rule("N5")
@pytest.mark.parametrize(
    "body",
    [
        SAID.encode(), SAID.replace(TOKEN, ESCAPED).encode(), b"\xef\xbb\xbf" + SAID.encode(),
        *(SAID.encode(name) for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be")),
        f'{{"errors":[{{"error":{{"status":"{ESCAPED}"}}}}]}}'.encode(),
    ],
)  # fmt: skip
def test_no_spelling_of_our_token_in_an_answer_brings_it_out(body: bytes) -> None:
    with cloud_saying(answer(body, b"HTTP/1.1 403 Forbidden\r\n")) as client, pytest.raises(CloudError) as caught:
        client.run(api.user())
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.rule("N5")
def test_every_text_of_an_answer_comes_without_our_token() -> None:
    body = f'{{"id":1,"{ESCAPED}":["x{ESCAPED}y",{{"{TOKEN}":"{TOKEN}"}}]}}'.encode()
    head = OK + b"Retry-After: " + TOKEN.encode() + b"\r\nX-Request-Id: r" + TOKEN.encode() + b"\r\n"
    with serving(lambda connection: connection.sendall(answer(body, head))) as url:
        said = ask(url)
    assert said == Answer(
        200, {"id": 1, "***": ["x***y", {"***": "***"}]}, is_json=True, request_id="r***", retry_after="***"
    )


@pytest.mark.rule("N5")
def test_a_token_echoed_in_a_broken_header_is_not_logged_even_when_all_is(tmp_path: Path) -> None:
    """The HTTP library would warn of such a header and quote what follows it."""
    echo = b"HTTP/1.1 400 Bad\r\nfoo bar\r\nyou sent: Authorization: Bearer " + TOKEN.encode() + b"\r\n"
    with serving(lambda connection: connection.sendall(answer(b"{}", echo))) as url:
        (tmp_path / "station.toml").write_text(f'[station]\nid = "bench-1"\n[cloud]\nurl = "{url}"\n', "utf-8")
        words = ("--log", "debug", "doctor", "--config", str(tmp_path / "station.toml"), "--data-dir", str(tmp_path))
        done = subprocess.run(
            [sys.executable, "-m", "station", *words], env=os.environ | {"PARTICLE_TOKEN": TOKEN},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert "GET /v1/access_tokens/current -> 400" in done.stderr
    assert TOKEN not in done.stdout + done.stderr


def padded(body: bytes, size: int) -> bytes:
    return answer(body + b" " * (size - len(body)))


def test_each_route_reads_as_much_as_its_answer_may_need() -> None:
    with cloud_saying(padded(b'{"username":"me"}', MAX_BODY_BYTES)) as client:
        assert client.run(api.user()).username == "me"
    for size in (MAX_BODY_BYTES + 1, MAX_LIST_BYTES + 1):
        with cloud_saying(padded(b'{"username":"me"}', size)) as client, pytest.raises(NotTheCloud, match="256 KiB"):
            client.run(api.user())
    with cloud_saying(padded(b"[]", MAX_LIST_BYTES)) as client:
        assert client.run(api.my_devices()) == ()
    with cloud_saying(padded(b"[]", MAX_LIST_BYTES + 1)) as client, pytest.raises(NotTheCloud, match="4096 KiB"):
        client.run(api.my_devices())


def test_every_request_names_this_tool_and_its_version() -> None:
    heard: list[bytes] = []
    with serving(lambda connection: connection.sendall(answer(b"{}")), heard) as url:
        ask(url)
    version = importlib.metadata.version("provisioning-station")
    assert f"\r\nX-Particle-Tool: provisioning-station@{version}\r\n".encode() in heard[0]


def dripping(head: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """Says ``head``, and then ``drop`` every 50 ms until the client has hung up, or for a whole shift."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(500_000):
            connection.sendall(drop)
            if select.select([connection], [], [], 0.05)[0]:
                return

    return drip


DRIPS = [
    ("a body", OK + b"Content-Length: 1000000\r\n\r\n", b" "),
    ("a head", b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    ("promises", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("chunks", CHUNKED, b"1\r\n \r\n"),
]
a_drip = pytest.mark.parametrize(("head", "drop"), [row[1:] for row in DRIPS], ids=[row[0] for row in DRIPS])


@contextmanager
def impatient_client(url: str) -> Iterator[tuple[CloudClient, SystemClock]]:
    """A client in real time; no thread of it may live on after its last caller gave up."""
    clock = SystemClock()
    with closing(CloudClient(url, lambda: Secret(TOKEN), clock, rng=random.Random(1))) as client:
        yield client, clock
        left = [thread for thread in threading.enumerate() if thread.name == "cloud-call"]
        for thread in left:
            thread.join(PATIENCE_S)
        assert not any(thread.is_alive() for thread in left)


@a_drip
def test_an_answer_that_drips_in_ends_when_its_caller_gives_up(head: bytes, drop: bytes) -> None:
    with serving(dripping(head, drop)) as url, impatient_client(url) as (client, clock):
        for _ in range(3):
            with pytest.raises(CloudDown):
                client.run(api.user(), deadline=Deadline.after(clock, 0.2))


def test_a_drip_on_a_connection_used_before_ends_too() -> None:
    drip = dripping(OK + b"Content-Length: 1000000\r\n\r\n", b" ")

    def answer_then_drip(connection: socket.socket) -> None:
        connection.sendall(kept_answer(b'{"username":"me"}'))
        connection.recv(65536)
        drip(connection)

    with serving(answer_then_drip) as url, impatient_client(url) as (client, clock):
        assert client.run(api.user()).username == "me"
        with pytest.raises(CloudDown):
            client.run(api.user(), deadline=Deadline.after(clock, 0.2))


def test_a_cancelled_call_hangs_up() -> None:
    cancel = SystemClock().token()
    with serving(dripping(OK + b"Content-Length: 1000000\r\n\r\n", b" ")) as url, impatient_client(url) as (client, _):
        timer = threading.Timer(0.2, cancel.cancel)
        timer.start()
        with pytest.raises(Cancelled):
            client.run(api.user(), cancel=cancel)
        timer.join()


def test_an_encryption_that_drips_in_ends_when_its_caller_gives_up() -> None:
    """A TLS record of 16 KiB, announced and then never finished: each byte is in time, the whole never comes."""
    drip = dripping(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\x00")
    with (
        serving(drip) as url,
        impatient_client(url.replace("http:", "https:")) as (client, clock),
        pytest.raises(CloudDown),
    ):
        # on the busiest machine, the handshake has begun by then
        client.run(api.user(), deadline=Deadline.after(clock, 1.5))


@a_drip
def test_an_answer_that_drips_in_has_a_limit_of_its_own(head: bytes, drop: bytes) -> None:
    """Under simulated time nobody's patience ends while a request is under way."""
    with serving(dripping(head, drop)) as url:
        said = ask(url, Flight(MAX_BODY_BYTES, 0.3))
    assert isinstance(said, NoAnswer)
    assert said.was_sent


def test_a_call_that_was_cut_before_it_began_sends_nothing() -> None:
    heard: list[bytes] = []
    flight = Flight(MAX_BODY_BYTES, PATIENCE_S)
    flight.cut()
    with serving(lambda connection: connection.sendall(answer(b"{}")), heard) as url:
        said = ask(url, flight)
    assert isinstance(said, NoAnswer)
    assert not said.was_sent
    assert not any(heard)


def test_a_call_that_was_cut_closes_the_connection_it_would_have_used_again() -> None:
    heard: list[bytes] = []
    is_closed = threading.Event()

    def wait_for_the_end(connection: socket.socket) -> None:
        connection.sendall(answer(b"{}"))
        while connection.recv(65536):
            pass
        is_closed.set()

    flight = Flight(MAX_BODY_BYTES, PATIENCE_S)
    flight.cut()
    with serving(wait_for_the_end, heard) as url, closing(HttpLink(url)) as link:
        assert link.send("GET", "/1", Secret(TOKEN), None) == Answer(200, {}, is_json=True)
        assert isinstance(link.send("GET", "/2", Secret(TOKEN), None, flight), NoAnswer)
        gc.collect()  # a reader left behind would be complained about here
        assert is_closed.wait(PATIENCE_S)


def serve_two(connection: socket.socket) -> None:
    connection.sendall(kept_answer(b"{}"))
    connection.recv(65536)
    connection.sendall(kept_answer(b"[]"))


def test_giving_up_a_finished_call_leaves_its_connection_to_the_next_one() -> None:
    heard: list[bytes] = []
    with serving(serve_two, heard) as url, closing(HttpLink(url)) as link:
        flight = Flight(MAX_BODY_BYTES, PATIENCE_S)
        assert link.send("GET", "/1", Secret(TOKEN), None, flight) == Answer(200, {}, is_json=True)
        flight.cut()
        assert link.send("GET", "/2", Secret(TOKEN), None) == Answer(200, [], is_json=True)
    assert len(heard) == 1


def test_the_end_of_an_answer_already_leaves_its_connection_to_the_next_call() -> None:
    """From then on another thread may use it, while this one has not even looked at what it read."""
    heard: list[bytes] = []
    flight = Flight(MAX_BODY_BYTES, PATIENCE_S)
    with serving(serve_two, heard) as url, closing(HttpLink(url)) as link:
        with flight.under_way(), link._session.get(url, stream=True, timeout=PATIENCE_S) as response:
            assert response.content == b"{}"
            flight.cut()
        assert link.send("GET", "/2", Secret(TOKEN), None) == Answer(200, [], is_json=True)
    assert len(heard) == 1


OURS = [
    thing for room in (http, flight_room) for thing in vars(room).values()
    if isinstance(thing, type) and thing.__module__ == room.__name__
]  # fmt: skip


@pytest.mark.parametrize("ours", OURS)
def test_no_class_of_ours_stands_in_for_a_private_part_of_a_library(ours: type) -> None:
    theirs = {name for base in ours.__mro__ if base not in OURS for name in vars(base)}
    assert not [name for name, it in vars(ours).items() if name in theirs and re.match("_[^_]", name) and callable(it)]
