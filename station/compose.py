"""Assembles a station. The only module, with the command line above it, that imports all rooms.

A `Station` is the same over real USB and over virtual units; the difference is passed in as `Hardware`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drivers.clock import Clock
from drivers.host.executable import Programs, SystemPrograms
from drivers.hotplug import BusChanges, Enumerator, PortWatch
from drivers.identity import Secret
from drivers.transport import SerialHost, UsbHost

from .cloud.client import CloudClient
from .cloud.http import program_version
from .cloud.way_out import BY_ENVIRONMENT, WayOut
from .engine.bus import Bus
from .engine.commands import (
    CloseBatch,
    Command,
    PrintLabel,
    RetryOwed,
    RetrySlot,
    SaveReport,
    SaveTrace,
    StopSlot,
)
from .engine.commands import OpenBatch as OpenBatchCommand
from .engine.events import (
    AttemptFinished,
    BatchSealShown,
    CloudStateChanged,
    CommandDone,
    CommandRefused,
    Event,
    OutboxChanged,
    StationFault,
    StationNote,
    StationStarted,
    StationStopped,
    VerdictRevised,
    WireTraced,
)
from .engine.inbox import Inbox
from .engine.ports import Seat
from .engine.runner import SlotRunner
from .engine.scanner import ScannerTurn
from .engine.waiting import Waiting
from .errors import BadInput, CloudError, JournalError
from .firmware.cache import FirmwareCache
from .firmware.store import FirmwareStore
from .hooks import Hook, HookWorker, MayStart
from .journal import KeyPlace, open_or_begin
from .journal.batch_seal import fingerprint
from .journal.following import Following
from .journal.watch import Watch, free_bytes
from .labels.printer import LabelPrinter
from .line.batches import Batches
from .line.bench import Bench, OpenBatch, platform_name
from .line.closed import ClosedPlaces
from .line.label_desk import LabelDesk
from .line.outbox import OutboxWorker
from .line.owed import OwedDesk
from .line.owed_orders import OwedOrder, OwedOrders
from .line.releases import BatchRefused, Gate, ReleaseJournal
from .line.slots import Line
from .model import OffSlot, SlotInfo
from .saved import SavedFiles
from .settings.config import REQUESTS_PER_S
from .settings.profile import Profile
from .settings.secrets import SecretSource
from .steps.shared.allowed import Allowed
from .steps.table import StepTable
from .words.say import NOTHING

log = logging.getLogger(__name__)

JOURNAL_PATIENCE_S = 600.0
"""How long a slot waits for a locked journal or a full disk before it reports a fault of the station."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """USB and serial ports of a station.

    ``changes`` None: the bus is polled. ``virtual``: shown wherever it matters.
    """

    usb_host: UsbHost
    serial_host: SerialHost
    changes: BusChanges | None = None
    programs: Programs = field(default_factory=SystemPrograms)
    virtual: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one station, from its config file or the demo's options."""

    station_id: str
    slots: tuple[SlotInfo, ...]
    data_dir: Path
    firmware: tuple[Path, ...]
    cloud_url: str
    token: Callable[[], Secret]
    secrets: SecretSource
    key_place: KeyPlace | None = None  # where the key of kept mobile secrets is; None: a file beside ``data_dir``
    operator: str = ""
    requests_per_s: float = REQUESTS_PER_S
    way: WayOut = BY_ENVIRONMENT
    off: tuple[OffSlot, ...] = ()
    keep_off: Callable[[int, OffSlot | None], None] = lambda _number, _off: None  # for the next start
    ignored_ports: Mapping[str, str] = field(default_factory=dict)  # port path: what sits there
    hooks: Callable[[Programs], tuple[Hook, ...]] = lambda _programs: ()
    printers: Callable[[Clock], Mapping[str, LabelPrinter]] = lambda _clock: {}  # by name
    power: int | None = None  # how many cellular units the bench can power while they are written or transmit
    firmware_cache: Path | None = None  # searched before the folders
    made_firmware: Path | None = None  # folder with synthetic files of our own
    traces: bool = False
    reports: Path | None = None  # where a technician's reports go; None: beside the journal
    gate: Callable[[ReleaseJournal, Clock], Gate] = lambda _journal, _clock: lambda _profile: ""  # whose profiles run
    free_bytes: Callable[[Path], int] = free_bytes  # of the disk a folder is on
    host_clock: Clock | None = None  # for locks and full disks, if the station's clock runs faster


class Station:
    """Slots, journal, cloud and outbox of one bench. `start`, `send` or `command`, `stop`; events through ``bus``."""

    def __init__(self, settings: Settings, hardware: Hardware, clock: Clock) -> None:
        self.bus, self.clock = Bus(), clock
        self._settings, self._hardware, self.steps = settings, hardware, StepTable.found()
        self.journal, self._begun_anew = open_or_begin(
            settings.data_dir, settings.station_id, clock, patience_s=JOURNAL_PATIENCE_S,
            key_place=settings.key_place, host=settings.host_clock, unit_steps=self.steps.on_unit,
        )  # fmt: skip
        self.journal.seal_secrets()
        self._watch = Watch(self.journal, settings.free_bytes)
        self.client = CloudClient(
            settings.cloud_url, settings.token, clock,
            bucket_rate=settings.requests_per_s, on_reachable=self._cloud_changed, way=settings.way,
        )  # fmt: skip
        printers = settings.printers(clock)
        self.bench = Bench(
            clock, hardware.serial_host, self.client, self.journal, self.steps,
            self._trace if settings.traces else None, hardware.programs, settings.power, printers,
        )  # fmt: skip
        self._hooks = self._make_hooks()
        cache = FirmwareCache(settings.firmware_cache) if settings.firmware_cache is not None else None
        store = FirmwareStore(settings.firmware, settings.made_firmware, cache=cache)
        self.batches = Batches(
            self.bench, self.client, self.journal, clock, store, settings.secrets, self.steps,
            settings.gate(self.journal, clock),
        )  # fmt: skip
        self._scanner = ScannerTurn(clock)
        desk = OwedDesk(self.client, self.steps, clock, self._record, self.journal.known_facts)
        self.outbox = OutboxWorker(clock, self.journal, desk, self._published, OwedOrders(settings.data_dir))
        self.labels = LabelDesk(printers, clock, self.bench.profile_of, self.journal, self.bus.publish, self._keep)
        self.line = Line(
            settings.slots, clock, self._runner, self.bus.publish, platform_name, self._record, self.journal.whose,
            companions=self.steps.companions, open_batches=lambda: tuple(one.batch.id for one in self.bench.batches),
            binds_by_itself=not any(slot.port_path for slot in settings.slots),
            closed=ClosedPlaces(settings.ignored_ports, settings.off), keep_off=settings.keep_off,
            commands={"REPRINT": self.labels.print_again},
        )  # fmt: skip
        self.bench.on_changed = self.line.batches_changed
        self.bench.at_work.walk_again = lambda slot: self.line.command(RetrySlot(slot))
        self._enumerator = Enumerator(
            hardware.usb_host, clock, self.line.hotplug, hardware.changes, on_failure=self._usb_failed
        )
        self._inbox = Inbox(clock, self.command)
        self._life = threading.Lock()  # a screen closed at once may stop the station while another thread starts it
        self._is_begun = self._is_over = False

    def _make_hooks(self) -> tuple[HookWorker, ...]:
        """Let the hooks of the config file be asked by the bench; return what tells them the rest."""
        hooks, journal = self._settings.hooks(self._hardware.programs), Following(self.journal)
        self.bench.may_start = MayStart(hooks, self._settings.station_id)
        workers = tuple(
            HookWorker(hook, journal, self.clock, self._settings.data_dir, self.bus.publish) for hook in hooks
        )
        for worker in workers:
            self.bus.subscribe(worker.saw)
        return workers

    @property
    def slots(self) -> tuple[SlotInfo, ...]:
        return self._settings.slots

    @property
    def saved(self) -> SavedFiles:
        """The files a technician saves."""
        return SavedFiles(self._settings.reports or self._settings.data_dir.parent / "reports", self.journal)

    # --- life ---

    def start(self) -> None:
        """Start all threads; events flow from here on. Does nothing after `stop`."""
        with self._life:
            if not self._is_over:
                self._is_begun = True
                self._start()

    def _start(self) -> None:
        for hook in self._hooks:
            hook.start()
        self._record(
            StationStarted(
                at=self.clock.utc(), station_id=self._settings.station_id, slots=self._settings.slots,
                operator=self._settings.operator, virtual=self._hardware.virtual, speed=self.clock.speed,
                cloud=self.client.reachable, program=program_version(),
            )
        )  # fmt: skip
        if self.journal.mended:
            self.bus.publish(StationFault(at=self.clock.utc(), reason=self.journal.mended))
        for opened in self.bench.batches:
            self._announce(opened)
        self.bus.publish(OutboxChanged(at=self.clock.utc(), waiting=self.journal.waiting()))
        if self._begun_anew:
            self.bus.publish(StationNote(at=self.clock.utc(), reason=self._begun_anew))
        self._tell_early()
        self.labels.tell_missed()
        self.line.start()
        self.outbox.start()
        self.labels.start()
        self._inbox.start()
        self._enumerator.start()

    def stop(self, why: str = "") -> None:
        """Cancel and join the slots, then close the journal, which records ``why`` if `start` ran. Idempotent."""
        self.journal.hurry()
        with self._life:
            if self._is_over:
                return
            self._is_over = True
            self._enumerator.stop()
            self._inbox.stop()
            self.line.stop()
            self.outbox.stop()
            self.labels.stop()
            for hook in self._hooks:
                hook.stop()
            self.client.close()
            if self._is_begun:
                with contextlib.suppress(JournalError):  # a journal error may be why the station ends
                    self._record(StationStopped(at=self.clock.utc(), reason=why or "asked to stop"))
            self.journal.close()

    # --- batches ---

    def open_batch(
        self, batch: str, profile: Profile, target: int | None = None, allowed: Allowed | None = None
    ) -> None:  # fmt: skip
        """Open a batch, or continue an open one, as `Batches.open` does; raises `BadInput` as that."""
        self.batches.open(batch, profile, target, allowed)

    # --- commands ---

    def send(self, command: Command) -> None:
        """Queue ``command``; commands are carried out in the order sent. Never waits, so a screen may call it.

        `StopSlot` needs no journal and overtakes queued commands.
        """
        if isinstance(command, StopSlot):
            self.line.command(command)
        else:
            self._inbox.put(command)

    def command(self, command: Command) -> None:
        """Carry out ``command`` before returning: may read files and wait for the journal.

        Never raises: failures are published as `StationFault`.
        """
        try:
            with self.journal.waiting_as(Waiting.of_station(self.bus.publish, self.clock)):
                self._carry_out(command)
        except (BadInput, JournalError, CloudError) as error:
            self.bus.publish(StationFault(at=self.clock.utc(), reason=str(error)))
        except Exception as error:  # a bug in one command must not end the thread for all
            log.exception("the command %s broke", type(command).__name__)
            reason = f"{type(command).__name__} could not be carried out: {error or type(error).__name__}"
            self.bus.publish(StationFault(at=self.clock.utc(), reason=reason))

    def _carry_out(self, command: Command) -> None:
        match command:
            case OpenBatchCommand():
                self._open_command(command)
            case SaveReport():
                self._saved(command.slot, lambda: self.saved.report(command))
            case SaveTrace():
                self._saved(command.slot, lambda: self.saved.trace(command))
            case CloseBatch():
                self._close_batch(command.batch)
            case PrintLabel():
                self.labels.print_again(command.slot)
            case RetryOwed():
                attempts = command.attempts or (one.item.attempt for one in self.journal.owed())
                OwedOrders(self._settings.data_dir).put(OwedOrder(frozenset(attempts)))  # only the outbox works on it
                self.outbox.wake()
            case _:
                self.line.command(command)

    def _open_command(self, command: OpenBatchCommand) -> None:
        """Open a batch; if that is impossible, refuse the command: it is no fault of the station."""
        try:
            opened = self.batches.open(command.batch, self.batches.profile(command.profile), command.target)
        except BadInput as error:
            say = error.say if isinstance(error, BatchRefused) else NOTHING
            self.bus.publish(CommandRefused(at=self.clock.utc(), say=say, reason=str(error)))
            return
        self._announce(opened)

    def _saved(self, slot: int, save: Callable[[], Path]) -> None:
        """Say where a file is; one that cannot be written is no fault of the station."""
        try:
            done: Event = CommandDone(at=self.clock.utc(), slot=slot, did="saved", what=str(save()))
        except BadInput as error:
            done = CommandRefused(at=self.clock.utc(), slot=slot, reason=str(error))
        self.bus.publish(done)

    def _close_batch(self, batch: str) -> None:
        self.bench.remove(batch)
        closed, sealed = self.journal.close_batch(batch)
        self.bus.publish(closed)
        self.bus.publish(BatchSealShown(at=sealed.at, batch=batch, key=fingerprint(sealed.key)))

    def _announce(self, opened: OpenBatch) -> None:
        self.bus.publish(self.batches.event(opened))
        for note in opened.notes:
            self.bus.publish(StationNote(at=self.clock.utc(), reason=note))
        self.bus.publish(self.journal.progress(opened.batch.id, self.clock.utc()))

    # --- callbacks ---

    def _runner(self, slot: SlotInfo, port: PortWatch) -> SlotRunner:
        return SlotRunner(slot, port, self.clock, self.bench, self.journal, self._published, self._scanner)

    def _published(self, event: Event) -> None:
        """Publish ``event``; after a verdict also publish new figures and wake the outbox."""
        self.bus.publish(event)
        self.labels.saw(event)
        if not isinstance(event, AttemptFinished | VerdictRevised) or event.attempt is None:
            return
        try:
            self._count(event.attempt)
        except JournalError as error:  # the verdict is committed and published all the same
            self.bus.publish(StationFault(at=self.clock.utc(), reason=str(error)))
        self.outbox.wake()

    def _count(self, attempt_id: str) -> None:
        attempt = self.journal.attempt(attempt_id)
        if attempt is not None and attempt.batch:
            self.bus.publish(self.journal.progress(attempt.batch, self.clock.utc()))
        self.bus.publish(OutboxChanged(at=self.clock.utc(), waiting=self.journal.waiting()))
        self._tell_early()

    def _tell_early(self) -> None:
        """Tell what a person should know before it costs units."""
        for sentence in self._watch.look():
            self.bus.publish(StationNote(at=self.clock.utc(), reason=sentence))

    def _record(self, event: Event) -> None:
        self.journal.record(event)
        self.bus.publish(event)

    def _keep(self, event: Event) -> None:
        """Record what no slot does, and say so where that takes long."""
        with self.journal.waiting_as(Waiting.of_station(self.bus.publish, self.clock)):
            self._record(event)

    def _trace(self, seat: Seat, line: str) -> None:
        number, attempt = seat.slot.number, seat.attempt or None
        words, _, raw = line.partition("\n")
        self.bus.publish(WireTraced(at=self.clock.utc(), slot=number, attempt=attempt, line=words, raw=raw))

    def _cloud_changed(self, reachable: bool, reason: str) -> None:
        self.bus.publish(CloudStateChanged(at=self.clock.utc(), reachable=reachable, reason=reason))
        if reachable:
            self.outbox.wake()

    def _usb_failed(self, error: Exception) -> None:
        self.bus.publish(StationFault(at=self.clock.utc(), reason=str(error)))
