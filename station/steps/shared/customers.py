"""Tokens and claim codes of a product's customers, for the steps that give them their units. Rules K3 K5 E14.

Tokens live in memory only. Each has to bring a claim code of the product before it is used for anything: that is how
the cloud tells the product's own customers from those of any other client, whose claims make units invisible (E14).
"""

from __future__ import annotations

from typing import TypeVar

from ...cloud import customer_api
from ...cloud.call import Call, ProductRef
from ...cloud.client import CloudClient
from ...cloud.customer_api import ClaimCode, CustomerToken, LoginsLocked, ProductClient
from ...cloud.errors import CloudDown, CloudError, CloudRefused, OutcomeUnknown
from ...cloud.evidence import About
from ...engine.step import StepContext

T = TypeVar("T")
TRIES = 3
REFUSED_S = 3600.0
"""How long a refused client is not tried again: ten refusals in a row lock the whole site out (2.1)."""


class CustomerDesk:
    """The customers of one profile. ``is_one_for_all``: all units go to the same one. Thread-safe."""

    def __init__(self, client: ProductClient, *, is_one_for_all: bool) -> None:
        self._client, self._is_one_for_all = client, is_one_for_all
        self._tokens: dict[str, CustomerToken] = {}  # proved ones, by e-mail address
        self._refused: tuple[float, CloudError] | None = None  # until when, and as what

    def token(self, cloud: CloudClient, ctx: StepContext, product: ProductRef, email: str) -> CustomerToken:
        """Return a token to claim with, of a customer who is made if there is none. Raises `CloudError`."""
        if email not in self._tokens:
            self.claim_code(cloud, ctx, product, email)
        return self._tokens[email]

    def forget(self, email: str) -> None:
        """Ask for another token next time: the cloud did not take this one."""
        self._tokens.pop(email, None)

    def claim_code(self, cloud: CloudClient, ctx: StepContext, product: ProductRef, email: str) -> ClaimCode:
        """Take a claim code, another one at each call. Raises `CloudError`."""
        refused = self._refused
        if refused is not None and ctx.clock.now() < refused[0]:
            raise refused[1]
        try:
            return self._take_code(cloud, ctx, product, email)
        except (CloudRefused, LoginsLocked) as error:
            if isinstance(error, LoginsLocked) or error.about is About.STATION:
                self._refused = (ctx.clock.now() + REFUSED_S, error)
            raise

    def _take_code(self, cloud: CloudClient, ctx: StepContext, product: ProductRef, email: str) -> ClaimCode:
        known = self._tokens.get(email)
        if known is not None:
            try:
                return self._code(cloud, ctx, product, known)
            except CloudRefused as error:
                if error.status != 401:
                    raise
                self.forget(email)  # it has expired
        token = self._log_in(cloud, ctx, product, email)
        code = self._code(cloud, ctx, product, token)
        self._tokens[email] = token
        return code

    def _code(self, cloud: CloudClient, ctx: StepContext, product: ProductRef, token: CustomerToken) -> ClaimCode:
        return take(cloud, ctx, customer_api.customer_claim_code(product, token, self._client), "a claim code")

    def _log_in(self, cloud: CloudClient, ctx: StepContext, product: ProductRef, email: str) -> CustomerToken:
        """Return a token of a customer who is there already, or is made now.

        One for all is looked for first. One for each unit is made first: to ask for a customer who is not there is a
        failed login, of which only nine in a row are free (reference cloud-api 2.1).
        """
        if self._is_one_for_all and (token := self._known(cloud, ctx, email)) is not None:
            return token
        call = customer_api.create_customer(product, email, self._client)
        for _ in range(TRIES):
            trouble: CloudError
            try:
                with ctx.write("cloud", f"make a customer of product {product}"):
                    try:
                        return cloud.run(call, deadline=ctx.deadline, cancel=ctx.cancel)
                    except CloudRefused as error:  # an answer too: there is one already, or the client is refused
                        trouble = error
            except OutcomeUnknown as error:
                trouble = error
            if (token := self._known(cloud, ctx, email)) is not None:
                return token
            if isinstance(trouble, CloudRefused):
                raise trouble
        raise CloudDown(f"{trouble}; sent {TRIES} times")

    def _known(self, cloud: CloudClient, ctx: StepContext, email: str) -> CustomerToken | None:
        """Return a token of a customer, None if there is no such one. Raises `CloudRefused` for the client."""
        return take(cloud, ctx, customer_api.customer_token(email, self._client), "a token of the customer")


def take(cloud: CloudClient, ctx: StepContext, call: Call[T], what: str) -> T:
    """Send a request that makes something new each time, and once more where the answer got lost.

    What was made then is nobody's: it is never used, and expires. Raises `CloudError`.
    """
    for _ in range(TRIES):
        try:
            with ctx.write("cloud", f"take {what}"):
                return cloud.run(call, deadline=ctx.deadline, cancel=ctx.cancel)
        except OutcomeUnknown as error:
            lost = error
    raise CloudDown(f"{lost}; sent {TRIES} times")
