"""Encrypts the mobile secrets that a profile asks to keep: AES-256-GCM, bound to the unit they belong to.

The key lies elsewhere (`KeyPlace`): a copy of the journal tells nobody a secret.
"""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import JournalError

_FORM = "v1."
"""How an encrypted secret begins. No mobile secret does: they have letters and digits only."""
_ID_BYTES, _NONCE_BYTES = 4, 12


class KeyPlace(Protocol):
    """Where the key lies: 32 bytes. ``str()`` says where; both raise `station.errors.BadInput`."""

    def find(self) -> bytes | None: ...
    def make(self) -> bytes: ...


class Vault:
    """Seals and opens secrets with the key in ``place``; it is made with the first secret."""

    def __init__(self, place: KeyPlace) -> None:
        self._place = place

    def seal(self, device_id: str, secret: str) -> str:
        """The text that stands in the journal for ``secret``."""
        key = self._place.find() or self._place.make()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, secret.encode(), device_id.encode())
        return _FORM + base64.b64encode(_id_of(key) + nonce + sealed).decode()

    def unseal(self, device_id: str, text: str) -> str:
        """The secret. Raises `JournalError` when the key is another one, or gone, or ``text`` was changed."""
        key = self._place.find()
        if key is None:
            raise JournalError(f"the secret of {device_id} cannot be read: its key is gone from {self._place}")
        try:
            raw = base64.b64decode(text.removeprefix(_FORM), validate=True)
            if raw[:_ID_BYTES] != _id_of(key):
                raise JournalError(
                    f"the secret of {device_id} cannot be read: it was kept with another key than the one in"
                    f" {self._place}; restore that key, or forget the secret"
                )
            nonce, sealed = raw[_ID_BYTES : _ID_BYTES + _NONCE_BYTES], raw[_ID_BYTES + _NONCE_BYTES :]
            return AESGCM(key).decrypt(nonce, sealed, device_id.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise JournalError(f"the secret of {device_id} was changed after it was kept; forget it") from error


def is_sealed(text: str) -> bool:
    """Whether ``text`` is encrypted; older stations kept secrets in clear."""
    return text.startswith(_FORM)


def _id_of(key: bytes) -> bytes:
    """Tells keys apart, and nothing about them."""
    return hashlib.sha256(b"which key" + key).digest()[:_ID_BYTES]
