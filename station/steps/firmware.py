"""``firmware``: the product's application is in flash and runs. Rules D1 D6 D7.

The last of the flashing steps: it closes the DFU visit and looks at the module info of the unit that runs.
"""

from __future__ import annotations

from drivers.wire.image.host import Image

from ..engine.records import UnitFacts
from ..engine.step import StepContext, StepResult, skipped
from ..firmware.sections import Firmware
from ..model import IdentityFact
from ..settings.profile import Kind
from .shared.session import UnitSession
from .spec import UnitStep, in_both

NO_VERSION = 0xFFFF
"""What an application carries that was built for no product."""


def firmware(session: UnitSession, ctx: StepContext) -> StepResult:
    """Write the application if it differs, leave DFU, verify by module info."""
    application = session.firmware.application
    if application is None:
        return skipped(f"the profile has no firmware for a {session.unit.known.platform.name}")
    result = session.firmware.write_application(ctx, application)
    _keep_version(session, ctx, application)
    return result


def _keep_version(session: UnitSession, ctx: StepContext, application: Image) -> None:
    """The product firmware version that is proved to be in flash now, for the batch log (D1)."""
    if session.profile.kind is Kind.PRODUCT and application.product_version not in (None, 0, NO_VERSION):
        fact = IdentityFact("firmware_version", str(application.product_version), "application in flash")
        ctx.record(UnitFacts(facts=(fact,), **ctx.head()))


SPEC = UnitStep(
    name="firmware", title="Firmware", limit_s=180, after=in_both("device_os"), act=firmware, visit="dfu",
    draws_power=True,
    section=("firmware", Firmware), applies=lambda profile, _: bool(profile.sections(Firmware)),
)  # fmt: skip
