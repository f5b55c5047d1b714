"""Events, as frozen values: all that a screen, a log or ``--json`` ever sees.

``kind`` is the class name. Values are plain (str, int, float, bool, None, tuples and the values of `station.model`)
and hold no secret. Replaying the same events draws the same screen.
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
    """Fields every event of one attempt starts with."""

    at: datetime.datetime
    slot: int
    device_id: str | None
    attempt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Root of all events. ``at`` is wall time (UTC); ``slot`` 0 means the whole station."""

    at: datetime.datetime
    slot: int = 0
    device_id: str | None = None
    attempt: str | None = None

    @property
    def kind(self) -> str:
        return type(self).__name__

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary for one JSON line: at, kind, slot, device_id, attempt, then the event's own fields."""
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
    """An event with a sentence for the operator. JSON has the parts of ``say`` as ``sentence`` and ``values``."""

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
    cloud: bool | None = None  # whether the cloud answered when a batch was opened; None: not asked yet
    program: str = ""  # the station's version; "" in older records


@dataclass(frozen=True, slots=True, kw_only=True)
class StationStopped(Event):
    """Last entry of a run that ended in order; a run without one was killed."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOpened(Event):
    batch: Batch
    title: str = ""  # the product's name for the header


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchClosed(Event):
    batch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSealShown(Event):
    """The seal over a closed batch and all before it was recorded. ``key``: the fingerprint people compare."""

    batch: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress(Event):
    """Figures of the batch after a commit."""

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
    """Owed cloud work that a person has to look after. ``say``: what is wrong; ``reason``: who can fix it.

    The work is retried all the same.
    """

    action: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRevised(Event):
    """The verdict of a PENDING attempt after its cloud work was settled."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmappedPort(Event):
    """A unit arrived on a port that no slot is bound to."""

    port_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotTakenOut(Event):
    """The slot is out of service: what is plugged into it is no business of the station and counts nowhere."""

    why: str
    since: datetime.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPutBack(Event):
    """The slot is in service again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRefused(SayingEvent):
    """A command could not be carried out. ``say`` is for the operator, ``reason`` for the record."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorChanged(Event):
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRead(SayingEvent):
    """How a scan was understood. ``shown`` is safe to display (secrets masked), ``say`` is the answer to it.

    ``field``: field of the open screen it goes to. ``reason``: for the record, why it was refused.
    """

    shown: str
    accepted: bool
    reason: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFault(Event):
    """The station itself has a fault (journal, disk, token)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StationNote(Event):
    """Something a person should know before it matters; nothing is wrong with the station."""

    reason: str


# --- a slot and its attempt ---


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitArrived(SayingEvent):
    """A unit arrived on a slot's port. With ``say`` it is none: nothing is done with it; ``reason``: what it is."""

    port_path: str
    platform: str = ""
    mode: str = ""  # "application" or "dfu"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLeft(Event):
    """A unit was unplugged. ``slot`` 0: its port belongs to no slot."""

    port_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(Event):
    port_path: str
    batch: str = ""
    profile: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitIdentified(Event):
    """Identities read, each with its source; ``label`` is what a person calls the unit (serial number or ID)."""

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
    """Progress of a step, ``share`` 0.0 to 1.0. Only the latest of a slot matters.

    ``say``: warning to show while it writes, beyond "do not unplug".
    """

    step: str
    share: float
    seconds_left: float | None = None
    writing: bool = False  # do not unplug now
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsNeeded(SayingEvent):
    """The operator must do one thing, ``say``. ``led``: name of the light to look for."""

    step: str
    led: str = ""
    waits_for_scan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsDone(Event):
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepHeld(SayingEvent):
    """The step waits for something the operator cannot change, and resumes by itself. The latest of a step counts.

    ``say``: what it waits for; ``before``: how many are ahead of it in a queue.
    """

    step: str
    before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResumed(Event):
    """The step no longer waits: it goes on, or gave up."""

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
    """Firmware modules for the technician's view, one row each: (name, wanted or `AS_IT_IS`, held)."""

    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireTraced(Event):
    """One line of the wire trace, secrets masked; sent only when traces are on."""

    line: str
    raw: str = ""  # its bytes in hex, where they hold no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class LightSeen(Event):
    """A person said what the light of the unit does, by its name in `station.view.look.LIGHTS` (M4)."""

    light: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandDone(Event):
    """What a technician asked for was done: ``did`` is a text of the catalogue, ``what`` a value in it."""

    did: str
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFinished(SayingEvent):
    """Published only after the journal committed it. ``say`` is for the operator, ``reason`` for the record.

    ``wire``: of a FAIL or an ERROR the last exchanges with the unit in words, oldest first, secrets masked.
    """

    verdict: Verdict
    batch: str = ""
    failed_step: str = ""
    reason: str = ""
    seconds: float = 0.0
    wire: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary(Event):
    """Closing figures of a run."""

    batches: tuple[str, ...]
    units: dict[str, int]  # verdict name -> units
    seconds: float
    flash_writes: int | None = None  # virtual units only, as counted on the virtual side
    cloud_writes: int | None = None
    transfers: int | None = None
