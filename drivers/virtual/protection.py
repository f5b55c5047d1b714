"""Device protection of a running unit: the requests it still answers, its state, and the service-mode handshake.

Reference usb-and-serial 4.9, firmware-and-dfu 9. No server key unlocks a virtual unit, so the handshake always
fails at its last check and service mode is never reached. Signatures are synthetic.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable

from ..wire.control.tables import RequestType
from ..wire.results import ResultCode
from .messages import Fields, blob, message, number

_STILL_ANSWERED = frozenset(
    {
        RequestType.APP_CUSTOM,
        RequestType.DEVICE_ID,
        RequestType.GET_PROTECTED_STATE,
        RequestType.SET_PROTECTED_STATE,
    }
)
_NONCE_SIZE = _FINGERPRINT_SIZE = 32
_CONFIRM_WITHIN_S = 60.0

Answer = tuple[int, bytes]
"""Result code and reply of a request."""


class Action(enum.IntEnum):
    """Field 1 of request 77."""

    RESET = 0  # end service mode
    PREPARE = 1  # exchange nonces
    CONFIRM = 2  # prove the server's identity


class Protection:
    """Protection since the last boot. Lives in RAM; ``now`` is clock seconds."""

    def __init__(self, device_id: str, is_active: bool, now: Callable[[], float]) -> None:
        self.is_active = is_active
        self._device_id, self._now = bytes.fromhex(device_id), now
        self._prepared_at: float | None = None

    def refuses(self, request_type: int) -> bool:
        """Return whether a request of that type is refused with -1801, unread."""
        return self.is_active and request_type not in _STILL_ANSWERED

    def state(self) -> bytes:
        """Return the reply to request 76, which is empty on an open unit."""
        return number(1, int(self.is_active))

    def change(self, payload: bytes) -> Answer:
        """Handle request 77. Raises `BadMessage`."""
        fields = Fields(payload)
        match fields.number(1):
            case Action.RESET:
                self._prepared_at = None
                return 0, b""
            case Action.PREPARE:
                return self._prepare(fields.message(2).blob(1))
            case Action.CONFIRM:
                return self._confirm(fields.message(3))
        return ResultCode.NOT_SUPPORTED, b""

    def _prepare(self, server_nonce: bytes) -> Answer:
        if not self.is_active:
            return 0, b""
        if len(server_nonce) != _NONCE_SIZE:
            return ResultCode.INVALID_ARGUMENT, b""
        self._prepared_at = self._now()
        nonce = hashlib.sha256(b"synthetic nonce" + self._device_id + server_nonce).digest()
        signature = hashlib.sha256(b"synthetic" + device_digest(self._device_id, nonce, server_nonce)).digest()
        fingerprint = hashlib.sha256(b"synthetic device key" + self._device_id).digest()
        return 0, message(1, blob(1, nonce) + blob(2, signature) + blob(3, fingerprint))

    def _confirm(self, proof: Fields) -> Answer:
        if self._prepared_at is None:
            return ResultCode.INVALID_STATE, b""
        late = self._now() - self._prepared_at > _CONFIRM_WITHIN_S
        self._prepared_at = None
        if late:
            return ResultCode.TIMEOUT, b""
        if not proof.blob(1) or len(proof.blob(2)) != _FINGERPRINT_SIZE:
            return ResultCode.INVALID_ARGUMENT, b""
        return ResultCode.KEY_MISMATCH, b""


def device_digest(device_id: bytes, device_nonce: bytes, server_nonce: bytes) -> bytes:
    """Return what a unit signs in PREPARE: SHA-256 of its id and both nonces, each preceded by its length."""
    nonces = b"".join(len(nonce).to_bytes(4, "little") + nonce for nonce in (device_nonce, server_nonce))
    return hashlib.sha256(b"device" + device_id + nonces).digest()
