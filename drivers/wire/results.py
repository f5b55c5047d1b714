"""Result codes of control requests in one table: what each means, and about whom it is. Reference usb-and-serial 4.12.

Nothing here says how often a request is repeated: that follows from whom a code is about, and stands in `patience`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


class ResultCode(enum.IntEnum):
    """Results of control requests; drivers in the unit may return codes outside it."""

    NONE = 0
    UNKNOWN = -100
    BUSY = -110
    NOT_SUPPORTED = -120
    NOT_ALLOWED = -130
    CANCELLED = -140
    ABORTED = -150
    TIMEOUT = -160
    NOT_FOUND = -170
    ALREADY_EXISTS = -180
    TOO_LARGE = -190
    NOT_ENOUGH_DATA = -191
    LIMIT_EXCEEDED = -200
    END_OF_STREAM = -201
    INVALID_STATE = -210
    FLASH_IO = -219
    IO = -220
    WOULD_BLOCK = -221
    FILE = -225
    PATH_TOO_LONG = -226
    NETWORK = -230
    PROTOCOL = -240
    INTERNAL = -250
    NO_MEMORY = -260
    INVALID_ARGUMENT = -270
    BAD_DATA = -280
    ENCODING_FAILED = -281
    OUT_OF_RANGE = -290
    DEPRECATED = -300
    COAP = -1000
    COAP_CONNECTION_CLOSED = -1001
    COAP_CONNECTION_RESET = -1002
    COAP_TIMEOUT = -1003
    COAP_REQUEST_NOT_FOUND = -1004
    COAP_REQUEST_CANCELLED = -1005
    COAP_4XX = -1100
    COAP_5XX = -1132
    AT_NOT_OK = -1200
    AT_RESPONSE_UNEXPECTED = -1210
    OTA_MODULE_NOT_FOUND = -1300
    OTA_UNSUPPORTED_MODULE = -1310
    OTA_VALIDATION_FAILED = -1320
    OTA_INTEGRITY_CHECK_FAILED = -1330
    OTA_RESUMED_UPDATE_FAILED = -1331
    OTA_DEPENDENCY_CHECK_FAILED = -1340
    OTA_INVALID_ADDRESS = -1350
    OTA_INVALID_SIZE = -1351
    OTA_INVALID_PLATFORM = -1360
    OTA_INVALID_FORMAT = -1370
    OTA_UPDATES_DISABLED = -1380
    OTA_ERROR = -1390
    CRYPTO = -1400
    PPP_AUTHENTICATION = -1706
    INVALID_SERVER_SETTINGS = -1800
    PROTECTED = -1801
    KEY_MISMATCH = -1802
    INVALID_SIGNATURE = -1803
    FILESYSTEM_NO_SPACE = -1911
    HAL_RTC_INVALID_TIME = -3000
    NOT_PROGRAMMED = -1  # outside the firmware's own table: the serial number was never written


class About(enum.Enum):
    """What a result is about."""

    NOTHING = enum.auto()  # success
    MOMENT = enum.auto()  # busy, timed out, a modem starting up: a later try may have another result
    UNIT = enum.auto()  # this very unit: true if it says so again
    FIRMWARE = enum.auto()  # what was requested of which firmware: a whole tray of good units answers the same


@dataclass(frozen=True, slots=True)
class Result:
    """One row: the code's meaning in words, and what it is about."""

    words: str
    about: About


RESULTS: Mapping[int, Result] = MappingProxyType({
    ResultCode.NONE: Result("success", About.NOTHING),
    ResultCode.UNKNOWN: Result("unspecified error", About.MOMENT),
    ResultCode.BUSY: Result("busy", About.MOMENT),
    ResultCode.NOT_SUPPORTED: Result("not supported", About.FIRMWARE),
    ResultCode.NOT_ALLOWED: Result("not allowed", About.FIRMWARE),
    ResultCode.CANCELLED: Result("cancelled", About.MOMENT),
    ResultCode.ABORTED: Result("aborted", About.MOMENT),
    ResultCode.TIMEOUT: Result("timed out", About.MOMENT),
    ResultCode.NOT_FOUND: Result("not found", About.UNIT),
    ResultCode.ALREADY_EXISTS: Result("exists already", About.UNIT),
    ResultCode.TOO_LARGE: Result("too large", About.FIRMWARE),
    ResultCode.NOT_ENOUGH_DATA: Result("not enough data", About.FIRMWARE),
    ResultCode.LIMIT_EXCEEDED: Result("limit exceeded", About.MOMENT),
    ResultCode.END_OF_STREAM: Result("end of stream", About.MOMENT),
    ResultCode.INVALID_STATE: Result("invalid state", About.MOMENT),
    ResultCode.FLASH_IO: Result("flash memory failed", About.UNIT),
    ResultCode.IO: Result("input or output failed", About.MOMENT),
    ResultCode.WOULD_BLOCK: Result("would block", About.MOMENT),
    ResultCode.FILE: Result("file error", About.UNIT),
    ResultCode.PATH_TOO_LONG: Result("path too long", About.UNIT),
    ResultCode.NETWORK: Result("network error", About.MOMENT),
    ResultCode.PROTOCOL: Result("protocol error", About.MOMENT),
    ResultCode.INTERNAL: Result("internal error", About.MOMENT),
    ResultCode.NO_MEMORY: Result("out of memory", About.MOMENT),
    ResultCode.INVALID_ARGUMENT: Result("invalid argument", About.FIRMWARE),
    ResultCode.BAD_DATA: Result("bad data", About.FIRMWARE),
    ResultCode.ENCODING_FAILED: Result("encoding failed", About.FIRMWARE),
    ResultCode.OUT_OF_RANGE: Result("out of range", About.FIRMWARE),
    ResultCode.DEPRECATED: Result("deprecated", About.FIRMWARE),
    ResultCode.COAP: Result("cloud protocol error", About.MOMENT),
    ResultCode.COAP_CONNECTION_CLOSED: Result("cloud connection closed", About.MOMENT),
    ResultCode.COAP_CONNECTION_RESET: Result("cloud connection reset", About.MOMENT),
    ResultCode.COAP_TIMEOUT: Result("cloud timed out", About.MOMENT),
    ResultCode.COAP_REQUEST_NOT_FOUND: Result("cloud request not found", About.MOMENT),
    ResultCode.COAP_REQUEST_CANCELLED: Result("cloud request cancelled", About.MOMENT),
    ResultCode.COAP_4XX: Result("cloud refused (4xx)", About.MOMENT),
    ResultCode.COAP_5XX: Result("cloud failed (5xx)", About.MOMENT),
    ResultCode.AT_NOT_OK: Result("modem or Wi-Fi chip refused: wrong password, or no such network", About.MOMENT),
    ResultCode.AT_RESPONSE_UNEXPECTED: Result("modem or Wi-Fi chip answered unexpectedly", About.MOMENT),
    ResultCode.OTA_MODULE_NOT_FOUND: Result("no module in the data, or none this unit has a place for", About.UNIT),
    ResultCode.OTA_UNSUPPORTED_MODULE: Result("unsupported kind of firmware module", About.UNIT),
    ResultCode.OTA_VALIDATION_FAILED: Result("firmware validation failed", About.UNIT),
    ResultCode.OTA_INTEGRITY_CHECK_FAILED: Result("firmware CRC is wrong", About.UNIT),
    ResultCode.OTA_RESUMED_UPDATE_FAILED: Result("resumed firmware update failed", About.UNIT),
    ResultCode.OTA_DEPENDENCY_CHECK_FAILED: Result("a module it depends on is missing or too old", About.UNIT),
    ResultCode.OTA_INVALID_ADDRESS: Result("invalid firmware address", About.UNIT),
    ResultCode.OTA_INVALID_SIZE: Result("invalid firmware size", About.UNIT),
    ResultCode.OTA_INVALID_PLATFORM: Result("firmware is for another platform", About.UNIT),
    ResultCode.OTA_INVALID_FORMAT: Result("invalid firmware format", About.UNIT),
    ResultCode.OTA_UPDATES_DISABLED: Result("firmware updates are disabled", About.FIRMWARE),
    ResultCode.OTA_ERROR: Result("firmware update failed", About.UNIT),
    ResultCode.CRYPTO: Result("cryptography failed", About.UNIT),
    ResultCode.PPP_AUTHENTICATION: Result("PPP authentication failed", About.MOMENT),
    ResultCode.INVALID_SERVER_SETTINGS: Result("invalid server settings", About.UNIT),
    ResultCode.PROTECTED: Result("the unit is protected", About.UNIT),
    ResultCode.KEY_MISMATCH: Result("key mismatch", About.UNIT),
    ResultCode.INVALID_SIGNATURE: Result("invalid signature", About.UNIT),
    ResultCode.FILESYSTEM_NO_SPACE: Result("no space left in the unit's file system", About.UNIT),
    ResultCode.HAL_RTC_INVALID_TIME: Result("the unit's clock is not set", About.MOMENT),
    ResultCode.NOT_PROGRAMMED: Result("a value that was never programmed", About.UNIT),
})  # fmt: skip

_FAMILIES: Mapping[range, Result] = MappingProxyType({
    range(-1399, -1299): Result("firmware update error", About.UNIT),
    range(-1606, -1599): Result("I2C error", About.MOMENT),
    range(-1712, -1699): Result("PPP error", About.MOMENT),
    range(-1912, -1899): Result("file system error", About.UNIT),
    range(-2011, -1999): Result("ledger error", About.MOMENT),
})  # fmt: skip
"""Codes the reference names only as a range."""

_UNNAMED = Result("a code without a name", About.MOMENT)
"""Drivers in the unit may return codes outside the table. None of them judges a unit."""


def result_of(code: int) -> Result:
    """Return the row of ``code``: its own, that of its range, or `_UNNAMED`."""
    return RESULTS.get(code) or next((row for family, row in _FAMILIES.items() if code in family), _UNNAMED)


def describe_result(code: int) -> str:
    """Describe a code: ``"not supported (-120)"``."""
    return f"{result_of(code).words} ({code})"
