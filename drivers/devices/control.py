"""A unit in application mode: asks control requests and reads the raw values.

It brings time, retries and words to the pure exchange of ``wire.control``. It does not know which
unit this is, and does not follow it through a restart: that is `ParticleDevice`.
"""

from __future__ import annotations

import contextlib
from typing import TypeVar

from ..clock import CancelToken, Clock, Deadline
from ..errors import (
    Disconnected,
    DriverError,
    LinkError,
    OutcomeUnknown,
    OutOfRequests,
    RequestRejected,
    Stalled,
    TransferTimeout,
)
from ..transport import TRANSFER_TIMEOUT_S, UsbTransport
from ..wire import control
from ..wire.actions import Transfer, Wait
from ..wire.control import ControlExchange, Failed, FailureReason, Finished
from ..wire.requests import Request, describe_result
from ..wire.usb import Setup
from .dialogue import Trace, no_trace

T = TypeVar("T")

BUSY_PAUSE_S = 0.1
"""Between an INIT refused as busy and the next one (reference usb-and-serial 3.6)."""
TRIES = 2
"""INITs of one request that found the unit busy, or whose payload got lost.

RESET(0) was sent when the handle was opened: one more is all a busy unit gets (reference usb-and-serial 3.6).
"""
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
        self.version: str | None = None
        """Device OS version as the raw request told it at `open`; None if the firmware does not know that request."""

    def open(self, deadline: Deadline, cancel: CancelToken | None = None) -> None:
        """Read the version and drop what an earlier program left open (reference usb-and-serial 3.7).

        A restart request such a program never fetched the answer of is carried out by that.
        """
        with contextlib.suppress(Stalled):
            self.version = self._raw("version", control.raw_version(), deadline, cancel)
        with contextlib.suppress(Stalled):
            self._transfer(control.reset_all(), b"", deadline, cancel)

    def raw_device_id(self, deadline: Deadline, cancel: CancelToken | None = None) -> str:
        """24 hexadecimal digits, straight from the interrupt handler; raises `Stalled` on old firmware."""
        return self._raw("device id", control.raw_device_id(), deadline, cancel)

    def close(self) -> None:
        self._transport.close()

    def ask(self, request: Request[T], *, deadline: Deadline, cancel: CancelToken | None = None) -> T:
        """Ask one request and decode its answer.

        Ends at the sooner of ``deadline`` and the request's own time. Raises `RequestRejected` for a
        negative result, `OutOfRequests` when the unit stays busy, `Stalled` when its firmware knows no
        requests, `OutcomeUnknown` when the answer got lost or is not handed out, `RemoteProtocolError` for a
        broken one, other `LinkError`, `DeadlineExceeded` and `Cancelled`.
        """
        started = self._clock.now()
        sent = f"request {request.type_id} {request.name}: sent {_shown(request.payload, request.is_secret)}"
        try:
            finished = self._finish(request, deadline.sooner(request.timeout_s), cancel)
        except DriverError as error:
            self._trace(f"{sent}; {error}")
            raise
        back = _shown(finished.data, request.is_secret)
        took_ms = (self._clock.now() - started) * 1000
        self._trace(f"{sent}; got {back}, {describe_result(finished.result)} in {took_ms:.0f} ms")
        if finished.result < 0:
            raise RequestRejected(
                f"request {request.name} ({request.type_id}): the unit answered {describe_result(finished.result)}",
                request=request.type_id,
                code=finished.result,
            )
        return request.decode(finished.data)

    def ask_restart(self, request: Request[None], *, deadline: Deadline, cancel: CancelToken | None = None) -> None:
        """Ask a request that ends in a restart.

        A unit that vanishes or stalls once it accepted the request has most likely obeyed: that is seen on
        the bus, so it is no error here (reference usb-and-serial 3.7).
        """
        try:
            self.ask(request, deadline=deadline, cancel=cancel)
        except (_LeftWhileAnswering, OutcomeUnknown) as error:
            self._trace(f"request {request.name}: taken as obeyed, {error}")

    def _finish(self, request: Request[T], deadline: Deadline, cancel: CancelToken | None) -> Finished:
        """Run exchanges until one gives a result; only failures known to have had no effect are tried again."""
        for left in reversed(range(TRIES)):
            outcome = self._exchange(request, deadline, cancel)
            if isinstance(outcome, Finished):
                return outcome
            if left == 0 or outcome.reason not in _HARMLESS:
                raise _failure(request, outcome.reason)
            self._trace(f"request {request.type_id} {request.name}: {outcome.reason.value}; trying again")
            self._clock.sleep(BUSY_PAUSE_S, cancel)
            if outcome.reason is FailureReason.BUSY:
                self._transfer(control.reset_all(), b"", deadline, cancel)
        raise AssertionError("unreachable: the last try returns or raises")

    def _exchange(self, request: Request[T], deadline: Deadline, cancel: CancelToken | None) -> Finished | Failed:
        exchange = ControlExchange(request.type_id, request.payload)
        try:
            outcome = self._drive(exchange, request.name, deadline, cancel)
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
        return outcome

    def _drive(
        self, exchange: ControlExchange, what: str, deadline: Deadline, cancel: CancelToken | None
    ) -> Finished | Failed:
        while True:
            action = exchange.next()
            if isinstance(action, Finished | Failed):
                return action
            if isinstance(action, Wait):
                deadline.check(f"request {what}")
                self._clock.sleep(min(action.seconds, deadline.remaining), cancel)
                continue
            try:
                exchange.receive(self._patiently(action, what, deadline, cancel))
            except Stalled:
                exchange.stalled()

    def _patiently(self, action: Transfer, what: str, deadline: Deadline, cancel: CancelToken | None) -> bytes:
        """Run a transfer; a CHECK that times out is sent again until the deadline, for it changes nothing."""
        while True:
            deadline.check(f"request {what}")
            try:
                return self._transfer(action.setup, action.data, deadline, cancel)
            except TransferTimeout:
                if action.setup.request != control.Service.CHECK:
                    raise

    def _transfer(self, setup: Setup, data: bytes, deadline: Deadline, cancel: CancelToken | None) -> bytes:
        if cancel is not None:
            cancel.check()
        return self._transport.control(setup, data, timeout_s=min(TRANSFER_TIMEOUT_S, deadline.remaining))

    def _give_up(self, exchange: ControlExchange) -> None:
        """Free the unit's slot of a request nobody waits for any more."""
        setup = control.reset_all() if exchange.request_id is None else control.reset(exchange.request_id)
        with contextlib.suppress(LinkError):
            self._transport.control(setup, timeout_s=_GIVE_UP_TIMEOUT_S)

    def _raw(self, what: str, setup: Setup, deadline: Deadline, cancel: CancelToken | None) -> str:
        try:
            text = control.parse_raw_text(self._transfer(setup, b"", deadline, cancel))
        except DriverError as error:
            self._trace(f"raw {what}: {error}")
            raise
        self._trace(f"raw {what}: {text}")
        return text


_HARMLESS = frozenset({FailureReason.BUSY, FailureReason.PAYLOAD_LOST})
"""The unit has not begun to work on the request."""
_STILL_OPEN = frozenset({FailureReason.PAYLOAD_LOST, FailureReason.UNANSWERED})
"""The unit keeps a slot for the request until RESET (reference usb-and-serial 3.4)."""


def _failure(request: Request[T], reason: FailureReason) -> DriverError:
    sentence = f"request {request.name} ({request.type_id}): {reason.value}"
    if reason is FailureReason.REFUSED:
        return Stalled(f"{sentence} (STALL, EPIPE); its firmware knows no control requests, or it is in DFU mode")
    if reason is FailureReason.UNANSWERED:
        return OutcomeUnknown(f"{sentence} (STALL, EPIPE); it may have been carried out, read the unit's state again")
    if reason is FailureReason.GONE:
        return OutcomeUnknown(f"{sentence} (NOT_FOUND); it restarted or the answer got lost, read its state again")
    return OutOfRequests(f"{sentence}, after {TRIES} tries; unplug the unit and plug it in again")


def _shown(data: bytes, is_secret: bool) -> str:
    if is_secret or not data:
        return f"{len(data)} bytes"
    return f"{len(data)} bytes ({data[:_SHOWN_BYTES].hex(' ')}{' ...' if len(data) > _SHOWN_BYTES else ''})"
