"""What the cloud steps need to know of one unit, and how they behave when the cloud is away.

A `CloudJob` is all of it as one JSON text without secrets: kept in the outbox, it lets the same steps
finish a unit that has long left the bench.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from drivers.clock import CancelToken, Deadline
from drivers.identity import DeviceId

from ...cloud.answers import CloudDevice, Product
from ...cloud.client import CloudClient
from ...cloud.errors import BadAnswer, CloudDown, CloudError, CloudRefused, OutcomeUnknown, is_waiting, waits_for
from ...engine.records import UnitFacts
from ...engine.step import StepContext, StepResult, deferred
from ...errors import BadInput, StationError, StepFault, UnitRejected
from ...model import IdentityFact
from ...settings.profile import Profile
from ...words.say import Say
from .cloud_sections import Cloud, NameTemplate
from .unit import Unit

T = TypeVar("T")
HOLD_POLL_S, HOLD_POLL_MOST_S = 5.0, 30.0
"""How soon a held unit asks again, and how seldom in the end: each pause is half as long again as the one before."""
HOLD_LIMIT_S = 8 * 3600.0
LOOK_AGAIN_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses between looks at what is wrong in the cloud: what is still wrong after them (30 s) stands still.

A read may lag behind a confirmed write, and an answer may come from a part of the cloud that knows less.
"""
TRIES = 3
"""How often a write is sent whose answer gets lost, and which the cloud does not show as done each time."""


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
    was_member: bool = False  # it was in the product before this walk: nothing of that is on its way any more

    @property
    def device(self) -> DeviceId:
        return DeviceId(self.device_id)

    @classmethod
    def of(cls, unit: Unit, profile: Profile, product_id: int | None, *, is_named: bool) -> CloudJob:
        """What is owed for an identified ``unit``; one in DFU has shown its Device ID only."""
        who = unit.known
        assert who.device_id is not None
        serial = str(who.serial) if who.serial else None
        template, cloud = profile.section(NameTemplate), profile.section(Cloud)
        return cls(
            device_id=str(who.device_id), platform_id=who.platform.id, product_id=product_id,
            name=template.render(who.platform.slug, str(who.device_id), serial) if is_named else "",
            serial=serial or "", iccid=str(who.iccid or ""), imei=str(who.imei or ""),
            claims=cloud.claim, queues=cloud.queues(profile.context),
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
                    say=Say("record_differs"),
                )
        if self.product_id is not None and record.is_product_device and record.product_id != self.product_id:
            raise UnitRejected(
                f"{self.device_id} is already in product {record.product_id}, this batch wants {self.product_id};"
                " remove it there first",
                say=Say("already_elsewhere", product=str(record.product_id)),
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


class CloudRecord:
    """The cloud side of one attempt (or of one outbox item)."""

    def __init__(
        self, job: CloudJob, client: CloudClient, is_connected: Callable[[Deadline], bool] | None = None
    ) -> None:
        self.job, self.client = job, client
        self.is_connected = is_connected  # asks the unit itself over USB: for `online` only; None when it has left
        self.waits_for: CloudError | None = None  # why a step was deferred: those after it do not ask again

    @property
    def has_unit(self) -> bool:
        """The unit is at the bench, and somebody waits for it there."""
        return self.is_connected is not None

    def found_member(self) -> None:
        """The unit was a member before this walk."""
        self.job = replace(self.job, was_member=True)

    def device(self, ctx: StepContext) -> CloudDevice | None:
        """The cloud's record of the unit by the route that fits; None when it is not ours.

        Raises `UnitRejected` when the record does not agree with the unit (A5 C3).
        """
        job = self.job
        if job.product_id is None:
            return self._anywhere(ctx)
        return self._compared(
            self.client.device_in_product(job.product_id, job.device, deadline=ctx.deadline, cancel=ctx.cancel)
        )

    def known_device(self, ctx: StepContext) -> CloudDevice:
        """The record of a unit that the cloud has shown before; raises when it does not show it any more.

        Within one walk two answers of the cloud contradict each other then, which is no evidence about the unit
        (`StepFault`); of a unit that left the bench long ago, somebody took it out meanwhile (`UnitRejected`).
        """
        found = self.observe(ctx)
        if found is None:
            kind = StepFault if self.has_unit else UnitRejected
            raise kind(f"the cloud does not show {self.job.device_id} any more", say=Say("cloud_refused"))
        return found

    def observe(self, ctx: StepContext) -> CloudDevice | None:
        """As `device`, and a unit that is not in the product is looked for everywhere else before the first write."""
        member = self.device(ctx)
        if member is None and self.job.product_id is not None:
            self._anywhere(ctx)
        return member

    def _anywhere(self, ctx: StepContext) -> CloudDevice | None:
        return self._compared(self.client.my_device(self.job.device, deadline=ctx.deadline, cancel=ctx.cancel))

    def _compared(self, record: CloudDevice | None) -> CloudDevice | None:
        if record is not None:
            self.job.compare(record)
        return record


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
CloudAct = Callable[[CloudRecord, StepContext], StepResult]


def perform(act: CloudAct, work: CloudRecord, ctx: StepContext) -> StepResult:
    """Run a cloud step; where waiting helps, queue it or hold the unit, as the profile says."""
    if work.waits_for is not None:
        return _deferred(work, work.waits_for)
    try:
        return ask(ctx, lambda: act(work, ctx), holds=not work.job.queues)
    except CloudError as error:
        if not is_waiting(error):
            raise
        work.waits_for = error
        return _deferred(work, error)


def _deferred(work: CloudRecord, error: CloudError) -> StepResult:
    owed = deferred(error.told, work.job.to_json())
    return replace(owed, say=error.say) if error.who else owed


def ask(ctx: StepContext, question: Callable[[], T], *, holds: bool) -> T:
    """What the cloud answers. Where waiting helps, ``holds`` the unit until that is over, or raises as it came.

    A refusal of the cloud that is about this very unit comes as `UnitRejected`.
    """
    try:
        return question()
    except CloudError as error:
        if not (holds and is_waiting(error)):
            raise judged(error) from error
        trouble = error
    return _held(ctx, question, trouble)


def judged(error: CloudError) -> StationError:
    """The error as it counts for the unit: rejected, if the cloud itself refused this very unit."""
    if isinstance(error, CloudRefused) and not is_waiting(error):
        return UnitRejected(str(error), say=error.say)
    return error


def _held(ctx: StepContext, question: Callable[[], T], trouble: CloudError) -> T:
    """Keep the unit in its slot, and say what for, until ``question`` is answered.

    The time held is no time of the step: every try has the step's whole limit, as a slow cloud may have used it up.
    Raises `StepFault` after a whole shift.
    """
    shift, pause_s = Deadline.after(ctx.clock, HOLD_LIMIT_S), HOLD_POLL_S
    while not shift.expired:
        waits = waits_for(trouble)
        with ctx.held(waits):
            while not shift.expired and waits == waits_for(trouble):
                ctx.clock.sleep(pause_s, ctx.cancel)
                pause_s = min(1.5 * pause_s, HOLD_POLL_MOST_S)
                ctx.deadline = Deadline.after(ctx.clock, ctx.limit_s)
                try:
                    return question()
                except CloudError as error:
                    if not is_waiting(error):
                        raise judged(error) from error
                    trouble = error
    raise StepFault(f"waited a whole shift: {trouble.told}", say=trouble.say)


def standing(ctx: StepContext, look: Callable[[], T]) -> T:
    """What ``look`` finds; what it finds wrong is raised only when it stands still (`LOOK_AGAIN_S`)."""
    for seconds in LOOK_AGAIN_S:
        try:
            return look()
        except (UnitRejected, StepFault, BadAnswer, CloudRefused) as error:
            if (isinstance(error, CloudRefused) and is_waiting(error)) or ctx.deadline.remaining <= seconds:
                raise
        ctx.clock.sleep(seconds, ctx.cancel)
    return look()


def until_seen(
    ctx: StepContext,
    what: str,
    send: Callable[[], None],
    look: Callable[[], T | None],
    missing: StationError,
    refusals: int = 1,
) -> T:
    """Send a write, and return what ``look`` shows of it (None: nothing yet). Sent again only after such a look (N2).

    An answer that got lost is decided by the look. Raises ``missing`` when the cloud took the write and does not
    show it; what ``send`` refused the unit for, when it did so ``refusals`` (1 or 2) times and nothing shows.
    """

    def seen() -> T:
        found = look()
        if found is None:
            raise missing
        return found

    refused: list[StationError] = []
    for _ in range(TRIES):
        sent = Sent()
        try:
            with cloud_write(ctx, what) as sent:
                send()
        except (UnitRejected, CloudRefused) as error:
            if refused or (isinstance(error, CloudRefused) and is_waiting(error)):
                raise
            refused.append(error)
        try:
            return standing(ctx, seen)
        except (UnitRejected, StepFault) as error:
            if len(refused) >= refusals:
                raise refused[-1] from None
            if error is not missing or sent.is_answered:
                raise
    raise CloudDown(f"{what}: sent {TRIES} times and never answered, and the cloud does not show it; try again later")


def keep_facts(ctx: StepContext, **values: object) -> None:
    """Journal what the cloud was read to show of the unit, for the batch log."""
    facts = tuple(IdentityFact(name, str(value), "cloud") for name, value in values.items() if value not in (None, ""))
    ctx.record(UnitFacts(facts=facts, **ctx.head()))


def pause(ctx: StepContext, seconds: float, cancel: CancelToken | None = None) -> None:
    """Wait between two polls, never past the step's deadline."""
    ctx.deadline.check(ctx.step)
    ctx.clock.sleep(min(seconds, max(0.01, ctx.deadline.remaining)), cancel or ctx.cancel)


def is_same_account(one: str, other: str) -> bool:
    """Whether two e-mail addresses name one account: the cloud does not care about capitals."""
    return one.strip().casefold() == other.strip().casefold()


def mask(account: str | None) -> str:
    """An account without the person: the part before the @ shortened to one letter."""
    if not account:
        return ""
    user, _, host = account.partition("@")
    return f"{user[:1]}***@{host}" if host else f"{user[:1]}***"
