"""The control-request protocol, device side: INIT, CHECK, SEND, RECV, RESET on endpoint 0.

Byte-exact, following reference usb-and-serial 3.2 to 3.7. A request is passed to the system
thread (`SystemThread`), which may be busy or asleep, and returns an `Outcome`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ..wire.control.tables import (
    FLAG_STATUS,
    MAX_ACTIVE,
    OPTIONAL_FIELDS,
    POOL_BUFFER,
    REPLY_HEAD,
    REPLY_LENGTH,
    VENDOR_IN,
    Service,
    ServiceStatus,
)
from ..wire.usb import Setup
from .bus import Stall


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended.

    ``seconds``: how long the system thread was busy with it. ``finish``, if given, is called after that time and
    returns the real outcome. ``completed`` is called once the host has read the result, or abandoned the request.
    ``is_lost``: whoever should have answered never does, and keeps nobody else from working.
    """

    result: int = 0
    data: bytes = b""
    seconds: float = 0.0
    finish: Callable[[], Outcome] | None = None
    completed: Callable[[], None] | None = None
    is_lost: bool = False


class SystemThread(Protocol):
    """Processes one request after the other. Points in time are clock seconds; None means never."""

    def now(self) -> float: ...
    def allocate(self) -> float | None:
        """Return the time at which a payload buffer will be available."""
        ...

    def run(self, request_type: int, payload: bytes, done: Callable[[Outcome, float], None]) -> None:
        """Process one request, then call ``done(outcome, time)``; the host sees the outcome from that time on.

        ``done`` is never called if the thread sleeps until a restart.
        """
        ...


class State(enum.Enum):
    """Life of an active request (reference 3.4)."""

    ALLOC_PENDING = enum.auto()  # INIT returned PENDING: waiting for a buffer
    RECV_PAYLOAD = enum.auto()  # ready for SEND
    PENDING = enum.auto()  # passed to the system thread
    DONE = enum.auto()  # result stored


@dataclass(slots=True, eq=False)
class _Active:
    id: int
    type_id: int
    size: int
    state: State
    payload: bytearray = field(default_factory=bytearray)
    outcome: Outcome = field(default_factory=Outcome)
    ready_at: float | None = None  # when ALLOC_PENDING or DONE becomes visible
    read: int = 0  # reply bytes the host has fetched
    is_released: bool = False  # abandoned by the host; the outcome will be dropped


def service_reply(
    status: ServiceStatus, *, request_id: int | None = None, size: int | None = None, result: int | None = None
) -> bytes:
    """Encode flags and status, then the fields that are not None, without gaps (reference 3.3)."""
    flags, tail = FLAG_STATUS, b""
    for (flag, layout), value in zip(OPTIONAL_FIELDS, (request_id, size, result), strict=True):
        if value is not None:
            flags |= flag
            tail += layout.pack(value)
    return REPLY_HEAD.pack(flags, status) + tail


class ControlService:
    """Active requests since the last boot. Lives in RAM; called with the unit's condition held.

    ``in_pieces`` False: a payload or reply travels whole, as before Device OS 1.5.0 (3.5).
    """

    def __init__(self, thread: SystemThread, *, in_pieces: bool = True) -> None:
        self._thread, self._in_pieces = thread, in_pieces
        self._active: dict[int, _Active] = {}
        self._next_id = 1

    @property
    def active(self) -> int:
        """Return how many of the four slots are in use."""
        return len(self._active)

    def handle(self, setup: Setup, data: bytes) -> bytes:
        """Answer one service request; raises `Stall` if the unit refuses it."""
        is_in = setup.request_type == VENDOR_IN
        match setup.request:
            case Service.SEND if not is_in:
                self._send(setup, data)
                return b""
            case Service.RECV if is_in:
                return self._recv(setup)
            case Service.INIT | Service.CHECK | Service.RESET if is_in and setup.length == REPLY_LENGTH:
                answer = {Service.INIT: self._init, Service.CHECK: self._check, Service.RESET: self._reset}
                return answer[Service(setup.request)](setup)
        raise Stall

    def abort_all(self) -> None:
        """Handle a USB bus reset: every request ends with -150, and pending restarts happen."""
        self._release_all()

    # --- the five service requests ---

    def _init(self, setup: Setup) -> bytes:
        if len(self._active) >= MAX_ACTIVE:
            return service_reply(ServiceStatus.BUSY)
        is_small = setup.value <= POOL_BUFFER
        state = State.PENDING if setup.value == 0 else State.RECV_PAYLOAD if is_small else State.ALLOC_PENDING
        request = _Active(self._next_id, setup.index, setup.value, state)
        self._next_id = (self._next_id + 1) & 0xFFFF
        self._active[request.id] = request
        if state is State.PENDING:
            self._start(request)
        elif state is State.ALLOC_PENDING:
            request.ready_at = self._thread.allocate()
        status = ServiceStatus.PENDING if state is State.ALLOC_PENDING else ServiceStatus.OK
        return service_reply(status, request_id=request.id)

    def _check(self, setup: Setup) -> bytes:
        request = self._active.get(setup.index)
        if request is None:
            return service_reply(ServiceStatus.NOT_FOUND)
        if request.ready_at is not None and request.ready_at > self._thread.now():
            return service_reply(ServiceStatus.PENDING)
        if request.state is State.ALLOC_PENDING and request.ready_at is not None:
            request.state = State.RECV_PAYLOAD
        if request.state in (State.ALLOC_PENDING, State.PENDING):
            return service_reply(ServiceStatus.PENDING)
        if request.state is State.RECV_PAYLOAD:
            return service_reply(ServiceStatus.OK)
        outcome = request.outcome
        if outcome.data:
            return service_reply(ServiceStatus.OK, size=len(outcome.data), result=outcome.result)
        self._release(request)
        return service_reply(ServiceStatus.OK, result=outcome.result)

    def _send(self, setup: Setup, data: bytes) -> None:
        """Store a chunk. More than 64 bytes are checked before the data stage, fewer are dropped after it (3.5)."""
        request = self._active.get(setup.index)
        fits = (
            request is not None
            and request.state is State.RECV_PAYLOAD
            and len(request.payload) + setup.length <= request.size
            and (self._in_pieces or setup.length == request.size)
        )
        if request is None or not fits:
            if setup.length > POOL_BUFFER:
                raise Stall
            return
        request.payload += data
        if len(request.payload) == request.size:
            self._start(request)

    def _recv(self, setup: Setup) -> bytes:
        request = self._active.get(setup.index)
        if request is None or not self._is_readable(request) or setup.length == 0:
            raise Stall
        data = request.outcome.data
        if request.read + setup.length > len(data) or not (self._in_pieces or setup.length == len(data)):
            raise Stall
        piece = data[request.read : request.read + setup.length]
        request.read += setup.length
        if request.read == len(data):
            self._release(request)
        return piece

    def _reset(self, setup: Setup) -> bytes:
        if setup.index == 0:
            self._release_all()
            return service_reply(ServiceStatus.OK)
        request = self._active.get(setup.index)
        if request is None:
            return service_reply(ServiceStatus.NOT_FOUND)
        self._release(request)
        return service_reply(ServiceStatus.OK)

    # --- inside ---

    def _is_readable(self, request: _Active) -> bool:
        return request.state is State.DONE and (request.ready_at or 0.0) <= self._thread.now()

    def _start(self, request: _Active) -> None:
        request.state, request.ready_at = State.PENDING, None
        payload = bytes(request.payload)
        self._thread.run(request.type_id, payload, lambda outcome, at: self._done(request, outcome, at))

    def _done(self, request: _Active, outcome: Outcome, at: float) -> None:
        request.outcome, request.state, request.ready_at = outcome, State.DONE, at
        if request.is_released and outcome.completed is not None:
            outcome.completed()

    def _release_all(self) -> None:
        for request in list(self._active.values()):
            self._release(request)

    def _release(self, request: _Active) -> None:
        """Free the slot. A restart or update that waited for its result to be read happens now, read or not (3.7)."""
        self._active.pop(request.id, None)
        request.is_released = True
        if request.state is State.DONE and request.outcome.completed is not None:
            request.outcome.completed()
