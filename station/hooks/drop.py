"""A folder as a hook: one file a message, there whole or not at all. The same message is the same file.

The folder is made where it is missing, what it lies in is not: below a share that is not mounted nobody would look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from drivers.clock import CancelToken
from drivers.host.plain_file import written_whole
from drivers.host.rights import refusing

from .channel import HookTrouble


@dataclass(frozen=True, slots=True)
class FileDrop:
    """Files in ``folder``, named by the key of their message."""

    folder: Path

    def send(self, body: bytes, key: str, _timeout_s: float, cancel: CancelToken) -> bytes:
        """Write the file; nobody answers."""
        cancel.check()
        path = self.folder / f"{re.sub(r'[^A-Za-z0-9.-]', '_', key)}.json"
        try:
            self.folder.mkdir(exist_ok=True)
            with written_whole(path) as file:
                file.write(body + b"\n")
        except OSError as error:
            raise HookTrouble(f"{path} cannot be written ({error.strerror or error})") from None
        return b""

    def look(self, _timeout_s: float) -> None:
        """Check that files could be made there."""
        if not self.folder.parent.exists():
            raise HookTrouble(f"{self.folder.parent} is not there; is it mounted?")
        if (closed := refusing(self.folder)) is not None:
            raise HookTrouble(f"{closed} cannot be written")
