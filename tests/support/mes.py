"""The MES of a factory: a real HTTP server on loopback that notes what it is told and answers as it is set to."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON, HTML = "application/json", "text/html"


class Mes:
    """Set `answer` to decide what it says of each message; `told` has all that came, `headers` how."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[dict[str, Any]], tuple[int, bytes]] = lambda _message: (200, b"{}")
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[str]:
        return [message["event"] for message in self.told]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.told if message["event"] == event]

    @contextlib.contextmanager
    def serving(self) -> Iterator[Mes]:
        """Answer for the block, at the same port each time."""
        mes = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                mes.headers.append(dict(self.headers))
                status, text = mes.answer(body)
                mes.told.append(body)
                with contextlib.suppress(OSError):  # whoever asked has hung up
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        with Server(("127.0.0.1", self.port), Handler) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()
