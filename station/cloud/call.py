"""A request to the cloud as a value, the parser of its answer, and what a refusal of it means. Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote

from drivers.identity import DeviceId, Secret

from .body import MAX_BODY_BYTES, Answer
from .errors import CloudError, CloudRefused, NotAllowed, TokenRejected
from .evidence import About, Route, about

T = TypeVar("T")
READ_S = 60.0
"""Seconds a request and its whole answer may take, however slowly it arrives: a call that must reach an offline device
is answered after about 30 s (reference cloud-api 1)."""
LOOK_S = 20.0
"""The same for a read that the cloud answers by itself, whose answers are small: the bench waits for it."""
PER_PAGE = 100
"""Records a page (reference cloud-api 9)."""
ProductRef = int | str
"""A product's number or slug; both address it on every route (C8)."""


class Effect(enum.Enum):
    """Effect of sending a request twice (reference cloud-api 10)."""

    READ = "read"  # nothing changes
    ONCE = "write of unknown outcome after a time-out"  # read the state before sending it again (N2)


class Bearer(enum.Enum):
    """Whose token a request bears, unless it brings one of its own."""

    STATION = "the station's"
    NOBODY = "none: the form says who asks"


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request and the parser of its answer.

    ``what`` describes it in messages; ``accepts`` are the statuses besides 2xx that ``read`` can parse, if the
    answer is about the unit or transient; ``is_scarce`` marks the serial look-up, which has its own hourly budget
    (A15); ``most_bytes`` limits the body, which is ``json`` or ``form``. ``bearer``: a token other than the station's.
    ``reads``: the subjects of an error that ``read`` can parse; the others are not about a unit at all. ``takes_long``:
    a read that asks the device itself, or brings a file.
    """

    route: Route
    method: str
    path: str
    what: str
    read: Callable[[Answer], T]
    effect: Effect = Effect.READ
    json: Mapping[str, object] | None = None
    accepts: frozenset[int] = frozenset()
    is_scarce: bool = False
    most_bytes: int = MAX_BODY_BYTES
    form: Mapping[str, str | Secret] | None = None
    bearer: Bearer | Secret = Bearer.STATION
    reads: frozenset[About] = frozenset({About.UNIT, About.MOMENT})
    takes_long: bool = False

    @property
    def answer_s(self) -> float:
        """Return the seconds one try may take, from the request to the end of its answer."""
        return READ_S if self.takes_long or self.effect is Effect.ONCE else LOOK_S


_ADVICE = {
    About.UNIT: "check the unit and its owner in the console",
    About.PRODUCT: "check the product's number in the profile and the product in the console",
    About.ACCOUNT: "check that the token's account is in the product's team, and its plan",
    About.STATION: "correct the value: see the profile",
    About.MOMENT: "try again",
}


def refusal(call: Call[T], answer: Answer) -> CloudError:
    """Return the error for an answer that refuses the call: 401, any other 4xx, or a 200 with ``"ok": false``."""
    trace = f" (request {answer.request_id})" if answer.request_id else ""
    said = f"{call.what}: the cloud answered {answer.status} {answer.words!r}{trace}"
    status, words, request_id = answer.status, answer.words, answer.request_id
    if status == 401 and call.bearer is Bearer.STATION:
        return TokenRejected(f"{said}; run: station login", words=words, request_id=request_id)
    subject = about(call.route, answer)
    kind, advice = CloudRefused, _ADVICE[subject]
    if status == 400 and isinstance(answer.body, Mapping) and answer.body.get("error") == "unauthorized":
        kind, advice = NotAllowed, "give the station a token with this scope, or a person's token"
    return kind(f"{said}; {advice}", status=status, words=words, about=subject, request_id=request_id)


def device_route(ref: ProductRef | None) -> Route:
    """Return the route of a member of product ``ref``, or (None) of a device of the account."""
    return Route.DEVICE if ref is None else Route.MEMBER


def product_path(ref: ProductRef) -> str:
    """Return the path of a product, by number or slug."""
    return f"/v1/products/{quote(str(ref), safe='')}"


def device_path(device_id: DeviceId, ref: ProductRef | None) -> str:
    """Return the path of a device as a member of product ``ref``, or (None) of the account."""
    return f"{'/v1' if ref is None else product_path(ref)}/devices/{device_id}"
