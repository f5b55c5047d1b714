"""Behaviour specific to a chip family: one value per family, defined in the family's file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...identity import MacAddress
from ...platforms import OsVersion, Platform
from ...wire.results import ResultCode
from ..boot_report import BootReport, BootRequest, Effort
from ..descriptors import Descriptors
from ..dfu_function import MANIFEST_S, DfuFunction
from ..inventory import Found
from ..memory import UnitMemory
from ..world import StoredNetwork

_MAX_NETWORKS = 10


def _replace_last(networks: Sequence[StoredNetwork], new: StoredNetwork) -> list[StoredNetwork]:
    """Put ``new`` behind the others; an eleventh replaces the last (reference usb-and-serial 4.8)."""
    others = [one for one in networks if one.ssid != new.ssid]
    return [*others[: _MAX_NETWORKS - 1], new]


@dataclass(frozen=True, slots=True)
class Family:
    """How units of one chip family boot, what they hold and what they show on the bus.

    Facts shared by host and unit (maps, places, requests) are in `drivers.platforms`; this is behaviour only.
    """

    attempt_boot: Callable[[UnitMemory, BootRequest, Effort], BootReport | None]  # one reset; None: it resets again
    find_system: Callable[[UnitMemory], Found | None]  # the system part that a reset would start now
    find_application: Callable[[UnitMemory], Found | None]  # the active application
    application_descriptors: Callable[[Platform, str, OsVersion], Descriptors]  # (platform, Device ID, Device OS)
    dfu_descriptors: Callable[[Platform, str, int, bool], Descriptors]  # (..., bootloader version, is it protected)
    dfu_function: Callable[[UnitMemory, int, bool], DfuFunction]  # (memory, bootloader version, is it protected)
    inverts_configuration: bool = False  # GET_CONFIGURATION returns 0 once configured (reference usb-and-serial 2.6)
    leave_s: float = MANIFEST_S  # from the GETSTATUS that returns dfuMANIFEST to the reset (firmware-and-dfu 1.7)
    application_tells_protection_since: OsVersion | None = None  # string 0xFA outside DFU too (usb-and-serial 2.7)
    keeps_requests_over_bus_reset: bool = False  # control requests stay open (usb-and-serial 3.7)
    join_refused: ResultCode = ResultCode.AT_NOT_OK  # result of request 500 for a wrong password (4.8)
    join_unheard: ResultCode = ResultCode.AT_NOT_OK  # ... for a network that is not there
    keep_network: Callable[[Sequence[StoredNetwork], StoredNetwork], list[StoredNetwork]] = _replace_last
    keeps_device_id: bool = False  # copies it into the configuration memory at boot (usb-and-serial 2.8)
    listens_without_sim: bool = False  # a unit with a modem and no SIM waits in listening mode (H12)
    swallows_raw_data: bool = True  # takes 1 to 64 bytes for a raw request it does not know (usb-and-serial 3.8)
    mute_requests: frozenset[int] = frozenset()  # bRequest that firmware without vendor interface never answers (9.9)
    hears_5_ghz: bool = False  # its radio supports the channels above 14 (4.8)
    ethernet_mac: Callable[[str, MacAddress | None], MacAddress] | None = None  # by Device ID and Wi-Fi MAC (1.3)
    looks_before_joining_since: OsVersion | None = None  # request 500 scans, and finds no hidden network untold (4.8)
