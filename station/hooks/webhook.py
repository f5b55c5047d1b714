"""HTTP webhooks: one POST of JSON, whole and within its time, or nothing was told. Follows no redirect."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from drivers.clock import CancelToken
from drivers.identity import Secret

from .channel import MOST_ANSWER, HookTrouble, read_answer

_GOOD = range(200, 300)
_THERE = (400, 401, 403, 405, 501)
"""Answers to a question without a message and a token, from a server that may well take a POST with both."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A POST to ``url``; ``token``: sent as a bearer token."""

    url: str
    token: Secret | None = None

    def send(self, body: bytes, key: str, timeout_s: float, cancel: CancelToken) -> bytes:
        """Send one POST; real seconds count. A page in place of JSON is no answer, whatever its status says."""
        cancel.check()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key, "Accept": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        status, answer = self._exchanged("POST", body, headers, timeout_s)
        if status not in _GOOD:
            raise HookTrouble(f"{self.url} answers with HTTP status {status}")
        read_answer(answer)
        return answer

    def look(self, timeout_s: float) -> None:
        """Ask with OPTIONS, which changes nothing. A server that knows no OPTIONS is there all the same."""
        status, answer = self._exchanged("OPTIONS", None, {}, timeout_s)
        if status not in (*_GOOD, *_THERE):
            raise HookTrouble(f"{self.url} answers with HTTP status {status}")
        if status in _GOOD and answer.lstrip()[:1] == b"<":
            raise HookTrouble(f"{self.url} answers with a web page, as a portal or a proxy does; correct url")

    def _exchanged(
        self, method: str, body: bytes | None, headers: dict[str, str], timeout_s: float
    ) -> tuple[int, bytes]:
        try:
            return self._exchange(method, body, headers, timeout_s)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise HookTrouble(f"{self.url} does not answer ({reason})") from None  # a cause may quote what was sent

    def _exchange(
        self, method: str, body: bytes | None, headers: dict[str, str], timeout_s: float
    ) -> tuple[int, bytes]:
        place = urlsplit(self.url)
        path = f"{place.path or '/'}{f'?{place.query}' if place.query else ''}"
        with contextlib.closing(_connection(place.scheme, place.hostname or "", place.port, timeout_s)) as connection:
            connection.connect()
            with _at_most(connection.sock, timeout_s) as is_late:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                read = answer.read(MOST_ANSWER + 1)
                if is_late.is_set():  # what was read may be cut off
                    raise TimeoutError("it is too slow")
                return answer.status, read


def _connection(scheme: str, host: str, port: int | None, timeout_s: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=timeout_s)


@contextlib.contextmanager
def _at_most(connected: socket.socket, timeout_s: float) -> Iterator[threading.Event]:
    """Cut the connection after ``timeout_s``: one that drips a byte a second is in time with each of them."""
    is_late = threading.Event()

    def cut() -> None:
        is_late.set()
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()
