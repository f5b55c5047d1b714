"""``claim_code``: the unit holds a claim code of its owner, and hands it in when it connects. Rules K2 K4 K5 K6.

No request reads a code back: that it worked shows in the owner, which `claim` and `customer` wait for. So a unit that
nobody owns yet is given another code in every walk, and none is kept anywhere.
"""

from __future__ import annotations

from drivers.errors import RequestUnknown
from drivers.identity import Secret
from drivers.wire import requests

from ..cloud import customer_api
from ..engine.step import StepContext, StepResult, already, done
from ..errors import StepFault
from ..settings.profile import Kind
from ..words.say import Say
from .shared.claim_by import ClaimBy
from .shared.claiming import give_up, is_owned_by, proof_of
from .shared.cloud_sections import Cloud
from .shared.cloudwork import HOLDS, CloudRecord, ask
from .shared.customer_section import Customer
from .shared.customers import take
from .shared.lastlook import LastLook
from .shared.session import UnitSession
from .spec import UnitStep


def claim_code(session: UnitSession, ctx: StepContext) -> StepResult:
    """Already its owner's -> nothing; else take a code and put it into the unit, before it can connect without."""
    return ask(ctx, lambda: _give(session, ctx), holds=HOLDS)


def _give(session: UnitSession, ctx: StepContext) -> StepResult:
    unit = session.unit
    cloud = CloudRecord(
        session.cloud_job(ctx), session.client, LastLook(ctx.clock), unit.is_connected, customers=session.customers
    )
    owner = cloud.owner(ctx)
    if cloud.job.product_id is not None:
        give_up(cloud, ctx)  # of a member: a code is no way into the product (K6)
    if cloud.standing(ctx, lambda: is_owned_by(cloud, ctx, owner)):
        return already(proof_of(owner))
    if not unit.device.knows(requests.set_claim_code(Secret("0" * customer_api.CLAIM_CODE_SIZE)), ctx.deadline):
        raise StepFault(
            f"{unit.device.firmware} takes no claim code by request; name a newer Device OS in the profile",
            say=Say("request_not_offered"),
        )
    code = _take(cloud, ctx, owner)
    with ctx.write("unit", "set claim code"):
        unit.device.ask(requests.set_claim_code(code), ctx.deadline)
    again = _connects_again(session, ctx)
    return done(f"the unit took a claim code{' and restarted' * again}; its owner shows whether it worked")


def _take(cloud: CloudRecord, ctx: StepContext, owner: str) -> Secret:
    product, desk = cloud.job.product_id, cloud.customers
    if desk is not None and product is not None:
        return desk.claim_code(cloud.client, ctx, product, owner)
    return take(cloud.client, ctx, customer_api.claim_code(), "a claim code")


def _connects_again(session: UnitSession, ctx: StepContext) -> bool:
    """Restart a unit that is in a session already, which began without the code; return whether that was needed."""
    unit = session.unit
    try:
        if not unit.is_connected(ctx.deadline):
            return False
    except RequestUnknown:  # it cannot tell
        pass
    unit.device.reset(ctx.deadline)
    return True


SPEC = UnitStep(
    name="claim_code", title="Claim code", limit_s=180, act=claim_code, scopes=("devices:get",),
    applies=lambda profile, _: (profile.section(Customer) or profile.section(Cloud)).claim_by is ClaimBy.CODE,
    # before the unit gets a network and connects by itself; a member has been read back by then
    after={Kind.PRODUCT: ("firmware", "claim"), Kind.DEVELOPER: ("firmware",)},
)  # fmt: skip
