"""Result codes of control requests, in words: reference usb-and-serial 4.12."""

from __future__ import annotations

NOT_SUPPORTED, PROTECTED = -120, -1801

RESULT_NAMES: dict[int, str] = {
    0: "success",
    -100: "unspecified error",
    -110: "busy",
    -120: "not supported",
    -130: "not allowed",
    -140: "cancelled",
    -150: "aborted",
    -160: "timed out",
    -170: "not found",
    -180: "exists already",
    -190: "too large",
    -191: "not enough data",
    -200: "limit exceeded",
    -201: "end of stream",
    -210: "invalid state",
    -219: "flash memory failed",
    -220: "input or output failed",
    -221: "would block",
    -225: "file error",
    -226: "path too long",
    -230: "network error",
    -240: "protocol error",
    -250: "internal error",
    -260: "out of memory",
    -270: "invalid argument",
    -280: "bad data",
    -281: "encoding failed",
    -290: "out of range",
    -300: "deprecated",
    -1000: "cloud protocol error",
    -1001: "cloud connection closed",
    -1002: "cloud connection reset",
    -1003: "cloud timed out",
    -1004: "cloud request not found",
    -1005: "cloud request cancelled",
    -1100: "cloud refused (4xx)",
    -1132: "cloud failed (5xx)",
    -1200: "modem or Wi-Fi chip refused: wrong password, or no such network",
    -1210: "modem or Wi-Fi chip answered unexpectedly",
    -1300: "no firmware module in the data, or none this unit has a place for",
    -1310: "unsupported kind of firmware module",
    -1320: "firmware validation failed",
    -1330: "firmware CRC is wrong",
    -1331: "resumed firmware update failed",
    -1340: "a module this firmware depends on is missing or too old",
    -1350: "invalid firmware address",
    -1351: "invalid firmware size",
    -1360: "firmware is for another platform",
    -1370: "invalid firmware format",
    -1380: "firmware updates are disabled",
    -1390: "firmware update failed",
    -1400: "cryptography failed",
    -1706: "PPP authentication failed",
    -1800: "invalid server settings",
    -1801: "the unit is protected",
    -1802: "key mismatch",
    -1803: "invalid signature",
    -1911: "no space left in the unit's file system",
    -3000: "the unit's clock is not set",
}

_FAMILIES: tuple[tuple[range, str], ...] = (
    (range(-1606, -1599), "I2C error"),
    (range(-1712, -1699), "PPP error"),
    (range(-1912, -1899), "file system error"),
    (range(-2011, -1999), "ledger error"),
)


def describe_result(code: int) -> str:
    """Words and number: ``"not supported (-120)"``. Drivers in the unit may return codes outside the table."""
    words = RESULT_NAMES.get(code)
    if words is None:
        words = next((name for family, name in _FAMILIES if code in family), "a code without a name")
    return f"{words} ({code})"
