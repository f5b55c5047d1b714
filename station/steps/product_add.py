"""``product_add``: the unit is a member of its product. Rules C1 C2 C3 C8 C11, N2."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from ..cloud import api
from ..cloud.answers import CloudDevice, Membership
from ..cloud.errors import OutcomeUnknown
from ..engine.step import StepContext, StepResult
from ..errors import StepFault, UnitRejected
from ..settings.profile import Kind, Profile
from ..settings.profile_sections import IS_DEVELOPER, IS_PRODUCT, Context, ProfileSection, where
from ..settings.sections import ABSENT, Mistake
from ..words.say import Say
from .shared.cloudjob import CloudJob
from .shared.cloudwork import CloudRecord, Goal, keep_facts, written_together
from .shared.cures import cure
from .shared.listing import list_members
from .spec import CloudStep


class Product(ProfileSection, json_schema_extra={"anyOf": [{"required": ["id"]}, {"required": ["slug"]}]}):
    """The product every unit joins before it can go online: its number, its slug, or both (C8)."""

    id: int | None = Field(default=None, ge=101, le=2**31 - 1, examples=[12345], description="Its number.")
    slug: str | None = Field(
        default=None, pattern=r"^([0-9][0-9-]*)?[a-z][a-z0-9-]*$", max_length=100, examples=["widget-v1"],
        title="a product's slug, lower-case letters, digits and dashes", description="Its short name in the cloud.",
    )  # fmt: skip

    @classmethod
    def schema_rules(cls) -> Iterator[dict[str, Any]]:
        yield where(IS_DEVELOPER, product=ABSENT)
        yield {"if": IS_PRODUCT, "then": {"required": ["product"]}}

    @classmethod
    def check_presence(cls, context: Context, is_there: bool) -> Iterator[Mistake]:
        if context.kind is Kind.DEVELOPER and is_there:
            yield Mistake((), "no [product] in a developer profile", 'remove it, or write kind = "product"')
        if context.kind is Kind.PRODUCT and not is_there:
            yield Mistake((), "a section [product]", "write [product] and below it id = 12345", "nothing")

    def check(self, _context: Context) -> Iterator[Mistake]:
        if self.id is None and self.slug is None:
            advice = 'write id = 12345 or slug = "widget-v1"'
            yield Mistake("id", "the product's number or slug (C8)", advice, "neither")

    @property
    def ref(self) -> str:
        """What goes into a cloud address: the number if it is known, else the slug."""
        return str(self.id) if self.id is not None else str(self.slug)


def product_id(profile: Profile) -> int | None:
    """Return the number by which ``profile`` names its product, None if it names none or only its slug."""
    product = profile.section(Product)
    return product.id if product is not None else None


REFUSALS = {
    # how the cloud's lists read to a person (reference cloud-api 4.1)
    Membership.NONMEMBER: (Say("owner_other"), "is claimed by an account outside the team; have it unclaimed first"),
    Membership.INVALID: (Say("cloud_refused"), "was not accepted: check its label, platform and other products"),
    Membership.PROTECTED: (Say("cloud_refused"), "is a protected device and cannot join this product"),
}


def product_add(cloud: CloudRecord, ctx: StepContext) -> StepResult:
    """Observe membership, import, then read it back: a 200 alone is no proof.

    The import also claims where the profile names an owner; whether it did is read back by `claim`.
    """
    goal = _membership(cloud, ctx)
    cured = cure(cloud, ctx)  # what `identify` could not mend, as the cloud was away
    member = cloud.standing(ctx, goal.look)  # one in another product is refused, never moved
    if member is not None:
        cloud.found_member()
    if member is None or is_unclaimed(cloud.job, member):
        member = cloud.until_seen(ctx, goal)
    keep_facts(ctx, product_id=member.product_id, groups=",".join(member.groups))
    return cloud.ended(ctx, "; ".join(filter(None, (cured, f"cloud shows product {member.product_id}"))))


def is_unclaimed(job: CloudJob, member: CloudDevice) -> bool:
    """Whether an import claims ``member`` for the owner that its profile names: it does so for members, too."""
    return bool(job.claim_user) and not member.owner


def _membership(cloud: CloudRecord, ctx: StepContext) -> Goal[CloudDevice]:
    job = cloud.job
    return Goal(
        f"add {job.device_id} to product {job.product_id}",
        # with the unit at the bench, where else it may be is looked up before it is written to
        look=lambda: _agreed(cloud, cloud.observe(ctx) if cloud.has_unit else cloud.device(ctx)),
        send=lambda: _import(cloud, ctx),
        missing=StepFault(
            f"the cloud took {job.device_id} but does not show it in product {job.product_id}; ask the supervisor",
            say=Say("cloud_refused"),
        ),
        refusals=2,
    )  # fmt: skip


def _import(cloud: CloudRecord, ctx: StepContext) -> None:
    """Raises `OutcomeUnknown` for an answer that names the unit nowhere: only a look shows what it came to."""
    assert cloud.job.product_id is not None
    answer = cloud.run(ctx, api.add_to_product(cloud.job.product_id, cloud.job.device, cloud.job.claim_user))
    result = answer.of(cloud.job.device)
    if result is Membership.UNCONFIRMED:
        raise OutcomeUnknown(f"the cloud did not say what became of {cloud.job.device_id}{answer.instead}")
    refusal = REFUSALS.get(result)
    if refusal is not None:
        cloud.anywhere(ctx)  # a unit in another product is told as that
        say, words = refusal
        raise UnitRejected(f"{cloud.job.device_id} {words}", say=say)


def _agreed(cloud: CloudRecord, member: CloudDevice | None) -> CloudDevice | None:
    """The cloud's record, if there is one, must be of a unit in this very product."""
    job = cloud.job
    if member is not None and member.product_id != job.product_id:
        raise UnitRejected(
            f"the cloud shows {job.device_id} in product {member.product_id}, expected {job.product_id}",
            say=Say("already_elsewhere", product=str(member.product_id)),
        )  # fmt: skip
    return member


def _add_all(units: Sequence[tuple[CloudRecord, StepContext]]) -> None:
    """Import in one request all that are not listed; what became of each shows when it is read back."""
    lacking: dict[str, list[tuple[CloudRecord, StepContext]]] = {}
    for cloud, ctx in units:
        member = cloud.last.member.get(lambda: None)
        if member is None or is_unclaimed(cloud.job, member):
            lacking.setdefault(cloud.job.claim_user, []).append((cloud, ctx))
    for claim_user, alike in lacking.items():
        written_together(
            alike, lambda cloud, ctx: _membership(cloud, ctx).what, functools.partial(_import_part, claim_user)
        )


def _import_part(claim_user: str, part: Sequence[tuple[CloudRecord, StepContext]]) -> None:
    first, ctx = part[0]
    assert first.job.product_id is not None
    devices = [cloud.job.device for cloud, _ in part]
    first.run(ctx, api.add_to_product(first.job.product_id, devices, claim_user))


SPEC = CloudStep(
    name="product_add", title="Add to product", limit_s=120, act=product_add, needs_identity=True, listing=list_members,
    scopes=("products:get", "devices:import", "devices:get", "devices:list"),
    ahead=_add_all, after={Kind.PRODUCT: ("identify",)}, section=("product", Product),
)  # fmt: skip
