"""Gets hold of a unit: brings it into a mode by whatever its Device OS still listens to.

Each mode has its ways, best first: a control request, a command of the console, a line rate. What the unit's row and
the capability table say it lacks is not tried; what it does not obey is followed by the next way. The last way,
somebody's hands on its buttons, is not taken here: `NeedsHands` says that it is needed. Every change of mode is
confirmed by the unit itself. Reference usb-and-serial 3.8, 5.1 and 7.1.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..clock import CancelToken, Clock, Deadline
from ..errors import (
    DeadlineExceeded,
    DidNotReturn,
    LinkError,
    NeedsHands,
    NotFound,
    OutcomeUnknown,
    OutOfRequests,
    PortInUse,
    RateRefused,
    RequestRejected,
    Stalled,
    TransferFailed,
    TransferTimeout,
)
from ..platforms import Kind, platform
from ..wire import requests
from ..wire.console.tables import Key
from ..wire.control.tables import Raw, RequestType
from ..wire.requests import Request
from ..wire.usb import Mode
from .repeating import Trace

T = TypeVar("T")


class Goal(enum.StrEnum):
    """What a unit is to do."""

    NORMAL = "normal"  # run its application: leave DFU or listening mode
    LISTENING = "listening"
    SAFE = "safe"  # restart without its application
    DFU = "dfu"
    RESTART = "restart"


DFU_RATE, LISTENING_RATE = 14400, 28800  # baud
OBEY_S: dict[Goal, float] = {
    Goal.NORMAL: 10.0, Goal.LISTENING: 10.0, Goal.SAFE: 60.0, Goal.DFU: 60.0, Goal.RESTART: 60.0,
}  # fmt: skip
"""Seconds one way may take until the unit confirms it (reference usb-and-serial 7.2: 60 s for a restart)."""
BLOCKED_S = 20.0
"""How long a restart request may stay unanswered before the unit counts as blocked by its application."""
POLL_S = 0.1
"""Between questions for the mode of a unit that was told to change it; it does within a second (usb-and-serial 7.1)."""
EVERY_KIND = frozenset(Kind)

_NOT_OBEYED = (
    RequestRejected,
    OutOfRequests,
    OutcomeUnknown,
    Stalled,
    TransferFailed,
    TransferTimeout,
    DeadlineExceeded,
    DidNotReturn,
    RateRefused,
    NotFound,
    PortInUse,
    NeedsHands,
)
"""How a way may fail and leave the unit where it was, so that the next way is worth a try."""


class Held(Protocol):
    """What the ways need of a unit. Implemented by `ParticleDevice`."""

    @property
    def where(self) -> str: ...
    @property
    def mode(self) -> Mode | None: ...
    @property
    def platform_id(self) -> int | None: ...
    def has(self, kind: Kind, name: int | str, deadline: Deadline) -> bool: ...
    def ask(self, request: Request[T], deadline: Deadline | None = None) -> T: ...
    def is_listening(self, deadline: Deadline) -> bool: ...
    def restart(self, reason: str, wanted: Mode, deadline: Deadline, act: Callable[[], bool]) -> None: ...
    def send_restart(self, request: Request[None], deadline: Deadline) -> bool: ...
    def send_raw_restart(self, deadline: Deadline) -> bool: ...
    def touch(self, baud: int, deadline: Deadline) -> None: ...
    def type_key(self, key: Key, deadline: Deadline) -> None: ...
    def leave_dfu(self, deadline: Deadline) -> None: ...
    def enter_listening(self, deadline: Deadline) -> None: ...


@dataclass(frozen=True, slots=True)
class Way:
    """One way into a mode. ``kind`` and ``key`` name the row of ``requests.toml`` that says which units know it."""

    name: str
    kind: Kind
    key: int | str
    act: Callable[[Held, Deadline], None]


def _restarting(request: Callable[[], Request[None]], wanted: Mode) -> Callable[[Held, Deadline], None]:
    def act(unit: Held, deadline: Deadline) -> None:
        unit.restart(wanted.value, wanted, deadline, lambda: unit.send_restart(request(), deadline.sooner(BLOCKED_S)))

    return act


def _touch_to_dfu(unit: Held, deadline: Deadline) -> None:
    def act() -> bool:
        unit.touch(DFU_RATE, deadline)
        return True

    unit.restart("dfu", Mode.DFU, deadline, act)


def _touch_and_leave(unit: Held, deadline: Deadline) -> None:
    _touch_to_dfu(unit, deadline)
    unit.leave_dfu(deadline)


def _safe_by_console(unit: Held, deadline: Deadline) -> None:
    unit.enter_listening(deadline)  # no console reads in another mode

    def act() -> bool:
        unit.type_key(Key.SAFE_MODE, deadline)
        return True

    unit.restart("safe mode", Mode.APPLICATION, deadline, act)


WAYS: dict[Goal, tuple[Way, ...]] = {
    Goal.LISTENING: (
        Way("request 70", Kind.REQUEST, RequestType.START_LISTENING, lambda u, d: u.ask(requests.start_listening(), d)),
        Way("28800 baud", Kind.RATE, LISTENING_RATE, lambda u, d: u.touch(LISTENING_RATE, d)),
    ),
    Goal.NORMAL: (
        Way("request 71", Kind.REQUEST, RequestType.STOP_LISTENING, lambda u, d: u.ask(requests.stop_listening(), d)),
        Way("console x", Kind.COMMAND, Key.LEAVE, lambda u, d: u.type_key(Key.LEAVE, d)),
    ),
    Goal.SAFE: (
        Way("request 60", Kind.REQUEST, RequestType.SAFE_MODE, _restarting(requests.safe_mode, Mode.APPLICATION)),
        Way("console L", Kind.COMMAND, Key.SAFE_MODE, _safe_by_console),
    ),
    Goal.DFU: (
        Way("request 50", Kind.REQUEST, RequestType.DFU_MODE, _restarting(requests.enter_dfu, Mode.DFU)),
        Way("14400 baud", Kind.RATE, DFU_RATE, _touch_to_dfu),
    ),
    Goal.RESTART: (
        Way("request 40", Kind.REQUEST, RequestType.RESET, _restarting(requests.reset, Mode.APPLICATION)),
        Way(
            "raw request 40", Kind.RAW, Raw.RESTART,
            lambda u, d: u.restart("application", Mode.APPLICATION, d, lambda: u.send_raw_restart(d)),
        ),
        Way("14400 baud", Kind.RATE, DFU_RATE, _touch_and_leave),
    ),
}  # fmt: skip


class Holding:
    """The ways into each mode for one unit. One owner thread."""

    def __init__(self, unit: Held, clock: Clock, cancel: CancelToken, trace: Trace) -> None:
        self._unit, self._clock, self._cancel, self._trace = unit, clock, cancel, trace

    def reach(self, goal: Goal, deadline: Deadline, kinds: frozenset[Kind] = EVERY_KIND) -> None:
        """Bring the unit into ``goal`` by its ways of ``kinds``; does nothing when it is there.

        Raises `NeedsHands` when no way worked, `Disconnected` and `Swapped` for a unit that has left,
        `DeadlineExceeded` when ``deadline`` passed first, `Cancelled`.
        """
        unit = self._unit
        if unit.mode is Mode.DFU and goal is not Goal.DFU:
            unit.leave_dfu(deadline)
            if goal is Goal.RESTART:
                return
        if self.is_there(goal, deadline):
            return
        before, tried, last = unit.mode, list[str](), None
        for way in (one for one in WAYS[goal] if one.kind in kinds):
            if not unit.has(way.kind, way.key, deadline):
                tried.append(f"{way.name}: its firmware has none")
                continue
            limit = deadline.sooner(OBEY_S[goal])
            try:
                way.act(unit, limit)
                self.await_mode(goal, limit)
                return
            except _NOT_OBEYED as error:
                if deadline.expired or unit.mode is not before:  # it went somewhere: not for the next way to judge
                    raise
                self._trace(f"{goal} mode: {way.name} did not work, {error}")
                tried.append(f"{way.name}: {error}")
                last = error
        raise _needs_hands(unit, goal, tuple(tried)) from last

    def is_there(self, goal: Goal, deadline: Deadline) -> bool:
        """Ask the unit whether it is in that mode. Safe mode cannot be told from normal, nor a restart from none."""
        if goal in (Goal.LISTENING, Goal.NORMAL):
            return self._unit.is_listening(deadline) is (goal is Goal.LISTENING)
        return goal is Goal.DFU and self._unit.mode is Mode.DFU

    def await_mode(self, goal: Goal, deadline: Deadline) -> None:
        """Wait until the unit says that it is in that mode; a restart was confirmed when it was made."""
        while goal not in (Goal.SAFE, Goal.RESTART) and not self.is_there(goal, deadline):
            deadline.check(f"{goal} mode")
            self._clock.sleep(min(POLL_S, deadline.remaining), self._cancel)


_BUTTONS = {
    Goal.NORMAL: "press its RESET button",
    Goal.LISTENING: "hold its {button} button until the light blinks dark blue",
    Goal.SAFE: "hold {button}, tap RESET, let go when the light blinks magenta",
    Goal.DFU: "hold {button}, tap RESET, let go when the light blinks yellow",
    Goal.RESTART: "press its RESET button",
}
"""Reference provisioning-rules, part 3."""


def _needs_hands(unit: Held, goal: Goal, tried: tuple[str, ...]) -> LinkError:
    found = "; ".join(tried) or "nothing can be sent to it for that"
    button = "" if unit.platform_id is None else platform(unit.platform_id).button
    return NeedsHands(
        f"{unit.where} cannot be brought into {goal} mode by command ({found}); {_BUTTONS[goal].format(button=button)}",
        goal=goal.value,
        tried=tried,
    )
