"""The radio of a unit, its link to the world around it, and its stored networks.

A unit comes online automatically some seconds after boot if one of its stored networks accepts it, or
its SIM is active, and it is not in listening mode. Reference usb-and-serial 4.5, 4.8, 5.1.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..identity import Iccid, Secret
from ..platforms import OsVersion
from ..wire.messages.tables import EapType, WifiSecurity
from .board import Board
from .boot import BootMode, BootReport
from .families import family_of
from .flash import Who
from .network_store import read_entries, write_entry
from .programs import functions
from .session import Session
from .sims import iccid_in_use
from .world import AccessPoint, Login, ModuleVersion, StoredNetwork, UnitFacts

_WEAKEST_HEARD = -95  # dBm
_LAST_2_4_GHZ_CHANNEL = 14
_NONE = (0, 0xFFFF)
_SUFFIX_TAIL = struct.Struct("<HHH32sH")  # product id and version, reserved, SHA-256, suffix size; then the CRC


# --- the store ------------------------------------------------------------------------------


class WifiStore:
    """Stored networks, kept in the unit's memory: they survive power cuts and new firmware."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def networks(self) -> list[StoredNetwork]:
        return [_network(row) for row in read_entries(self._board.memory).get("networks", [])]

    def add(self, network: StoredNetwork, who: Who) -> float:
        """Store ``network`` as the family does, replacing one with the same SSID; return seconds."""
        keep = family_of(self._board.spec.platform_id).keep_network
        return self._save(keep(self.networks(), network), who)

    def remove(self, ssid: str, who: Who) -> float:
        return self._save([one for one in self.networks() if one.ssid != ssid], who)

    def clear(self, who: Who) -> float:
        return self._save([], who)

    def _save(self, networks: list[StoredNetwork], who: Who) -> float:
        return write_entry(self._board.memory, "networks", [_row(one) for one in networks], who)


def _row(network: StoredNetwork) -> list[object]:
    """Return a network as the store keeps it; what few networks have stands behind what all have."""
    row: list[object] = [network.ssid, _text(network.password), int(network.security)]
    login = network.login
    if login is None:
        return [*row, True] if network.is_hidden else row
    return [
        *row, network.is_hidden, int(login.eap), login.username, _text(login.password), login.certificate,
        _text(login.private_key), login.outer_identity, login.root_ca,
    ]  # fmt: skip


def _network(row: Sequence[Any]) -> StoredNetwork:
    ssid, password, security, *more = row
    login = None
    if more[1:]:
        eap, username, own_password, certificate, key, outer, root_ca = more[1:]
        login = Login(EapType(eap), username, _secret(own_password), certificate, _secret(key), outer, root_ca)
    return StoredNetwork(ssid, _secret(password), WifiSecurity(security), bool(more and more[0]), login)


def _text(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""


def _secret(text: str) -> Secret | None:
    return Secret(text) if text else None


# --- the radio of one boot --------------------------------------------------------------------


class Link(enum.IntEnum):
    """Values of GET_CONNECTION_STATUS (reference 4.5)."""

    DISCONNECTED = 0  # no session, and none being established
    CONNECTING = 1  # searching for a network, or in the handshake
    CONNECTED = 2  # session with the cloud established


class Radio:
    """Connection manager since the last boot. Lives in RAM; all methods are called with the unit's condition held.

    ``open_session`` makes the unit's end of a session over a network of so many bytes per second.
    """

    def __init__(
        self, board: Board, report: BootReport, device_os: str, wants_setup: Callable[[], None],
        open_session: Callable[[float], Session],
    ) -> None:  # fmt: skip
        self._board, self._report, self._device_os = board, report, device_os
        self._wants_setup, self._open_session = wants_setup, open_session
        self._session: Session | None = None
        self._family = family_of(board.spec.platform_id)
        self.store = WifiStore(board)
        self.link = Link.DISCONNECTED
        self.current: AccessPoint | None = None
        self._wants_cloud = True
        self._is_listening = False
        self._plan = 0  # number of the current attempt; timers of earlier ones are ignored
        self._modem_on_at: float | None = None

    # --- modem ---

    @property
    def modem_delay_s(self) -> float:
        """Return the seconds until the modem can answer. Reading this powers it up."""
        now = self._board.clock.now()
        if self._modem_on_at is None:
            self._modem_on_at = now + self._board.timings.modem_on_s
        return max(0.0, self._modem_on_at - now)

    @property
    def modem_has_answered(self) -> bool:
        """Return whether the modem has run since boot, so that the system has its IMEI and ICCID."""
        return self._modem_on_at is not None and self._board.clock.now() >= self._modem_on_at

    # --- requests of the system ---

    def connect(self) -> None:
        """Set the intent to be online, and start connecting unless in listening mode."""
        self._wants_cloud = True
        self._try(self._online_s)

    def disconnect(self) -> None:
        """Clear the intent to be online, and disconnect."""
        self._wants_cloud = False
        self._drop()

    def listening(self, is_on: bool) -> None:
        """Enter or leave listening mode, which keeps the network down; leaving it reconnects."""
        self._is_listening = is_on
        if is_on:
            self._drop()
        elif self._wants_cloud:
            self._try(self._online_s)

    def join(self, network: StoredNetwork) -> int:
        """Run the trial connection of request 500 and store the network on success; return the result code.

        The time it takes is for the caller to add.
        """
        point = self.admits(network)
        if point is None or (point.is_hidden and not network.is_hidden and self._looks_before_joining):
            is_heard = point is None and any(one.ssid == network.ssid for one in self.heard())
            return self._family.join_refused if is_heard else self._family.join_unheard
        self.store.add(replace(network, security=point.security), Who.CONTROL)
        self._drop()
        if self._wants_cloud and not self._is_listening:
            self._try(self._board.timings.wifi_reconnect_s + self._online_s)
        return 0

    def heard(self) -> list[AccessPoint]:
        """List the access points this unit's radio can hear, hidden ones too, each as strong as it is heard."""
        loss = self._board.wifi_loss_db
        points = [replace(one, rssi=one.rssi - loss) for one in self._board.world.access_points.values()]
        return [
            one for one in points
            if one.rssi >= _WEAKEST_HEARD and (self._family.hears_5_ghz or one.channel <= _LAST_2_4_GHZ_CHANNEL)
        ]  # fmt: skip

    def admits(self, network: StoredNetwork) -> AccessPoint | None:
        """Return the access point that ``network`` really gets this unit into."""
        platform, version = self._board.spec.platform, OsVersion.parse(self._device_os)
        if self._board.world.admits(network) is None or (
            network.login and not platform.reports("w.enterprise", version)
        ):
            return None
        point = next((one for one in self.heard() if one.ssid == network.ssid), None)
        knows_wpa3 = platform.reports("w.wpa3", version)
        return point if point is None or knows_wpa3 or point.security is not WifiSecurity.WPA3_PSK else None

    @property
    def joined(self) -> AccessPoint | None:
        """Return the access point this unit is joined to; one that has gone or forgot it is left, and looked for."""
        if self.current is not None:
            ssid = self.current.ssid
            self.current = next((self.admits(one) for one in self.store.networks() if one.ssid == ssid), None)
            if self.current is None:
                self._drop()
                self._try(self._board.timings.retry_online_s)
        return self.current

    @property
    def _looks_before_joining(self) -> bool:
        since = self._family.looks_before_joining_since
        return since is not None and OsVersion.parse(self._device_os) >= since

    def stop(self) -> None:
        """End the session: the unit restarts or loses power."""
        self._drop()

    # --- inside ---

    @property
    def _online_s(self) -> float:
        timings = self._board.timings
        uses_wifi = self._board.spec.platform.has_wifi and bool(self.store.networks())
        has_modem = self._board.spec.platform.has_cellular
        return timings.wifi_online_s if uses_wifi or not has_modem else timings.cellular_online_s

    def _drop(self) -> None:
        self._plan += 1
        was_online, self.link, self.current = self.link is Link.CONNECTED, Link.DISCONNECTED, None
        cloud = self._board.world.cloud
        if self._session is not None:
            self._session.close()
            self._session = None
        if was_online and cloud is not None:
            device_id = str(self._board.spec.device_id)
            self._board.run_unlocked(lambda: cloud.offline(device_id))

    def _try(self, delay_s: float) -> None:
        if self._is_listening or self.link is Link.CONNECTED:
            return
        has_modem = self._board.spec.platform.has_cellular
        has_no_sim = has_modem and self._iccid is None and self._family.listens_without_sim
        has_no_network = self._board.spec.platform.has_wifi and not has_modem and not self.store.networks()
        if has_no_network or has_no_sim:
            self._wants_setup()
            return
        if has_modem:
            self.modem_delay_s  # noqa: B018 - connecting powers up the modem
        self.link = Link.CONNECTING
        self._plan += 1
        plan = self._plan
        self._board.after(delay_s, lambda: self._attempt(plan))

    def _attempt(self, plan: int) -> None:
        if plan != self._plan:
            return
        if self._has_network():
            self._session_begins()
        else:
            self._try(self._board.timings.retry_online_s)

    def _has_network(self) -> bool:
        """Wi-Fi where it gets in somewhere, else the modem of a unit that has one."""
        spec, world = self._board.spec, self._board.world
        if spec.platform.has_wifi:
            self.current = next((point for n in self.store.networks() if (point := self.admits(n))), None)
        if self.current is not None:
            return True
        return self._iccid is not None and str(spec.imei) not in world.barred and world.sim_is_active(str(self._iccid))

    @property
    def _iccid(self) -> Iccid | None:
        return iccid_in_use(self._board.spec, self._board.memory)

    def _session_begins(self) -> None:
        self.link = Link.CONNECTED
        cloud = self._board.world.cloud
        if cloud is not None:
            timings = self._board.timings
            speed = timings.wifi_bytes_per_s if self.current is not None else timings.cellular_bytes_per_s
            facts, session = self.facts(), self._open_session(speed)
            self._session = session
            self._board.run_unlocked(lambda: cloud.online(facts, session))

    def facts(self) -> UnitFacts:
        """Return what this unit reports to the cloud, read from its memory."""
        spec, memory, report = self._board.spec, self._board.memory, self._report
        product_id, product_version, app_hash = _product(self._board)
        is_safe = report.mode is BootMode.SAFE
        code = memory.dct.get("claim_code")
        return UnitFacts(
            device_id=str(spec.device_id),
            platform_id=spec.platform_id,
            device_os=self._device_os,
            is_safe_mode=is_safe,
            product_id=product_id,
            product_version=product_version,
            serial_number=str(spec.serial or ""),
            iccid=None if self._iccid is None else str(self._iccid),
            imei=None if spec.imei is None else str(spec.imei),
            mac=None if spec.mac is None else str(spec.mac),
            claim_code=code.decode("ascii") if code.isascii() and code[0] not in (0x00, 0xFF) else None,
            app_hash=app_hash,
            functions=() if is_safe else functions(memory),
            modules=tuple(ModuleVersion((one.function, one.index), one.version) for one in report.modules),
            missing=tuple(
                ModuleVersion((one.wanted.function, one.wanted.index), one.wanted.version) for one in report.missing
            ),
        )


def _product(board: Board) -> tuple[int | None, int | None, str]:
    """Read the application's product id and version, and its hash.

    As an id its own platform id, 0 and 65535 mean none. Firmware that names no product still has a version: from
    Device OS 4 on none names one (D6).
    """
    found = family_of(board.memory.platform_id).find_application(board.memory)
    if found is None:
        return None, None, ""
    end = found.address + found.header.length
    product_id, product_version, _, digest, suffix_size = _SUFFIX_TAIL.unpack(
        board.memory.internal.read(end - 4 - _SUFFIX_TAIL.size, _SUFFIX_TAIL.size)
    )
    if suffix_size < _SUFFIX_TAIL.size or product_id == board.spec.platform_id:
        return None, None, digest.hex()
    known = [None if number in _NONE else number for number in (product_id, product_version)]
    return known[0], known[1], digest.hex()
