"""Holds the open batches and opens sessions with units: profile, files, product, device, cloud.

`Bench` implements the engine's `SessionOpener`. It decides nothing during a walk; steps and engine do.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType

from drivers.clock import Clock, Deadline
from drivers.devices import ParticleDevice
from drivers.errors import Disconnected, DriverError
from drivers.host.executable import Programs, SystemPrograms
from drivers.platforms import PLATFORMS_WITHOUT_USB, Platform, platform
from drivers.transport import SerialHost

from ..cloud.answers import Product
from ..cloud.client import CloudClient
from ..engine.commands import Mode as WantedMode
from ..engine.events import AttemptFinished, Event
from ..engine.ports import Seat, Terminal
from ..engine.step import Step, StepContext, StepResult, skipped
from ..engine.turn import Turn
from ..engine.walk import Lane, StepPlan
from ..errors import BadInput, NoBatchOpen
from ..firmware.release import ReleaseFiles
from ..labels.printer import LabelPrinter
from ..model import Batch, Outcome
from ..settings.profile import Profile
from ..steps.label import Print
from ..steps.local_test import missing_programs
from ..steps.shared.air import Air
from ..steps.shared.allowed import Allowed
from ..steps.shared.cloud_sections import NameTemplate
from ..steps.shared.cloudwork import CloudRecord, FindProduct, perform
from ..steps.shared.customer_section import Customer
from ..steps.shared.customers import CustomerDesk
from ..steps.shared.entering import DfuAccess
from ..steps.shared.flashing import FirmwareSession
from ..steps.shared.instruments import Instruments
from ..steps.shared.knowledge import UnitKnowledge
from ..steps.shared.lastlook import LastLook
from ..steps.shared.released import Releases
from ..steps.shared.session import StationSession, UnitSession
from ..steps.shared.simcard import SimCard
from ..steps.shared.unit import AtWork, Label, Unit, UnitMemory
from ..steps.shared.wifi_networks import BenchWifi, WifiGoal
from ..steps.table import FIRST, StepTable
from ..words.say import Say
from . import by_hand
from .wire_tail import WireTail

LAST_LOOK = "final_check"


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """An open batch with everything its profile needs, checked before the first unit."""

    batch: Batch
    profile: Profile
    files: Mapping[int, ReleaseFiles]  # by platform id
    wifi: tuple[WifiGoal, ...]
    find_product: FindProduct
    releases: Releases
    allowed: Allowed | None = None  # a supervisor's list for this run of the batch
    notes: tuple[str, ...] = ()  # what a person should know of the account, as it was when the batch was opened
    customers: CustomerDesk | None = None


class Bench:
    """One station's open batches and shared tools. Thread-safe."""

    def __init__(
        self, clock: Clock, serial_host: SerialHost, client: CloudClient, memory: UnitMemory, steps: StepTable,
        trace: Callable[[Seat, str], None] | None = None, programs: Programs | None = None, power: int | None = None,
        printers: Mapping[str, LabelPrinter] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self._printers = printers
        self.may_start: Callable[[StepContext, str, str, UnitKnowledge], None] = lambda *_: None
        self.on_changed: Callable[[], None] = lambda: None  # of the open batches: units may wait for one
        self._clock, self._serial_host, self._client = clock, serial_host, client
        self._memory, self._steps, self._trace = memory, steps, trace
        self._wifi, self.at_work, self._dfu_access = BenchWifi(), AtWork(), DfuAccess()
        self._programs, self._turn, self._instruments = programs or SystemPrograms(), Turn(clock), Instruments()
        self._power = None if power is None else Turn(clock, power)
        self._lock = threading.Lock()
        self._open: dict[str, OpenBatch] = {}
        self._closed: dict[str, OpenBatch] = {}  # in this run

    # --- batches ---

    def add(self, batch: OpenBatch) -> None:
        """Open a batch; raises like `check`."""
        with self._lock:
            self._check(batch)
            self._open[batch.batch.id] = batch
        self.on_changed()

    def check(self, batch: OpenBatch) -> None:
        """Raise `BadInput` if another open batch has one of its platforms, or a program of its profile is missing."""
        with self._lock:
            self._check(batch)

    def _check(self, batch: OpenBatch) -> None:
        wanted = batch.profile.section(Print)
        if wanted is not None and wanted.printer not in self._printers:
            raise BadInput(
                f"profile {batch.profile.id}, [print] printer: this station has no printer {wanted.printer}, only "
                f"{', '.join(self._printers) or 'none'}; name it in [printers.{wanted.printer}] of the config file"
            )
        if missing := missing_programs(batch.profile, self._programs):
            raise BadInput(*missing)
        for other in self._open.values():
            shared = {p.name for p in other.profile.platforms} & {p.name for p in batch.profile.platforms}
            if shared and other.batch.id != batch.batch.id:
                raise BadInput(
                    f"batch {batch.batch.id}: {', '.join(sorted(shared))} already goes to the open batch"
                    f" {other.batch.id}; close that one first"
                )

    def remove(self, batch: str) -> None:
        """Stop starting attempts in a batch; running ones go on."""
        with self._lock:
            if (closed := self._open.pop(batch, None)) is not None:
                self._closed[batch] = closed
        self.on_changed()

    @property
    def batches(self) -> tuple[OpenBatch, ...]:
        with self._lock:
            return tuple(self._open.values())

    def profile_of(self, batch: str) -> Profile | None:
        """Return the profile of a batch that is or was open in this run, None for any other."""
        with self._lock:
            known = self._open.get(batch) or self._closed.get(batch)
        return known.profile if known is not None else None

    def _choose(self, platform_id: int | None) -> OpenBatch:
        batches = self.batches
        if found := next((batch for batch in batches if batch.profile.fits(platform_id)), None):
            return found
        name = platform_name(platform_id)
        wanted = sorted({p.name for batch in batches for p in batch.profile.platforms})
        say = (
            Say("no_batch") if not batches
            else Say("wrong_platform", found=name, wanted=wanted[0]) if len(wanted) == 1
            else Say("no_profile", found=name)
        )  # fmt: skip
        raise NoBatchOpen(f"no batch for {name} is open; open one, then the unit is walked", say=say)

    # --- sessions with units ---

    def open(self, seat: Seat) -> BenchSession:
        """Open a session with the unit on the seat's port.

        Raises `NoBatchOpen` when no open batch takes the unit, `Disconnected` when it left.
        """
        candidate = seat.port.current
        if candidate is None:
            raise Disconnected("the unit left before it was looked at; plug it in again")
        batch = self._choose(candidate.usb_id.platform_id)
        found = platform(candidate.usb_id.platform_id or 0)
        wire = WireTail(self._clock, None if self._trace is None else functools.partial(self._trace, seat))
        device = ParticleDevice(seat.port, self._serial_host, self._clock, seat.cancel, wire.add)
        work = self._unit_work(batch, found, device)
        beside = StationSession(
            work.unit, batch.profile, self._programs, self._turn, self._instruments, self._printers, batch.batch.id
        )  # fmt: skip
        power = self._power if found.has_cellular else None
        return BenchSession(batch, work, beside, self._clock, self._steps, wire, power)

    def _unit_work(self, batch: OpenBatch, found: Platform, device: ParticleDevice) -> UnitSession:
        profile, find_product = batch.profile, _Once(batch.find_product)
        unit = Unit(
            UnitKnowledge(found), device, self._memory,
            profile.section(Label), profile.skus, _needs_serial(profile, found),
            profile.section(SimCard).is_scanned, self.at_work,
        )  # fmt: skip
        firmware = FirmwareSession(unit, profile, batch.files[found.id], find_product)
        plans = self._steps.plans(profile, found)
        return UnitSession(
            unit, firmware, profile, plans, find_product, self._client, LastLook(self._clock), batch.wifi, self._wifi,
            self._dfu_access, batch.releases, Air(device.port, self._clock), batch.allowed, batch.customers,
            functools.partial(self._ask_once, batch, unit, []),
        )  # fmt: skip

    def _ask_once(self, batch: OpenBatch, unit: Unit, asked: list[str], ctx: StepContext) -> None:
        """Ask whether the unit may start, once an attempt: a unit that arrived in DFU is looked at twice."""
        if not asked:
            asked.append(ctx.attempt)
            self.may_start(ctx, batch.batch.id, batch.profile.id, unit.known)


def _needs_serial(profile: Profile, row: Platform) -> bool:
    customer = profile.section(Customer)
    return profile.section(NameTemplate).needs_serial(row) or (customer is not None and customer.needs_serial())


class _Once:
    """Asks for the product once per attempt: while the cloud is away each call costs all the client's retries."""

    def __init__(self, find: FindProduct) -> None:
        self._find = find
        self._found: tuple[Product | None, ...] = ()

    def __call__(self, ctx: StepContext) -> Product | None:
        if not self._found:
            self._found = (self._find(ctx),)
        return self._found[0]


class BenchSession:
    """Binds the steps of one attempt to what their lanes work with; the engine sees them by name."""

    def __init__(
        self, batch: OpenBatch, work: UnitSession, beside: StationSession, clock: Clock, steps: StepTable,
        wire: WireTail, power: Turn | None = None,
    ) -> None:  # fmt: skip
        self.wire = wire.lines
        self._power = power  # the bench's, if the unit needs much of it
        self._batch, self._work, self._beside, self._clock, self._table = batch, work, beside, clock, steps
        self._unit = work.unit
        self._cloud: CloudRecord | None = None
        self._outcomes: dict[str, Outcome] = {}
        self.plans: tuple[StepPlan, ...] = work.plans
        self._flashing = {plan.name for plan in work.plans if plan.name == FIRST or steps.is_flashing(plan.name)}
        self.steps: Mapping[str, Step] = {plan.name: self._bind(plan) for plan in self.plans}

    @property
    def batch(self) -> str:
        return self._batch.batch.id

    @property
    def profile(self) -> str:
        return self._batch.profile.id

    @property
    def device_id(self) -> str | None:
        found = self._unit.known.device_id
        return None if found is None else str(found)

    @property
    def names(self) -> frozenset[str]:
        return self._unit.known.numbers

    @property
    def held_back(self) -> Mapping[str, frozenset[str]]:
        """Cloud steps to hold back until the firmware runs: in DFU mode a unit reports no serial number."""
        known = self._unit.known
        if known.device_id is None or known.is_complete:
            return {}
        return dict.fromkeys(self._table.needing_identity, frozenset({"firmware"}))

    def follows(self, finished: AttemptFinished) -> tuple[Event, ...]:
        """Return the announcement of its FAIL label: what waits for a printer is not forgotten by a kill."""
        wanted = self._batch.profile.section(Print)
        return () if wanted is None else wanted.announced(finished)

    def signal(self, on: bool) -> bool:
        """Switch the LED rainbow on or off, if the unit answers."""
        return by_hand.signal(self._unit.device, self._clock, on)

    def enter(self, mode: WantedMode, expected: str, begins: Callable[[str], None]) -> None:
        """Bring the unit into ``mode``, as `by_hand.enter`."""
        by_hand.enter(self._unit.device, self._clock, mode, expected, begins)

    def console(self, expected: str, begins: Callable[[str], None]) -> AbstractContextManager[Terminal]:
        """Open the unit's console, as `by_hand.console`."""
        return by_hand.console(self._unit.device, self._clock, expected, begins)

    def close(self) -> None:
        """Close the device, and no longer count its unit as at work."""
        self._work.air.over()
        self._unit.at_work.leave(self._unit.device)
        self._unit.device.close()

    def _bind(self, plan: StepPlan) -> Step:
        step = self._telling_of_a_slow_cloud(self._bind_lane(plan))
        if self._power is not None and plan.name in self._table.drawing_power:
            step = functools.partial(_powered, step, self._power)

        def noted(ctx: StepContext) -> StepResult:
            result = step(ctx)
            self._outcomes[plan.name] = result.outcome
            return result

        return noted

    def _bind_lane(self, plan: StepPlan) -> Step:
        if plan.lane is Lane.UNIT:
            spec = self._table.unit_step(plan.name)
            step = self._only_one(self._in_the_air(plan.name, lambda ctx: spec.act(self._work, ctx)))
            return self._if_online(step) if spec.needs_online else step
        if plan.lane is Lane.STATION:
            station_step = self._table.station_step(plan.name)
            act = self._only_one(lambda ctx: station_step.act(self._beside, ctx))
            return self._if_all_matched(act) if station_step.only_when_all_matched else act
        cloud_act = self._table.cloud_step(plan.name).act
        return self._only_one(lambda ctx: perform(cloud_act, self._cloud_work(ctx), ctx))

    def _telling_of_a_slow_cloud(self, step: Step) -> Step:
        """Wrap ``step`` so that its slot says that it waits for the cloud as soon as that takes long."""

        def walked(ctx: StepContext) -> StepResult:
            with self._work.client.waiting_as(ctx.held):
                return step(ctx)

        return walked

    def _in_the_air(self, name: str, step: Step) -> Step:
        """Wrap ``step`` for units that are updated over the air: once they are flashed, they may restart by themselves.

        Before that, a unit that leaves is unplugged in the middle of it.
        """
        surviving = self._work.air.surviving(step)

        def walked(ctx: StepContext) -> StepResult:
            result = surviving(ctx)
            self._flashing.discard(name)
            if not self._flashing:
                self._work.air.expect()
            return result

        return walked

    def _if_online(self, step: Step) -> Step:
        """Wrap ``step`` so that it is left out where the cloud work before it is owed."""

        def if_online(ctx: StepContext) -> StepResult:
            owed = self._cloud.waits_for if self._cloud is not None else None
            return step(ctx) if owed is None else skipped("the unit comes online later; it is walked again then")

        return if_online

    def _if_all_matched(self, step: Step) -> Step:
        """Wrap ``step`` so that it is left out unless the last look matched and nothing is owed (N6)."""

        def if_matched(ctx: StepContext) -> StepResult:
            if Outcome.DEFERRED in self._outcomes.values():
                return skipped("N6: something is owed to the cloud; walk the unit again when that is done")
            if LAST_LOOK not in self._outcomes:
                return skipped("N6: this walk has no final check")
            return step(ctx)

        return if_matched

    def _only_one(self, step: Step) -> Step:
        """Wrap ``step`` so that a unit whose twin turns up in another slot does not pass."""

        def checked(ctx: StepContext) -> StepResult:
            result = step(ctx)
            self._unit.at_work.check(ctx.slot, self._unit.device)
            return result

        return checked

    def _cloud_work(self, ctx: StepContext) -> CloudRecord:
        """Return the cloud record, made at the first cloud step, when the unit is identified."""
        if self._cloud is None:
            work = self._work
            port = self._unit.device.port
            self._cloud = CloudRecord(
                work.cloud_job(ctx), work.client, work.last, self._is_connected, customers=work.customers,
                arrived_at=lambda: port.arrived_at,
            )  # fmt: skip
        return self._cloud

    def _is_connected(self, deadline: Deadline) -> bool:
        """Ask the unit about its own cloud session, from the cloud lane.

        For `online` only, which runs after the whole unit lane, so no other thread uses the device.
        """
        return self._work.air.unless_away(lambda: self._unit.is_connected(deadline))


def _powered(step: Step, power: Turn, ctx: StepContext) -> StepResult:
    """Run ``step`` when the bench has the power for one more unit."""
    with ctx.in_turn(power.hold, Say("power_busy")):
        return step(ctx)


def platform_name(platform_id: int | None) -> str:
    """Return the name people use for a platform, or its number if it is not in the table."""
    try:
        return platform(platform_id or 0).name
    except DriverError:
        named = PLATFORMS_WITHOUT_USB.get(platform_id or -1)
        return f"unknown platform {platform_id}" if named is None else f"{named}, which has no USB"
