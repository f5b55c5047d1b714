"""HTTP webhooks: one POST of JSON, whole and within its time, or nothing was told. Follows no redirect.

What is told of trouble names the server only: path and query of many a webhook are its password.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from urllib.parse import urlsplit

from drivers.clock import CancelToken
from drivers.identity import Secret

from .channel import MOST_ANSWER, HookTrouble, read_answer

_GOOD = range(200, 300)
_TOO_SLOW = "it is too slow"
_POLL_S = 0.05
"""How soon a wait ends when the station stops."""
_GRACE_S = 0.25
"""How much longer than its time an exchange is waited for: one that has begun is cut in time, and says so itself."""
_THERE = (400, 401, 403, 405, 501)
"""Answers to a question without a message and a token, from a server that may well take a POST with both."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A POST to ``url``; ``token``: sent as a bearer token."""

    url: str
    token: Secret | None = None

    @property
    def server(self) -> str:
        """Return what may be shown of ``url``."""
        place = urlsplit(self.url)
        return f"{place.scheme}://{place.netloc}"

    def send(self, body: bytes, key: str, timeout_s: float, cancel: CancelToken) -> bytes:
        """Send one POST; real seconds count. A page in place of JSON is no answer, whatever its status says.

        When cancelled nobody waits any more; what is under way may arrive all the same.
        """
        cancel.check()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key, "Accept": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        status, answer = self._exchanged("POST", body, headers, timeout_s, cancel)
        if status not in _GOOD:
            raise HookTrouble(f"{self.server} answers with HTTP status {status}")
        read_answer(answer)
        return answer

    def look(self, timeout_s: float) -> None:
        """Ask with OPTIONS, which changes nothing. A server that knows no OPTIONS is there all the same."""
        status, answer = self._exchanged("OPTIONS", None, {}, timeout_s)
        if status not in (*_GOOD, *_THERE):
            raise HookTrouble(f"{self.server} answers with HTTP status {status}")
        if status in _GOOD and answer.lstrip()[:1] == b"<":
            raise HookTrouble(f"{self.server} answers with a web page, as a portal or a proxy does; correct url")

    def _exchanged(
        self, method: str, body: bytes | None, headers: dict[str, str], timeout_s: float,
        cancel: CancelToken | None = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        """Exchange in a thread of its own: looking up a name takes as long as it takes."""
        until = time.monotonic() + timeout_s
        told: Future[tuple[int, bytes]] = Future()

        def exchange() -> None:
            try:
                told.set_result(self._exchange(method, body, headers, until))
            except BaseException as error:
                told.set_exception(error)

        threading.Thread(target=exchange, name="webhook", daemon=True).start()
        while not told.done() and time.monotonic() < until + _GRACE_S:
            wait([told], _POLL_S)
            if cancel is not None:
                cancel.check()
        try:
            return told.result(0.0)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise HookTrouble(f"{self.server} does not answer ({_reason(error)})") from None  # a cause may quote it

    def _exchange(self, method: str, body: bytes | None, headers: dict[str, str], until: float) -> tuple[int, bytes]:
        place = urlsplit(self.url)
        path = f"{place.path or '/'}{f'?{place.query}' if place.query else ''}"
        left_s = until - time.monotonic()
        with contextlib.closing(_connection(place.scheme, place.hostname or "", place.port, left_s)) as connection:
            connection.connect()
            if (left_s := until - time.monotonic()) <= 0:  # nobody waits for it any more
                raise TimeoutError(_TOO_SLOW)
            with _at_most(connection.sock, left_s) as is_late:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                read = answer.read(MOST_ANSWER + 1)
                if is_late.is_set():  # what was read may be cut off
                    raise TimeoutError(_TOO_SLOW)
                if answer.length and len(read) <= MOST_ANSWER:
                    raise ConnectionAbortedError("it hung up in the middle of its answer")
                return answer.status, read


def _reason(error: Exception) -> str:
    """Say what went wrong, and repeat nothing that the other side said."""
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return "what it says is no HTTP"
    return getattr(error, "strerror", None) or str(error) or _TOO_SLOW


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
