"""The seal of a closed batch: a signature over the chain up to there, by a key that only this station has.

Whoever changes the journal later would have to write the whole chain anew, and has no key to sign it with; whoever
knows the key's fingerprint from elsewhere (`station log key`) sees a chain that somebody else wrote. Ed25519, RFC 8032.
"""

from __future__ import annotations

import functools
import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.events import BatchClosed, Event
from .chain import Row, Tail, link
from .entries import Entry, stamp
from .records import SealedBatch
from .secret_key import KeyFile
from .stored import some_rows, tail_of
from .vault import KeyPlace

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEAL_KEY_FILE = "seal.key"
KIND = "BatchSealed"
_DOMAIN = "provisioning-station batch seal 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSealed(Event):
    """The entry before this one, which closed ``batch``, and so all before it, signed. Both values hexadecimal."""

    batch: str
    key: str  # the public one, 32 bytes
    signature: str  # 64 bytes


def seal_key(directory: Path) -> KeyFile:
    """Return where the key of the journal in ``directory`` lies: beside it, so no export or copy of it has the key."""
    return KeyFile(directory.with_name(SEAL_KEY_FILE))


class Signer:
    """Signs with the key in ``place``, which is made with the first seal. Raises `BadInput` as that does."""

    def __init__(self, place: KeyPlace) -> None:
        self._place = place

    def sign(self, station_id: str, batch: str, head: Tail) -> tuple[str, str]:
        """Return public key and signature, hexadecimal, for the entry ``head`` that closed ``batch``."""
        return self.public_key(), self.signed(sealed_text(station_id, batch, head))

    def signed(self, text: bytes) -> str:
        """Return the signature of ``text``, hexadecimal."""
        return self._key.sign(text).hex()

    @functools.cached_property
    def _key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # loaded only where needed

        return Ed25519PrivateKey.from_private_bytes(self._place.find() or self._place.make())

    def sealed(self, db: sqlite3.Connection, station_id: str, closed: BatchClosed) -> tuple[BatchClosed, BatchSealed]:
        """Return ``closed``, which is to be the journal's next entry, and the seal that is to follow it."""
        entry = Entry.from_event(closed)
        head = link(tail_of(db), station_id, stamp(closed.at), entry.kind, entry.body_text())
        key, signature = self.sign(station_id, closed.batch, Tail(head.seq, head.hash))
        return closed, BatchSealed(at=closed.at, batch=closed.batch, key=key, signature=signature)

    def made_fingerprint(self) -> str:
        """Return the fingerprint of the key if there is one already, else ""."""
        return fingerprint(self.public_key()) if self._place.find() is not None else ""

    def public_key(self) -> str:
        """Return the public key, hexadecimal, made now if there was none yet."""
        return self._key.public_key().public_bytes_raw().hex()


def sealed_text(station_id: str, batch: str, head: Tail) -> bytes:
    """Return what is signed: lines of text, so that the customer's verifier needs no other code."""
    return "\n".join((_DOMAIN, station_id, batch, str(head.seq), head.hash)).encode()


def fingerprint(key: str) -> str:
    """Return what people compare of a public key (hexadecimal): 16 digits of its SHA-256 in groups of four."""
    digits = hashlib.sha256(bytes.fromhex(key)).hexdigest()[:16]
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4))


def checked(row: Row) -> SealedBatch | str:
    """Return the seal in ``row``, an entry of `KIND`, or what is wrong with it."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    values, head = row.values(), Tail(row.seq - 1, row.prev_hash)
    batch = str(values.get("batch", ""))
    try:
        key, signature = bytes.fromhex(values["key"]), bytes.fromhex(values["signature"])
        Ed25519PublicKey.from_public_bytes(key).verify(signature, sealed_text(row.station_id, batch, head))
    except (InvalidSignature, ValueError, TypeError, LookupError):
        return f"entry {row.seq}, the seal of batch {batch}, does not fit what it seals"
    return SealedBatch(batch, head.seq, fingerprint(key.hex()))


def sealed_batches(db: sqlite3.Connection) -> Iterator[SealedBatch]:
    """Yield the seals of a chain that was found unbroken, in order."""
    for row in some_rows(db, "WHERE kind = ?", KIND):
        if isinstance(sealed := checked(row), SealedBatch):
            yield sealed
