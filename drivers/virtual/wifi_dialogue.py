"""The Wi-Fi dialogue of the listening-mode console, device side (reference usb-and-serial 5.5 and 9.9).

What it asks depends on the platform and on the Device OS: old ones do not scan, only Gen 2 knows enterprise networks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from ..identity import Secret
from ..platforms import OsVersion
from ..wire.console import tables
from ..wire.messages.tables import WifiSecurity
from .flash import FlashFailed, Who
from .system import RunningSystem
from .world import AccessPoint, StoredNetwork

Program = Generator[float | None, int | None, None]
"""Yields to wait for a byte (``None``) or for time (seconds)."""
Line = Generator[float | None, int | None, str]
Digit = Generator[float | None, int | None, int]

_BY_DIGIT = {digit: security for security, digit in tables.SECURITY_DIGITS.items()}
_ENTERPRISE_DIGITS = {4: WifiSecurity.WPA_PSK, 5: WifiSecurity.WPA2_PSK}
_WPA = frozenset({WifiSecurity.WPA_PSK, WifiSecurity.WPA2_PSK, WifiSecurity.WPA_WPA2_PSK})
_SHORTEST_KEY = 8
_CIPHERS = frozenset({1, 2, 3})
_TLS = 1
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
    if (
        network.user
        or network.security not in _WPA
        or not system.board.spec.platform.reports("w.checks_key", system.os)
    ):
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
        security, is_enterprise = (
            (yield from self._ask_security()) if point is None else (point.security, bool(point.user))
        )
        if not self._scans and security in _WPA:  # a dry run of storing finds the cipher, or does not
            point = yield from self._scan()
        if self._is_cipher_open(point, security):
            yield from self._terminal.digit(tables.CIPHER, _CIPHERS)
        if is_enterprise:
            return (yield from self._enterprise(security))
        password = ""
        if security is not WifiSecurity.NONE:
            password = yield from self._terminal.line(tables.PASSWORD, tables.MAX_PASSWORD)
        return StoredNetwork(self._ssid, Secret(password) if password else None, security)

    def _scan(self) -> Generator[float | None, int | None, AccessPoint | None]:
        """Look around, which takes its time and prints nothing."""
        yield self._system.board.timings.wifi_scan_s
        return next((one for one in self._system.radio.heard() if one.ssid == self._ssid), None)

    def _is_cipher_open(self, point: AccessPoint | None, security: WifiSecurity) -> bool:
        """Networks without WPA have no cipher, which newer versions take for one that is not known."""
        has_none = security in (WifiSecurity.NONE, WifiSecurity.WEP)
        return point is None and not has_none if not self._scans else point is None or has_none

    def _ask_security(self) -> Generator[float | None, int | None, tuple[WifiSecurity, bool]]:
        newest = frozenset() if self._knows_wpa3 else {tables.SECURITY_DIGITS[WifiSecurity.WPA3_PSK]}
        enterprise = _ENTERPRISE_DIGITS if self._knows_enterprise else {}
        prompt = tables.ENTERPRISE_SECURITY if enterprise else tables.WIFI_SECURITY
        digit = yield from self._terminal.digit(prompt, (frozenset(_BY_DIGIT) - newest) | frozenset(enterprise))
        return enterprise[digit] if digit in enterprise else _BY_DIGIT[digit], digit in enterprise

    def _enterprise(self, security: WifiSecurity) -> Generator[float | None, int | None, StoredNetwork]:
        """Ask for credentials of one of two kinds, and what surrounds them."""
        password: str | None = None
        if (yield from self._terminal.digit(tables.EAP_TYPE, frozenset({0, _TLS}))) == _TLS:
            user = yield from self._text(tables.CLIENT_CERTIFICATE)
            yield from self._text(tables.PRIVATE_KEY)
        else:
            user = yield from self._terminal.line(tables.USERNAME, tables.MAX_PASSWORD)
            password = yield from self._terminal.line(tables.PASSWORD, tables.MAX_PASSWORD)
        yield from self._terminal.line(tables.OUTER_IDENTITY, tables.MAX_PASSWORD)
        yield from self._text(tables.ROOT_CA)
        return StoredNetwork(self._ssid, Secret(password) if password else None, security, user or "(empty)")

    def _text(self, title: str) -> Line:
        """Read lines up to a blank one, as PEM blocks are typed."""
        self._terminal.say(title)
        lines: list[str] = []
        while line := (yield from self._terminal.line("", tables.MAX_TEXT_LINE)):
            lines.append(line)
        return "\n".join(lines)
