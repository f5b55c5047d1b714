"""Result codes of control requests and their descriptions. Reference usb-and-serial 4.12."""

from __future__ import annotations

import enum


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


RESULT_NAMES: dict[int, str] = {
    ResultCode.NONE: "success",
    ResultCode.UNKNOWN: "unspecified error",
    ResultCode.BUSY: "busy",
    ResultCode.NOT_SUPPORTED: "not supported",
    ResultCode.NOT_ALLOWED: "not allowed",
    ResultCode.CANCELLED: "cancelled",
    ResultCode.ABORTED: "aborted",
    ResultCode.TIMEOUT: "timed out",
    ResultCode.NOT_FOUND: "not found",
    ResultCode.ALREADY_EXISTS: "exists already",
    ResultCode.TOO_LARGE: "too large",
    ResultCode.NOT_ENOUGH_DATA: "not enough data",
    ResultCode.LIMIT_EXCEEDED: "limit exceeded",
    ResultCode.END_OF_STREAM: "end of stream",
    ResultCode.INVALID_STATE: "invalid state",
    ResultCode.FLASH_IO: "flash memory failed",
    ResultCode.IO: "input or output failed",
    ResultCode.WOULD_BLOCK: "would block",
    ResultCode.FILE: "file error",
    ResultCode.PATH_TOO_LONG: "path too long",
    ResultCode.NETWORK: "network error",
    ResultCode.PROTOCOL: "protocol error",
    ResultCode.INTERNAL: "internal error",
    ResultCode.NO_MEMORY: "out of memory",
    ResultCode.INVALID_ARGUMENT: "invalid argument",
    ResultCode.BAD_DATA: "bad data",
    ResultCode.ENCODING_FAILED: "encoding failed",
    ResultCode.OUT_OF_RANGE: "out of range",
    ResultCode.DEPRECATED: "deprecated",
    ResultCode.COAP: "cloud protocol error",
    ResultCode.COAP_CONNECTION_CLOSED: "cloud connection closed",
    ResultCode.COAP_CONNECTION_RESET: "cloud connection reset",
    ResultCode.COAP_TIMEOUT: "cloud timed out",
    ResultCode.COAP_REQUEST_NOT_FOUND: "cloud request not found",
    ResultCode.COAP_REQUEST_CANCELLED: "cloud request cancelled",
    ResultCode.COAP_4XX: "cloud refused (4xx)",
    ResultCode.COAP_5XX: "cloud failed (5xx)",
    ResultCode.AT_NOT_OK: "modem or Wi-Fi chip refused: wrong password, or no such network",
    ResultCode.AT_RESPONSE_UNEXPECTED: "modem or Wi-Fi chip answered unexpectedly",
    ResultCode.OTA_MODULE_NOT_FOUND: "no firmware module in the data, or none this unit has a place for",
    ResultCode.OTA_UNSUPPORTED_MODULE: "unsupported kind of firmware module",
    ResultCode.OTA_VALIDATION_FAILED: "firmware validation failed",
    ResultCode.OTA_INTEGRITY_CHECK_FAILED: "firmware CRC is wrong",
    ResultCode.OTA_RESUMED_UPDATE_FAILED: "resumed firmware update failed",
    ResultCode.OTA_DEPENDENCY_CHECK_FAILED: "a module this firmware depends on is missing or too old",
    ResultCode.OTA_INVALID_ADDRESS: "invalid firmware address",
    ResultCode.OTA_INVALID_SIZE: "invalid firmware size",
    ResultCode.OTA_INVALID_PLATFORM: "firmware is for another platform",
    ResultCode.OTA_INVALID_FORMAT: "invalid firmware format",
    ResultCode.OTA_UPDATES_DISABLED: "firmware updates are disabled",
    ResultCode.OTA_ERROR: "firmware update failed",
    ResultCode.CRYPTO: "cryptography failed",
    ResultCode.PPP_AUTHENTICATION: "PPP authentication failed",
    ResultCode.INVALID_SERVER_SETTINGS: "invalid server settings",
    ResultCode.PROTECTED: "the unit is protected",
    ResultCode.KEY_MISMATCH: "key mismatch",
    ResultCode.INVALID_SIGNATURE: "invalid signature",
    ResultCode.FILESYSTEM_NO_SPACE: "no space left in the unit's file system",
    ResultCode.HAL_RTC_INVALID_TIME: "the unit's clock is not set",
}

_FAMILIES: tuple[tuple[range, str], ...] = (
    (range(-1606, -1599), "I2C error"),
    (range(-1712, -1699), "PPP error"),
    (range(-1912, -1899), "file system error"),
    (range(-2011, -1999), "ledger error"),
)


def describe_result(code: int) -> str:
    """Describe a code: ``"not supported (-120)"``. Drivers in the unit may return codes outside the table."""
    words = RESULT_NAMES.get(code)
    if words is None:
        words = next((name for family, name in _FAMILIES if code in family), "a code without a name")
    return f"{words} ({code})"
