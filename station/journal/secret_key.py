"""The key that kept mobile secrets are encrypted with, outside of the journal they lie in.

In the keyring of this login where there is one, else in a file of mode 0600 beside the config file. A file that
is there is used: a keyring that opens only now and then must not split the secrets among two keys.
"""

from __future__ import annotations

import base64
import contextlib
import os
from pathlib import Path

from drivers.host.plain_file import check_plain, read_plain

from ..errors import BadInput

KEY_BYTES = 32
KEY_FILE = "secrets.key"
SERVICE = "provisioning-station mobile secrets"


class KeyFile:
    """A key in the file ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return f"the file {self.path}"

    def find(self) -> bytes | None:
        """The key, or None when there is none yet. Raises `BadInput`."""
        if not os.path.lexists(self.path):
            return None
        try:
            check_plain(self.path)
            key = read_plain(self.path, KEY_BYTES + 1)
        except OSError as error:
            raise BadInput(f"{self.path} cannot be read ({error.strerror}); check owner and disk") from error
        if len(key) != KEY_BYTES:
            raise BadInput(
                f"{self.path} holds {len(key)} bytes, expected the {KEY_BYTES} of a key; restore it from a backup, or"
                " remove it and forget what was kept with it: station secrets forget --all"
            )
        return key

    def make(self) -> bytes:
        """A new key, on the disk before anything is encrypted with it. Raises `BadInput`."""
        key = os.urandom(KEY_BYTES)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(handle, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise BadInput(f"{self.path} cannot be written ({error.strerror}); check owner and disk") from error
        return key


class KeyringKey:
    """A key in the keyring of this login, for the station ``station_id``; in ``file`` where there is no keyring."""

    def __init__(self, station_id: str, file: KeyFile) -> None:
        self._station_id, self._file = station_id, file

    def __str__(self) -> str:
        return f"the keyring of this login, or {self._file}"

    def find(self) -> bytes | None:
        """As `KeyFile.find`."""
        key = self._file.find()
        return key if key is not None else self._from_keyring()

    def make(self) -> bytes:
        """As `KeyFile.make`."""
        import keyring  # only here: it looks for desktop services when imported
        from keyring.errors import KeyringError

        key = os.urandom(KEY_BYTES)
        with contextlib.suppress(KeyringError, RuntimeError):
            keyring.set_password(SERVICE, self._station_id, base64.b64encode(key).decode())
            if self._from_keyring() == key:  # some backends take everything and keep nothing
                return key
        return self._file.make()

    def _from_keyring(self) -> bytes | None:
        import keyring
        from keyring.errors import KeyringError

        try:
            text = keyring.get_password(SERVICE, self._station_id)
        except (KeyringError, RuntimeError):
            return None
        if text is None:
            return None
        try:
            key = base64.b64decode(text, validate=True)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise BadInput(f"keyring {SERVICE}/{self._station_id} holds no key; remove that entry")
        return key
