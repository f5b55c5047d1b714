"""``customer``: the unit belongs to a customer of its product. Rules K1 K3 K5 K7, E10 E11 E13 E14."""

from __future__ import annotations

from ..cloud import customer_api
from ..cloud.customer_api import CustomerToken
from ..cloud.errors import CloudRefused
from ..engine.step import StepContext, StepResult
from ..errors import StepFault
from ..settings.profile import Kind
from ..words.say import Say
from .shared.claiming import await_owner, claim_until_online, give_up, is_owned_by, proof_of
from .shared.cloudwork import CloudRecord, Goal
from .shared.customer_section import Customer
from .spec import CloudStep


def customer(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Look whose it is, claim it as the customer or wait for its code, and read the owner back by our own token.

    Only a unit that the product shows as its member is claimed: with a customer's token any other would become
    invisible to everybody (E14).
    """
    job, owner = cloud.job, cloud.owner(ctx)
    if not owner or cloud.customers is None or job.product_id is None:
        raise StepFault(f"{job.device_id} is claimed for its customer at the bench only; walk it again")
    give_up(cloud, ctx)
    if job.claims_by_code:
        await_owner(cloud, ctx, owner)
        return cloud.ended(ctx, proof_of(owner))
    if cloud.standing(ctx, lambda: is_owned_by(cloud, ctx, owner)) is None:
        desk, product = cloud.customers, job.product_id
        try:
            _claim(cloud, ctx, owner, desk.token(cloud.client, ctx, product, owner))
        except CloudRefused as error:
            if error.status != 401:
                raise
            desk.forget(owner)  # it has expired
            _claim(cloud, ctx, owner, desk.token(cloud.client, ctx, product, owner))
    return cloud.ended(ctx, proof_of(owner))


def _claim(cloud: CloudRecord, ctx: StepContext, owner: str, token: CustomerToken) -> None:
    call = customer_api.claim_as_customer(cloud.job.device, token)
    missing = StepFault(
        f"the cloud accepted the claim of {cloud.job.device_id} by its customer but shows no owner",
        say=Say("not_claimed"),
    )
    cloud.known_device(ctx)  # it is a member
    cloud.until_seen(ctx, Goal(
        f"claim {cloud.job.device_id} for its customer", lambda: is_owned_by(cloud, ctx, owner),
        lambda: claim_until_online(cloud, ctx, call), missing,
    ))  # fmt: skip


SPEC = CloudStep(
    name="customer", title="Customer", limit_s=420, act=customer, needs_identity=True, section=("customer", Customer),
    scopes=("devices:get",),
    applies=lambda profile, _: profile.section(Customer) is not None,
    after={Kind.PRODUCT: ("online",)},  # a customer's token claims only a unit that is online (reference cloud-api 5.1)
)  # fmt: skip
