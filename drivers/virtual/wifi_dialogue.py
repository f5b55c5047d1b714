"""The Wi-Fi dialogue of the listening-mode console, device side (reference usb-and-serial 5.5 and 9.9).

What it asks depends on the platform and on the Device OS: old ones do not scan, only Gen 2 knows enterprise networks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from ..identity import Secret
from ..platforms import OsVersion
from ..wire.console import tables
from ..wire.messages.tables import ENTERPRISE, EapType, WifiSecurity
from .flash import FlashFailed, Who
from .pem import readable
from .system import RunningSystem
from .world import AccessPoint, Login, StoredNetwork

Program = Generator[float | None, int | None, None]
"""Yields to wait for a byte (``None``) or for time (seconds)."""
Line = Generator[float | None, int | None, str]
Digit = Generator[float | None, int | None, int]

_BY_DIGIT = {digit: security for security, digit in tables.SECURITY_DIGITS.items()}
_WPA = frozenset({WifiSecurity.WPA_PSK, WifiSecurity.WPA2_PSK, WifiSecurity.WPA_WPA2_PSK})
_SHORTEST_KEY = 8
_CIPHERS = frozenset({1, 2, 3})
_EAP_TYPES = (EapType.PEAP, EapType.TLS)  # by the digit that is typed
_SAYS_BLANK = OsVersion.parse("1.5.0-0")  # before, the line that ends in "device" has no blank behind it


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the console lends to a dialogue."""

    say: Callable[[str], None]
    line: Callable[[str, int], Line]  # (prompt, most characters)
    digit: Callable[[str, frozenset[int]], Digit]  # (prompt, those that count)


def store_network(terminal: Terminal, system: RunningSystem) -> Generator[float | None, int | None, bool]:
    """Ask for a network and store it without connecting to it; its value: the unit leaves listening mode."""
    ssid = ""
    while not ssid:
        ssid = yield from terminal.line(tables.SSID, tables.MAX_SSID)
    network = yield from _Dialogue(terminal, system, ssid).network()
    terminal.say(tables.SAVING)
    try:
        if _is_refused(system, network):
            raise FlashFailed("the key has a length that WPA does not know")
        yield system.radio.store.add(network, Who.CONSOLE)
    except FlashFailed:
        terminal.say(tables.NOT_SAVED + "\r\n\r\n")
        return False
    terminal.say(tables.SAVED if system.os >= _SAYS_BLANK else tables.SAVED.replace("device \r\n", "device\r\n"))
    return True


def _is_refused(system: RunningSystem, network: StoredNetwork) -> bool:
    """Return whether the driver of the radio does not take such a key."""
    if network.security not in _WPA or not system.board.spec.platform.reports("w.checks_key", system.os):
        return False
    key = network.password.reveal() if network.password else ""
    return not _SHORTEST_KEY <= len(key) <= tables.MAX_PASSWORD


class _Dialogue:
    """The questions behind the name of the network."""

    def __init__(self, terminal: Terminal, system: RunningSystem, ssid: str) -> None:
        self._terminal, self._system, self._ssid = terminal, system, ssid
        platform = system.board.spec.platform
        self._scans = platform.reports("w.scan", system.os)
        self._knows_enterprise = platform.reports("w.enterprise", system.os)
        self._knows_wpa3 = platform.reports("w.wpa3", system.os)

    def network(self) -> Generator[float | None, int | None, StoredNetwork]:
        point: AccessPoint | None = None
        if self._scans:
            point = yield from self._scan()
        security = point.security if point is not None else (yield from self._ask_security())
        if not self._scans and security in _WPA:  # a dry run of storing finds the cipher, or does not
            point = yield from self._scan()
        if self._is_cipher_open(point, security):
            yield from self._terminal.digit(tables.CIPHER, _CIPHERS)
        if security in ENTERPRISE:
            return (yield from self._enterprise(security))
        password = ""
        if security is not WifiSecurity.NONE:
            password = yield from self._terminal.line(tables.PASSWORD, tables.MAX_PASSWORD)
        return StoredNetwork(self._ssid, Secret(password) if password else None, security)

    def _scan(self) -> Generator[float | None, int | None, AccessPoint | None]:
        """Look around, which takes its time and prints nothing."""
        yield self._system.board.timings.wifi_scan_s
        found = [one for one in self._system.radio.heard() if one.ssid == self._ssid and not one.is_hidden]
        return next((one for one in found if self._knows_enterprise or one.security not in ENTERPRISE), None)

    def _is_cipher_open(self, point: AccessPoint | None, security: WifiSecurity) -> bool:
        """Networks without WPA have no cipher, which newer versions take for one that is not known."""
        has_none = security in (WifiSecurity.NONE, WifiSecurity.WEP)
        return point is None and not has_none if not self._scans else point is None or has_none

    def _ask_security(self) -> Generator[float | None, int | None, WifiSecurity]:
        unknown = set() if self._knows_wpa3 else {WifiSecurity.WPA3_PSK}
        unknown |= set() if self._knows_enterprise else ENTERPRISE
        prompt = tables.ENTERPRISE_SECURITY if self._knows_enterprise else tables.WIFI_SECURITY
        allowed = frozenset(digit for digit, one in _BY_DIGIT.items() if one not in unknown)
        return _BY_DIGIT[(yield from self._terminal.digit(prompt, allowed))]

    def _enterprise(self, security: WifiSecurity) -> Generator[float | None, int | None, StoredNetwork]:
        """Ask for credentials of one of two kinds, and what surrounds them."""
        username = password = certificate = key = ""
        eap = _EAP_TYPES[(yield from self._terminal.digit(tables.EAP_TYPE, frozenset({0, 1})))]
        if eap is EapType.TLS:
            certificate = readable((yield from self._text(tables.CLIENT_CERTIFICATE, tables.MAX_CERTIFICATE)))
            key = readable((yield from self._text(tables.PRIVATE_KEY, tables.MAX_PRIVATE_KEY)))
        else:
            username = yield from self._terminal.line(tables.USERNAME, tables.MAX_PASSWORD)
            password = yield from self._terminal.line(tables.PASSWORD, tables.MAX_PASSWORD)
        outer = yield from self._terminal.line(tables.OUTER_IDENTITY, tables.MAX_PASSWORD)
        root_ca = readable((yield from self._text(tables.ROOT_CA, tables.MAX_CERTIFICATE)))
        own_password, own_key = (Secret(text) if text else None for text in (password, key))
        login = Login(eap, username, own_password, certificate, own_key, outer, root_ca)
        return StoredNetwork(self._ssid, None, security, login=login)

    def _text(self, title: str, limit: int) -> Line:
        """Read lines up to a blank one, as PEM blocks are typed, or until so many bytes have come."""
        self._terminal.say(title)
        text = ""
        while len(text) < limit and (line := (yield from self._terminal.line("", tables.MAX_TEXT_LINE))):
            text += line + "\n"
        return text[:limit]
