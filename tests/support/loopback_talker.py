"""A server of this host that says, byte for byte, what a test wants said."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def serving(talk: Callable[[socket.socket], None], heard: list[bytes] | None = None) -> Iterator[str]:
    """The URL of a server that hears one request of whoever connects, lets ``talk`` answer, and hangs up.

    What it was asked is added to ``heard``.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20.0)

    def hear(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client may have heard enough
            request = connection.recv(65536)
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
        listener.close()
