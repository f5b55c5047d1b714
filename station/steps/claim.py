"""``claim``: the unit belongs to the account of the token, or to the one its profile names.

Rules E1 E2 E3 E7 E8 E10 E11 E12 B4 B5.
"""

from __future__ import annotations

from ..cloud import api
from ..cloud.errors import CloudRefused, NotAllowed
from ..cloud.evidence import About
from ..engine.step import StepContext, StepResult
from ..errors import StepFault
from ..settings.profile import Kind
from ..words.say import Say
from .shared.claiming import await_owner, claim_until_online, is_owned_by, proof_of
from .shared.cloud_sections import Cloud
from .shared.cloudwork import CloudRecord, Goal, is_same_account, mask
from .spec import CloudStep


def claim(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """GET - POST - GET: only claim what is not ours, and believe only the owner read back.

    With a named owner the import of `product_add` has claimed the unit (reference cloud-api 4.1) and this reads it
    back. Where it has not, the token claims if it is that owner's, else the import is sent once more. A unit that was
    given a claim code claims itself: then there is nothing to send.
    """
    user = cloud.owner(ctx)
    if cloud.job.claims_by_code:
        await_owner(cloud, ctx, user)
        return cloud.ended(ctx, proof_of(user))
    goal = Goal(
        f"claim {cloud.job.device_id}",
        look=lambda: is_owned_by(cloud, ctx, user),
        send=lambda: _send(cloud, ctx, user),
        missing=StepFault(
            f"the cloud accepted the claim of {cloud.job.device_id} but shows no owner", say=Say("not_claimed")
        ),
        refusals=2,
    )
    try:
        cloud.reach(ctx, goal)
    except StepFault as error:
        if error is not goal.missing or not cloud.job.claim_user:
            raise
        raise CloudRefused(  # the import says nothing of an owner it does not accept
            f"adding {cloud.job.device_id} to product {cloud.job.product_id} does not claim it for {mask(user)};"
            " check that claim_user is in the product's team",
            status=200, words="", about=About.ACCOUNT,
        ) from error  # fmt: skip
    return cloud.ended(ctx, proof_of(user))


def _send(cloud: CloudRecord, ctx: StepContext, user: str) -> None:
    product = cloud.job.product_id
    if not cloud.job.claim_user or product is None or _has_token_of(cloud, ctx, user):
        claim_until_online(cloud, ctx, api.claim(cloud.job.device))
    else:
        cloud.run(ctx, api.add_to_product(product, cloud.job.device, user))


def _has_token_of(cloud: CloudRecord, ctx: StepContext, user: str) -> bool:
    """Whether the station's token belongs to ``user``; an API user may not ask, and is nobody who owns units."""
    try:
        return is_same_account(cloud.client.account(deadline=ctx.deadline, cancel=ctx.cancel).username, user)
    except NotAllowed:
        return False


SPEC = CloudStep(
    # as long as `online`: where that can ask neither cloud nor unit, the claim is what waits for the unit
    name="claim", title="Claim", limit_s=420, act=claim, needs_identity=True,
    only_for_people=lambda profile: not profile.section(Cloud).claim_user,
    section=("cloud", Cloud), applies=lambda profile, _: profile.section(Cloud).claim,
    # a product unit is claimed while it is still offline (E3), a developer unit can be claimed only online (E2)
    after={Kind.PRODUCT: ("name",), Kind.DEVELOPER: ("online",)},
)  # fmt: skip
