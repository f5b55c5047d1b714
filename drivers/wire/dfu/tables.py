"""Numbers and layouts of USB DFU 1.1 with DfuSe 1.1a, for both ends. Reference firmware-and-dfu 1."""

from __future__ import annotations

import enum
import struct

INTERFACE = 0
TRANSFER_SIZE = 4096  # also the constant in the unit's block arithmetic
STATUS_SIZE = 6

CLASS_OUT, CLASS_IN = 0x21, 0xA1  # bmRequestType: class, interface
FIRST_BLOCK = 2  # block 0 is a command, block 1 is illegal
COMMAND_BLOCK = 0

FUNCTIONAL_DESCRIPTOR = struct.Struct("<BBBHHH")
FUNCTIONAL_TYPE = 0x21


PROTECTION_STRING = 0xFA  # string index at which newer bootloaders report device protection (9.1)
PROTECTION_OPEN, PROTECTION_PROTECTED, PROTECTION_IN_SERVICE = "sm=o", "sm=p", "sm=s"
UPDATE_WAITS = 0xA5  # in the byte `ota_update_flag` of the configuration memory: a module waits in the slot (4.6)
SETUP_DONE = b"\x01"  # field `setup_done` of the configuration memory: the unit does not boot into listening mode (2.6)
DFUSE_VERSION = 0x011A
ATTRIBUTES = 0x0B  # can download and upload, will detach
DETACH_TIMEOUT_MS = 255


class DfuRequest(enum.IntEnum):
    """bRequest values, DFU 1.1 table 3.2."""

    DETACH = 0  # not used in DFU mode
    DNLOAD = 1  # data, a DfuSe command (block 0), or leave (length 0)
    UPLOAD = 2  # read data, or list commands (block 0)
    GETSTATUS = 3  # status and next state; also starts the pending operation
    CLRSTATUS = 4  # dfuERROR -> dfuIDLE
    GETSTATE = 5  # state, without side effects
    ABORT = 6  # back to dfuIDLE; a pending operation is dropped


class DfuState(enum.IntEnum):
    """bState values, DFU 1.1 section 6.1.2."""

    APP_IDLE = 0  # application firmware, idle
    APP_DETACH = 1  # application firmware, about to enter DFU
    IDLE = 2  # waiting for a request
    DNLOAD_SYNC = 3  # has a block, starts on it at the next GETSTATUS
    DNBUSY = 4  # erasing or programming
    DNLOAD_IDLE = 5  # done with a block, waiting for the next
    MANIFEST_SYNC = 6  # received leave, starts at the next GETSTATUS
    MANIFEST = 7  # leaving
    MANIFEST_WAIT_RESET = 8  # resets any moment
    UPLOAD_IDLE = 9  # in the middle of an upload
    ERROR = 10  # needs CLRSTATUS


class DfuStatusCode(enum.IntEnum):
    """bStatus values, DFU 1.1 section 6.1.2, and how these bootloaders use them."""

    OK = 0x00  # no error
    ERR_TARGET = 0x01  # mass erase, or data block number 1
    ERR_FILE = 0x02  # not produced
    ERR_WRITE = 0x03  # not produced
    ERR_ERASE = 0x04  # not produced
    ERR_CHECK_ERASED = 0x05  # not produced
    ERR_PROG = 0x06  # not produced
    ERR_VERIFY = 0x07  # not produced
    ERR_ADDRESS = 0x08  # not produced
    ERR_NOTDONE = 0x09  # not produced
    ERR_FIRMWARE = 0x0A  # not produced
    ERR_VENDOR = 0x0B  # device protection refuses
    ERR_USBR = 0x0C  # not produced
    ERR_POR = 0x0D  # not produced
    ERR_UNKNOWN = 0x0E  # anything else: wrong state, bad address, failed erase or write
    ERR_STALLED_PACKET = 0x0F  # a DfuSe command this bootloader does not support


class DfuseCommand(enum.IntEnum):
    """First payload byte of a DNLOAD to block 0."""

    GET_COMMANDS = 0x00  # only as UPLOAD
    SET_ADDRESS = 0x21  # + u32: set the address pointer
    ERASE = 0x41  # + u32: erase the page with that address; without one it would erase everything
    READ_UNPROTECT = 0x92  # not supported, never sent
    ENTER_SAFE_MODE = 0xFA  # Particle, bootloader 3001 and newer
    CLEAR_OVERRIDE = 0xFB  # Particle; first version uncertain: read the list of commands
