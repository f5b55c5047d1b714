"""``wifi``: the unit knows the networks of the profile and has joined them. Rules H5, pitfalls 20 and 25 of
usb-and-serial 8.

A password cannot be read back. The proof is the join: request 500 stores only after it connected, and what is stored
untried (requests 507 and 113, the console) has to connect afterwards. Later walks compare a keyed digest of what was
joined with.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from drivers.clock import Deadline
from drivers.devices.wifi import Link, UnitWifi, WifiNetwork
from drivers.errors import LocalProtocolError, NeedsHands, NotNow, RequestRejected, RequestUnknown
from drivers.identity import Secret
from drivers.plain_text import printable

from ..engine.records import CredentialWritten
from ..engine.step import StepContext, StepResult, already, done, skipped
from ..errors import StepFault, UnitRejected
from ..settings.profile import Kind
from ..words.say import Say
from .shared.foreseen import check_forgetting
from .shared.wifi_networks import WifiGoal, WifiSession
from .shared.wifi_section import Wifi
from .spec import UnitStep

TRIES = 3
PAUSE_S = 1.0
SETTLE_S = 2.0
"""After a join the unit connects by itself before it answers at leisure (reference usb-and-serial 4.8)."""
CONNECT_S, CONNECT_POLL_S = 60.0, 0.25
"""How long a unit may take to connect to what it has stored, and how often it is asked over USB, which costs nobody."""
FINAL_CODES = frozenset({-270, -210})
"""Bad key, or not authenticated: said twice, no third try says otherwise (reference usb-and-serial 4.8)."""
ROUNDS = 2
"""Rounds (`BenchWifi`) that make a unit bad: in one of them its access point may have been down in between."""
POLL_S = 10.0
"""How often a slot that waits for a network looks for it."""
SIGNAL_TRIES, SIGNAL_PAUSE_S, LINK_S = 3, 2.0, 20.0
"""Readings of a signal that is too weak, and how long a unit that joined before may take to connect after a restart."""


class _NotJoined(Exception):
    """A whole try has failed; whose fault it is, is not known."""


def wifi(session: WifiSession, ctx: StepContext) -> StepResult:
    """Known and joined before -> already; else join each, read the stored networks back, remember the digest."""
    goals, unit = session.wifi, session.unit
    if not goals:
        return skipped("the profile has no Wi-Fi")
    if not unit.known.platform.has_wifi:
        return skipped(f"H5: a {unit.known.platform.name} has no Wi-Fi")
    device_id, work = str(unit.known.device_id), _Work(session, ctx)
    digest = unit.memory.digest(device_id, *_digested(goals))
    if unit.memory.wifi_digest(device_id) == digest and work.are_known():
        work.measure()
        return already(f"knows {_named(goals)}; keyed digest of the last join is the same")
    if unit.known.os_version is not None:
        check_forgetting(unit.known.platform, unit.known.os_version, goals)
    proofs = [work.bring(goal) for goal in goals]
    if not work.are_stored():
        raise UnitRejected(f"the unit joined {_named(goals)} but did not store it", say=Say("wifi_join_failed"))
    ctx.record(CredentialWritten(ssid=_named(goals), digest=digest, **ctx.head()))
    work.leave_listening()
    work.measure()
    return done("; ".join(proofs))


def _named(goals: tuple[WifiGoal, ...]) -> str:
    return ", ".join(goal.network.ssid for goal in goals)


def _digested(goals: tuple[WifiGoal, ...]) -> tuple[str, Secret | None]:
    """Return what is digested: name and password of a plain network, else everything that counts, as one secret."""
    first = goals[0].network
    if len(goals) == 1 and first.enterprise is None and not first.is_hidden:
        return first.ssid, first.password
    parts: list[Any] = []
    for goal in goals:
        network, login = goal.network, goal.network.enterprise
        parts += [network.ssid, int(network.security), _text(network.password), network.is_hidden]
        if login is not None:
            parts += [login.type, login.username, _text(login.password), login.outer_identity, login.certificate]
            parts += [_text(login.private_key), login.root_ca]
    return _named(goals), Secret(repr(parts))


def _text(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""


class _Work:
    """The Wi-Fi work of one try of the step."""

    def __init__(self, session: WifiSession, ctx: StepContext) -> None:
        self._session, self._ctx, self._goals = session, ctx, session.wifi
        self._device, self._bench = session.unit.device, session.bench_wifi
        self._device_id = str(session.unit.known.device_id)

    @property
    def wifi(self) -> UnitWifi:
        """Return the unit's Wi-Fi, with the deadline as it is now: waits move it."""
        return UnitWifi(self._device, self._ctx.deadline)

    # --- what the unit knows ---

    def are_known(self) -> bool:
        """Return whether the unit knows every network; where no request tells, whether it connects.

        A unit that tells neither does not count as knowing them: it is given them again, which harms nothing.
        """
        stored = self.wifi.stored()
        if stored is not None:
            return stored >= {goal.network.ssid for goal in self._goals}
        try:
            return self._await_link(self._goals[0].network.ssid, LINK_S) is not None
        except RequestUnknown:
            return False

    def are_stored(self) -> bool:
        """Return whether they are among the stored networks, looked at again before one counts as missing."""
        if self.wifi.stored() is None or self.are_known():
            return True
        self._ctx.clock.sleep(SETTLE_S, self._ctx.cancel)
        return self.are_known()

    def leave_listening(self) -> None:
        if self._device.is_listening(self._ctx.deadline):
            self._device.leave_listening(self._ctx.deadline)

    # --- joining ---

    def bring(self, goal: WifiGoal) -> str:
        """Have the unit join, or store, one network; return the proof. Raises `UnitRejected` and `StepFault`."""
        network = goal.network
        ssid, name = network.ssid, printable(network.ssid)
        if not goal.is_joined:
            with self._ctx.write("unit", f"store {name}"):
                means = self._store(network)
            return f"stored {name} by {means}, untried"
        began: float | None = None
        while True:
            others = self._bench.others(ssid, self._device_id)
            try:
                with self._ctx.write("unit", f"join {name}"):
                    proof = self._join(network)
            except _NotJoined as error:
                began = self._ctx.clock.now() if began is None else began
                self._judge(network, f"the unit cannot join {name}: {error}", others, began)
                continue
            self._bench.joined(ssid, self._device_id)
            return proof

    def _join(self, network: WifiNetwork) -> str:
        name = printable(network.ssid)
        if self.wifi.joins_by_request(network):
            self._ask_to_join(network)
            return f"joined {name}; it is among the stored networks"
        means = self._store(network)
        self.leave_listening()
        try:
            link = self._await_link(network.ssid, CONNECT_S)
        except RequestUnknown:
            return f"stored {name} by {means}; this Device OS has no request that tells more"
        if link is None:
            raise _NotJoined(f"stored by {means}, but not connected {CONNECT_S:.0f} s later")
        which = "" if link.ssid else ", of which network it does not tell"
        return f"stored {name} by {means}, then connected: {link.evidence}{which}"

    def _ask_to_join(self, network: WifiNetwork) -> None:
        said: Counter[int] = Counter()
        for left in reversed(range(TRIES)):
            try:
                self.wifi.join(network)
                return
            except NotNow:
                raise
            except RequestRejected as error:
                said[error.code] += 1
                if left == 0 or (error.code in FINAL_CODES and said[error.code] > 1):
                    raise _NotJoined(str(error)) from error
            self._ctx.clock.sleep(PAUSE_S, self._ctx.cancel)

    def _store(self, network: WifiNetwork) -> str:
        try:
            try:
                return self.wifi.store(network)
            except NeedsHands:  # it is typed, in listening mode
                self._session.unit.listening.enter(self._ctx)
                return self.wifi.store(network)
        except LocalProtocolError as error:
            raise StepFault(f"{error}; correct [wifi]", say=Say("check_station")) from error

    def _await_link(self, ssid: str, limit_s: float) -> Link | None:
        until = Deadline.after(self._ctx.clock, limit_s)
        while True:
            link = self._is_connected(ssid)
            if link is not None or until.expired:
                return link
            self._ctx.clock.sleep(CONNECT_POLL_S, self._ctx.cancel)

    def _is_connected(self, ssid: str) -> Link | None:
        link = self.wifi.link()
        return link if link is not None and link.ssid in (None, ssid) else None

    # --- whose fault it is ---

    def _judge(self, network: WifiNetwork, text: str, others: int, began: float) -> None:
        """Blame the unit, give up, or wait until another try makes sense. ``began``: when the first try had failed.

        FAIL needs `ROUNDS` rounds: others joined, this one did not, and again. Until then it may be the access point.
        """
        rounds = self._bench.failed(network.ssid, self._device_id, others)
        signal, told = self._hearing(network.ssid)
        text = f"{text}; {told}"
        if rounds >= ROUNDS:
            say = Say("wifi_deaf" if told == _DEAF else "wifi_join_failed")
            raise UnitRejected(f"{text}, while others joined, twice", say=say)
        until = began + (self._bench.patience_s if signal is None else self._bench.refused_patience_s)
        say = Say("bench_wifi_down" if signal is None else "wifi_refused")
        with self._ctx.held(say):
            self._await_change(network.ssid, signal is not None, others, until)
        if self._ctx.clock.now() >= until:
            nobody = f"nobody has joined{': is the password right?' if signal is not None else ''}"
            who = "others joined before it: walk one of them, then this one again" if rounds else nobody
            raise StepFault(f"{text}; {who}", say=say)

    def _hearing(self, ssid: str) -> tuple[int | None, str]:
        """Return how strong the unit hears the network (dBm), None if it does not, and what to say of it."""
        heard = self.wifi.heard()
        if heard is not None and not heard:  # asked twice before it counts as deaf
            heard = self.wifi.heard()
        if heard is None:
            return None, "it cannot tell what it hears"
        if not heard:
            return None, _DEAF
        signal = max((one.rssi for one in heard if one.ssid == ssid), default=None)
        if signal is None:
            return None, f"it hears {len(heard)} other networks, but not this one"
        return signal, f"it hears it with {signal} dBm"

    def _await_change(self, ssid: str, is_heard: bool, others: int, until: float) -> None:
        """Wait a while, or as long as the unit does not hear the network: another unit's join ends it early."""
        ctx = self._ctx
        while ctx.clock.now() < until:
            ctx.clock.sleep(min(POLL_S, until - ctx.clock.now()), ctx.cancel)
            ctx.deadline = Deadline.after(ctx.clock, ctx.limit_s)  # the time held is no time of the step
            heard = self.wifi.heard()
            if is_heard or heard is None or any(one.ssid == ssid for one in heard):
                return
            if self._bench.others(ssid, self._device_id) > others:
                return

    # --- the signal ---

    def measure(self) -> None:
        """Measure the signal of every network with a limit; raises `UnitRejected` for one too weak in every reading."""
        for goal in self._goals:
            if goal.is_joined and goal.min_signal is not None:
                self._measure(goal.network.ssid, goal.min_signal)

    def _measure(self, ssid: str, least: int) -> None:
        signal = self._signal(ssid)
        for _ in range(SIGNAL_TRIES - 1):
            if signal is not None and signal >= least:
                break
            self._ctx.clock.sleep(SIGNAL_PAUSE_S, self._ctx.cancel)
            again = self._signal(ssid)
            signal = again if signal is None or again is None else max(signal, again)
        name = printable(ssid)
        if signal is None:
            raise StepFault(f"the unit does not tell how strong it hears {name}", say=Say("check_station"))
        self._ctx.measure(
            f"Wi-Fi signal of {name}" if len(self._goals) > 1 else "Wi-Fi signal", signal, "dBm", low=least
        )
        if signal < least:
            raise UnitRejected(
                f"the unit hears {name} with {signal} dBm at best, wants {least}; antenna or red bin",
                say=Say("wifi_weak", signal=str(signal), least=str(least)),
            )

    def _signal(self, ssid: str) -> int | None:
        """Read the signal from the connection, else from a scan; None where neither tells."""
        try:
            link = self._await_link(ssid, LINK_S)
        except RequestUnknown:
            link = None
        return link.rssi if link is not None and link.rssi is not None else self._hearing(ssid)[0]


_DEAF = "it hears nothing"


SPEC = UnitStep(
    name="wifi", title="Wi-Fi", limit_s=300, act=wifi, section=("wifi", Wifi),
    applies=lambda profile, row: bool(profile.sections(Wifi)) and row.sets_wifi_in_listening_mode,  # H5
    # the unit must not go online before it is a member, named and claimed (C1 C2 F5), or holds its claim code (K4)
    after={Kind.PRODUCT: ("claim_code",), Kind.DEVELOPER: ("claim_code",)},
)  # fmt: skip
