"""A webhook whose other side is rude, or a network that is: in time, in one short sentence, and without a secret."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.mes import Mes

from drivers.clock import SystemClock
from drivers.errors import Cancelled
from drivers.identity import Secret
from station.hooks import HookTrouble
from station.hooks.webhook import Webhook

TOKEN = SystemClock().token()
PATIENCE_S = 120.0
"""For who answers, however busy the machine is."""
BODY = b'{"event":"finished"}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@contextlib.contextmanager
def answering(said: bytes) -> Iterator[Webhook]:
    """Serve one request with these bytes, then hang up; the way to the webhook has a password in it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client, contextlib.suppress(OSError):
                came = b""
                while not came.endswith(BODY) and (more := client.recv(65536)):
                    came += more
                client.sendall(said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Webhook(f"http://127.0.0.1:{server.getsockname()[1]}/T0-pass?key=pass", Secret("tok-en"))
        thread.join()


def test_a_wait_for_an_answer_ends_when_the_station_stops_and_not_when_the_answer_comes() -> None:
    token = SystemClock().token()
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients: list[socket.socket] = []

        def serve() -> None:
            clients.append(server.accept()[0])
            clients[0].recv(1)
            token.cancel()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with pytest.raises(Cancelled):
            Webhook(f"http://127.0.0.1:{server.getsockname()[1]}/").send(BODY, "k-1", 3600.0, token)
        thread.join()
        clients[0].close()
        for one in threading.enumerate():
            if one.name == "webhook":
                one.join()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"HTTP/1.1 \x1b[31mtok-en /T0-pass\r\n\r\n", "what it says is no HTTP"),
        (b"POST /T0-pass?key=pass HTTP/1.1\r\n", "what it says is no HTTP"),  # an echo
        (b"\0\xff" * 5000, "what it says is no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, "what it says is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}", "does not answer"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", "HTTP status 302"),
        (WHOLE % 2_000_000 + b" " * 2_000_000, "more than 16384 bytes"),
        (WHOLE % 400, "hung up in the middle"),  # nothing at all would be an answer
        (WHOLE % 400 + b'{"start": true}', "hung up in the middle"),
        (b"", "does not answer"),
    ],
)
def test_a_rude_answer_is_a_short_sentence_that_repeats_nothing(said: bytes, told: str) -> None:
    with answering(said) as webhook, pytest.raises(HookTrouble, match=told) as refused:
        webhook.send(BODY, "k-1", PATIENCE_S, TOKEN)
    sentence = str(refused.value)
    assert sentence.isprintable()
    assert len(sentence) < 200
    assert "pass" not in sentence
    assert "tok-en" not in sentence


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=80).map(lambda tail: b"HTTP/1." + tail) | st.binary(max_size=80))
def test_no_bytes_break_it(said: bytes) -> None:
    with answering(said) as webhook, contextlib.suppress(HookTrouble):
        webhook.send(BODY, "k-1", PATIENCE_S, TOKEN)


def test_a_name_that_nobody_looks_up_is_given_up_in_time_and_nothing_is_sent_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The resolver of a network whose name server is gone takes half a minute, and no time limit."""
    is_back = threading.Event()
    look_up = socket.getaddrinfo

    def late(*arguments: object, **more: object) -> object:
        is_back.wait()
        return look_up(*arguments, **more)  # type: ignore[arg-type]

    mes = Mes()
    with mes.serving():
        monkeypatch.setattr(socket, "getaddrinfo", late)
        before = set(threading.enumerate())
        with pytest.raises(HookTrouble, match="does not answer"):
            Webhook(mes.url).send(BODY, "k-1", 0.2, TOKEN)
        (waiting,) = set(threading.enumerate()) - before
        is_back.set()
        waiting.join()
    assert mes.told == []
