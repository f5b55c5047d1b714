"""How cloud steps look, write and read back for one unit, and how they behave when the cloud is away."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from drivers.clock import Deadline
from drivers.identity import Iccid

from ...cloud import api, sim_api
from ...cloud.answers import MAX_IMPORT, CloudDevice, Product
from ...cloud.call import Call
from ...cloud.client import CloudClient
from ...cloud.errors import (
    BadAnswer,
    CloudDown,
    CloudError,
    CloudRefused,
    OutcomeUnknown,
    TokenRejected,
    is_waiting,
    waits_for,
)
from ...cloud.sim_answers import Sim
from ...engine.records import UnitFacts
from ...engine.step import StepContext, StepResult, already, deferred, done
from ...errors import StationError, StepFault, UnitRejected
from ...model import IdentityFact
from ...words.say import Say
from .cloudjob import CloudJob
from .customers import CustomerDesk
from .lastlook import LastLook

T = TypeVar("T")
HOLD_POLL_S, HOLD_POLL_MOST_S = 5.0, 30.0
"""How soon a held unit asks again, and how seldom in the end: each pause is half as long again as the one before."""
HOLD_LIMIT_S = 8 * 3600.0
Holding = tuple[type[CloudError], ...]
"""Which troubles keep a unit in its slot until they are over; others come to the caller."""
HOLDS, QUEUES, NEVER = (CloudError,), (TokenRejected,), ()
"""What a profile that holds waits for; what one that queues waits for, as somebody at the bench mends it in a minute
and every unit after this one would be set aside for it, too (N4); and owed work, for which nobody waits."""
LOOK_AGAIN_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses between looks at what is wrong in the cloud: what is still wrong after them (30 s) stands still.

A read may lag behind a confirmed write, and an answer may come from a part of the cloud that knows less.
"""
DATES_DIFFER_S = 3.0
"""How far a date of the cloud may be from what we take it for: headers have whole seconds, answers take their time."""
TRIES = 3
"""How often a write is sent whose answer gets lost, and which the cloud does not show as done each time."""


@dataclass(slots=True)
class Sent:
    """A write to the cloud. ``is_answered`` False: the answer got lost, it may have been done or not; ``lost``: how."""

    is_answered: bool = False
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Goal(Generic[T]):
    """Something the cloud shall show of a unit.

    ``look`` returns what shows it, None: not yet. ``send`` brings it about; ``what`` says so in the journal.
    ``missing``: the error when the cloud took the write and does not show it. ``refusals``: how often (1 or 2) the
    cloud refuses the unit before it counts.
    """

    what: str
    look: Callable[[], T | None]
    send: Callable[[], None]
    missing: StationError
    refusals: int = 1


class CloudRecord:
    """The cloud side of one attempt (or of one outbox item): what it shows of the unit, and what is written to it."""

    def __init__(
        self, job: CloudJob, client: CloudClient, last: LastLook,
        is_connected: Callable[[Deadline], bool] | None = None, tried: dict[str, str] | None = None,
        customers: CustomerDesk | None = None, arrived_at: Callable[[], float | None] = lambda: None,
    ) -> None:  # fmt: skip
        self.job, self.client, self.last, self.customers = job, client, last, customers
        self.tried = {} if tried is None else tried
        """What is tried, or looked up, once only; and when, in UTC, or what came of it. Kept with owed work."""
        self.tried.update(job.tried)
        self._arrived_at = arrived_at  # when it came to its port last, by our clock
        self.is_connected = is_connected  # asks the unit itself over USB: for `online` only; None when it has left
        self.waits_for: CloudError | None = None  # why a step was deferred: those after it do not ask again
        self._written: set[str] = set()  # steps that sent something

    @property
    def has_unit(self) -> bool:
        """The unit is at the bench, and somebody waits for it there."""
        return self.is_connected is not None

    def came(self) -> datetime.datetime | None:
        """When the unit came to its port last, by the cloud's own clock, at the latest; None where that is not known.

        What began before that is of an earlier start of the unit, or of one with a battery.
        """
        at = self._arrived_at()
        found = None if at is None else self.client.cloud_time(at)
        return None if found is None else found - datetime.timedelta(seconds=DATES_DIFFER_S)

    def found_member(self) -> None:
        """The unit was a member before this walk."""
        self.job = replace(self.job, was_member=True)

    def note_tried(self, ctx: StepContext, what: str) -> None:
        """Note that ``what`` was tried just now, unless it was before."""
        self.tried.setdefault(what, ctx.clock.utc().isoformat())

    def since_tried(self, ctx: StepContext, what: str) -> float:
        """Return the seconds since ``what`` was tried; less than nothing if it never was."""
        at = self.tried.get(what)
        return -1.0 if at is None else (ctx.clock.utc() - datetime.datetime.fromisoformat(at)).total_seconds()

    def owed(self) -> str:
        """What the outbox keeps of the job, with what was tried for it."""
        return replace(self.job, tried=tuple(self.tried.items())).to_json()

    def run(self, ctx: StepContext, call: Call[T]) -> T:
        """Send ``call`` within the step's time. Raises `CloudError`."""
        return self.client.run(call, deadline=ctx.deadline, cancel=ctx.cancel)

    def owner(self, ctx: StepContext) -> str:
        """The account that is to own the unit: the one the profile names, else that of the token.

        "" for a customer who is told by a number that the unit has not told yet.
        """
        if self.job.customer is not None:
            return self.job.customer
        return self.job.claim_user or self.client.account(deadline=ctx.deadline, cancel=ctx.cancel).username

    # --- looks ---

    def device(self, ctx: StepContext) -> CloudDevice | None:
        """The cloud's record of the unit by the route that fits; None when it is not ours.

        Raises `UnitRejected` when the record does not agree with the unit (A5 C3).
        """
        job = self.job
        if job.product_id is None:
            return self.anywhere(ctx)
        product = job.product_id
        return self._compared(self.last.member.get(lambda: self.run(ctx, api.device_in_product(product, job.device))))

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
            self.anywhere(ctx)
        return member

    def anywhere(self, ctx: StepContext) -> CloudDevice | None:
        """The record of the unit outside the product, if the account may see it."""
        return self._compared(self.last.elsewhere.get(lambda: self.run(ctx, api.my_device(self.job.device))))

    def sim(self, ctx: StepContext) -> Sim | None:
        """The cloud's record of the unit's SIM by the route that fits; None when it is not there."""
        iccid = Iccid.told(self.job.iccid)
        return self.last.sim.get(lambda: self.run(ctx, sim_api.sim(iccid, self.job.product_id)))

    def _compared(self, record: CloudDevice | None) -> CloudDevice | None:
        if record is not None:
            self.job.compare(record)
        return record

    def standing(self, ctx: StepContext, look: Callable[[], T]) -> T:
        """What ``look`` finds; what it finds wrong is raised only when it stands still (`LOOK_AGAIN_S`)."""
        for seconds in LOOK_AGAIN_S:
            try:
                return look()
            except (UnitRejected, StepFault, BadAnswer, CloudRefused) as error:
                if (isinstance(error, CloudRefused) and is_waiting(error)) or ctx.deadline.remaining <= seconds:
                    raise
            ctx.clock.sleep(seconds, ctx.cancel)
            self.last.forget()
        return look()

    def pause(self, ctx: StepContext, seconds: float) -> None:
        """Wait until the next poll, never past the step's deadline."""
        ctx.deadline.check(ctx.step)
        ctx.clock.sleep(min(seconds, max(0.01, ctx.deadline.remaining)), ctx.cancel)
        self.last.forget()

    # --- writes ---

    @contextlib.contextmanager
    def write(self, ctx: StepContext, what: str) -> Iterator[Sent]:
        """A write to the cloud, journalled before and after.

        One whose answer got lost stays unconfirmed and is no error: the read-back that follows decides (N2).
        """
        sent = Sent()
        try:
            with self.announced(ctx, what):
                yield sent
                sent.is_answered = True
        except OutcomeUnknown as error:
            sent.lost = str(error)

    @contextlib.contextmanager
    def announced(self, ctx: StepContext, what: str) -> Iterator[None]:
        """As `write`, for one of many units in one request: whoever sends it minds a lost answer."""
        self._written.add(ctx.step)
        try:
            with ctx.write("cloud", what):
                yield
        finally:
            self.last.forget()

    def reach(self, ctx: StepContext, goal: Goal[T]) -> T:
        """Observe, act unless the goal is shown already, and read it back; raises like `until_seen`."""
        found = self.standing(ctx, goal.look)
        return self.until_seen(ctx, goal) if found is None else found

    def until_seen(self, ctx: StepContext, goal: Goal[T]) -> T:
        """Send a write, and return what shows it. Sent again only after such a look (N2).

        An answer that got lost is decided by the look. Raises ``goal.missing`` when the cloud took the write and does
        not show it; what it refused the unit for, when it did so ``goal.refusals`` times and nothing shows.
        """

        def seen() -> T:
            found = goal.look()
            if found is None:
                raise goal.missing
            return found

        refused: list[StationError] = []
        for _ in range(TRIES):
            sent = Sent()
            try:
                with self.write(ctx, goal.what) as sent:
                    goal.send()
            except (UnitRejected, CloudRefused) as error:
                if refused or (isinstance(error, CloudRefused) and is_waiting(error)):
                    raise
                refused.append(error)
            try:
                return self.standing(ctx, seen)
            except (UnitRejected, StepFault) as error:
                if len(refused) >= goal.refusals:
                    raise refused[-1] from None
                if error is not goal.missing or sent.is_answered:
                    raise
        raise CloudDown(
            f"{goal.what}: sent {TRIES} times and never answered, and the cloud does not show it; try again later. "
            f"Last: {sent.lost}"
        )

    def ended(self, ctx: StepContext, proof: str) -> StepResult:
        """The result of a step whose goal is shown, by ``proof``: ``done`` if this step sent anything for it."""
        return done(proof) if ctx.step in self._written else already(proof)


class SimNotActive(CloudError):
    """The unit's SIM is not active yet, so it cannot come online; what that needs waits for the SIM (E9)."""


def written_together(
    units: Sequence[tuple[CloudRecord, StepContext]],
    what: Callable[[CloudRecord, StepContext], str],
    send: Callable[[Sequence[tuple[CloudRecord, StepContext]]], None],
) -> None:
    """Send one request for as many ``units`` as an import takes, journalled for each as ``what``.

    What became of each shows when it is read back, also where the answer gets lost.
    """
    for part in (units[at : at + MAX_IMPORT] for at in range(0, len(units), MAX_IMPORT)):
        with contextlib.suppress(OutcomeUnknown), contextlib.ExitStack() as announced:
            for cloud, ctx in part:
                announced.enter_context(cloud.announced(ctx, what(cloud, ctx)))
            send(part)


FindProduct = Callable[[StepContext], Product | None]
"""What the cloud (or the journal, for the days without it) says of the profile's product; raises CloudError."""
CloudAct = Callable[[CloudRecord, StepContext], StepResult]


def perform(act: CloudAct, work: CloudRecord, ctx: StepContext) -> StepResult:
    """Run a cloud step; where waiting helps, queue it or hold the unit, as the profile says."""
    if work.waits_for is not None:
        return _deferred(work, work.waits_for)
    try:
        return ask(ctx, lambda: act(work, ctx), holds=QUEUES if work.job.queues else HOLDS)
    except CloudError as error:
        if not is_waiting(error):
            raise
        work.waits_for = error
        return _deferred(work, error)


def _deferred(work: CloudRecord, error: CloudError) -> StepResult:
    owed = replace(deferred(error.told, work.owed()), mender=error.mender)
    return replace(owed, say=error.say) if error.who else owed


def ask(ctx: StepContext, question: Callable[[], T], *, holds: Holding) -> T:
    """What the cloud answers. Where waiting helps, holds the unit until that is over, or raises as it came.

    A refusal of the cloud that is about this very unit comes as `UnitRejected`.
    """
    try:
        return question()
    except CloudError as error:
        if not (isinstance(error, holds) and is_waiting(error)):
            raise judged(error) from error
        trouble = error
    return _held(ctx, question, trouble, holds)


def judged(error: CloudError) -> StationError:
    """The error as it counts for the unit: rejected, if the cloud itself refused this very unit."""
    if isinstance(error, CloudRefused) and not is_waiting(error):
        return UnitRejected(str(error), say=error.say)
    return error


def _held(ctx: StepContext, question: Callable[[], T], trouble: CloudError, holds: Holding) -> T:
    """Keep the unit in its slot, and say what for, until ``question`` is answered.

    The time held is no time of the step: every try has the step's whole limit, as a slow cloud may have used it up.
    Raises `StepFault` after a whole shift, and what the unit is not held for as it comes.
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
                    if not (isinstance(error, holds) and is_waiting(error)):
                        raise judged(error) from error
                    trouble = error
    raise StepFault(f"waited a whole shift: {trouble.told}", say=trouble.say)


def keep_facts(ctx: StepContext, **values: object) -> None:
    """Journal what the cloud was read to show of the unit, for the batch log."""
    facts = tuple(IdentityFact(name, str(value), "cloud") for name, value in values.items() if value not in (None, ""))
    ctx.record(UnitFacts(facts=facts, **ctx.head()))


def is_same_account(one: str, other: str) -> bool:
    """Whether two e-mail addresses name one account: the cloud does not care about capitals."""
    return one.strip().casefold() == other.strip().casefold()


def mask(account: str | None) -> str:
    """An account without the person: the part before the @ shortened to one letter."""
    if not account:
        return ""
    user, _, host = account.partition("@")
    return f"{user[:1]}***@{host}" if host else f"{user[:1]}***"
