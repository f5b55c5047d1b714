"""A folder in place of a printer: one file a label, for another program that prints, or for a look at them.

The folder is made where it is missing, what it lies in is not: below a share that is not mounted nobody would look.
"""

from __future__ import annotations

import errno
import functools
import os
import time
from dataclasses import dataclass
from pathlib import Path

from drivers.host.plain_file import written_whole
from drivers.host.rights import refusing

from ..errors import BadInput
from .printer import Connect, PrinterKind


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path

    def send(self, data: bytes, _timeout_s: float) -> None:
        """Put a file there, whole or not at all; sorted by name they are in the order they came."""
        self.path.mkdir(exist_ok=True)
        with written_whole(self.path / f"label-{time.time_ns()}.zpl") as file:
            file.write(data)

    def receive(self, _timeout_s: float) -> bytes:
        raise TimeoutError("a folder answers nothing")

    def close(self) -> None:
        """Leave it as it is."""


def connect_to(place: str) -> Connect:
    """Return what writes into the folder ``place``, an absolute path; raises `BadInput`."""
    if not os.path.isabs(place):
        raise BadInput(f"folder:{place}: expected the absolute path of a folder; write folder:/var/lib/station/labels")
    return functools.partial(_opened, Path(place))


def _opened(path: Path, _timeout_s: float) -> _Folder:
    if not path.parent.exists():
        raise FileNotFoundError(errno.ENOENT, f"{path.parent} is not there; is it mounted?")
    if (closed := refusing(path)) is not None:
        raise PermissionError(errno.EACCES, f"{closed} cannot be written")
    return _Folder(path)


FOLDER = PrinterKind("folder", "a file for each label, folder:/path", connect_to, tells_status=False)
