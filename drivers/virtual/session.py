"""The unit's end of one session with the cloud: what the cloud may ask of it, and updates over the air.

An update takes the same way as one by control requests: into the update slot, checked there, applied by the next boot
(reference firmware-and-dfu 5.4). It needs the session: one that ends, or whose unit is updated over USB meanwhile,
leaves the unit as it was, and the cloud begins again at the next handshake.
"""

from __future__ import annotations

from collections.abc import Callable

from .board import Board
from .flash import Who
from .ota import OtaReply, OtaUpdate
from .world import Delivery

_PIECE_BYTES = 4096
"""Sent between two looks at the clock; a real unit gets eight messages meanwhile."""


class Session:
    """Implements `UnitEnd`. ``bytes_per_s`` of the network it runs over.

    ``apply`` restarts the unit with what is staged in ``ota``; ``show`` turns the rainbow on and off.
    """

    def __init__(
        self, board: Board, ota: OtaUpdate, bytes_per_s: float, apply: Callable[[], None], show: Callable[[bool], None]
    ) -> None:
        self._board, self._ota, self._bytes_per_s, self._apply, self._show = board, ota, bytes_per_s, apply, show
        self._is_open = True

    def close(self) -> None:
        """End the session; what was being loaded down is dropped. The unit's condition is held."""
        self._is_open = False
        if self._ota.runs_for(Who.AIR):
            self._ota.cancel()

    # --- what the cloud calls ---

    def signal(self, is_on: bool) -> None:
        self._soon(lambda: self._show(is_on))

    def deliver(self, module: bytes, told: Callable[[Delivery], None]) -> None:
        self._soon(lambda: self._begin(module, told))

    # --- on the bus's thread, with the unit's condition held ---

    def _soon(self, action: Callable[[], None], seconds: float = 0.0) -> None:
        self._board.after(seconds, lambda: action() if self._is_open else None)

    def _begin(self, module: bytes, told: Callable[[Delivery], None]) -> None:
        if self._ota.runs_for(Who.CONTROL):
            self._tell(told, Delivery.FAILED)  # one update at a time
            return
        reply = self._ota.begin(len(module), Who.AIR)
        if self._is_good(reply, told):
            self._tell(told, Delivery.STARTED)
            self._soon(lambda: self._receive(module, 0, told), reply.seconds)

    def _receive(self, module: bytes, at: int, told: Callable[[Delivery], None]) -> None:
        piece = module[at : at + _PIECE_BYTES]
        if not self._ota.runs_for(Who.AIR):  # an update over USB took its place
            self._tell(told, Delivery.FAILED)
        elif not piece:
            self._finish(told)
        elif self._is_good(reply := self._ota.data(piece), told):
            took_s = max(reply.seconds, len(piece) / self._bytes_per_s)
            self._soon(lambda: self._receive(module, at + len(piece), told), took_s)

    def _finish(self, told: Callable[[Delivery], None]) -> None:
        if self._is_good(self._ota.finish(), told):
            self._tell(told, Delivery.SUCCESS)
            self._apply()

    def _is_good(self, reply: OtaReply, told: Callable[[Delivery], None]) -> bool:
        if reply.code:
            self._tell(told, Delivery.FAILED)
        return not reply.code

    def _tell(self, told: Callable[[Delivery], None], how: Delivery) -> None:
        self._board.run_unlocked(lambda: told(how))
