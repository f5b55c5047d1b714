"""Numbers and layouts of the vendor's control requests, for both ends. Reference usb-and-serial 3 and 4."""

from __future__ import annotations

import enum
import struct

from ...platforms import OsVersion

REPLY_LENGTH = 64  # INIT, CHECK and RESET must ask for exactly this
MAX_CHUNK = 4096
PIECES_SINCE = OsVersion.parse("1.5.0")  # older units take a payload, and hand out a reply, in one piece only (3.5)
MAX_PAYLOAD = 0xFFFF
MAX_REPLY = 0xFFFF
MAX_ACTIVE = 4  # requests a unit handles at a time
POOL_BUFFER = 64  # payloads up to here need no allocation
VENDOR_IN, VENDOR_OUT = 0xC0, 0x40  # bmRequestType: vendor, device


class Service(enum.IntEnum):
    """bRequest values of the protocol."""

    INIT = 1  # announce a request, get an id
    CHECK = 2  # read its status
    SEND = 3  # a chunk of the payload
    RECV = 4  # a chunk of the reply
    RESET = 5  # drop one request, or all


class ServiceStatus(enum.IntEnum):
    """Status of a service reply; not the request's own result."""

    OK = 0  # done, or ready for the payload
    ERROR = 1  # defined, never seen
    PENDING = 2  # buffer not ready, or request not finished
    BUSY = 3  # four requests are open already
    NO_MEMORY = 4  # the request was dropped
    NOT_FOUND = 5  # unknown id: finished, cancelled, or the unit restarted


FLAG_STATUS, FLAG_ID, FLAG_SIZE, FLAG_RESULT = 0x01, 0x02, 0x04, 0x08
REPLY_HEAD = struct.Struct("<IH")  # flags, status
OPTIONAL_FIELDS = ((FLAG_ID, struct.Struct("<H")), (FLAG_SIZE, struct.Struct("<I")), (FLAG_RESULT, struct.Struct("<i")))
"""Fields that follow the head without gaps, each present if its flag is set (reference usb-and-serial 3.3)."""


class Raw(enum.IntEnum):
    """wIndex of raw vendor requests (bRequest 0x50), answered without the system thread (3.8)."""

    DEVICE_ID = 20  # 24 hexadecimal digits
    SYSTEM_VERSION = 30  # Device OS version
    RESTART = 40  # restart at once
    DFU_MODE = 50  # this one to 70: only Gen 2 with 0.6 and 0.7
    SAFE_MODE = 60
    LISTENING = 70  # wValue other than 0: leave it
    CLOUD_DISCONNECT = 302  # stop reconnecting to the cloud


RAW_REQUEST = 0x50


class RequestType(enum.IntEnum):
    """Type ids of control requests (reference usb-and-serial 4)."""

    ECHO = 1  # the same bytes back
    APP_CUSTOM = 10  # for the application; answered even by a protected unit
    DEVICE_ID = 20  # answered even by a protected unit
    SERIAL_NUMBER = 21  # -1 when it was never programmed
    SYSTEM_VERSION = 30  # Device OS
    NCP_FIRMWARE_VERSION = 31  # powers up the Wi-Fi chip
    GET_SYSTEM_CAPABILITIES = 32  # empty on recent versions
    SET_FEATURE = 33
    GET_FEATURE = 34
    RESET = 40  # 1 s after the final CHECK was read
    FACTORY_RESET = 41  # what it restores depends on a factory image
    DFU_MODE = 50  # likewise
    SAFE_MODE = 60  # likewise
    START_LISTENING = 70  # confirm with 72
    STOP_LISTENING = 71  # asynchronous
    GET_DEVICE_MODE = 72  # empty reply = normal
    SET_DEVICE_SETUP_DONE = 73  # from 4.0: true does nothing, false is refused
    IS_DEVICE_SETUP_DONE = 74  # from 4.0: always true
    SET_STARTUP_MODE = 75
    GET_PROTECTED_STATE = 76  # answered even by a protected unit
    SET_PROTECTED_STATE = 77
    GET_MODULE_INFO = 90  # two forms
    GET_ASSET_INFO = 91  # 5.6.0 and newer
    DIAGNOSTIC_INFO = 100  # JSON text
    SET_ANTENNA = 110  # 110 to 115, 210 to 240: Gen 2 only
    GET_ANTENNA = 111
    LEGACY_SCAN = 112  # up to Device OS 1.5.x, like the next three
    LEGACY_SET_CREDENTIALS = 113  # stores without joining
    LEGACY_GET_CREDENTIALS = 114
    LEGACY_CLEAR_CREDENTIALS = 115
    SET_CLAIM_CODE = 200  # 63 characters; the unit does not check
    IS_CLAIMED = 201  # a hint, not the truth (rule B4)
    SET_SECURITY_KEY = 210
    GET_SECURITY_KEY = 211  # private keys included
    SET_SERVER_PROTOCOL = 222
    GET_SERVER_PROTOCOL = 223
    SET_SOFTAP_SSID = 240
    START_NYAN_SIGNAL = 230  # the LED shows a rainbow
    STOP_NYAN_SIGNAL = 231
    START_FIRMWARE_UPDATE = 250  # erases the update slot: seconds
    FINISH_FIRMWARE_UPDATE = 251  # validates; applied after the result was read
    CANCEL_FIRMWARE_UPDATE = 252
    FIRMWARE_UPDATE_DATA = 253  # any error cancels the update
    GET_CONNECTION_STATUS = 300
    CONNECT = 301  # only sets the intent
    DISCONNECT = 302  # likewise
    GET_INTERFACE_LIST = 400  # fails with -100 on cellular units with 6.2.0
    GET_INTERFACE = 401
    JOIN_NEW_NETWORK = 500  # joins, and stores only on success
    JOIN_KNOWN_NETWORK = 501
    GET_KNOWN_NETWORKS = 502
    REMOVE_KNOWN_NETWORK = 503  # 0 even for an unknown one
    CLEAR_KNOWN_NETWORKS = 504
    GET_CURRENT_NETWORK = 505  # -210 when not connected
    SCAN_NETWORKS = 506
    STORE_NETWORK = 507  # stores without joining; not on every Device OS
    SET_ACCESS_POINT = 550
    GET_ACCESS_POINT = 551
    SET_ACTIVE_SIM = 552
    GET_ACTIVE_SIM = 553
    GET_ICCID = 554  # powers up the modem: tens of seconds
    SEND_APDU = 555  # 6.4.1 and newer
    ENV_GET = 600  # 6.4.0 and newer
    ENV_CLEAR = 601
