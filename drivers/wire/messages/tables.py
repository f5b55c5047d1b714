"""Numbers inside the messages, for both ends. Reference usb-and-serial 4.2, 4.5, 4.6, 4.8."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

from ...platforms import ModuleFunction

CHECK_INTEGRITY = 0x02
CHECK_DEPENDENCIES = 0x04
CHECK_RANGE = 0x08
CHECK_PLATFORM = 0x10


class Store(enum.IntEnum):
    """Where a module is stored."""

    MAIN = 0  # the one in use
    FACTORY = 1  # what a factory reset restores
    BACKUP = 2  # a copy
    SCRATCHPAD = 3  # the update slot


OLD_FUNCTIONS = {
    1: ModuleFunction.BOOTLOADER,
    2: ModuleFunction.SYSTEM_PART,
    3: ModuleFunction.USER_PART,
    4: ModuleFunction.MONOLITHIC,
    5: ModuleFunction.NCP,
    6: ModuleFunction.RADIO_STACK,
}


# how a module description in JSON writes them (reference usb-and-serial 5.6)
FUNCTION_LETTERS: dict[str, ModuleFunction] = {
    "n": ModuleFunction.NONE,
    "r": ModuleFunction.RESOURCE,
    "b": ModuleFunction.BOOTLOADER,
    "m": ModuleFunction.MONOLITHIC,
    "s": ModuleFunction.SYSTEM_PART,
    "u": ModuleFunction.USER_PART,
    "_": ModuleFunction.SETTINGS,
    "c": ModuleFunction.NCP,
    "a": ModuleFunction.RADIO_STACK,
    "t": ModuleFunction.ASSET,
}
STORE_LETTERS = {"m": Store.MAIN, "f": Store.FACTORY, "b": Store.BACKUP, "t": Store.SCRATCHPAD}


class SimType(enum.IntEnum):
    """Which SIM a unit uses that has two (reference usb-and-serial 4.10)."""

    INTERNAL = 1  # soldered in
    EXTERNAL = 2  # in the holder


class ConnectionStatus(enum.IntEnum):
    """State of the unit's connection to the cloud."""

    DISCONNECTED = 0  # and not trying
    CONNECTING = 1
    CONNECTED = 2
    DISCONNECTING = 3


class InterfaceType(enum.IntEnum):
    """What an interface is; the unit derives it from the interface's name."""

    INVALID = 0  # not reported
    LOOPBACK = 1  # lo0
    THREAD = 2  # mesh, before Device OS 2.0
    ETHERNET = 4  # en2
    WIFI = 8  # wl3, wl4
    PPP = 16  # pp3: the modem


class WifiSecurity(enum.IntEnum):
    """Security of a network, numbered as in requests 500 to 507."""

    NONE = 0  # open, or with a password: let the unit scan
    WEP = 1  # obsolete
    WPA_PSK = 2  # obsolete
    WPA2_PSK = 3  # usual
    WPA_WPA2_PSK = 4  # mixed
    WPA3_PSK = 5  # newest
    WPA2_WPA3_PSK = 6  # mixed
    WPA_ENTERPRISE = 104  # with credentials for each user; these two have no number in those requests
    WPA2_ENTERPRISE = 105


ENTERPRISE = frozenset({WifiSecurity.WPA_ENTERPRISE, WifiSecurity.WPA2_ENTERPRISE})


class OldSecurity(enum.IntEnum):
    """Security of a network in the requests 110 to 115 of old Gen 2 units."""

    OPEN = 0
    WEP = 1
    WPA = 2
    WPA2 = 3
    WPA_ENTERPRISE = 4
    WPA2_ENTERPRISE = 5
    UNKNOWN = 255


OLD_SECURITY: Mapping[WifiSecurity, OldSecurity] = MappingProxyType(
    {
        WifiSecurity.NONE: OldSecurity.OPEN,
        WifiSecurity.WEP: OldSecurity.WEP,
        WifiSecurity.WPA_PSK: OldSecurity.WPA,
        WifiSecurity.WPA2_PSK: OldSecurity.WPA2,
        WifiSecurity.WPA_WPA2_PSK: OldSecurity.WPA2,
        WifiSecurity.WPA3_PSK: OldSecurity.UNKNOWN,  # those units know none
        WifiSecurity.WPA2_WPA3_PSK: OldSecurity.WPA2,
        WifiSecurity.WPA_ENTERPRISE: OldSecurity.WPA_ENTERPRISE,
        WifiSecurity.WPA2_ENTERPRISE: OldSecurity.WPA2_ENTERPRISE,
    }
)


class OldCipher(enum.IntEnum):
    """Cipher of a network, in the same requests and on the console."""

    AES = 1
    TKIP = 2
    AES_TKIP = 3


class EapType(enum.IntEnum):
    """How an enterprise network authenticates a unit, numbered as in request 113."""

    TLS = 13  # by a certificate of its own
    PEAP = 25  # by user name and password, MSCHAPv2
