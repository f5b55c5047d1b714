"""Where units are plugged in: this host's bus, or a USB/IP server, as a config file or a command line says it."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import LinkError
from drivers.transport import SerialHost, UsbCandidate, UsbHost
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost

from ..errors import BadInput

PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_HOST = r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]{1,253})"
USBIP = rf"usbip:{_HOST}:{PORT}"
"""Pattern of a server in a config file; its groups are host and port."""
LISTEN = rf"(?:{_HOST}:)?(0|{PORT})"
"""Pattern of an address to serve on; its groups are host, if one was given, and port, where 0 is any free one."""
_URL = rf"usbip://{_HOST}:{PORT}(/.+)?"


@dataclass(frozen=True, slots=True)
class UsbSource:
    """Where units are plugged in: this host's bus, or a USB/IP server (``host`` and ``port`` then set).

    ``consoles``: the folder of console links that a server of virtual units keeps.
    """

    host: str = ""
    port: int = 0
    consoles: Path | None = None

    @property
    def is_local(self) -> bool:
        return not self.host

    @property
    def url(self) -> str:
        """Return what `parse_url` reads."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"usbip://{host}:{self.port}{self.consoles or ''}"

    def remote_hosts(self) -> tuple[UsbHost, SerialHost]:
        """Return what finds the units of the server, and what opens their consoles."""
        from drivers.virtual.usbip_client import UsbIpBackend, linked_ports  # never needed on a real bench

        ports = linked_ports(self.consoles)
        served = _Served(PyusbHost(UsbIpBackend((self.host, self.port))), self.url)
        return served, PyserialHost(ports.list, ports.open)


@dataclass(frozen=True, slots=True)
class _Served:
    """The units of a server; says of one that does not answer that it is the server."""

    host: UsbHost
    url: str

    def candidates(self) -> list[UsbCandidate]:
        try:
            return self.host.candidates()
        except LinkError as error:
            raise LinkError(f"{self.url}: no server of units answers there; start station virtual serve") from error


LOCAL = UsbSource()
"""This host's bus."""


def parse_url(text: str) -> UsbSource:
    """Parse ``usbip://HOST:PORT``, with the folder of console links behind it if there is one. Raises `BadInput`."""
    found = re.fullmatch(_URL, text)
    if found is None:
        raise BadInput(f"--usb {text}: write usbip://HOST:PORT, or the address that station virtual serve printed")
    return UsbSource(found[1].strip("[]"), int(found[2]), Path(found[3]) if found[3] else None)


def add_usb(parser: argparse.ArgumentParser) -> None:
    """Declare ``--usb``."""
    parser.add_argument(
        "--usb", metavar="usbip://HOST:PORT", help="look at the virtual units that another process serves instead"
    )
