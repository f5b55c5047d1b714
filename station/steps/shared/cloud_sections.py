"""What a profile says of a unit's cloud work, whichever step does it: its sections [cloud] and [name]."""

from __future__ import annotations

import enum
import string
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from drivers.platforms import Platform

from ...settings.profile_sections import (
    IS_DEVELOPER,
    IS_PRODUCT,
    Context,
    Kind,
    ProfileSection,
    SectionWithDefaults,
    where,
)
from ...settings.sections import ABSENT, Mistake, refusal, shown
from ...uncertain import NAME_LENGTH
from .claim_by import ClaimBy, needs_network

GROUP_NAME = r"^[a-z0-9_-]{1,64}$"
"""Reference cloud-api 4.5."""


class Offline(enum.StrEnum):
    """What becomes of cloud work while the cloud does not answer."""

    QUEUE = "queue"  # the unit ends PENDING, the work waits in the outbox
    HOLD = "hold"  # the unit waits in its slot


WHY_CLAIM = (
    "A unit of a product needs it only where a Photon or P1 is set up by its SDK, or webhooks are in the owner's"
    " sandbox (E5). Events reach unclaimed units, too; each counts as a data operation (E6)."
)
"""What claiming is good for."""


class Cloud(
    SectionWithDefaults,
    json_schema_extra={
        "if": {"required": ["claim_user"]},
        "then": {"properties": {"claim": {"const": True}}, "required": ["claim"]},
    },
):  # fmt: skip
    """What is asked of the cloud beside membership, and what happens while it is away."""

    claim: bool = Field(
        default=False, description=f"true: claim the unit, as a developer unit must be (E1). {WHY_CLAIM}",
    )  # fmt: skip
    claim_user: str | None = Field(
        default=None, pattern=r"^[!-?A-~]+@[!-?A-~]+$", max_length=254, examples=["factory@example.com"],
        title="the e-mail address of an account in the product's team",
        description="Who owns the unit (E8): adding it to the product claims it, so an API user's token will do.",
    )  # fmt: skip
    claim_by: ClaimBy = Field(
        default=ClaimBy.ID, strict=False,
        description="id: by its Device ID, once it is online. code: by a claim code put into a developer unit (K4).",
    )  # fmt: skip
    development: bool = Field(
        default=False, description="true: mark the unit for development; it takes no released firmware then (D8 E7).",
    )  # fmt: skip
    online: bool | None = Field(
        default=None, description="true: it must come online here, as a developer's or a customer's (E2)."
    )
    offline: Offline | None = Field(
        default=None, strict=False,
        description="Cloud away: queue sets units aside, their cloud work is finished later; hold lets them wait.",
    )  # fmt: skip

    def is_awaited(self, context: Context) -> bool:
        """Whether the unit must come online at this bench, as one that is not the team's has to for its owner."""
        is_for_others = context.kind is Kind.DEVELOPER or "customer" in context.written
        return is_for_others if self.online is None else self.online

    def queues(self, context: Context) -> bool:
        """Whether units are set aside while the cloud is away; else each waits in its slot."""
        if self.offline is None:
            return not self.why_hold(context)
        return self.offline is Offline.QUEUE

    def why_hold(self, context: Context) -> str:
        """Say why a unit cannot be set aside while the cloud is away, "" if it can.

        Only a unit that needs no network of its own can: with [wifi] it would be online before it is known to be a
        member (C2), and one that must come online here cannot do so unplugged.
        """
        if context.kind is Kind.DEVELOPER:
            return "a developer unit is claimed while it is online"
        if self.is_awaited(context):
            return "a unit that must come online here cannot be unplugged before (online = true)"
        if "release" in context.written:
            return "a unit must be online and plugged in to take its release ([release])"
        if "wifi" in context.written:
            return "with [wifi] a unit would be online before it is known to be in its product (C2)"
        return ""

    @classmethod
    def schema_rules(cls) -> Iterator[dict[str, Any]]:
        """Yield what the kind of unit and the other sections demand of [cloud]; see `check`."""
        holds = {"offline": {"const": Offline.HOLD.value}}
        awaited = {"cloud": {"properties": {"online": {"const": True}}, "required": ["online"]}}
        stays = ({"required": ["wifi"]}, {"required": ["release"]}, {"properties": awaited, "required": ["cloud"]})
        yield where(*stays, cloud={"properties": holds})
        taken = {"online": {"const": True}, "development": {"const": False}}
        yield where({"required": ["release"]}, cloud={"properties": taken})
        by_id = {"claim": {"const": False}, "claim_by": {"const": ClaimBy.ID.value}}
        yield where(IS_PRODUCT, cloud={"properties": {"claim_by": by_id["claim_by"]}})
        customers = {"properties": {**by_id, "online": {"const": True}, **holds}}
        yield where({"required": ["customer"]}, cloud=customers)
        claimed = {"properties": {"claim": {"const": True}, "online": {"const": True}, **holds}, "required": ["claim"]}
        yield where(IS_DEVELOPER, cloud=claimed)
        yield where(IS_DEVELOPER, cloud={"properties": {"claim_user": ABSENT}})
        yield {"if": IS_DEVELOPER, "then": {"required": ["cloud"]}}

    def check(self, context: Context) -> Iterator[Mistake]:
        """Yield the keys that cannot be had for this kind of unit (E1 E2 K5) or beside another section (D8 C2)."""
        if context.kind is Kind.DEVELOPER and not self.claim:
            expected = "claim = true: a developer unit must be claimed (E1)"
            yield Mistake("claim", expected, "write claim = true below [cloud]")
        if context.kind is Kind.DEVELOPER and self.claim_user:
            expected = "no claim_user: a developer unit belongs to the token's account"
            yield Mistake("claim_user", expected, "remove it, and use that account's token")
        elif self.claim_user and not self.claim:
            yield Mistake("claim_user", "claim = true beside it", "write claim = true, or remove claim_user")
        if context.kind is Kind.DEVELOPER and not self.is_awaited(context):
            yield Mistake("online", "online = true: a developer unit is claimed online (E2)", "write online = true")
        if "release" in context.written and self.online is False:
            yield Mistake("online", "online = true: a unit takes its release online ([release])", "remove that line")
        if "release" in context.written and self.development:
            expected = "no mark: a unit for development takes no released firmware (D8)"
            yield Mistake("development", expected, "remove that line, or [release]")
        yield from self._check_customer(context)
        if self.claim_by is ClaimBy.CODE and context.kind is Kind.PRODUCT:
            expected = '"id": a product gives claim codes to its customers only (K5)'
            yield Mistake("claim_by", expected, "remove it; claim_by below [customer] is theirs", '"code"')
        elif self.claim_by is ClaimBy.CODE and (why := needs_network(context)):
            yield Mistake("claim_by", why, "add a section [wifi]", '"code"')
        why = self.why_hold(context)
        if why and self.offline is Offline.QUEUE:
            yield Mistake("offline", f'"hold": {why}', 'write offline = "hold"', '"queue"')

    def _check_customer(self, context: Context) -> Iterator[Mistake]:
        if "customer" not in context.written or context.kind is Kind.DEVELOPER:
            return
        if self.claim:
            yield Mistake("claim", "claim = false: the customer is to own the unit (K7)", "remove it, or [customer]")
        if not self.is_awaited(context):
            yield Mistake("online", "online = true: a customer's unit is claimed online", "remove it")


class _OfProduct(ProfileSection):
    """A section for members of a product only."""

    @classmethod
    def check_presence(cls, context: Context, is_there: bool) -> Iterator[Mistake]:
        if context.kind is Kind.DEVELOPER and is_there:
            yield Mistake((), "only in a product profile: a developer unit is in no product", "remove it")


class Notes(ProfileSection):
    """What stands in the notes of the unit's record in the cloud."""

    text: str = Field(
        min_length=1, max_length=256, pattern=r"^[\x20-\x7e]+$", title="1 to 256 printable characters",
        examples=["order 4711"], description="The notes of every unit; other notes are replaced.",
    )  # fmt: skip


class Groups(_OfProduct):
    """Groups of the product every unit is added to; it stays in those it is in (F4)."""

    names: tuple[Annotated[str, Field(pattern=GROUP_NAME)], ...] = Field(
        strict=False, min_length=1, max_length=10, title="a list of names: a-z, 0-9, - and _, at most 64 characters",
        examples=[["20261129_500", "rev-b"]], description="A group the product has not is made.",
    )  # fmt: skip


class Difference(enum.StrEnum):
    """What becomes of a unit whose firmware is not the version that the cloud wants of it."""

    AWAIT = "await"  # it takes the cloud's over the air, and the bench waits for that
    REFUSE = "refuse"  # nothing is begun: the profile is to name the released file


class Release(_OfProduct):
    """The unit leaves with the version of the product's firmware that the cloud wants of it (D2 D3)."""

    ota: Difference = Field(
        default=Difference.AWAIT, strict=False,
        description="A released version other than the file's: await lets each unit take it over the air, still "
        "plugged in; refuse opens no batch.",
    )  # fmt: skip


class FirmwareLock(_OfProduct):
    """The version of the product's firmware the cloud keeps every unit at."""

    version: int = Field(ge=1, le=65535, examples=[7], description="As uploaded to the product (D1).")


class NameTemplate(SectionWithDefaults):
    """What the unit is called in the cloud. Fields: {serial}, {platform}, {id}, and {id6}, its last six digits."""

    template: str = Field(
        default="{serial}", pattern=r"^[\x20-\x7e]{1,100}$", title="a text with fields in braces",
        description="The name of every unit.",
    )  # fmt: skip
    fallback: str = Field(
        default="{platform}-{id6}", pattern=r"^[\x20-\x7e]{1,100}$", title="a text with fields in braces",
        description="The name of a unit that reports no serial number; a profile without it refuses such a unit.",
    )  # fmt: skip

    @field_validator("template", "fallback")
    @classmethod
    def _has_known_fields(cls, text: str, info: ValidationInfo) -> str:
        allowed = ["serial", "platform", "id", "id6"][info.field_name == "fallback" :]
        fields = ", ".join("{" + name + "}" for name in allowed)
        expected = f"text with the fields {fields}, at least one of {{serial}}, {{id}}, {{id6}}"
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError:
            parts = []
        used = {name for _, name, spec, conversion in parts if name is not None or spec or conversion}
        is_plain = all(not spec and not conversion for _, _, spec, conversion in parts)
        if not is_plain or not used <= set(allowed) or not used - {"platform"}:
            raise refusal(Mistake(expected=expected, found=shown(text)))
        return text

    def needs_serial(self, platform: Platform) -> bool:
        """Whether a unit without a serial number is refused.

        Gen 2 units may lack one (A4), others where the profile itself says how they are called then.
        """
        return platform.has_serial_numbers and "fallback" not in self.model_fields_set

    def render(self, platform: str, device_id: str, serial: str | None) -> str:
        """Return the name of one unit, at most 100 characters. ``device_id``: 24 hexadecimal digits."""
        values = {"platform": platform, "id": device_id, "id6": device_id[-6:], "serial": serial or ""}
        needs_serial = any(name == "serial" for _, name, _, _ in string.Formatter().parse(self.template))
        chosen = self.fallback if needs_serial and not serial else self.template
        return chosen.format_map(values)[:NAME_LENGTH]
