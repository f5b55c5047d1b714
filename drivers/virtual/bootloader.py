"""A unit in DFU mode: the DFU function behind the bootloader's descriptors.

It handles configuration and alternate setting as these bootloaders do (reference usb-and-serial 2.6)
and resets the unit when the function leaves DFU mode.
"""

from __future__ import annotations

from ..wire.dfu.tables import CLASS_IN, CLASS_OUT
from ..wire.usb import Setup
from .board import Board
from .boot import BootReport, BootRequest
from .bus import Stall
from .descriptors import Descriptors
from .endpoint import Answer
from .families import family_of


class Bootloader:
    """The software of a unit in DFU mode."""

    def __init__(self, board: Board, report: BootReport) -> None:
        version = report.bootloader_version or 0
        platform = board.spec.shown_platform
        self._board = board
        is_protected = report.is_protected and version >= platform.bootloader.protection
        self._family = family_of(platform.id)
        self._function = self._family.dfu_function(board.memory, version, is_protected)
        self._alternate = 0
        self._is_configured = True  # the host's kernel configures at enumeration
        device_id = str(board.spec.device_id)
        self.descriptors: Descriptors = self._family.dfu_descriptors(platform, device_id, version, is_protected)

    def request(self, setup: Setup, data: bytes) -> Answer:
        """Answer class requests to interface 0; the vendor requests of application mode do not exist here."""
        if setup.request_type not in (CLASS_OUT, CLASS_IN) or setup.index & 0xFF:
            raise Stall
        reply = self._function.handle(setup, data)
        if reply.leaving:
            self._board.restart(BootRequest.SAFE if reply.safe_mode else BootRequest.NORMAL, self._family.leave_s)
        if reply.stall:
            raise Stall
        return Answer(reply.data, reply.seconds)

    def set_configuration(self, value: int) -> None:
        """Store the configuration; any value but 0 restarts the DFU class: dfuIDLE, OK, pointer 0."""
        self._is_configured = value != 0
        if self._is_configured:
            self._alternate = 0
            self._function.set_configuration()

    def get_configuration(self) -> int:
        """Return 1 once configured, 0 while only addressed; inverted on the family with that quirk."""
        return int(self._is_configured is not self._family.inverts_configuration)

    def set_interface(self, interface: int, alternate: int) -> None:
        if interface != 0 or not self._function.set_interface(alternate):
            raise Stall
        self._alternate = alternate

    def get_interface(self, interface: int) -> int:
        if interface != 0:
            raise Stall
        return self._alternate

    def bus_reset(self) -> None:
        self._alternate = 0
        self._function.set_configuration()

    def stop(self) -> None:
        """Do nothing: the bootloader has nothing to stop."""
