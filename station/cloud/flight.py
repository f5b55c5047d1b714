"""Limits for one request in progress: how much it may read, for how long, and a way to abort it.

Sits between the socket and the standard library's HTTP parser, so that the station's limits hold whatever length
an answer claims and however slowly it arrives. Sends nothing and is not specific to the cloud.
"""

from __future__ import annotations

import http.client
import io
import math
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
"""Limit for the headers of an answer; real ones have about 1 KiB."""


class Flight:
    """The limits of one request, and a handle on its connection. Thread-safe: a waiting thread may `cut` at any time.

    ``body_bytes``: the largest body accepted; to allow for headers and chunk framing, at most twice as much plus
    `_HEAD_BYTES` is read from the socket. ``seconds``: real seconds from now, after which nothing is read;
    ``stall_s``: the same without a single byte.
    """

    def __init__(self, body_bytes: int, seconds: float, stall_s: float = math.inf) -> None:
        self.body_bytes, self._stall_s = body_bytes, stall_s
        self._bytes_left = _HEAD_BYTES + 2 * body_bytes
        self._deadline = Deadline.after(SystemClock(), seconds)
        self._lock = threading.Lock()
        self._grip: socket.socket | None = None
        self._is_cut = False
        self.has_sent = False  # part of the request was sent: the cloud may have received it
        self.proxy = ""  # host and port of the proxy that was asked for a tunnel
        self.has_way = False  # the proxy reported that the tunnel is open

    @staticmethod
    def current() -> Flight:
        """Return the flight of this thread."""
        return _CURRENT.get()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Apply these limits to any connection this thread uses inside the block."""
        before = _CURRENT.set(self)
        try:
            yield
        finally:
            self.release()
            _CURRENT.reset(before)

    def hold(self, connection: socket.socket) -> None:
        """Attach to a connection, so that `cut` breaks it. Raises `ConnectionAbortedError` if `cut` came first."""
        with self._lock:
            self._drop()
            if self._is_cut:
                raise ConnectionAbortedError("the request was aborted")
            # a descriptor of our own: TLS detaches the one of the object it wraps
            self._grip = socket.socket(fileno=socket.dup(connection.fileno()))

    def release(self) -> None:
        """Detach from the connection, which is closed or belongs to another request from now on."""
        with self._lock:
            self._drop()

    def cut(self) -> None:
        """Break the connection now, or as soon as there is one; reads from it fail."""
        with self._lock:
            self._is_cut = True
            if self._grip is not None:
                with suppress(OSError):  # it is already broken
                    self._grip.shutdown(socket.SHUT_RDWR)
            self._drop()

    def _drop(self) -> None:
        if self._grip is not None:
            self._grip.close()
            self._grip = None

    def patience_s(self) -> float:
        """Return the seconds the next read may wait. Raises `TimeoutError` when the time is over."""
        if self._deadline.expired:
            raise TimeoutError("the answer took too long")
        return min(self._deadline.remaining, self._stall_s)

    def count(self, length_bytes: int) -> None:
        """Count bytes read. Raises `ConnectionAbortedError` above the limit."""
        self._bytes_left -= length_bytes
        if self._bytes_left < 0:
            raise ConnectionAbortedError("the answer is too long")


_CURRENT: ContextVar[Flight] = ContextVar("flight")


class FlightResponse(http.client.HTTPResponse):
    """The standard library's answer, read under the limits of this thread's `Flight`."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp = _Reader(_Metered(self.fp.detach(), sock, Flight.current()))


class _Metered(io.RawIOBase):
    """A raw reader of a socket under the limits of a flight."""

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
        """End one answer; release first, as a pooled connection may be used by another thread's request."""
        self._flight.release()
        self._raw.close()
        super().close()


class _Reader(io.BufferedReader):
    """A buffered reader that rejects unbounded reads, which only the negative length of a forged chunk can cause."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            raise ConnectionAbortedError("the answer claims a length below zero")
        return super().read(size)
