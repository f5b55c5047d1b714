"""A folder as a hook: one file a message, there whole or not at all. The same message is the same file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from drivers.clock import CancelToken
from drivers.host.rights import refusing

from .channel import HookTrouble


@dataclass(frozen=True, slots=True)
class FileDrop:
    """Files in ``folder``, named by the key of their message."""

    folder: Path

    def send(self, body: bytes, key: str, _timeout_s: float, cancel: CancelToken) -> bytes:
        """Write a draft beside it, then rename it; nobody answers."""
        cancel.check()
        name = f"{re.sub(r'[^A-Za-z0-9.-]', '_', key)}.json"
        draft = self.folder / f".{name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.write(body + b"\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.folder / name)
        except OSError as error:
            raise HookTrouble(f"{self.folder / name} cannot be written ({error.strerror or error})") from None
        return b""

    def look(self, _timeout_s: float) -> None:
        """Check that files could be made there."""
        if (closed := refusing(self.folder)) is not None:
            raise HookTrouble(f"{closed} cannot be written")
