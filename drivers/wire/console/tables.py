"""Keys, prompts and texts of the listening-mode console, byte for byte, for both ends. Reference usb-and-serial 5."""

from __future__ import annotations

import enum

from ..messages.tables import WifiSecurity


class Key(enum.StrEnum):
    """Commands: one character, no newline, no echo."""

    IDENTITY = "i"  # Device ID, secret, serial number, IMEI, ICCID
    MAC = "m"  # the Wi-Fi MAC address
    VERSION = "v"  # Device OS
    MODULES = "s"  # one line of JSON
    WIFI = "w"  # a dialogue that stores a network
    CLAIMED = "c"  # the unit's own claimed bit
    CLAIM_CODE = "C"  # a dialogue that stores one
    DIAGNOSTICS = "d"  # JSON
    SAFE_MODE = "L"  # restart into safe mode, listening
    FLASH = "f"  # YModem, gone in Device OS 6.0
    LEAVE = "x"  # leave listening mode; prints nothing


# --- what queries print ---

ID_LINE, OLD_ID_LINE = "Device ID: ", "Your device id is "
SECRET, SERIAL, IMEI, ICCID, CELL_RADIO = "Device Secret", "Serial Number", "IMEI", "ICCID", "Cell Radio Version"
VERSION_LINE = "system firmware version: {}\n\r\n"
MAC_LINES = "Your device MAC address is\r\n{}\r\n"
CLAIMED_LINE = "Device claimed: {}\r\n"

# --- the Wi-Fi dialogue ---

SSID = "SSID: "
WIFI_SECURITY = "Security 0=unsecured, 1=WEP, 2=WPA, 3=WPA2: "
ENTERPRISE_SECURITY = "Security 0=unsecured, 1=WEP, 2=WPA, 3=WPA2, 4=WPA Enterprise, 5=WPA2 Enterprise: "
CIPHER = "Security Cipher 1=AES, 2=TKIP, 3=AES+TKIP: "
PASSWORD = "Password: "
EAP_TYPE = "EAP Type 0=PEAP/MSCHAPv2, 1=EAP-TLS: "
USERNAME = "Username: "
OUTER_IDENTITY = "Outer identity (optional): "
CLIENT_CERTIFICATE = "Client certificate in PEM format:\r\n"  # each of these reads lines up to a blank one
PRIVATE_KEY = "Private key in PEM format:\r\n"
ROOT_CA = "Root CA in PEM format (optional):\r\n"
SECURITY_DIGITS = {
    WifiSecurity.NONE: 0,
    WifiSecurity.WEP: 1,
    WifiSecurity.WPA_PSK: 2,
    WifiSecurity.WPA2_PSK: 3,
    WifiSecurity.WPA_ENTERPRISE: 4,  # Photon and P1 from 0.7.0 on
    WifiSecurity.WPA2_ENTERPRISE: 5,
    WifiSecurity.WPA3_PSK: 6,  # accepted from 5.5.0 on, though not shown
}
MAX_SSID, MAX_PASSWORD = 32, 64
MAX_CERTIFICATE, MAX_PRIVATE_KEY, MAX_TEXT_LINE = 4095, 2047, 254  # bytes; the last of one line of them

SAVING = "Thanks! Wait while I save those credentials...\r\n\r\n"
SAVED_MARK = "<3 you!"
SAVED = (
    "Awesome. Now we'll connect!\r\n\r\n"
    "If you see a pulsing cyan light, your device \r\n"
    "has connected to the Cloud and is ready to go!\r\n\r\n"
    "If your LED flashes red or you encounter any other problems,\r\n"
    "visit https://www.particle.io/support to debug.\r\n\r\n"
    f"    Particle {SAVED_MARK}\r\n\r\n"
)
NOT_SAVED = "Derp. Sorry, we couldn't save the credentials."
NOT_PREPARED = "Error while preparing to store enterprise credentials."

# --- the others ---

CLAIM_CODE_SIZE = 63
CLAIM_CODE = "Enter 63-digit claim code: "
CLAIM_CODE_SET = "Claim code set to: {}\r\n"
WRONG_CLAIM_CODE = "Sorry, claim code is not 63 characters long. Claim code unchanged.\r\n"
FLASHING = "Waiting for the binary file to be sent ... (press 'a' to abort)\r\n"
NO_FLASHING = "\x18\x18\x18\x18Serial/YModem flashing is no longer supported\r\n"
