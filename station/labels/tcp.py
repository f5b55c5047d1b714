"""Printers on the network: raw bytes to a TCP port, 9100 unless said."""

from __future__ import annotations

import functools
import re
import socket
from dataclasses import dataclass

from ..errors import BadInput
from .printer import Connect, PrinterKind

PORT = 9100
_PLACE = re.compile(
    r"(\[[0-9a-fA-F:]+\]|(?=[^:]{1,253}(?::|$))[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?)(?::([0-9]{1,5}))?"
)
"""Parts of a name have 1 to 63 characters: of any other Python's look-up raises no `OSError`."""


@dataclass(frozen=True, slots=True)
class _Socket:
    socket: socket.socket

    def send(self, data: bytes, timeout_s: float) -> None:
        self.socket.settimeout(timeout_s)
        self.socket.sendall(data)

    def receive(self, timeout_s: float) -> bytes:
        self.socket.settimeout(timeout_s)
        return self.socket.recv(4096)

    def close(self) -> None:
        self.socket.close()


def connect_to(place: str) -> Connect:
    """Return what connects to ``HOST`` or ``HOST:PORT``; raises `BadInput`."""
    found = _PLACE.fullmatch(place)
    port = int(found[2] or PORT) if found else 0
    if found is None or not 1 <= port <= 65535:
        raise BadInput(f"tcp:{place}: expected the address of a printer; write tcp:192.168.0.20 or tcp:HOST:{PORT}")
    return functools.partial(_connected, found[1].strip("[]"), port)


def _connected(host: str, port: int, timeout_s: float) -> _Socket:
    return _Socket(socket.create_connection((host, port), timeout_s))


TCP = PrinterKind("tcp", "a printer on the network, tcp:HOST or tcp:HOST:9100", connect_to, tells_status=True)
