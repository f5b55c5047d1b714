"""A server of this host that says, byte for byte, what a test wants said."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def serving(talk: Callable[[socket.socket], None], heard: list[bytes] | None = None) -> Iterator[str]:
    """The URL of a server that hears one request of whoever connects, lets ``talk`` answer, and hangs up.

    What it was asked is added to ``heard``, whole: whoever still sends when we hang up might not read our answer.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def hear(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client may have heard enough
            request = _request(connection)
            if heard is not None:
                heard.append(request)
            talk(connection)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=hear, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for the next connection
        listener.close()


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port of this host that refuses every connection, and that no other test can get for the block."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def _request(connection: socket.socket) -> bytes:
    """Return a request with its body, or the first piece of what is no HTTP."""
    request = connection.recv(65536)
    while request[:1].isalpha():
        head, end, body = request.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and len(body) >= (int(length[1]) if length else 0):
            break
        if not (more := connection.recv(65536)):
            break
        request += more
    return request
