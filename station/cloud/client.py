"""Blocking client for the cloud, with one request budget for the station, retries, and precise errors.

It returns what the cloud said and decides nothing about units. Every wait is on the clock and ends at once
when the caller's token is cancelled, even in the middle of a request.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

from drivers.clock import CancelToken, Clock, Deadline, SimulatedClock
from drivers.identity import Secret, SerialNumber

from ..errors import BadInput
from . import api
from .answers import (
    SerialRecord,
    TokenInfo,
    User,
)
from .body import Answer
from .budget import Priority, TokenBucket, Window
from .call import READ_S, Bearer, Call, refusal
from .errors import CloudDown, OutcomeUnknown, RateLimited, TokenRejected, waits_for
from .evidence import Route, Speaker, about, speaker
from .flight import Flight
from .http import HttpLink
from .retry import Hitch, NoAnswer, RetryPlan, Trouble, asked_to_wait, gave_up, is_ambiguous, said, trouble_of
from .slowness import Slowness, Waiters, Waits
from .way_out import BY_ENVIRONMENT, WayOut

log = logging.getLogger(__name__)
T = TypeVar("T")
SERIAL_LOOKUPS, SERIAL_WINDOW_S = 50, 3600.0
TOKEN_SPENT_S = 300.0
"""A token with less time left counts as expired (reference cloud-api 2.4): it would die in the middle of a unit."""
LOG_IN = "run: station login"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """Record of one try of a request, without token or body (N5). ``status`` None: no answer, see ``note``."""

    at: datetime.datetime
    method: str
    path: str
    status: int | None
    request_id: str
    seconds: float
    note: str = ""


class CloudClient:
    """The station's one client of the cloud. Thread-safe.

    ``token`` is called before every try, so a token replaced after a 401 is used at once (N4).
    ``known_serials`` caches serial look-ups without limit (A15); pass a persistent mapping.
    All request methods take ``deadline`` and ``cancel`` and raise `Cancelled` or a `CloudError` of `.errors`.
    """

    def __init__(
        self,
        base_url: str,
        token: Callable[[], Secret],
        clock: Clock,
        *,
        rng: random.Random | None = None,
        bucket_rate: float = 20.0,
        bucket_burst: int = 10,
        on_call: Callable[[CallRecord], None] | None = None,
        on_reachable: Callable[[bool, str], None] | None = None,
        on_hitch: Callable[[Hitch], None] | None = None,
        known_serials: dict[str, SerialRecord] | None = None,
        way: WayOut = BY_ENVIRONMENT,
    ) -> None:
        self._link = HttpLink(base_url, way)
        self._token, self._clock = token, clock
        # Under simulated time a slow virtual cloud waits on behalf of this station (`Clock.standing_in`): if a call
        # ended before it, its thread would be counted out twice, and time would pass while others are runnable.
        self._hangs_up = not isinstance(clock, SimulatedClock)
        self._rng = rng or random.Random()
        self._bucket = TokenBucket(clock, bucket_rate, bucket_burst)
        self._serial_window = Window(clock, SERIAL_LOOKUPS, SERIAL_WINDOW_S)
        self._known_serials = {} if known_serials is None else known_serials
        self._on_call, self._on_reachable, self._on_hitch = on_call, on_reachable, on_hitch
        self._seen = _Seen()
        self._priority = Priority.UNIT

    def at(self, priority: Priority) -> CloudClient:
        """Return the same client, whose requests wait behind those of the classes before ``priority``."""
        other = copy.copy(self)
        other._priority = priority
        return other

    def close(self) -> None:
        self._link.close()

    @property
    def reachable(self) -> bool | None:
        """Return whether the cloud answered the last try; None before the first."""
        return self._seen.reachable

    @property
    def cloud_date(self) -> datetime.datetime | None:
        """Return the cloud's own time in its latest answer; compare its timestamps with this, not with our clock."""
        return self._seen.cloud_date

    def wrong_settings(self) -> Iterator[str]:
        """Yield a sentence for each setting of this host that keeps requests from leaving it."""
        return self._link.wrong_settings()

    def cloud_time(self, at: float) -> datetime.datetime | None:
        """Return the cloud's own time when our clock showed ``at``, by its latest answer; None before the first."""
        with self._seen.lock:
            date, noted_at = self._seen.cloud_date, self._seen.cloud_date_at
        return None if date is None else date + datetime.timedelta(seconds=at - noted_at)

    def waiting_as(self, waits: Waits) -> contextlib.AbstractContextManager[None]:
        """Let ``waits`` tell of calls of this thread inside the block that take longer than `slowness.PATIENCE_S`."""
        return self._seen.waiters.waiting_as(waits)

    # --- requests ---

    def account(self, *, deadline: Deadline | None = None, cancel: CancelToken | None = None) -> User:
        """Return whose token it is, asked once for each token: it never changes hands."""
        token = self._current("look up the token's user")
        known = self._seen.account
        if known is None or known[0] != token:
            self._seen.account = known = (token, self.run(api.user(), deadline=deadline, cancel=cancel))
        return known[1]

    def serial_lookup(
        self, serial: SerialNumber, *, deadline: Deadline | None = None, cancel: CancelToken | None = None
    ) -> SerialRecord | None:
        """Return the record of a serial number, cached once found; the 51st look-up within an hour waits (A15)."""
        known = self._known_serials.get(str(serial))
        if known is not None:
            return known
        found = self.run(api.serial_lookup(serial), deadline=deadline, cancel=cancel)
        if found is not None:
            self._known_serials[str(serial)] = found
        return found

    # --- one request, with its retries ---

    def run(self, call: Call[T], *, deadline: Deadline | None = None, cancel: CancelToken | None = None) -> T:
        """Send ``call`` until it is answered, refused, or out of retries (reference cloud-api 9.1)."""
        plan = RetryPlan(self._rng)
        may_log_in_again = True
        with Slowness(self._clock, self._seen.waiters.current) as slowness:
            while True:
                self._take(call, deadline, cancel, slowness)
                token = self._bearer(call, deadline, cancel)
                result = self._try(call, token, deadline, cancel, slowness)
                trouble = trouble_of(result, call)
                if trouble is not None:
                    self._wait(call, trouble, result, plan, deadline, cancel, slowness)
                elif isinstance(result, Answer):
                    if result.status == 401 and may_log_in_again and self._bearer(call, deadline, cancel) != token:
                        may_log_in_again = False
                        continue
                    return self._noted(token, self._read(call, result))

    def _noted(self, token: Secret | None, found: T) -> T:
        """Remember until when the token is good, if that is what was asked for."""
        if token is not None and isinstance(found, TokenInfo):
            self._seen.expiry = (token, found)
        return found

    def _bearer(self, call: Call[T], deadline: Deadline | None, cancel: CancelToken | None) -> Secret | None:
        match call.bearer:
            case Secret():
                return call.bearer
            case Bearer.NOBODY:
                return None
            case Bearer.STATION:
                token = _sendable(call, self._current(call.what))
                if call.route is not Route.TOKEN and self._is_spent(token):
                    # the cloud says so itself: while it is away nobody can log in, and a line that queues goes on
                    self.run(api.token_info(), deadline=deadline, cancel=cancel)
                    raise TokenRejected(f"{call.what}: the token expires within 5 minutes; {LOG_IN}")
                return token

    def _is_spent(self, token: Secret) -> bool:
        known, date = self._seen.expiry, self.cloud_date
        if known is None or date is None or known[0] != token:
            return False
        passed_s = self._clock.now() - self._seen.cloud_date_at
        return not known[1].lasts(TOKEN_SPENT_S, date + datetime.timedelta(seconds=passed_s))

    def _current(self, what: str) -> Secret:
        """Return the station's token; raises `TokenRejected` when there is none, which a login mends like any other."""
        try:
            return self._token()
        except BadInput as error:
            raise TokenRejected(f"{what}: {error}") from error

    def _take(
        self, call: Call[T], deadline: Deadline | None, cancel: CancelToken | None, slowness: Slowness
    ) -> None:  # fmt: skip
        if cancel is not None:
            cancel.check()
        if deadline is not None and deadline.expired:
            raise CloudDown(f"{call.what}: the cloud was too slow, the time for it is over; try again")
        if call.is_scarce and not slowness.within(deadline, lambda until: self._serial_window.take(until, cancel)):
            raise RateLimited(
                f"{call.what}: {SERIAL_LOOKUPS} serial look-ups this hour are used up; read the unit by USB"
            )
        if not slowness.within(deadline, lambda until: self._bucket.take(until, cancel, self._priority)):
            raise RateLimited(f"{call.what}: the station must send fewer requests and found no room in time; try again")

    def _try(
        self, call: Call[T], token: Secret | None, deadline: Deadline | None, cancel: CancelToken | None,
        slowness: Slowness,
    ) -> Answer | NoAnswer:  # fmt: skip
        at, started = self._clock.utc(), self._clock.now()
        result = self._exchange(call, token, deadline, cancel, slowness)
        status = result.status if isinstance(result, Answer) else None
        note = result.reason if isinstance(result, NoAnswer) else ""
        request_id = result.request_id if isinstance(result, Answer) else ""
        record = CallRecord(at, call.method, call.path, status, request_id, self._clock.now() - started, note)
        log.debug("%s %s -> %s %s", record.method, record.path, record.status, record.note)
        if self._on_call is not None:
            self._on_call(record)
        self._note_reachable(call, result)
        return result

    def _exchange(
        self, call: Call[T], token: Secret | None, deadline: Deadline | None, cancel: CancelToken | None,
        slowness: Slowness,
    ) -> Answer | NoAnswer:  # fmt: skip
        """Run the request on its own thread, so that unplugging a unit does not have to wait for the cloud.

        A caller that is cancelled or past its deadline cuts the connection, which ends that thread; it ends a little
        later only during name resolution, or while connecting for up to `CONNECT_S`. Under simulated time
        the thread ends with the virtual cloud's answer, or `READ_S` real seconds after its start.
        """
        flight, over, done = Flight(call.most_bytes, READ_S), self._clock.condition(), Future[Answer | NoAnswer]()

        def send() -> None:
            try:
                done.set_result(self._link.send(call.method, call.path, token, call.json, flight, call.form))
            except BaseException as error:  # raised in the caller: nothing on this thread could handle it
                done.set_exception(error)
            with over:  # of the clock, so that simulated time passes only after the caller has woken
                over.notify_all()

        limit_s = call.answer_s if deadline is None else min(call.answer_s, deadline.remaining)
        until = self._clock.now() + limit_s
        self._clock.thread("cloud-call", send)
        try:
            with over:
                is_over = over.wait_for(done.done, min(limit_s, slowness.left_s), cancel)
            if not is_over:
                slowness.tell()
                with over:
                    is_over = over.wait_for(done.done, max(0.0, until - self._clock.now()), cancel)
            if is_over:
                return done.result()
            return NoAnswer(True, f"no answer within {limit_s:.0f} s", limit_s < call.answer_s, is_slow=True)
        finally:
            if self._hangs_up:
                flight.cut()

    def _wait(
        self,
        call: Call[T],
        trouble: Trouble,
        result: Answer | NoAnswer,
        plan: RetryPlan,
        deadline: Deadline | None,
        cancel: CancelToken | None,
        slowness: Slowness,
    ) -> None:
        """Wait for the next try, or raise the error if there is none."""
        words = said(call, result)
        if is_ambiguous(trouble, call.effect):
            self._tell_hitch(call, trouble, words, None)
            raise OutcomeUnknown(f"{call.what}: {words}; it may have been done, read the state before trying again")
        seconds = plan.wait_s(trouble, result, self._clock.utc())
        if trouble is Trouble.BUSY and seconds is not None:
            self._bucket.pause(seconds)
        error = gave_up(call, trouble, words, asked_to_wait(result, self._clock.utc()))
        if seconds is None or (deadline is not None and seconds > deadline.remaining):
            raise error
        lasts_s = seconds + plan.left_s(trouble)
        self._tell_hitch(call, trouble, words, lasts_s if deadline is None else min(lasts_s, deadline.remaining))
        slowness.ahead(seconds, waits_for(error))
        if trouble is not Trouble.BUSY:
            self._clock.sleep(seconds, cancel)

    def _tell_hitch(self, call: Call[T], trouble: Trouble, words: str, lasts_s: float | None) -> None:
        if self._on_hitch is not None:
            self._on_hitch(Hitch(call.route, call.what, f"{trouble.value} ({words})", lasts_s))

    def _read(self, call: Call[T], answer: Answer) -> T:
        """Parse an answer of the cloud itself; raises `CloudRefused` or `BadAnswer`."""
        is_good = 200 <= answer.status < 300
        if is_good and isinstance(answer.body, Mapping) and answer.body.get("ok") is False:
            raise refusal(call, answer)
        if not is_good and not (answer.status in call.accepts and about(call.route, answer) in call.reads):
            raise refusal(call, answer)
        return call.read(answer)

    def _note_reachable(self, call: Call[T], result: Answer | NoAnswer) -> None:
        if isinstance(result, NoAnswer) and result.timed_out_locally:
            return
        is_ours = isinstance(result, Answer) and speaker(call.route, result) is Speaker.CLOUD
        now_reachable = isinstance(result, Answer) and is_ours and result.status < 500
        reason = "" if now_reachable else said(call, result)
        with self._seen.lock:
            if isinstance(result, Answer) and is_ours and result.date is not None:
                self._seen.cloud_date, self._seen.cloud_date_at = result.date, self._clock.now()
            changed, self._seen.reachable = self._seen.reachable is not now_reachable, now_reachable
        if changed and self._on_reachable is not None:
            self._on_reachable(now_reachable, reason)


@dataclass(slots=True)
class _Seen:
    """State from the last answers, shared by all copies of one client."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    reachable: bool | None = None
    cloud_date: datetime.datetime | None = None
    cloud_date_at: float = 0.0  # by our clock
    account: tuple[Secret, User] | None = None  # a token, and whose it is
    expiry: tuple[Secret, TokenInfo] | None = None  # a token, and what the cloud said of it
    waiters: Waiters = field(default_factory=Waiters)


def _sendable(call: Call[T], token: Secret) -> Secret:
    """Return the token if it fits into a header; the HTTP library would quote any other in its error."""
    text = token.reveal()
    if not text or not text.isascii() or not text.isprintable():
        raise TokenRejected(f"{call.what}: the access token is not printable ASCII; {LOG_IN}")
    return token
