"""What happened, as frozen values: the only thing a screen, a log or ``--json`` ever sees.

``kind`` is the class name. Values are plain (str, int, float, bool, None, tuples and the values of
`station.model`), hold no secret, and the same events replayed draw the same screen.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
from dataclasses import dataclass
from typing import Any, TypedDict

from ..figures import Figures
from ..model import Batch, IdentityFact, Measurement, Outcome, SeenBefore, SlotInfo, Verdict
from ..words.say import NOTHING, Say


class Head(TypedDict):
    """What every event of one attempt begins with."""

    at: datetime.datetime
    slot: int
    device_id: str | None
    attempt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``at`` is wall time (UTC); ``slot`` 0 means the whole station."""

    at: datetime.datetime
    slot: int = 0
    device_id: str | None = None
    attempt: str | None = None

    @property
    def kind(self) -> str:
        return type(self).__name__

    def to_json(self) -> dict[str, Any]:
        """A dictionary for one JSON line: at, kind, slot, device_id, attempt, then the rest."""
        head = {
            "at": _plain(self.at), "kind": self.kind, "slot": self.slot,
            "device_id": self.device_id, "attempt": self.attempt,
        }  # fmt: skip
        rest: dict[str, Any] = {}
        for name in (f.name for f in dataclasses.fields(self) if f.name not in head):
            value = getattr(self, name)
            said = isinstance(value, Say)
            rest |= {"sentence": value.key, "values": list(value.values)} if said else {name: _plain(value)}
        return head | rest


def _plain(value: Any) -> Any:
    if isinstance(value, enum.IntEnum):
        return value.name
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime.datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, Measurement):  # as exact as it was measured
        left_out = [name for name in ("wanted", "is_out") if not getattr(value, name)]
        return {name: one for name, one in dataclasses.asdict(value).items() if name not in left_out}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 3)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class SayingEvent(Event):
    """An event that tells the operator something. Records name the two parts of ``say`` sentence and values."""

    say: Say = NOTHING

    @property
    def sentence(self) -> str:
        return self.say.key

    @property
    def values(self) -> tuple[str, ...]:
        return self.say.values


# --- the station ---


@dataclass(frozen=True, slots=True, kw_only=True)
class StationStarted(Event):
    station_id: str
    slots: tuple[SlotInfo, ...]
    operator: str = ""
    virtual: bool = False  # virtual units and a virtual cloud: shown wherever it matters
    speed: float | None = 1.0  # how many times as fast as real time; None: simulated time
    cloud: bool | None = None  # whether the cloud answered so far (opening a batch may ask it); None: not asked yet


@dataclass(frozen=True, slots=True, kw_only=True)
class StationStopped(Event):
    """The last entry of a run that came to an orderly end; a run without one was killed."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOpened(Event):
    batch: Batch
    title: str = ""  # the product's name for the header


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchClosed(Event):
    batch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress(Event):
    """Where the batch stands after a commit."""

    batch: str
    figures: Figures
    target: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudStateChanged(Event):
    reachable: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxChanged(Event):
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxSettled(Event):
    """One owed cloud action was finished and verified, or refused."""

    action: str
    outcome: Outcome
    reason: str = ""
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedWorkStuck(SayingEvent):
    """Owed cloud work that somebody has to look after. ``say`` tells what is the matter, ``reason`` who can mend it;
    the work is tried again all the same."""

    action: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRevised(Event):
    """A PENDING attempt became PASS or FAIL after its cloud work was settled."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmappedPort(Event):
    """A unit on a port no slot is bound to."""

    port_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRefused(SayingEvent):
    """What a person asked for cannot be done. ``say`` is for the operator, ``reason`` for the record."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorChanged(Event):
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRead(SayingEvent):
    """What a scan was taken for. ``shown`` is safe to display (secrets masked).

    ``field``: the field of the open screen it goes to. ``say`` is what the station answers.
    """

    shown: str
    accepted: bool
    reason: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFault(Event):
    """Something of the station itself is wrong (journal, disk, token)."""

    reason: str


# --- a slot and its attempt ---


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitArrived(Event):
    port_path: str
    platform: str = ""
    mode: str = ""  # "application" or "dfu"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLeft(Event):
    """``slot`` 0: the unit was on a port of no slot."""

    port_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(Event):
    port_path: str
    batch: str = ""
    profile: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitIdentified(Event):
    """Every identity read, each with its source; ``label`` is what a person would call the unit (serial or ID)."""

    platform: str
    label: str
    facts: tuple[IdentityFact, ...]
    seen: SeenBefore | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    step: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProgress(SayingEvent):
    """Coalesces: only the latest one of a slot matters. ``share`` is 0.0-1.0.

    ``say`` is said while it writes, if there is more to say than that.
    """

    step: str
    share: float
    seconds_left: float | None = None
    writing: bool = False  # do not unplug now
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsNeeded(SayingEvent):
    """The operator must do one thing: ``say``. ``led`` is the name of the light to look for."""

    step: str
    led: str = ""
    waits_for_scan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsDone(Event):
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepHeld(SayingEvent):
    """The step waits for something nobody at this slot can do, and goes on by itself; the newest of a step holds.

    ``say`` tells for what, ``before`` how many are before it where it stands in a queue.
    """

    step: str
    before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResumed(Event):
    """What the step was held for is over, or it gave up waiting."""

    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured(Event):
    step: str
    measurement: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    step: str
    outcome: Outcome
    reason: str = ""
    proof: str = ""
    seconds: float = 0.0
    measurements: tuple[Measurement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModulesRead(Event):
    """Firmware wanted and held, one row a module: (name, wanted or `AS_IT_IS`, held), for the technician's view."""

    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireTraced(Event):
    """One line of the wire trace, already masked; only sent to whoever asked for it."""

    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFinished(SayingEvent):
    """Sent only after the journal committed. ``say`` is for the operator, ``reason`` for the record."""

    verdict: Verdict
    batch: str = ""
    failed_step: str = ""
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary(Event):
    """The last line of a headless run."""

    batches: tuple[str, ...]
    units: dict[str, int]  # verdict name -> units
    seconds: float
    flash_writes: int | None = None  # virtual units only: as the virtual side counted them
    cloud_writes: int | None = None
    transfers: int | None = None
