"""``wifi_clear``: the unit has forgotten the bench's networks before it leaves (provisioning-rules 4.2)."""

from __future__ import annotations

from drivers.devices.wifi import UnitWifi

from ..engine.step import StepContext, StepResult, already, done
from ..errors import StepFault, UnitRejected
from ..settings.profile import Kind
from ..words.say import Say
from .shared.wifi_networks import WifiSession
from .shared.wifi_section import Wifi
from .spec import UnitStep

SETTLE_S = 2.0


def wifi_clear(session: WifiSession, ctx: StepContext) -> StepResult:
    """Forget every network the profile does not keep, and read the stored ones back."""
    unwanted = {goal.network.ssid for goal in session.wifi if not goal.is_kept}
    unit_wifi = UnitWifi(session.unit.device, ctx.deadline)
    held = unit_wifi.stored()
    if held is None:
        raise StepFault("no request tells which networks the unit knows; write keep = true in [wifi]")
    if not held & unwanted:
        return already(f"knows {len(held)} networks, none of the bench's")
    with ctx.write("unit", f"forget {len(held & unwanted)} networks"):
        unit_wifi.forget(held & unwanted)
    left = unit_wifi.stored()
    if left is None or left & unwanted:
        ctx.clock.sleep(SETTLE_S, ctx.cancel)
        left = unit_wifi.stored() or frozenset()
    if left & unwanted:
        raise UnitRejected(
            f"the unit still knows {len(left & unwanted)} networks it was to forget", say=Say("verify_failed")
        )
    return done(f"forgot {len(held & unwanted)} networks; {len(left)} are left")


SPEC = UnitStep(
    # behind everything for which the unit has to be online
    name="wifi_clear", title="Forget Wi-Fi", limit_s=60, act=wifi_clear,
    after={Kind.PRODUCT: ("release", "customer"), Kind.DEVELOPER: ("claim",)},
    applies=lambda profile, row: row.sets_wifi_in_listening_mode and not all(n.is_kept for n in profile.sections(Wifi)),
)  # fmt: skip
