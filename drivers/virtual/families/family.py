"""What the software of a chip family does its own way: one value a family, made in the family's file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...platforms import OsVersion, Platform
from ..boot_report import BootReport, BootRequest, Effort
from ..descriptors import Descriptors
from ..dfu_function import DfuFunction
from ..inventory import Found
from ..memory import UnitMemory


@dataclass(frozen=True, slots=True)
class Family:
    """How units of one chip family start, what they hold and how they look on the bus.

    Facts that host and unit share (maps, places, requests) stand in `drivers.platforms`; here is behaviour.
    """

    attempt_boot: Callable[[UnitMemory, BootRequest, Effort], BootReport | None]  # one reset; None: it resets again
    find_system: Callable[[UnitMemory], Found | None]  # the system part that a reset would start now
    find_application: Callable[[UnitMemory], Found | None]  # the application in effect
    application_descriptors: Callable[[Platform, str, OsVersion], Descriptors]  # (platform, Device ID, Device OS)
    dfu_descriptors: Callable[[Platform, str, int, bool], Descriptors]  # (..., bootloader version, is it protected)
    dfu_function: Callable[[UnitMemory, int, bool], DfuFunction]  # (memory, bootloader version, is it protected)
    inverts_configuration: bool = False  # GET_CONFIGURATION says 0 once configured (reference usb-and-serial 2.6)
