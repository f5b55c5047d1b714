"""What the cloud steps need to know of one unit, and how they behave when the cloud is away.

A `CloudJob` is all of it as one JSON text without secrets: kept in the outbox, it lets the same steps
finish a unit that has long left the bench.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from drivers.clock import CancelToken, Deadline
from drivers.identity import DeviceId

from ..cloud.answers import CloudDevice, Product
from ..cloud.client import CloudClient
from ..cloud.errors import CloudDown, OutcomeUnknown, RateLimited
from ..engine.records import UnitFacts
from ..engine.step import StepContext, StepResult, deferred
from ..errors import BadInput, StepFault, UnitRejected
from ..model import IdentityFact
from ..profile import Offline, Profile
from .unit import Unit

T = TypeVar("T")
HOLD_POLL_S = 5.0
"""How often a held unit asks whether the cloud is back."""
HOLD_LIMIT_S = 8 * 3600.0


@dataclass(frozen=True, slots=True)
class CloudJob:
    """One unit's cloud work: identities as canonical text, product by number (None: developer device).

    ``name`` is empty where the profile names nobody.
    """

    device_id: str
    platform_id: int
    product_id: int | None
    name: str
    serial: str = ""
    iccid: str = ""
    imei: str = ""
    claims: bool = False
    queues: bool = False  # cloud down: queue the work (else hold the unit)

    @property
    def device(self) -> DeviceId:
        return DeviceId(self.device_id)

    @classmethod
    def of(cls, unit: Unit, profile: Profile, product_id: int | None) -> CloudJob:
        """What is owed for an identified ``unit``; one in DFU has shown its Device ID only."""
        who = unit.identity
        assert who.device_id is not None
        serial = str(who.serial) if who.serial else None
        return cls(
            device_id=str(who.device_id), platform_id=unit.platform.id, product_id=product_id,
            name=profile.unit_name(serial=serial, platform=unit.platform.slug, device_id=str(who.device_id))
            if profile.walks("name", unit.platform) else "",
            serial=serial or "", iccid=str(who.iccid or ""), imei=str(who.imei or ""),
            claims=profile.claim, queues=profile.offline is Offline.QUEUE,
        )  # fmt: skip

    def compare(self, record: CloudDevice) -> None:
        """The cloud's record must be of this very unit, and of no other product; raises `UnitRejected`."""
        for name, ours, theirs in (
            ("platform", str(self.platform_id), str(record.platform_id or "")),
            ("serial number", self.serial, record.serial_number),
            ("IMEI", self.imei, record.imei),
        ):
            if ours and theirs and ours != theirs:
                raise UnitRejected(
                    f"the cloud knows {self.device_id} with {name} {theirs}, the unit says {ours}; technician",
                    sentence="wrong_label",
                )
        if self.product_id is not None and record.is_product_device and record.product_id != self.product_id:
            raise UnitRejected(
                f"{self.device_id} is already in product {record.product_id}, this batch wants {self.product_id};"
                " remove it there first",
                sentence="already_elsewhere", values=(str(record.product_id),),
            )  # fmt: skip

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> CloudJob:
        """Read an outbox body back, one of another version too; raises `BadInput` when it is not one of ours."""
        known = {field.name for field in dataclasses.fields(cls)}
        try:
            return cls(**{name: value for name, value in json.loads(text).items() if name in known})
        except (AttributeError, TypeError, ValueError) as error:
            raise BadInput(f"outbox item is no cloud job: {error}; export the journal and call support") from error


class CloudWork:
    """The cloud side of one attempt (or of one outbox item)."""

    def __init__(
        self, job: CloudJob, client: CloudClient, is_connected: Callable[[Deadline], bool] | None = None
    ) -> None:
        self.job, self.client = job, client
        self.is_connected = is_connected  # asks the unit itself over USB: for `online` only; None when it has left
        self.is_down = False  # a step was deferred already: do not wait for the cloud again in this attempt

    @property
    def has_unit(self) -> bool:
        """The unit is at the bench, and somebody waits for it there."""
        return self.is_connected is not None

    def device(self, ctx: StepContext) -> CloudDevice | None:
        """The cloud's record of the unit by the route that fits; None when it is not ours."""
        job = self.job
        if job.product_id is not None:
            return self.client.device_in_product(job.product_id, job.device, deadline=ctx.deadline, cancel=ctx.cancel)
        return self._anywhere(ctx)

    def observe(self, ctx: StepContext) -> CloudDevice | None:
        """Like `device`, and whatever the cloud knows of the unit, in another product too, is compared with the unit.

        Raises `UnitRejected` when it does not agree. Reads only: it stands before the first write (A5 C3).
        """
        member = self.device(ctx)
        record = member or (self._anywhere(ctx) if self.job.product_id is not None else None)
        if record is not None:
            self.job.compare(record)
        return member

    def _anywhere(self, ctx: StepContext) -> CloudDevice | None:
        return self.client.my_device(self.job.device, deadline=ctx.deadline, cancel=ctx.cancel)


@dataclass(slots=True)
class Sent:
    """A write to the cloud. ``is_answered`` False: the answer got lost, it may have been done or not."""

    is_answered: bool = False


@contextlib.contextmanager
def cloud_write(ctx: StepContext, what: str) -> Iterator[Sent]:
    """A write to the cloud, journalled before and after.

    One whose answer got lost stays unconfirmed and is no error: the read-back that follows decides (N2).
    """
    sent = Sent()
    with contextlib.suppress(OutcomeUnknown), ctx.write("cloud", what):
        yield sent
        sent.is_answered = True


FindProduct = Callable[[StepContext], Product | None]
"""What the cloud (or the journal, for the days without it) says of the profile's product; raises CloudError."""
CloudAct = Callable[[CloudWork, StepContext], StepResult]


def perform(act: CloudAct, work: CloudWork, ctx: StepContext) -> StepResult:
    """Run a cloud step; when the cloud is down queue it or hold the unit, as the profile says."""
    if work.job.queues and work.is_down:
        return deferred("the cloud does not answer", work.job.to_json())
    try:
        return ask(ctx, lambda: act(work, ctx), holds=not work.job.queues)
    except (CloudDown, RateLimited) as error:
        work.is_down = True
        return deferred(str(error), work.job.to_json())


def ask(ctx: StepContext, question: Callable[[], T], *, holds: bool) -> T:
    """What the cloud answers. When it is away, ``holds`` the unit until it is back, or raises as it came."""
    try:
        return question()
    except (CloudDown, RateLimited):
        if not holds:
            raise
        return _held(ctx, question)


def _held(ctx: StepContext, retry: Callable[[], T]) -> T:
    """Keep the unit in its slot, and say so, until ``retry`` finds the cloud.

    The time held is no time of the step: every try has the step's whole limit, as a slow cloud may have used it up.
    Raises `StepFault` after a whole shift.
    """
    shift = Deadline.after(ctx.clock, HOLD_LIMIT_S)
    with ctx.held("cloud_hold"):
        while not shift.expired:
            ctx.clock.sleep(HOLD_POLL_S, ctx.cancel)
            ctx.deadline = Deadline.after(ctx.clock, ctx.limit_s)
            with contextlib.suppress(CloudDown, RateLimited):
                return retry()
    raise StepFault("the cloud stayed away for a whole shift", sentence="cloud_failed")


def keep_facts(ctx: StepContext, **values: object) -> None:
    """Journal what the cloud was read to show of the unit, for the batch log."""
    facts = tuple(IdentityFact(name, str(value), "cloud") for name, value in values.items() if value not in (None, ""))
    ctx.record(UnitFacts(facts=facts, **ctx.head()))


def pause(ctx: StepContext, seconds: float, cancel: CancelToken | None = None) -> None:
    """Wait between two polls, never past the step's deadline."""
    ctx.deadline.check(ctx.step)
    ctx.clock.sleep(min(seconds, max(0.01, ctx.deadline.remaining)), cancel or ctx.cancel)


def mask(account: str | None) -> str:
    """An account without the person: the part before the @ shortened to one letter."""
    if not account:
        return ""
    user, _, host = account.partition("@")
    return f"{user[:1]}***@{host}" if host else f"{user[:1]}***"
