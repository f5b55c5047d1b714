"""What umockdev's preload library and the process that stands in for the kernel say to each other.

The library sends every ioctl on a device node to a unix socket, as three longs: 1, request, argument.
We may read and write the client's memory (5 and 6), and end the call with 3, return value, errno.
This is internal to umockdev (checked with 0.17.16), which is why these tests fail loudly when it changes.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

_LONGS = struct.Struct("<QQQ")
_IOCTL, _DONE, _READ, _WRITE = 1, 3, 5, 6
_LONG_MASK = (1 << 64) - 1
NOT_HANDLED = -100
"""Return value that makes the library carry out the real call."""


class Hangup(Exception):
    """The client closed its file."""


class Refused(Exception):
    """The call ends with -1 and this errno."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Client:
    """One open file of one client: a connection the library made when it was opened."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def next_ioctl(self) -> tuple[int, int]:
        """Request and argument of the next call; raises `Hangup`."""
        kind, request, argument = _LONGS.unpack(self._receive(_LONGS.size))
        return (request & 0xFFFFFFFF if kind == _IOCTL else 0), argument

    def read_memory(self, address: int, size: int) -> bytes:
        if not size:
            return b""
        self._send(_LONGS.pack(_READ, address, size))
        return self._receive(size)

    def finish(self, result: int = 0, number: int = 0, writes: tuple[tuple[int, bytes], ...] = ()) -> None:
        """End the call with ``result`` and errno ``number`` after writing to the client's memory."""
        memory = b"".join(_LONGS.pack(_WRITE, address, len(data)) + data for address, data in writes if data)
        self._send(memory + _LONGS.pack(_DONE, result & _LONG_MASK, number))

    def close(self) -> None:
        self._connection.close()

    def _send(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError:
            raise Hangup from None

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                piece = self._connection.recv(size - len(data))
            except OSError:
                raise Hangup from None
            if not piece:
                raise Hangup
            data += piece
        return data


class Listener:
    """The socket of one device node: calls ``serve(client)`` on a thread of its own for every open file.

    The library opens the node first and then connects here, and ends a client that finds no socket or whose
    socket is cut. So a listener must be there before its node appears, and until nobody can have opened it:
    a later listener on the same ``path`` takes its place without a gap.
    """

    def __init__(self, path: Path, serve: Callable[[Client], None]) -> None:
        self._serve = serve
        path.parent.mkdir(parents=True, exist_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        unnoticed = path.with_name(f".{path.name}")
        self._socket.bind(str(unnoticed))
        self._socket.listen(16)
        unnoticed.replace(path)
        threading.Thread(target=self._accept, name=f"listen {path.name}", daemon=True).start()

    def close(self) -> None:
        """Accept nobody any more; files that are open stay so until their client closes them."""
        with contextlib.suppress(OSError):  # wakes the thread that accepts
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = Client(self._socket.accept()[0])
                threading.Thread(target=self._run, args=(client,), daemon=True).start()

    def _run(self, client: Client) -> None:
        with contextlib.suppress(Hangup):
            self._serve(client)
        client.close()
