"""``wifi``: the unit knows the network and has joined it. Rules H5, pitfalls 20 and 25 of usb-and-serial 8.

A password cannot be read back. The proof is the join itself (request 500 stores only after it connected);
later walks compare a keyed digest of what was joined with.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from drivers.errors import RequestRejected
from drivers.platforms import platforms
from drivers.wire import requests
from drivers.wire.messages.tables import WifiSecurity as WireSecurity

from ..engine.records import CredentialWritten
from ..engine.step import StepContext, StepResult, already, done, skipped
from ..errors import StepFault, UnitRejected
from ..settings.profile import Kind
from ..settings.profile_sections import Context, ProfileSection, where
from ..settings.secrets import SecretField, SecretSource, WifiPassword
from ..settings.sections import ABSENT, Mistake, refusal
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


class WifiSecurity(enum.StrEnum):
    """How the access point is protected. The values are what a profile may say."""

    OPEN = "open"  # no password
    WEP = "wep"  # obsolete, still found
    WPA = "wpa"  # WPA-PSK
    WPA2 = "wpa2"  # WPA2-PSK
    WPA_WPA2 = "wpa/wpa2"  # mixed mode
    WPA3 = "wpa3"
    WPA2_WPA3 = "wpa2/wpa3"


_SECURITY = {
    WifiSecurity.OPEN: WireSecurity.NONE,
    WifiSecurity.WEP: WireSecurity.WEP,
    WifiSecurity.WPA: WireSecurity.WPA_PSK,
    WifiSecurity.WPA2: WireSecurity.WPA2_PSK,
    WifiSecurity.WPA_WPA2: WireSecurity.WPA_WPA2_PSK,
    WifiSecurity.WPA3: WireSecurity.WPA3_PSK,
    WifiSecurity.WPA2_WPA3: WireSecurity.WPA2_WPA3_PSK,
}
"""What a profile calls a network's protection, as request 500 numbers it."""


def _in_32_bytes(ssid: str) -> str:
    if len(ssid.encode()) > 32:
        raise refusal(Mistake(found=f"{len(ssid.encode())}"))
    return ssid


class Wifi(
    ProfileSection,
    json_schema_extra={
        "if": {"properties": {"security": {"const": WifiSecurity.OPEN.value}}, "required": ["security"]},
        "then": {"properties": {"password": ABSENT}}, "else": {"required": ["password"]},
    },
):  # fmt: skip
    """The access point the unit joins. The file says where the password is kept, never the password."""

    ssid: Annotated[str, AfterValidator(_in_32_bytes)] = Field(
        min_length=1, title="a network name of 1 to 32 bytes", examples=["factory"], description="Name of the network."
    )
    security: WifiSecurity = Field(default=WifiSecurity.WPA2, strict=False, description="How the network is protected.")
    password: SecretField | None = Field(
        default=None, title="a reference to the password, never the password itself",
        examples=["env:WIFI_PASSWORD", "keyring:station/wifi"],
        description="Where the password is kept: an environment variable or a keyring entry.",
    )  # fmt: skip

    @classmethod
    def schema_rules(cls) -> Iterator[dict[str, Any]]:
        others = [name for row in platforms() if not row.sets_wifi_in_listening_mode for name in (row.slug, row.id)]
        only_others = {"items": {"enum": others}, "minItems": 1}
        yield where({"properties": {"platforms": only_others}, "required": ["platforms"]}, wifi=ABSENT)

    @classmethod
    def check_presence(cls, context: Context, is_there: bool) -> Iterator[Mistake]:
        if is_there and not any(row.sets_wifi_in_listening_mode for row in context.platforms):
            names = ", ".join(row.name for row in context.platforms)
            expected = f"no [wifi] for {names}: only Argon, Photon and P1 take credentials (H5)"
            yield Mistake((), expected, "remove [wifi]")

    def credentials(self, secrets: SecretSource) -> WifiCredentials:
        """Return what the unit is sent; raises `BadInput` where the password is not kept there."""
        password = secrets.resolve(self.password, WifiPassword) if self.password else None
        return WifiCredentials(self.ssid, password, _SECURITY[self.security])

    def check(self, _context: Context) -> Iterator[Mistake]:
        if self.security is WifiSecurity.OPEN and self.password is not None:
            yield Mistake("password", 'no password for security = "open"', "remove it, or name the security")
        if self.security is not WifiSecurity.OPEN and self.password is None:
            yield Mistake("password", found="nothing")


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
    request = requests.join_new_network(network.ssid, network.password, network.security)
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
    name="wifi", title="Wi-Fi", limit_s=120, act=wifi, section=("wifi", Wifi),
    applies=lambda profile, row: profile.section(Wifi) is not None and row.sets_wifi_in_listening_mode,  # H5
    # the unit must not go online before it is a member, named and claimed (C1 C2 F5)
    after={Kind.PRODUCT: ("firmware", "claim"), Kind.DEVELOPER: ("firmware",)},
)  # fmt: skip
