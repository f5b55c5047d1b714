"""A unit in application mode: asks control requests and reads the raw values.

It brings time, retries and words to the pure exchange of ``wire.control.host``. It does not know which
unit this is, and does not follow it through a restart: that is `ParticleDevice`.
"""

from __future__ import annotations

import contextlib
import itertools
from typing import TypeVar

from ..clock import CancelToken, Clock, Deadline
from ..errors import (
    BadIdentity,
    DeadlineExceeded,
    Disconnected,
    DriverError,
    LinkError,
    OutcomeUnknown,
    OutOfRequests,
    RemoteProtocolError,
    RequestRejected,
    Stalled,
    TransferFailed,
    TransferTimeout,
    UnitProtected,
)
from ..platforms import OsVersion
from ..transport import UsbTransport
from ..wire.actions import Wait
from ..wire.control import host as control
from ..wire.control.host import ControlExchange, Failed, FailureReason, Finished
from ..wire.patience import ANSWER_PAUSES_S, is_repeatable, refusal_pause, room_pause, standing
from ..wire.requests import Request
from ..wire.results import ResultCode, describe_result
from ..wire.usb import Setup
from .repeating import Repeater, Trace, no_trace

T = TypeVar("T")

_Trouble = LinkError | RemoteProtocolError

RETRY_PAUSES_S = (0.1, 0.5, 1.0)
"""Before an exchange that broke off is begun again."""
_GIVE_UP_TIMEOUT_S = 0.5
_SHOWN_BYTES = 24


class _LeftWhileAnswering(Disconnected):
    """The unit left the bus after it had accepted a request."""


class ControlDevice:
    """One opened unit in application mode. One owner thread, one request in flight.

    Nobody else may talk to the unit meanwhile: `open` and a busy unit make us drop all its open requests.
    """

    def __init__(self, transport: UsbTransport, clock: Clock, *, trace: Trace | None = None) -> None:
        self._transport = transport
        self._clock = clock
        self._trace = trace or no_trace
        self._repeater = Repeater(transport, clock, self._trace)
        self.version: OsVersion | None = None
        """Device OS version as the raw request told it at `open`; None if the firmware does not know that request,
        or if its answer was no version: request 30 tells it again."""

    def open(self, deadline: Deadline, cancel: CancelToken | None = None) -> None:
        """Read the version and drop what an earlier program left open (reference usb-and-serial 3.7).

        A restart request such a program never fetched the answer of is carried out by that.
        """
        with contextlib.suppress(Stalled, BadIdentity):
            self.version = OsVersion.parse(self._raw("version", control.raw_version(), deadline, cancel))
        with contextlib.suppress(Stalled):
            self._transfer(control.reset_all(), b"", "reset", deadline, cancel)

    def raw_device_id(self, deadline: Deadline, cancel: CancelToken | None = None) -> str:
        """Read the Device ID, straight from the interrupt handler; raises `Stalled` on old firmware."""
        return self._raw("device id", control.raw_device_id(), deadline, cancel)

    def close(self) -> None:
        self._transport.close()

    def ask(self, request: Request[T], *, deadline: Deadline, cancel: CancelToken | None = None) -> T:
        """Ask one request and decode its answer.

        A refusal is asked again as `wire.patience` says, within the sooner of ``deadline`` and the request's own
        time; one that finds the unit silent for that long is asked once more. Raises `RequestRejected` for a refusal
        that stands (`NotNow` when it is about the moment, `UnitProtected`), `OutOfRequests` when the unit stays busy,
        `Stalled` when its firmware knows no requests, `OutcomeUnknown` when the answer got lost and the request
        cannot be repeated, `RemoteProtocolError` for a broken one, other `LinkError`, `DeadlineExceeded`, `Cancelled`.
        """
        try:
            return self._ask_patiently(request, deadline.sooner(request.timeout_s), cancel)
        except (TransferTimeout, DeadlineExceeded):
            if deadline.expired or not is_repeatable(request.type_id):
                raise
            self._trace(f"request {request.type_id} {request.name}: silent, and there is time; asking once more")
        return self._ask_patiently(request, deadline.sooner(request.timeout_s), cancel)

    def _ask_patiently(self, request: Request[T], until: Deadline, cancel: CancelToken | None) -> T:
        refusals = 0
        while True:
            try:
                return self._ask_once(request, until, cancel)
            except RequestRejected as refused:
                refusals += 1
                pause_s = refusal_pause(refused.request, refused.code, refusals)
                if pause_s is None:
                    raise
                if until.remaining <= pause_s:
                    raise standing(refused) from refused
            except RemoteProtocolError:  # a broken reply, or one that says what cannot be
                refusals += 1
                pause_s = ANSWER_PAUSES_S[0]
                if refusals > len(ANSWER_PAUSES_S) or not is_repeatable(request.type_id) or until.remaining <= pause_s:
                    raise
            self._clock.sleep(pause_s, cancel)

    def _ask_once(self, request: Request[T], deadline: Deadline, cancel: CancelToken | None) -> T:
        started = self._clock.now()
        sent = f"request {request.type_id} {request.name}: sent {_shown(request.payload, request.is_secret)}"
        try:
            finished = self._finish(request, deadline, cancel)
        except DriverError as error:
            self._trace(f"{sent}; {error}")
            raise
        back = _shown(finished.data, request.is_secret)
        took_ms = (self._clock.now() - started) * 1000
        self._trace(f"{sent}; got {back}, {describe_result(finished.result)} in {took_ms:.0f} ms")
        if finished.result < 0:
            kind = UnitProtected if finished.result == ResultCode.PROTECTED else RequestRejected
            raise kind(
                f"request {request.name} ({request.type_id}): the unit answered {describe_result(finished.result)}",
                request=request.type_id,
                code=finished.result,
            )
        return request.decode(finished.data)

    def ask_restart(self, request: Request[None], *, deadline: Deadline, cancel: CancelToken | None = None) -> bool:
        """Ask a request that ends in a restart; False when nobody knows whether the unit heard it.

        A unit that vanishes once it accepted the request has obeyed, so that is no error here, and no more is
        one that does not hand out its answer: whether it obeyed is seen on the bus (reference usb-and-serial 3.7).
        """
        try:
            self.ask(request, deadline=deadline, cancel=cancel)
        except _LeftWhileAnswering as error:
            self._trace(f"request {request.name}: taken as obeyed, {error}")
        except OutcomeUnknown as error:
            self._trace(f"request {request.name}: perhaps obeyed, {error}")
            return False
        return True

    def _finish(self, request: Request[T], deadline: Deadline, cancel: CancelToken | None) -> Finished:
        """Run exchanges until one gives a result, as long as another one cannot do anything twice.

        A unit without room is asked as long as there is time: whatever fills it may end.
        """
        broken = iter(RETRY_PAUSES_S)
        for tries in itertools.count(1):
            exchange = ControlExchange(request.type_id, request.payload)
            outcome, trouble = self._exchange(exchange, request, deadline, cancel)
            if isinstance(outcome, Finished):
                return outcome
            pause_s = room_pause(tries) if outcome.reason in _FULL else next(broken, None)
            is_safe = outcome.reason in _NOT_BEGUN or not exchange.may_have_run or is_repeatable(request.type_id)
            if pause_s is None or not is_safe or deadline.remaining <= pause_s:
                raise _failure(request, outcome.reason, trouble if is_safe else None, tries)
            self._trace(f"request {request.type_id} {request.name}: {outcome.reason.value}; trying again")
            self._clock.sleep(pause_s, cancel)
            if outcome.reason in _FULL:
                self._transfer(control.reset_all(), b"", "reset", deadline, cancel)
        raise AssertionError("unreachable: it counts without end")

    def _exchange(
        self, exchange: ControlExchange, request: Request[T], deadline: Deadline, cancel: CancelToken | None
    ) -> tuple[Finished | Failed, _Trouble | None]:
        """Run one exchange; with it the error that broke it off, if one did."""
        try:
            outcome, trouble = self._drive(exchange, request.name, deadline, cancel)
        except Disconnected as error:
            if exchange.request_id is None:
                raise
            raise _LeftWhileAnswering(
                f"request {request.name} ({request.type_id}): the unit left before it answered; plug it in again"
            ) from error
        except DriverError:
            self._give_up(exchange)
            raise
        if isinstance(outcome, Failed) and outcome.reason in _STILL_OPEN:
            self._give_up(exchange)
        return outcome, trouble

    def _drive(
        self, exchange: ControlExchange, what: str, deadline: Deadline, cancel: CancelToken | None
    ) -> tuple[Finished | Failed, _Trouble | None]:
        trouble: _Trouble | None = None
        while True:
            action = exchange.next()
            if isinstance(action, Finished | Failed):
                return action, trouble
            if isinstance(action, Wait):
                deadline.check(f"request {what}")
                self._clock.sleep(min(action.seconds, deadline.remaining), cancel)
                continue
            try:
                exchange.receive(self._transfer(action.setup, action.data, f"request {what}", deadline, cancel))
            except Stalled:
                exchange.stalled()
            except (TransferFailed, TransferTimeout, RemoteProtocolError) as error:
                trouble = error
                exchange.lost()

    def _transfer(self, setup: Setup, data: bytes, what: str, deadline: Deadline, cancel: CancelToken | None) -> bytes:
        return self._repeater.transfer(setup, data, what, deadline, cancel)

    def _give_up(self, exchange: ControlExchange) -> None:
        """Free the unit's slot of a request nobody waits for any more."""
        setup = control.reset_all() if exchange.request_id is None else control.reset(exchange.request_id)
        with contextlib.suppress(LinkError):
            self._transport.control(setup, timeout_s=_GIVE_UP_TIMEOUT_S)

    def _raw(self, what: str, setup: Setup, deadline: Deadline, cancel: CancelToken | None) -> str:
        try:
            text = self._repeater.read(
                lambda: control.parse_raw_text(self._transfer(setup, b"", f"raw {what}", deadline, cancel)),
                f"raw {what}",
                deadline,
                cancel,
            )
        except DriverError as error:
            self._trace(f"raw {what}: {error}")
            raise
        self._trace(f"raw {what}: {text}")
        return text


_FULL = frozenset({FailureReason.BUSY, FailureReason.NO_MEMORY})
"""The unit has no room: RESET(0) frees what an earlier program left open."""
_NOT_BEGUN = _FULL | {FailureReason.PAYLOAD_LOST, FailureReason.REFUSED}
"""The unit has not begun to work on the request."""
_STILL_OPEN = frozenset({FailureReason.PAYLOAD_LOST, FailureReason.UNANNOUNCED, FailureReason.UNANSWERED})
"""The unit may keep a slot for the request until RESET (reference usb-and-serial 3.4)."""


def _failure(request: Request[T], reason: FailureReason, trouble: _Trouble | None, tries: int) -> DriverError:
    """``trouble``: what broke a request off that did, or asks for, nothing that matters; after so many ``tries``."""
    sentence = f"request {request.name} ({request.type_id}): {reason.value}"
    if reason is FailureReason.REFUSED:
        return Stalled(f"{sentence} (STALL, EPIPE); its firmware knows no control requests, or it is in DFU mode")
    if trouble is not None:
        return trouble
    if reason in (FailureReason.UNANSWERED, FailureReason.UNANNOUNCED):
        return OutcomeUnknown(f"{sentence}; it may have been carried out, read the unit's state again")
    if reason is FailureReason.GONE:
        return OutcomeUnknown(f"{sentence} (NOT_FOUND); it restarted or the answer got lost, read its state again")
    counted = f"{tries} {'try' if tries == 1 else 'tries'}"
    return OutOfRequests(f"{sentence}, after {counted}; unplug the unit and plug it in again")


def _shown(data: bytes, is_secret: bool) -> str:
    if is_secret or not data:
        return f"{len(data)} bytes"
    return f"{len(data)} bytes ({data[:_SHOWN_BYTES].hex(' ')}{' ...' if len(data) > _SHOWN_BYTES else ''})"
