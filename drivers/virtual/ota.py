"""The receiving end of a control-request update: a slot in the external flash, and the records that make the
next boot apply it. Nothing is written through. Reference firmware-and-dfu 5, 7.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .memory import UnitMemory

CHUNK = 1024


class OtaReply(NamedTuple):
    """Result code of a request (0, or negative: reference 5.5), and the seconds the flash was busy."""

    code: int
    seconds: float = 0.0


class OtaUpdate:
    """One unit's update in progress. Lives in RAM: make a new one at every boot."""

    def __init__(self, memory: UnitMemory, system_module_version: int) -> None:
        raise NotImplementedError

    def begin(self, size: int) -> OtaReply:
        """START: cancel a running update, erase as much of the slot as ``size`` bytes need."""
        raise NotImplementedError

    def data(self, piece: bytes) -> OtaReply:
        """DATA: the next bytes, strictly in sequence; any error cancels the update."""
        raise NotImplementedError

    def finish(self, validate_only: bool = False) -> OtaReply:
        """FINISH: validate what is in the slot. With code 0 and not ``validate_only``, `is_staged` becomes true."""
        raise NotImplementedError

    def cancel(self) -> OtaReply:
        """CANCEL: always 0."""
        raise NotImplementedError

    @property
    def is_staged(self) -> bool:
        """FINISH succeeded: call `apply` once the host fetched the result (or reset it), then reset the unit."""
        raise NotImplementedError

    def apply(self) -> OtaReply:
        """Write the update records the next boot acts on. The unit resets afterwards whatever the outcome."""
        raise NotImplementedError
