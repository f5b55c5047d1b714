"""``wifi``: the unit knows the network and has joined it. Rules H5, pitfalls 20 and 25 of usb-and-serial 8.

A password cannot be read back. The proof is the join itself (request 500 stores only after it connected);
later walks compare a keyed digest of what was joined with.
"""

from __future__ import annotations

from collections import Counter

from drivers.errors import RequestRejected
from drivers.wire import requests
from drivers.wire.messages.tables import WifiSecurity as WireSecurity

from ..engine.records import CredentialWritten
from ..engine.step import StepContext, StepResult, already, done, skipped
from ..errors import StepFault, UnitRejected
from ..settings.profile import Kind, WifiSecurity
from ..words.say import Say
from .shared.session import UnitSession, WifiCredentials
from .shared.unit import Unit
from .spec import UnitStep

TRIES = 3
PAUSE_S = 1.0
SETTLE_S = 2.0
"""After a join the unit connects by itself before it answers at leisure (reference usb-and-serial 4.8)."""
FINAL_CODES = frozenset({-270, -210})
"""Bad key, or not authenticated: said twice, it is final (reference usb-and-serial 4.8)."""


SECURITY = {
    WifiSecurity.OPEN: WireSecurity.NONE,
    WifiSecurity.WEP: WireSecurity.WEP,
    WifiSecurity.WPA: WireSecurity.WPA_PSK,
    WifiSecurity.WPA2: WireSecurity.WPA2_PSK,
    WifiSecurity.WPA_WPA2: WireSecurity.WPA_WPA2_PSK,
    WifiSecurity.WPA3: WireSecurity.WPA3_PSK,
    WifiSecurity.WPA2_WPA3: WireSecurity.WPA2_WPA3_PSK,
}
"""What a profile calls a network's protection, as request 500 numbers it."""


def wifi(session: UnitSession, ctx: StepContext) -> StepResult:
    """Known and joined before -> already; else join, read the stored networks back, remember the digest."""
    network, unit = session.wifi, session.unit
    if network is None:
        return skipped("the profile has no Wi-Fi")
    if not unit.known.platform.has_wifi:
        return skipped(f"H5: a {unit.known.platform.name} has no Wi-Fi")
    device_id = str(unit.known.device_id)
    digest = unit.memory.digest(device_id, network.ssid, network.password)
    if _is_known(unit, ctx, network) and unit.memory.wifi_digest(device_id) == digest:
        return already(f"knows {network.ssid}; keyed digest of the last join is the same")
    with ctx.write("unit", f"join {network.ssid}"):
        _join(session, ctx, network)
    if not _is_stored(unit, ctx, network):
        raise UnitRejected(f"the unit joined {network.ssid} but did not store it", say=Say("wifi_join_failed"))
    ctx.record(CredentialWritten(ssid=network.ssid, digest=digest, **ctx.head()))
    if unit.device.is_listening(ctx.deadline):
        unit.device.leave_listening(ctx.deadline)
    return done(f"joined {network.ssid}; it is among the stored networks")


def _is_stored(unit: Unit, ctx: StepContext, network: WifiCredentials) -> bool:
    """Whether it is among the stored networks, looked at again before it counts as missing."""
    if _is_known(unit, ctx, network):
        return True
    ctx.clock.sleep(SETTLE_S, ctx.cancel)
    return _is_known(unit, ctx, network)


def _is_known(unit: Unit, ctx: StepContext, network: WifiCredentials) -> bool:
    return any(row.ssid == network.ssid for row in unit.device.ask(requests.get_known_networks(), ctx.deadline))


def _join(session: UnitSession, ctx: StepContext, network: WifiCredentials) -> None:
    request = requests.join_new_network(network.ssid, network.password, SECURITY[network.security])
    said: Counter[int] = Counter()
    for left in reversed(range(TRIES)):
        try:
            session.unit.device.ask(request, ctx.deadline)
            session.bench_wifi.joined()
            return
        except RequestRejected as error:
            said[error.code] += 1
            if left == 0 or (error.code in FINAL_CODES and said[error.code] > 1):
                raise _failure(session, ctx, network, error) from error
        ctx.clock.sleep(PAUSE_S, ctx.cancel)


def _failure(session: UnitSession, ctx: StepContext, network: WifiCredentials, error: RequestRejected) -> Exception:
    """The bench's network or the unit: the unit is to blame only where others join and its own radio is the reason."""
    text = f"the unit cannot join {network.ssid}: {error}"
    if session.bench_wifi.failed(str(session.unit.known.device_id)):
        return StepFault(f"{text}; no unit has joined since, it may be the network", say=Say("bench_wifi_down"))
    seen = {row.ssid for row in session.unit.device.ask(requests.scan_networks(), ctx.deadline)}
    if seen and network.ssid not in seen:
        return StepFault(f"{text}; it sees other networks, but not this one", say=Say("bench_wifi_down"))
    return UnitRejected(text, say=Say("wifi_join_failed"))


SPEC = UnitStep(
    name="wifi", title="Wi-Fi", limit_s=120, act=wifi,
    applies=lambda profile, row: profile.wifi is not None and row.sets_wifi_in_listening_mode,  # H5
    # the unit must not go online before it is a member, named and claimed (C1 C2 F5)
    after={Kind.PRODUCT: ("firmware", "claim"), Kind.DEVELOPER: ("firmware",)},
)  # fmt: skip
