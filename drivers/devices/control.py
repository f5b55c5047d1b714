"""A unit in application mode: sends control requests and reads the raw values.

Adds time, retries and error messages to the pure exchange of ``wire.control.host``. It does not check which
unit this is and does not follow it through a restart: `ParticleDevice` does.
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
)
from ..platforms import OsVersion
from ..transport import UsbTransport
from ..wire.actions import Wait
from ..wire.control import host as control
from ..wire.control.host import ControlExchange, Failed, FailureReason, Finished
from ..wire.control.tables import PIECES_SINCE
from ..wire.in_words import in_words
from ..wire.patience import GARBLED_REPLY, NO_ROOM, is_repeatable, refusals, rejected, standing
from ..wire.requests import Request
from ..wire.results import describe_result
from ..wire.usb import CONFIGURATION, VENDOR_CLASS, Setup, has_interface
from .repeating import Repeater, Trace, no_trace

T = TypeVar("T")

_Trouble = LinkError | RemoteProtocolError

RETRY_PAUSES_S = (0.1, 0.5, 1.0)
"""Pauses before an exchange that broke off is restarted."""
_GIVE_UP_TIMEOUT_S = 0.5
_SHOWN_BYTES = 256


class _LeftWhileAnswering(Disconnected):
    """The unit left the bus after accepting a request."""


class ControlDevice:
    """One opened unit in application mode. One owner thread, one request in flight.

    No other program may talk to the unit meanwhile: `open`, and a busy unit, make us drop all its open requests.
    """

    def __init__(
        self, transport: UsbTransport, clock: Clock, *, trace: Trace | None = None,
        requests_since: OsVersion | None = None, out_needs_data: bool = False,
    ) -> None:  # fmt: skip
        self._requests_since, self._out_needs_data = requests_since, out_needs_data
        self._transport = transport
        self._clock = clock
        self._trace = trace or no_trace
        self._repeater = Repeater(transport, clock, self._trace)
        self.version: OsVersion | None = None
        """Device OS version from the raw request at `open`; None if the firmware does not support that request or its
        reply was not a version. Request 30 reads it again."""
        self.has_requests = True
        """False for firmware older than requests, by its version or as it shows no interface for them."""

    def open(self, deadline: Deadline, cancel: CancelToken | None = None) -> None:
        """Read the version and drop requests an earlier program left open (reference usb-and-serial 3.7).

        If one of them is a restart whose reply was never fetched, dropping it makes the unit restart.
        """
        with contextlib.suppress(BadIdentity):
            try:
                self.version = OsVersion.parse(self._raw("version", control.raw_version(), deadline, cancel))
            except Stalled:
                shown = self._transfer(CONFIGURATION, b"", "configuration", deadline, cancel)
                self.has_requests = has_interface(shown, VENDOR_CLASS)
        if self.version is not None and self._requests_since is not None and self.version < self._requests_since:
            self.has_requests = False
        if self.has_requests:
            with contextlib.suppress(Stalled):
                self._transfer(control.reset_all(), b"", "reset", deadline, cancel)

    def raw_device_id(self, deadline: Deadline, cancel: CancelToken | None = None) -> str:
        """Read the Device ID, answered in the unit's interrupt handler; raises `Stalled` on old firmware."""
        return self._raw("device id", control.raw_device_id(), deadline, cancel)

    def raw_restart(self, deadline: Deadline, cancel: CancelToken | None = None) -> None:
        """Restart the unit at once. It may leave before the transfer ends, and need not: the bus will show it."""
        raw = control.raw_restart(needs_data=self._out_needs_data)
        with contextlib.suppress(Disconnected, TransferFailed, TransferTimeout):
            self._transfer(raw.setup, raw.data, "raw restart", deadline, cancel)

    def close(self) -> None:
        self._transport.close()

    def ask(self, request: Request[T], *, deadline: Deadline, cancel: CancelToken | None = None) -> T:
        """Send one request and decode its reply.

        A refused request is repeated as `wire.patience` says, within the earlier of ``deadline`` and the request's
        own time-out; if the unit stays silent that long, it is sent once more. Raises `RequestRejected` for a refusal
        that persists (`NotNow`, `NotOffered`, `UnitProtected`), `OutOfRequests` for one that is busy,
        `Stalled` when its firmware supports no requests, `OutcomeUnknown` when the reply was lost and the request
        cannot be repeated, `RemoteProtocolError` for a malformed one, other `LinkError`, `DeadlineExceeded`,
        `Cancelled`.
        """
        try:
            return self._ask_patiently(request, deadline.sooner(request.timeout_s), cancel)
        except (TransferTimeout, DeadlineExceeded):
            if deadline.expired or not is_repeatable(request.type_id):
                raise
            self._trace(f"request {request.type_id} {request.name}: silent, and there is time; asking once more")
        return self._ask_patiently(request, deadline.sooner(request.timeout_s), cancel)

    def _ask_patiently(self, request: Request[T], until: Deadline, cancel: CancelToken | None) -> T:
        failures = 0
        while True:
            try:
                return self._ask_once(request, until, cancel)
            except RequestRejected as refused:
                failures += 1
                is_told = refused.code == request.blank
                pause_s = None if is_told else refusals(refused.request, refused.code).pause(failures)
                if pause_s is None:
                    raise
                if until.remaining <= pause_s:
                    raise standing(refused) from refused
            except RemoteProtocolError:  # a malformed reply, or one with an impossible value
                failures += 1
                pause_s = GARBLED_REPLY.pause(failures)
                if pause_s is None or not is_repeatable(request.type_id) or until.remaining <= pause_s:
                    raise
            self._clock.sleep(pause_s, cancel)

    def _ask_once(self, request: Request[T], deadline: Deadline, cancel: CancelToken | None) -> T:
        started = self._clock.now()
        asked, sent = f"request {request.type_id} {request.name}", _shown(request.payload, request.is_secret)
        try:
            finished = self._finish(request, deadline, cancel)
        except DriverError as error:
            self._trace(f"{asked}: {error}\nsent {sent}")
            raise
        took_ms, got = (self._clock.now() - started) * 1000, _shown(finished.data, request.is_secret)
        took = f"{took_ms:.0f} ms\nsent {sent}; got {got}"
        if finished.result < 0:
            self._trace(f"{asked}: {describe_result(finished.result)}, {took}")
            raise rejected(request.type_id, request.name, finished.result)
        try:
            told = request.decode(finished.data)
        except DriverError as error:
            self._trace(f"{asked}: {error}, {took}")
            raise
        words = "answered, and holds a secret" if request.is_secret and told is not None else in_words(told)
        self._trace(f"{asked}: {words}, {took}")
        return told

    def ask_restart(self, request: Request[None], *, deadline: Deadline, cancel: CancelToken | None = None) -> bool:
        """Send a request that ends in a restart; return False when it is unknown whether the unit received it.

        Raises as `ask`, except that neither a unit that leaves the bus after accepting the request nor a lost reply
        is an error: the bus will show whether it restarts (reference usb-and-serial 3.7).
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
        """Run exchanges until one returns a result, as long as repeating cannot carry the request out twice.

        A unit without a free slot is asked until the deadline: what occupies its slots may finish.
        """
        if not self.has_requests:
            raise Stalled(
                f"request {request.name} ({request.type_id}) was not sent: the unit's firmware is so old that it knows "
                "no control requests; update it over DFU first"
            )
        broken = iter(RETRY_PAUSES_S)
        for tries in itertools.count(1):
            in_pieces = self.version is None or self.version >= PIECES_SINCE
            exchange = ControlExchange(request.type_id, request.payload, in_pieces=in_pieces)
            outcome, trouble = self._exchange(exchange, request, deadline, cancel)
            if isinstance(outcome, Finished):
                return outcome
            pause_s = NO_ROOM.pause(tries) if outcome.reason in _FULL else next(broken, None)
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
        """Run one exchange; return its outcome and the last transfer error in it, if any."""
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
        """Free the unit's slot of an abandoned request. Never raises `LinkError`."""
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
"""The unit has no free slot: RESET(0) frees what an earlier program left open."""
_NOT_BEGUN = _FULL | {FailureReason.PAYLOAD_LOST, FailureReason.REFUSED}
"""The unit has not begun to process the request."""
_STILL_OPEN = frozenset({FailureReason.PAYLOAD_LOST, FailureReason.UNANNOUNCED, FailureReason.UNANSWERED})
"""The unit may keep a slot for the request until RESET (reference usb-and-serial 3.4)."""


def _failure(request: Request[T], reason: FailureReason, trouble: _Trouble | None, tries: int) -> DriverError:
    """Return the error for an exchange that failed after ``tries`` tries.

    ``trouble``: the transfer error, passed only where the request cannot have had an effect, or is safe to repeat.
    """
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
