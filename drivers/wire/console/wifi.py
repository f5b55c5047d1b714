"""The Wi-Fi dialogue of the listening-mode console, host side, without I/O: reference usb-and-serial 5.5."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

from ...errors import LocalProtocolError, RemoteProtocolError
from ...identity import Secret
from ..messages.network import Enterprise
from ..messages.tables import ENTERPRISE, EapType, OldCipher, WifiSecurity
from .host import ConsoleDialogue, Done, Event, Write
from .tables import (
    CIPHER,
    CLIENT_CERTIFICATE,
    EAP_TYPE,
    ENTERPRISE_SECURITY,
    MAX_CERTIFICATE,
    MAX_PASSWORD,
    MAX_PRIVATE_KEY,
    MAX_SSID,
    MAX_TEXT_LINE,
    NOT_PREPARED,
    NOT_SAVED,
    OUTER_IDENTITY,
    PASSWORD,
    PRIVATE_KEY,
    ROOT_CA,
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
    PASSWORD = enum.auto()  # of the network or of the user
    EAP_TYPE = enum.auto()  # one digit; this and the rest for enterprise networks
    USERNAME = enum.auto()
    CERTIFICATE = enum.auto()  # of the unit: lines of PEM, as the next and the last
    PRIVATE_KEY = enum.auto()
    OUTER_IDENTITY = enum.auto()  # may be empty
    ROOT_CA = enum.auto()  # may be empty


_PROMPTS: Mapping[bytes, tuple[_Ask, float]] = MappingProxyType(
    {
        prompt.encode(): row
        for prompt, row in (
            (SSID, (_Ask.SSID, SCAN_S)),
            (WIFI_SECURITY, (_Ask.SECURITY, PROMPT_S)),
            (ENTERPRISE_SECURITY, (_Ask.SECURITY, PROMPT_S)),
            (CIPHER, (_Ask.CIPHER, PROMPT_S)),
            (PASSWORD, (_Ask.PASSWORD, SAVE_S)),
            (EAP_TYPE, (_Ask.EAP_TYPE, PROMPT_S)),
            (USERNAME, (_Ask.USERNAME, PROMPT_S)),
            (CLIENT_CERTIFICATE, (_Ask.CERTIFICATE, PROMPT_S)),
            (PRIVATE_KEY, (_Ask.PRIVATE_KEY, PROMPT_S)),
            (OUTER_IDENTITY, (_Ask.OUTER_IDENTITY, PROMPT_S)),
            (ROOT_CA, (_Ask.ROOT_CA, SAVE_S)),
        )
    }
)
"""Prompt -> what it asks for, and how many seconds the unit may be silent after the answer."""

_ENDINGS: Mapping[bytes, WifiOutcome] = MappingProxyType(
    {
        SAVED_MARK.encode(): WifiOutcome.SAVED,
        NOT_SAVED.encode(): WifiOutcome.NOT_SAVED,
        NOT_PREPARED.encode(): WifiOutcome.NOT_SAVED,
    }
)

_MIXED = {WifiSecurity.WPA_WPA2_PSK: WifiSecurity.WPA2_PSK, WifiSecurity.WPA2_WPA3_PSK: WifiSecurity.WPA2_PSK}
"""Modes the console has no digit for, and the one sent instead."""
_MAY_USE_TKIP = frozenset({WifiSecurity.WPA_PSK, WifiSecurity.WPA_WPA2_PSK, WifiSecurity.WPA_ENTERPRISE})
_EAP_DIGITS = {EapType.PEAP: 0, EapType.TLS: 1}
_SECRETS = frozenset({_Ask.PASSWORD, _Ask.PRIVATE_KEY})
_AGAIN = b"\x08\n"  # take back what was typed to find out where the unit is, and have it ask again


class WifiDialogue(ConsoleDialogue[WifiOutcome]):
    """The dialogue of ``w``, which stores a network. Each answer is sent after its prompt, and its echo is awaited.

    The unit discards what is typed ahead, and an extra newline would answer the next prompt. One that
    ``takes_over`` is led to the end of an earlier, disturbed dialogue, whose result counts for nothing.
    """

    def __init__(self, answers: Mapping[_Ask, tuple[bytes, ...]], *, takes_over: bool = False) -> None:
        super().__init__()
        self._answers, self._takes_over = answers, takes_over
        self._asked: set[_Ask] = set()
        self._echo = b""
        self._lines: list[bytes] = []  # still to be typed, of an answer of several lines
        self._is_secret = False

    def begin(self) -> Write:
        return Write(_AGAIN, SCAN_S) if self._takes_over else Write(Key.WIFI.encode(), FIRST_PROMPT_S)

    def _advance(self) -> list[Event[WifiOutcome]]:
        if not self._take_echo():
            return []
        if self._lines:
            return [self._type_line(PROMPT_S)]
        for ending, outcome in _ENDINGS.items():
            if ending in self._text:
                self._text.clear()
                return [self._end(outcome)]
        for prompt, (ask, timeout_s) in _PROMPTS.items():
            if self._text.endswith(prompt):
                return [self._answer(ask, timeout_s)]
        return []

    def _end(self, outcome: WifiOutcome) -> Done[WifiOutcome]:
        if self._takes_over:
            raise RemoteProtocolError("an earlier, disturbed Wi-Fi dialogue has ended; start it anew")
        if _Ask.SSID not in self._asked:
            raise RemoteProtocolError("the Wi-Fi dialogue ended before it asked for the network; start it anew")
        return Done(outcome)

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
        is_strange = ask not in self._answers
        is_of_no_user = ask is _Ask.PASSWORD and _Ask.EAP_TYPE in self._answers and _Ask.EAP_TYPE not in self._asked
        if is_strange or (is_of_no_user and not self._takes_over):
            kind = "an enterprise" if is_strange else "no enterprise"
            raise RemoteProtocolError(
                f"the unit asked for the {ask.name.lower()}: it sees {kind} network of that name; correct the security"
            )
        if ask in self._asked:
            raise RemoteProtocolError(f"the unit asked for the {ask.name.lower()} again; it did not accept the answer")
        self._asked.add(ask)
        self._text.clear()
        self._lines, self._is_secret = list(self._answers[ask]), ask in _SECRETS
        return self._type_line(timeout_s)

    def _type_line(self, timeout_s: float) -> Write:
        line = self._lines.pop(0)
        self._echo = line + b"\r\n"
        return Write(line + b"\n", timeout_s, is_secret=self._is_secret)


def store_wifi(
    ssid: str,
    password: Secret | None,
    security: WifiSecurity,
    enterprise: Enterprise | None = None,
    *,
    takes_over: bool = False,
) -> WifiDialogue:
    """Send ``w`` to store a network: ``ssid`` 1 to 32 bytes, ``password`` at most 64, without control characters.

    ``enterprise`` for the enterprise kinds of ``security``, on a Photon or P1 from Device OS 0.7.0 on: names and
    password at most 64 bytes, certificates 4095, the key 2047, in lines below 255. ``takes_over``: lead an earlier
    dialogue that was disturbed to its end; it raises `RemoteProtocolError` there. Raises `LocalProtocolError` outside
    those limits.
    """
    if (security in ENTERPRISE) != (enterprise is not None):
        raise LocalProtocolError(f"{security.name} and {'a' if enterprise else 'no'} user do not go together")
    if security is WifiSecurity.NONE and password:
        security = WifiSecurity.WPA2_PSK  # only asked when the unit's own scan did not find the network
    cipher = OldCipher.AES_TKIP if security in _MAY_USE_TKIP else OldCipher.AES
    answers = {
        _Ask.SSID: _typed("network name", ssid, 1, MAX_SSID),
        _Ask.SECURITY: (b"%d" % SECURITY_DIGITS[_MIXED.get(security, security)],),
        _Ask.CIPHER: (b"%d" % cipher,),
        _Ask.PASSWORD: _typed("Wi-Fi password", _text(password), 0, MAX_PASSWORD),
    }
    return WifiDialogue(answers | (_login(enterprise) if enterprise else {}), takes_over=takes_over)


def _login(login: Enterprise) -> dict[_Ask, tuple[bytes, ...]]:
    answers = {
        _Ask.EAP_TYPE: (b"%d" % _EAP_DIGITS[login.type],),
        _Ask.OUTER_IDENTITY: _typed("outer identity", login.outer_identity, 0, MAX_PASSWORD),
        _Ask.ROOT_CA: _pem("root CA", login.root_ca, MAX_CERTIFICATE),
    }
    if login.type is EapType.TLS:
        return answers | {
            _Ask.CERTIFICATE: _pem("client certificate", login.certificate, MAX_CERTIFICATE),
            _Ask.PRIVATE_KEY: _pem("private key", _text(login.private_key), MAX_PRIVATE_KEY),
        }
    return answers | {
        _Ask.USERNAME: _typed("user name", login.username, 0, MAX_PASSWORD),
        _Ask.PASSWORD: _typed("password of a user", _text(login.password), 0, MAX_PASSWORD),
    }


def _text(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""


def _typed(what: str, text: str, least: int, most: int) -> tuple[bytes]:
    raw = text.encode()
    if not least <= len(raw) <= most or any(byte < 0x20 or byte == 0x7F for byte in raw):
        raise LocalProtocolError(
            f"a {what} of {len(raw)} bytes cannot be typed, expected {least} to {most} without control characters"
        )
    return (raw,)


def _pem(what: str, text: str, most: int) -> tuple[bytes, ...]:
    """Return the lines of a PEM text and the blank one that ends it."""
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    if sum(len(line) + 1 for line in lines) > most:
        raise LocalProtocolError(f"a {what} of {len(text)} bytes cannot be typed, expected at most {most}")
    return (*(raw for line in lines for raw in _typed(f"line of a {what}", line, 1, MAX_TEXT_LINE)), b"")
