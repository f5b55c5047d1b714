"""One request under way: how much it may read, for how long, and a way to cut it off.

Sits between the socket and the standard library's reader of answers, so that no length an answer claims and
no pace it keeps counts for more than what the station allows. Sends nothing and knows no cloud.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from drivers.clock import Deadline, SystemClock

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HEAD_BYTES = 64 << 10
"""Room for the head of an answer: a real one has about 1 KiB."""


class Flight:
    """The limits of one request, and the hand on its connection. Thread-safe: whoever waits may `cut` at any time.

    ``body_bytes``: the largest body wanted; with the head and the marks between chunks twice as much is read
    from the socket, at most. ``seconds``: real seconds from now, after which nothing is read at all.
    """

    def __init__(self, body_bytes: int, seconds: float) -> None:
        self.body_bytes = body_bytes
        self._bytes_left = _HEAD_BYTES + 2 * body_bytes
        self._deadline = Deadline.after(SystemClock(), seconds)
        self._lock = threading.Lock()
        self._grip: socket.socket | None = None
        self._is_cut = False
        self.has_sent = False  # some of the request went out: the cloud may have got it
        self.proxy = ""  # host and port of who was asked to open the way for it
        self.has_way = False  # the proxy says that it is open

    @staticmethod
    def current() -> Flight:
        """Return the flight this thread is on."""
        return _CURRENT.get()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Put whatever connection this thread uses inside under these limits."""
        before = _CURRENT.set(self)
        try:
            yield
        finally:
            self.let_go()
            _CURRENT.reset(before)

    def hold(self, connection: socket.socket) -> None:
        """Take hold of a connection, so that `cut` breaks it. Raises `ConnectionAbortedError` when that came first."""
        with self._lock:
            self._drop()
            if self._is_cut:
                raise ConnectionAbortedError("nobody waits for the answer any more")
            # a descriptor of our own: TLS takes the one of the object it wraps away
            self._grip = socket.socket(fileno=socket.dup(connection.fileno()))

    def let_go(self) -> None:
        """Leave the connection alone: it is somebody else's from now on, or closed."""
        with self._lock:
            self._drop()

    def cut(self) -> None:
        """Break the connection now, or as soon as there is one: whoever reads from it reads no more."""
        with self._lock:
            self._is_cut = True
            if self._grip is not None:
                with suppress(OSError):  # it broke by itself
                    self._grip.shutdown(socket.SHUT_RDWR)
            self._drop()

    def _drop(self) -> None:
        if self._grip is not None:
            self._grip.close()
            self._grip = None

    def patience_s(self) -> float:
        """Return the seconds the next read may wait. Raises `TimeoutError` when nothing more may be read."""
        if self._deadline.expired:
            raise TimeoutError("the answer took too long")
        return self._deadline.remaining

    def count(self, length_bytes: int) -> None:
        """Note that so much was read. Raises `ConnectionAbortedError` when it was too much."""
        self._bytes_left -= length_bytes
        if self._bytes_left < 0:
            raise ConnectionAbortedError("the answer is too long")


_CURRENT: ContextVar[Flight] = ContextVar("flight")


class FlightResponse(http.client.HTTPResponse):
    """Read one answer as the standard library does, fed under the limits of this thread's `Flight`."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp = _Reader(_Metered(self.fp.detach(), sock, Flight.current()))


class _Metered(io.RawIOBase):
    """Read a socket under the limits of a flight."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, flight: Flight) -> None:
        self._raw, self._sock, self._flight = raw, sock, flight

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(self._flight.patience_s())
        length = self._raw.readinto(buffer)
        self._flight.count(length or 0)
        return length

    def close(self) -> None:
        """End one answer; let go first: once in the pool, another thread's request may be on the connection."""
        self._flight.let_go()
        self._raw.close()
        super().close()


class _Reader(io.BufferedReader):
    """Refuse to read without a length: only the negative length of a forged chunk asks for that."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            raise ConnectionAbortedError("the answer claims a length below zero")
        return super().read(size)
