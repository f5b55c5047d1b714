"""Serves a WSGI application on a loopback port, and can be stopped so that connections are refused.

A bound socket that does not listen keeps the port reserved meanwhile. Server threads are plain threads
because they block in sockets, which no clock may count; handlers wait on behalf of their client.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

log = logging.getLogger(__name__)


class _QuietHandler(WSGIRequestHandler):
    """Logs to our logger, without headers or bodies."""

    def send_response(self, code: int, message: str | None = None) -> None:
        self.send_response_only(code, message)  # without a Date: the application sends the clock's

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: ARG002 - werkzeug's signature
        log.debug(message, *args)


class LoopbackServer:
    """A server that can be started and stopped repeatedly on the same port.

    ``port`` 0: any free one. Raises `OSError` if somebody serves there already, another virtual cloud included.
    """

    def __init__(self, app: Any, port: int = 0) -> None:
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
        self._app = app
        self._reserve = _bound(port)
        self.port: int = self._reserve.getsockname()[1]
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._over: socket.socket | None = None  # closed to end the thread
        self._lock = threading.Lock()

    def start(self) -> None:
        """Serve 127.0.0.1 at ``port`` on a separate thread; does nothing if it is already serving."""
        with self._lock:
            if self._server is not None:
                return
            with contextlib.closing(_bound(self.port)) as listener:
                listener.listen(64)
                self._server = make_server(
                    "127.0.0.1", self.port, self._app, threaded=True, request_handler=_QuietHandler,
                    fd=listener.fileno(),
                )  # fmt: skip
            self._over, told = socket.socketpair()
            self._thread = threading.Thread(target=_serve, args=(self._server, told), name="virtual-cloud", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Refuse connections from now on; requests already accepted are completed."""
        with self._lock:
            if self._over is None or self._thread is None:
                return
            self._over.close()
            self._thread.join()
            self._server, self._thread, self._over = None, None, None

    def close(self) -> None:
        self.stop()
        self._reserve.close()


def _serve(server: BaseWSGIServer, over: socket.socket) -> None:
    """Serve until the other end of ``over`` is closed; `serve_forever` would look for its end by polling."""
    server.timeout = 0
    with server, over, selectors.DefaultSelector() as looking:
        looking.register(server, selectors.EVENT_READ)
        looking.register(over, selectors.EVENT_READ)
        while over not in {key.fileobj for key, _ in looking.select()}:
            server.handle_request()


def _bound(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    return sock


def hang_up(environ: dict[str, Any]) -> None:
    """Break the connection of a request, so that its client receives no answer."""
    with contextlib.suppress(OSError):
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
