"""The Wi-Fi dialogue of the listening-mode console, host side, without I/O: reference usb-and-serial 5.5."""

from __future__ import annotations

import enum

from ...errors import LocalProtocolError, RemoteProtocolError
from ...identity import Secret
from ..messages.tables import WifiSecurity
from .host import ConsoleDialogue, Done, Event, Write
from .tables import (
    CIPHER,
    EAP_TYPE,
    ENTERPRISE_SECURITY,
    MAX_PASSWORD,
    MAX_SSID,
    NOT_PREPARED,
    NOT_SAVED,
    OUTER_IDENTITY,
    PASSWORD,
    SAVED_MARK,
    SECURITY_DIGITS,
    SSID,
    USERNAME,
    WIFI_SECURITY,
    Key,
)

FIRST_PROMPT_S = 5.0
PROMPT_S = 10.0
SAVE_S = 30.0
SCAN_S = 45.0


class WifiOutcome(enum.Enum):
    """How the Wi-Fi dialogue ended."""

    SAVED = enum.auto()  # stored without connecting: proves nothing about the password
    NOT_SAVED = enum.auto()  # the unit could not store it; it stays in listening mode


class _Ask(enum.Enum):
    """What a prompt asks for."""

    SSID = enum.auto()  # the network's name
    SECURITY = enum.auto()  # one digit, asked when the scan did not find the network
    CIPHER = enum.auto()  # one digit, asked even for open networks
    PASSWORD = enum.auto()  # may be empty
    ENTERPRISE = enum.auto()  # anything only an enterprise network needs


_PROMPTS: dict[bytes, tuple[_Ask, float]] = {
    prompt.encode(): row
    for prompt, row in (
        (SSID, (_Ask.SSID, SCAN_S)),
        (WIFI_SECURITY, (_Ask.SECURITY, PROMPT_S)),
        (ENTERPRISE_SECURITY, (_Ask.SECURITY, PROMPT_S)),
        (CIPHER, (_Ask.CIPHER, PROMPT_S)),
        (PASSWORD, (_Ask.PASSWORD, SAVE_S)),
        (EAP_TYPE, (_Ask.ENTERPRISE, PROMPT_S)),
        (USERNAME, (_Ask.ENTERPRISE, PROMPT_S)),
        (OUTER_IDENTITY, (_Ask.ENTERPRISE, PROMPT_S)),
    )
}
"""Prompt -> what it asks for, and how many seconds the unit may be silent after the answer."""

_ENDINGS: dict[bytes, WifiOutcome] = {
    SAVED_MARK.encode(): WifiOutcome.SAVED,
    NOT_SAVED.encode(): WifiOutcome.NOT_SAVED,
    NOT_PREPARED.encode(): WifiOutcome.NOT_SAVED,
}

_MIXED = {WifiSecurity.WPA_WPA2_PSK: WifiSecurity.WPA2_PSK, WifiSecurity.WPA2_WPA3_PSK: WifiSecurity.WPA2_PSK}
"""Modes the console has no digit for, and the one sent instead."""
_AES = b"1"


class WifiDialogue(ConsoleDialogue[WifiOutcome]):
    """The dialogue of ``w``, which stores a network. Each answer is sent after its prompt, and its echo is awaited.

    The unit discards what is typed ahead, and an extra newline would answer the next prompt.
    """

    def __init__(self, ssid: str, password: Secret | None, security: WifiSecurity) -> None:
        super().__init__()
        secret = password.reveal().encode() if password else b""
        if security is WifiSecurity.NONE and secret:
            security = WifiSecurity.WPA2_PSK  # only asked when the unit's own scan did not find the network
        self._answers = {
            _Ask.SSID: _typed("network name", ssid.encode(), 1, MAX_SSID),
            _Ask.SECURITY: b"%d" % SECURITY_DIGITS[_MIXED.get(security, security)],
            _Ask.CIPHER: _AES,
            _Ask.PASSWORD: _typed("Wi-Fi password", secret, 0, MAX_PASSWORD),
        }
        self._asked: set[_Ask] = set()
        self._echo = b""

    def begin(self) -> Write:
        return Write(Key.WIFI.encode(), FIRST_PROMPT_S)

    def _advance(self) -> list[Event[WifiOutcome]]:
        if not self._take_echo():
            return []
        for ending, outcome in _ENDINGS.items():
            if ending in self._text:
                self._text.clear()
                return [Done(outcome)]
        for prompt, (ask, timeout_s) in _PROMPTS.items():
            if self._text.endswith(prompt):
                return [self._answer(ask, timeout_s)]
        return []

    def _take_echo(self) -> bool:
        """Drop the echo of the last answer from the text; False while it is not complete."""
        arrived, expected = bytes(self._text[: len(self._echo)]), self._echo
        if not expected.startswith(arrived):
            raise RemoteProtocolError(
                "the console echoed something other than was typed; is another program (ModemManager) on this port?"
            )
        if len(arrived) < len(expected):
            return False
        del self._text[: len(expected)]
        self._echo = b""
        return True

    def _answer(self, ask: _Ask, timeout_s: float) -> Write:
        if ask not in self._answers:
            raise RemoteProtocolError("the unit sees an enterprise network of that name; choose another network")
        if ask in self._asked:
            raise RemoteProtocolError(f"the unit asked for the {ask.name.lower()} again; it did not accept the answer")
        self._asked.add(ask)
        self._text.clear()
        self._echo = self._answers[ask] + b"\r\n"
        return Write(self._answers[ask] + b"\n", timeout_s, is_secret=ask is _Ask.PASSWORD)


def store_wifi(ssid: str, password: Secret | None, security: WifiSecurity) -> WifiDialogue:
    """Send ``w`` to store a network: ``ssid`` 1 to 32 bytes, ``password`` at most 64, without control characters.

    Raises `LocalProtocolError` outside those limits.
    """
    return WifiDialogue(ssid, password, security)


def _typed(what: str, raw: bytes, least: int, most: int) -> bytes:
    if not least <= len(raw) <= most or any(byte < 0x20 or byte == 0x7F for byte in raw):
        raise LocalProtocolError(
            f"a {what} of {len(raw)} bytes cannot be typed, expected {least} to {most} without control characters"
        )
    return raw
