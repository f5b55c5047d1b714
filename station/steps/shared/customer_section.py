"""What a profile says of who shall own its units, beside the station's own account: its section [customer]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from drivers.platforms import Platform

from ...settings.profile_sections import IS_DEVELOPER, Context, Kind, ProfileSection, where
from ...settings.secrets import SecretField
from ...settings.sections import ABSENT, Mistake, in_toml
from .claim_by import ClaimBy, needs_network

_NAME = r"([A-Za-z0-9._+-]|\{(id|serial|platform)\}){1,64}"
_HOST = r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
_Account = Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,64}@" + _HOST + "$", max_length=120)]


class Customer(ProfileSection):
    """A customer of the product who owns every unit in the end, without logging in anywhere themselves (K1)."""

    email: str = Field(
        pattern=f"^{_NAME}@{_HOST}$", max_length=120, title="an e-mail address, with fields {id}, {serial}, {platform}",
        examples=["unit-{id}@customers.example.com"],
        description="Whose unit it is: one address for all, or with fields one for each. Who is none yet becomes one.",
    )  # fmt: skip
    client_id: str = Field(
        pattern=r"^[!-~]{1,100}$", title="the id of an OAuth client", examples=["widget-shop-1234"],
        description="An OAuth client of this very product; no other one knows its customers (K5).",
    )  # fmt: skip
    client_secret: SecretField = Field(
        title="env:NAME or keyring:SERVICE/USER, which names a secret", examples=["env:WIDGET_CLIENT_SECRET"],
        description="Where the secret of that client is kept.",
    )  # fmt: skip
    claim_by: ClaimBy = Field(
        default=ClaimBy.ID, strict=False,
        description="id: claimed by its Device ID once it is online. code: a claim code is put into it over USB (K4).",
    )  # fmt: skip
    unclaim_from: tuple[_Account, ...] = Field(
        default=(), strict=False, max_length=10, title="a list of accounts", examples=[["line@example.com"]],
        description="Accounts that lose a unit they own to the customer; no other owner does (E11).",
    )  # fmt: skip

    @property
    def is_one_for_all(self) -> bool:
        return "{" not in self.email

    def needs_serial(self) -> bool:
        """Whether a unit without a serial number is refused."""
        return "{serial}" in self.email

    def address(self, platform: str, device_id: str, serial: str | None) -> str:
        """Return whose unit it is; "" as long as that takes a serial number it has not told."""
        if self.needs_serial() and not serial:
            return ""
        return self.email.format(id=device_id, serial=(serial or "").lower(), platform=platform)

    @classmethod
    def schema_rules(cls) -> Iterator[dict[str, Any]]:
        yield where(IS_DEVELOPER, customer=ABSENT)

    @classmethod
    def check_presence(cls, context: Context, is_there: bool) -> Iterator[Mistake]:
        if context.kind is Kind.DEVELOPER and is_there:
            yield Mistake((), "only in a product profile: customers are those of a product", "remove it")

    def check(self, context: Context) -> Iterator[Mistake]:
        """Yield customers that not every unit can be told by (A4), or claimed by (E14)."""
        if self.needs_serial() and (row := _without_serial(context.platforms)) is not None:
            expected = f"{{id}} in place of {{serial}}: a {row.name} may have none (A4)"
            yield Mistake("email", expected, f"write email = {in_toml(self.email.replace('{serial}', '{id}'))}")
        if self.claim_by is ClaimBy.CODE and (why := needs_network(context)):
            yield Mistake("claim_by", why, "add a section [wifi]", '"code"')
        if self.is_one_for_all and self.email.casefold() in map(str.casefold, self.unclaim_from):
            expected = "other accounts than the customer's: which of the two owns a unit could not be told (E14)"
            yield Mistake("unclaim_from", expected, "give the customer an address of its own", in_toml(self.email))


def _without_serial(rows: tuple[Platform, ...]) -> Platform | None:
    return next((row for row in rows if not row.has_serial_numbers), None)
