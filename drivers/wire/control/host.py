"""The vendor's control-request protocol, host side, without I/O: reference usb-and-serial 3.

A request (a type, a payload, a reply, a signed result) takes several vendor control transfers.
`ControlExchange` returns the next action and is fed its outcome::

    exchange = ControlExchange(20)
    while not isinstance(action := exchange.next(), Finished):
        ...                      # Transfer: run it, then receive(raw), stalled() or lost(); Wait: let it pass

It has no clock: the caller keeps the deadline, and sends `reset` for a request it abandons.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import LocalProtocolError, RemoteProtocolError
from ..actions import Transfer, Wait
from ..usb import Setup
from .tables import (
    FLAG_STATUS,
    MAX_CHUNK,
    MAX_PAYLOAD,
    MAX_REPLY,
    OPTIONAL_FIELDS,
    PIECES_SINCE,
    RAW_REQUEST,
    REPLY_HEAD,
    REPLY_LENGTH,
    VENDOR_IN,
    VENDOR_OUT,
    Raw,
    Service,
    ServiceStatus,
)

FIRST_CHECK_S, LONGEST_CHECK_S = 0.001, 0.5
"""The first pause before a CHECK and the longest: a request that reads a value is done within a millisecond, and one
that starts a modem takes seconds, of which half a one may be lost.
"""


def _check_delays() -> tuple[float, ...]:
    """Return pauses of a quarter of what was waited before each: no answer is found later than by that."""
    delays, waited = list[float](), 0.0
    while waited < 4 * LONGEST_CHECK_S:
        delays.append(max(FIRST_CHECK_S, waited / 4))
        waited += delays[-1]
    return (*delays, LONGEST_CHECK_S)


CHECK_DELAYS_S = _check_delays()
"""Seconds before each CHECK, the last one repeated; they start over once the payload is sent.

Shorter than the vendor's own 50 ms: a firmware update is one request per kilobyte, so the pauses determine its speed
(reference firmware-and-dfu 5.1 and 8.3). The unit answers CHECK from an interrupt, so asking more often costs it
nothing, and the host 0.3 ms of the bus.
"""


@dataclass(frozen=True, slots=True)
class ServiceReply:
    """Reply to INIT, CHECK or RESET; the optional fields are None when their flag is not set."""

    status: ServiceStatus
    id: int | None = None
    size: int | None = None
    result: int | None = None


def parse_reply(raw: bytes) -> ServiceReply:
    """Parse a service reply (6 to 14 bytes, any further ones ignored); raises `RemoteProtocolError`."""
    if len(raw) < REPLY_HEAD.size:
        raise _bad_reply(raw, f"it needs at least {REPLY_HEAD.size}")
    flags, status = REPLY_HEAD.unpack_from(raw)
    if not flags & FLAG_STATUS:
        raise _bad_reply(raw, "its status flag is not set")
    if status not in frozenset(ServiceStatus):
        raise _bad_reply(raw, f"status {status} does not exist")
    values: list[int | None] = []
    at = REPLY_HEAD.size
    for flag, layout in OPTIONAL_FIELDS:
        present = bool(flags & flag)
        if present and len(raw) < at + layout.size:
            raise _bad_reply(raw, "it ends before the fields it announces")
        values.append(layout.unpack_from(raw, at)[0] if present else None)
        at += layout.size if present else 0
    return ServiceReply(ServiceStatus(status), *values)


def _bad_reply(raw: bytes, why: str) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"service reply of {len(raw)} bytes ({raw[:16].hex(' ') or 'none'}) is broken: {why}; reset the unit"
    )


# --- setup packets --------------------------------------------------------------------------


def init(request_type: int, payload_size: int) -> Setup:
    """Announce a request (``request_type`` 0-65535) with ``payload_size`` bytes (0-65535)."""
    return Setup(VENDOR_IN, Service.INIT, payload_size, request_type, REPLY_LENGTH)


def check(request_id: int) -> Setup:
    return Setup(VENDOR_IN, Service.CHECK, 0, request_id, REPLY_LENGTH)


def send(request_id: int, length: int) -> Setup:
    return Setup(VENDOR_OUT, Service.SEND, 0, request_id, length)


def recv(request_id: int, length: int) -> Setup:
    return Setup(VENDOR_IN, Service.RECV, 0, request_id, length)


def reset(request_id: int) -> Setup:
    """Drop one request. A restart request is carried out by this, not cancelled."""
    return Setup(VENDOR_IN, Service.RESET, 0, request_id, REPLY_LENGTH)


def reset_all() -> Setup:
    """Drop every request an earlier program left open; send this first on a fresh handle."""
    return reset(0)


def raw_device_id() -> Setup:
    return Setup(VENDOR_IN, RAW_REQUEST, 0, Raw.DEVICE_ID, REPLY_LENGTH)


def raw_version() -> Setup:
    return Setup(VENDOR_IN, RAW_REQUEST, 0, Raw.SYSTEM_VERSION, REPLY_LENGTH)


def raw_restart(*, needs_data: bool) -> Transfer:
    """Restart at once, by the unit's interrupt handler: whatever its application does (Device OS 2.0.0 and later).

    ``needs_data``: as `Platform.out_needs_data`. Such a unit obeys without a data stage too, but the transfer never
    completes (reference usb-and-serial 3.8).
    """
    data = b"\0" if needs_data else b""
    return Transfer(Setup(VENDOR_OUT, RAW_REQUEST, 0, Raw.RESTART, len(data)), data)


def parse_raw_text(raw: bytes) -> str:
    """Parse the text of a raw reply, up to the first NUL; raises `RemoteProtocolError` unless printable ASCII."""
    text = raw.partition(b"\0")[0]
    if not text or not all(0x20 <= byte < 0x7F for byte in text):
        raise RemoteProtocolError(f"raw reply {raw[:REPLY_LENGTH].hex(' ') or 'without bytes'} is no text")
    return text.decode("ascii")


# --- the exchange ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finished:
    """The request has completed: its signed 32-bit result and its reply, possibly empty, possibly secret."""

    result: int
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The exchange ended without a result; ``reason`` says whether trying again makes sense."""

    reason: FailureReason


class FailureReason(enum.Enum):
    """Why there is no result."""

    BUSY = "four requests are open already"  # wait, RESET(0), try again
    NO_MEMORY = "the unit has no memory for it"  # reset the unit
    GONE = "the unit no longer knows it"  # after a USB error: outcome unknown, read the state again
    PAYLOAD_LOST = "its payload was lost"  # RESET(id), try again
    REFUSED = "the unit stalled it"  # once: try again; always: no such protocol in this mode or firmware
    UNANNOUNCED = "it is unknown whether the unit received it"  # RESET(0); with a payload nothing has begun
    UNANSWERED = "the unit accepted it but did not return its reply"  # RESET(id); outcome unknown


Action = Transfer | Wait | Finished | Failed


class _Stage(enum.Enum):
    """State of an exchange; all but the last have one row in `_HANDLERS`."""

    INIT = enum.auto()  # not announced yet
    WAIT_BUFFER = enum.auto()  # the unit allocates a buffer for the payload
    SEND = enum.auto()  # sending the payload
    WAIT_RESULT = enum.auto()  # the unit processes the request
    RECV = enum.auto()  # fetching the reply
    OVER = enum.auto()  # `next` returns the outcome


class ControlExchange:
    """One request from INIT to its result.

    ``request_type`` 0 to 65535, ``payload`` at most 65535 bytes, ``check_delays_s`` seconds before
    each CHECK (not empty); ``in_pieces`` False for a unit before `PIECES_SINCE`, which carries 4096 bytes at most.
    Malformed replies raise `RemoteProtocolError`, misuse `LocalProtocolError`.
    """

    def __init__(
        self,
        request_type: int,
        payload: bytes = b"",
        *,
        check_delays_s: Sequence[float] = CHECK_DELAYS_S,
        in_pieces: bool = True,
    ) -> None:
        limit = MAX_PAYLOAD if in_pieces else MAX_CHUNK
        if not 0 <= request_type <= 0xFFFF or len(payload) > limit or not check_delays_s:
            raise LocalProtocolError(
                f"request {request_type} with {len(payload)} bytes is no control request; this is a bug of the station"
            )
        self._type = request_type
        self._payload = payload
        self._delays = tuple(check_delays_s)
        self._in_pieces = in_pieces
        self._stage = _Stage.INIT
        self._id: int | None = None
        self._checks = 0
        self._has_waited = False
        self._sent = 0
        self._result = 0
        self._size = 0
        self._reply = bytearray()
        self._outcome: Finished | Failed | None = None
        self._asked: Transfer | None = None

    @property
    def request_id(self) -> int | None:
        """Return the id the unit assigned, for RESET; None before INIT was accepted."""
        return self._id

    def next(self) -> Action:
        """Return the next action. A `Transfer` must be followed by `receive`, `stalled` or `lost` first."""
        if self._asked is not None:
            raise LocalProtocolError("a transfer of this exchange is still unanswered; this is a bug of the station")
        if self._outcome is not None:
            return self._outcome
        if self._stage in (_Stage.WAIT_BUFFER, _Stage.WAIT_RESULT) and not self._has_waited:
            self._has_waited = True
            delay = self._delays[min(self._checks, len(self._delays) - 1)]
            self._checks += 1
            return Wait(delay)
        self._has_waited = False
        self._asked = self._transfer()
        return self._asked

    def receive(self, raw: bytes = b"") -> None:
        """Record that the transfer succeeded; ``raw`` is the data of an IN transfer."""
        if self._take_asked().setup.is_in and len(raw) > MAX_CHUNK:
            raise _bad_reply(raw, "it is longer than was asked for")
        _HANDLERS[self._stage](self, raw)

    def stalled(self) -> None:
        """Record that the unit answered the transfer with STALL."""
        self._take_asked()
        self._end(Failed(_STALLED.get(self._stage, FailureReason.UNANSWERED)))

    def lost(self) -> None:
        """Record that the transfer failed or its reply was malformed: the unit may or may not have received it."""
        self._asked = None
        if self._stage is _Stage.SEND:  # CHECK will show whether the payload arrived
            self._sent, self._checks, self._stage = len(self._payload), 0, _Stage.WAIT_RESULT
        elif self._stage is _Stage.INIT:
            self._end(Failed(FailureReason.UNANNOUNCED))
        else:
            self._end(Failed(FailureReason.UNANSWERED))

    @property
    def may_have_run(self) -> bool:
        """Return whether the unit may have begun to process the request: it does once it has all of the payload."""
        if self._payload:
            return self._sent == len(self._payload)
        return self._id is not None or self._outcome == Failed(FailureReason.UNANNOUNCED)

    def _take_asked(self) -> Transfer:
        if self._asked is None:
            raise LocalProtocolError("a reply came without a transfer; this is a bug of the station")
        asked, self._asked = self._asked, None
        return asked

    def _transfer(self) -> Transfer:
        request_id = self._id or 0
        if self._stage is _Stage.INIT:
            return Transfer(init(self._type, len(self._payload)))
        if self._stage is _Stage.SEND:
            piece = self._payload[self._sent : self._sent + MAX_CHUNK]
            return Transfer(send(request_id, len(piece)), piece)
        if self._stage is _Stage.RECV:
            return Transfer(recv(request_id, min(MAX_CHUNK, self._size - len(self._reply))))
        return Transfer(check(request_id))

    def _on_init(self, raw: bytes) -> None:
        reply = parse_reply(raw)
        if reply.status in _ENDINGS:
            return self._end(Failed(_ENDINGS[reply.status]))
        if reply.id is None or reply.status is ServiceStatus.ERROR:
            raise _bad_reply(raw, f"INIT of request {self._type} returned no request id")
        if reply.status is ServiceStatus.PENDING and not self._payload:
            raise _bad_reply(raw, f"INIT of request {self._type} without payload cannot be pending")
        self._id = reply.id
        after = _Stage.SEND if self._payload else _Stage.WAIT_RESULT
        self._stage = _Stage.WAIT_BUFFER if reply.status is ServiceStatus.PENDING else after
        return None

    def _on_buffer_check(self, raw: bytes) -> None:
        reply = parse_reply(raw)
        if reply.status in _ENDINGS:
            return self._end(Failed(_ENDINGS[reply.status]))
        if reply.status is ServiceStatus.OK and reply.result is None:
            self._stage = _Stage.SEND
        elif reply.status is ServiceStatus.OK:
            self._finish(raw, reply)  # ended before its payload, for example cancelled
        elif reply.status is not ServiceStatus.PENDING:
            raise _bad_reply(raw, f"CHECK cannot answer {reply.status.name}")
        return None

    def _on_sent(self, _raw: bytes) -> None:
        self._sent = min(self._sent + MAX_CHUNK, len(self._payload))
        if self._sent == len(self._payload):
            self._stage = _Stage.WAIT_RESULT
            self._checks = 0

    def _on_result_check(self, raw: bytes) -> None:
        reply = parse_reply(raw)
        if reply.status in _ENDINGS:
            return self._end(Failed(_ENDINGS[reply.status]))
        if reply.status is ServiceStatus.OK and reply.result is None:
            return self._end(Failed(FailureReason.PAYLOAD_LOST))
        if reply.status is ServiceStatus.OK:
            return self._finish(raw, reply)
        if reply.status is not ServiceStatus.PENDING:
            raise _bad_reply(raw, f"CHECK cannot answer {reply.status.name}")
        return None

    def _finish(self, raw: bytes, reply: ServiceReply) -> None:
        self._result, self._size = reply.result or 0, reply.size or 0
        if self._size > MAX_REPLY:
            raise _bad_reply(raw, f"a reply of {self._size} bytes is impossible")
        if self._size > MAX_CHUNK and not self._in_pieces:
            raise RemoteProtocolError(
                f"reply to request {self._type}: {self._size} bytes come in one piece before Device OS {PIECES_SINCE}, "
                f"and a host takes {MAX_CHUNK}; update the unit or ask for less"
            )
        if self._size:
            self._stage = _Stage.RECV
        else:
            self._end(Finished(self._result))

    def _on_received(self, raw: bytes) -> None:
        wanted = min(MAX_CHUNK, self._size - len(self._reply))
        if len(raw) != wanted:
            raise RemoteProtocolError(
                f"reply to request {self._type}: {len(raw)} bytes came, expected {wanted}; reset the unit"
            )
        self._reply += raw
        if len(self._reply) == self._size:
            self._end(Finished(self._result, bytes(self._reply)))

    def _end(self, outcome: Finished | Failed) -> None:
        self._stage = _Stage.OVER
        self._outcome = outcome


_ENDINGS = {
    ServiceStatus.BUSY: FailureReason.BUSY,
    ServiceStatus.NO_MEMORY: FailureReason.NO_MEMORY,
    ServiceStatus.NOT_FOUND: FailureReason.GONE,
}

_STALLED = {_Stage.INIT: FailureReason.REFUSED, _Stage.SEND: FailureReason.PAYLOAD_LOST}
"""Meaning of a STALL before the unit processes the request; later ones mean it accepted the request, then failed."""

_HANDLERS = {
    _Stage.INIT: ControlExchange._on_init,
    _Stage.WAIT_BUFFER: ControlExchange._on_buffer_check,
    _Stage.SEND: ControlExchange._on_sent,
    _Stage.WAIT_RESULT: ControlExchange._on_result_check,
    _Stage.RECV: ControlExchange._on_received,
}
