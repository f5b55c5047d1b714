"""A step of somebody else's package: everything about it stands here."""

from __future__ import annotations

from pydantic import Field

from station.engine.step import StepContext, StepResult, already
from station.errors import UnitRejected
from station.settings.profile_sections import ProfileSection
from station.steps.shared.session import UnitSession
from station.steps.spec import UnitStep, in_both
from station.words.say import Say


class BurnIn(ProfileSection):
    """How warm a unit may be."""

    most_c: float = Field(default=60.0, ge=0, le=100, description="The highest temperature in degrees Celsius.")


def burn_in(session: UnitSession, ctx: StepContext) -> StepResult:
    """Read a temperature (here: as many degrees as the unit holds modules) and judge it."""
    limits = session.profile.section(BurnIn)
    assert limits is not None
    found = float(len(session.unit.known.modules))
    ctx.measure("temperature", found, "degC", high=limits.most_c)
    if found > limits.most_c:
        raise UnitRejected(
            f"the unit has {found} degC, at most {limits.most_c}; let it cool", say=Say("too_hot", degrees=f"{found:g}")
        )
    return already(f"{found} degC")


WORDS = """
step-burn_in = Burn-in
too_hot = { $degrees } degrees, too warm.
    .do = Let it cool.
"""

SPEC = UnitStep(
    name="burn_in", title="Burn-in", limit_s=60, after=in_both("setup_done"), act=burn_in,
    section=("burn_in", BurnIn), applies=lambda profile, _: profile.section(BurnIn) is not None,
)  # fmt: skip
