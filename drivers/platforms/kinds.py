"""The words the platform table uses: kinds of modules, what may be written, and how modules get into a unit."""

from __future__ import annotations

import enum


class ModuleFunction(enum.IntEnum):
    """What a firmware module is for (reference firmware-and-dfu 3.3)."""

    NONE = 0  # an empty dependency
    RESOURCE = 1  # obsolete
    BOOTLOADER = 2  # starts the unit; never written raw by a host
    MONOLITHIC = 3  # system and user part in one
    SYSTEM_PART = 4  # Device OS
    USER_PART = 5  # the application
    SETTINGS = 6  # obsolete
    NCP = 7  # firmware of the network co-processor
    RADIO_STACK = 8  # the SoftDevice; its header is not stored in flash
    ASSET = 9  # a file for the application


class WritePolicy(enum.StrEnum):
    """What a host may do to a region."""

    NO = "no"  # nothing, ever
    DFU = "dfu"  # write the modules listed for it
    OTA = "ota"  # no raw write; reached by control-request updates only
    SCRATCH = "scratch"  # written by the unit while it receives an update


class Via(enum.StrEnum):
    """How a module gets into a unit."""

    DFU = "dfu"  # raw, to its own address
    OTA = "ota"  # control-request update, applied at the next boot
    SLOT = "slot"  # left in DFU in the unit's update slot, applied by the next boot; no row says this, a plan does
    NEVER = "never"  # none: it comes with the chip


class Reports(enum.StrEnum):
    """What a unit reports of a module it holds, besides its version (reference firmware-and-dfu 6.1)."""

    HASH = "hash"  # the SHA-256 of its suffix, from Device OS 5.6.0 on: proves the content
    BUILD = "build"  # a string that names its build but does not prove its content
    VERSION = "version"  # nothing
