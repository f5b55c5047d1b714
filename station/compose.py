"""Puts a station together. The only module (with the command line above it) that imports everything.

A `Station` is the same over real USB and over virtual units: what differs is handed in as `Hardware`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.clock import Clock, Deadline
from drivers.errors import DeadlineExceeded
from drivers.hotplug import Enumerator, PortWatch
from drivers.identity import MobileSecret, Secret
from drivers.transport import SerialHost, UsbHost

from .cloud.answers import Product
from .cloud.client import CloudClient
from .cloud.errors import CloudRefused, is_waiting
from .cloud.evidence import About
from .engine.bus import Bus
from .engine.commands import CloseBatch, Command, RetrySlot, StopSlot
from .engine.commands import OpenBatch as OpenBatchCommand
from .engine.events import (
    AttemptFinished,
    BatchClosed,
    BatchOpened,
    CloudStateChanged,
    CommandRefused,
    Event,
    OutboxChanged,
    StationFault,
    StationStarted,
    StationStopped,
    VerdictRevised,
    WireTraced,
)
from .engine.inbox import Inbox
from .engine.ports import Seat
from .engine.records import ProductCached
from .engine.runner import SlotRunner
from .engine.scanner import ScannerTurn
from .engine.step import StepContext
from .engine.waiting import Waiting
from .errors import BadInput, CloudError, JournalError
from .firmware.release import load_release
from .firmware.store import FirmwareStore
from .journal import Journal, KeyPlace
from .line.bench import Bench, OpenBatch, platform_name
from .line.outbox import OutboxWorker
from .line.slots import Line
from .model import Batch, KnownUnit, SeenBefore, SlotInfo
from .paths import find_profile
from .settings.profile import Offline, Profile, load_profile
from .settings.secrets import SecretSource, WifiPassword
from .steps.shared.session import WifiCredentials
from .steps.table import StepTable
from .words.say import NOTHING, Say

log = logging.getLogger(__name__)

JOURNAL_PATIENCE_S = 600.0
"""How long a slot waits for a locked journal or a full disk before it says that the station needs help."""
DESK_S = 5.0
"""How long a batch that is opened waits for the cloud to tell of its product."""
PRODUCT_S = 30.0
"""How long the cloud may take to tell of a product: a unit waits for it, and the journal may know it."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a station is plugged into. ``virtual``: shown wherever it matters."""

    usb_host: UsbHost
    serial_host: SerialHost
    virtual: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """One station, from its config file or from the demo's options."""

    station_id: str
    slots: tuple[SlotInfo, ...]
    data_dir: Path
    firmware: tuple[Path, ...]
    cloud_url: str
    token: Callable[[], Secret]
    secrets: SecretSource
    key_place: KeyPlace | None = None  # of the key for kept mobile secrets; None: a file beside ``data_dir``
    operator: str = ""
    requests_per_s: float = 2.0
    made_firmware: Path | None = None  # synthetic files of the program's own
    traces: bool = False
    host_clock: Clock | None = None  # of this computer's own troubles, where the station's is faster


class Station:
    """Slots, journal, cloud and outbox of one bench. `start`, `send` or `command`, `stop`; events through ``bus``."""

    def __init__(self, settings: Settings, hardware: Hardware, clock: Clock) -> None:
        self.bus = Bus()
        self.clock = clock
        self._settings, self._hardware, self._steps = settings, hardware, StepTable.found()
        self.journal = Journal.open(
            settings.data_dir, settings.station_id, clock, patience_s=JOURNAL_PATIENCE_S,
            key_place=settings.key_place, host=settings.host_clock, unit_steps=self._steps.on_unit,
        )  # fmt: skip
        self.journal.seal_secrets()
        self.client = CloudClient(
            settings.cloud_url, settings.token, clock,
            bucket_rate=settings.requests_per_s, on_reachable=self._cloud_changed,
        )  # fmt: skip
        self._store = FirmwareStore(settings.firmware, settings.made_firmware)
        self.bench = Bench(
            clock, hardware.serial_host, self.client, _Memory(self.journal), self._record, self._steps,
            self._trace if settings.traces else None,
        )  # fmt: skip
        self._scanner = ScannerTurn(clock)
        self.outbox = OutboxWorker(clock, self.journal, self.bench, self._published)
        self.line = Line(
            settings.slots, clock, self._runner, self.bus.publish, platform_name, self._record, self.journal.whose,
            companions=self._steps.companions,
            binds_by_itself=not any(slot.port_path for slot in settings.slots),
        )  # fmt: skip
        self.bench.at_work.walk_again = lambda slot: self.line.command(RetrySlot(slot))
        self._enumerator = Enumerator(hardware.usb_host, clock, self.line.hotplug, on_failure=self._usb_failed)
        self._inbox = Inbox(clock, self.command)
        self._profiles: dict[str, Profile] = {}
        self._life = threading.Lock()  # whoever closes the screen at once stops while another thread still starts
        self._is_begun = self._is_over = False

    @property
    def slots(self) -> tuple[SlotInfo, ...]:
        return self._settings.slots

    # --- life ---

    def start(self) -> None:
        """Begin to work: events flow from here on. Nothing happens after `stop`."""
        with self._life:
            if not self._is_over:
                self._is_begun = True
                self._start()

    def _start(self) -> None:
        self._record(
            StationStarted(
                at=self.clock.utc(), station_id=self._settings.station_id, slots=self._settings.slots,
                operator=self._settings.operator, virtual=self._hardware.virtual, speed=self.clock.speed,
                cloud=self.client.reachable,
            )
        )  # fmt: skip
        if self.journal.mended:
            self.bus.publish(StationFault(at=self.clock.utc(), reason=self.journal.mended))
        for opened in self.bench.batches:
            self._announce(opened)
        self.bus.publish(OutboxChanged(at=self.clock.utc(), waiting=self.journal.waiting()))
        self.line.start()
        self.outbox.start()
        self._inbox.start()
        self._enumerator.start()

    def stop(self, why: str = "") -> None:
        """Cancel the slots, join them, drain the journal, which keeps ``why`` if it began. Once is enough."""
        self.journal.hurry()
        with self._life:
            if self._is_over:
                return
            self._is_over = True
            self._enumerator.stop()
            self._inbox.stop()
            self.line.stop()
            self.outbox.stop()
            self.client.close()
            if self._is_begun:
                with contextlib.suppress(JournalError):  # it may be why the station ends
                    self._record(StationStopped(at=self.clock.utc(), reason=why or "asked to stop"))
            self.journal.close()

    # --- batches ---

    def open_batch(self, batch: str, profile: Profile, target: int | None = None) -> None:
        """Check everything the profile needs, then open the batch (or go on with an open one).

        Raises `BadInput` when a file is missing, a secret is not set, or the batch belongs to another profile.
        """
        opened = OpenBatch(
            batch=self._batch(batch, profile, target), profile=profile,
            files={p.id: load_release(profile, p, self._store) for p in profile.platforms},
            wifi=self._wifi(profile),
            find_product=_ProductFinder(profile, self.client, self.journal, self.clock),
        )  # fmt: skip
        self.bench.check(opened)
        self._check_product(profile)
        if self.journal.batch(batch) is None:
            self.journal.record(self._opened_event(opened))
        self.bench.add(opened)  # only now may a unit be walked in it
        self._profiles[profile.id] = profile

    def _check_product(self, profile: Profile) -> None:
        """The profile's product is there and of its platform (C3), as far as the cloud says so now.

        Without the cloud the first unit asks, and waits for the answer.
        """
        if profile.product is None:
            return
        ref, wanted = profile.product.ref, profile.platforms[0]
        try:
            found = self.client.product(ref, deadline=Deadline.after(self.clock, DESK_S))
        except CloudRefused as error:
            if error.about is About.PRODUCT:
                raise BadInput(
                    f"profile {profile.id}: the cloud knows no product {ref} ({error.words}); correct [product]"
                ) from error
            return
        except (CloudError, DeadlineExceeded):
            return
        if found.platform_id != wanted.id:
            raise BadInput(
                f"profile {profile.id}: product {ref} is for {platform_name(found.platform_id)}, the profile for "
                f"{wanted.name} (C3); name a product for {wanted.name}"
            )

    # --- commands ---

    def send(self, command: Command) -> None:
        """Have ``command`` carried out soon, in the order sent. Never waits: a screen may call it.

        To stop a slot needs no journal and overtakes what waits for one.
        """
        if isinstance(command, StopSlot):
            self.line.command(command)
        else:
            self._inbox.put(command)

    def command(self, command: Command) -> None:
        """Carry out what a person asks, before it returns: it may read files and waits for the journal.

        Never raises: what cannot be done is told as a `StationFault`.
        """
        try:
            with self.journal.waiting_as(Waiting.of_station(self.bus.publish, self.clock)):
                self._carry_out(command)
        except (BadInput, JournalError, CloudError) as error:
            self.bus.publish(StationFault(at=self.clock.utc(), reason=str(error)))
        except Exception as error:  # a bug in one command must not end the thread that carries out all others
            log.exception("the command %s broke", type(command).__name__)
            reason = f"{type(command).__name__} could not be carried out: {error or type(error).__name__}"
            self.bus.publish(StationFault(at=self.clock.utc(), reason=reason))

    def _carry_out(self, command: Command) -> None:
        match command:
            case OpenBatchCommand():
                self._open_command(command)
            case CloseBatch():
                self._close_batch(command.batch)
            case _:
                self.line.command(command)

    def _open_command(self, command: OpenBatchCommand) -> None:
        """A batch that cannot be opened is no fault of the station: whoever asked is told why not."""
        try:
            self.open_batch(command.batch, self._profile(command.profile), command.target)
        except BadInput as error:
            say = error.say if isinstance(error, _BatchRefused) else NOTHING
            self.bus.publish(
                CommandRefused(at=self.clock.utc(), say=say, reason=str(error))
            )  # fmt: skip
            return
        opened = next(one for one in self.bench.batches if one.batch.id == command.batch)
        self._announce(opened)

    def _profile(self, name: str) -> Profile:
        """A profile by the id it was loaded with, or by what ``--profile`` takes; raises `BadInput`."""
        loaded = self._profiles.get(name)
        if loaded is not None:
            return loaded
        try:
            path = find_profile(name)
        except BadInput as error:
            known = ", ".join(self._profiles) or "none"
            raise _BatchRefused(f"{error}; loaded: {known}", Say("profile_unknown", (name,))) from error
        return load_profile(path, self._steps.rules)

    def _close_batch(self, batch: str) -> None:
        self.bench.remove(batch)
        self._record(BatchClosed(at=self.clock.utc(), batch=batch))

    def _batch(self, batch: str, profile: Profile, target: int | None) -> Batch:
        known = self.journal.batch(batch)
        if known is None:
            return Batch(batch, profile.ref, target)
        if known.closed_at is not None:
            raise _BatchRefused(f"batch {batch} is closed; open a new one", Say("batch_ended", (batch,)))
        if known.batch.profile != profile.ref:
            made_with = known.batch.profile
            raise BadInput(
                f"batch {batch} was opened with {made_with.id} revision {made_with.revision}, not with this text of"
                f" {profile.id} revision {profile.revision}; close it and open a new batch"
            )
        return known.batch

    def _wifi(self, profile: Profile) -> WifiCredentials | None:
        wifi = profile.wifi
        if wifi is None:
            return None
        password = self._settings.secrets.resolve(wifi.password, WifiPassword) if wifi.password else None
        return WifiCredentials(wifi.ssid, password, wifi.security)

    def _announce(self, opened: OpenBatch) -> None:
        self.bus.publish(self._opened_event(opened))
        self.bus.publish(self.journal.progress(opened.batch.id, self.clock.utc()))

    def _opened_event(self, opened: OpenBatch) -> BatchOpened:
        title = opened.profile.title or opened.profile.id
        return BatchOpened(at=self.clock.utc(), batch=opened.batch, title=title)

    # --- callbacks ---

    def _runner(self, slot: SlotInfo, port: PortWatch) -> SlotRunner:
        return SlotRunner(slot, port, self.clock, self.bench, self.journal, self._published, self._scanner)

    def _published(self, event: Event) -> None:
        """Verdicts move the counters and may leave owed work."""
        self.bus.publish(event)
        if not isinstance(event, AttemptFinished | VerdictRevised) or event.attempt is None:
            return
        try:
            self._count(event.attempt)
        except JournalError as error:  # the verdict is committed and told: counters that cannot be read do not undo it
            self.bus.publish(StationFault(at=self.clock.utc(), reason=str(error)))
        self.outbox.wake()

    def _count(self, attempt_id: str) -> None:
        attempt = self.journal.attempt(attempt_id)
        if attempt is not None and attempt.batch:
            self.bus.publish(self.journal.progress(attempt.batch, self.clock.utc()))
        self.bus.publish(OutboxChanged(at=self.clock.utc(), waiting=self.journal.waiting()))

    def _record(self, event: Event) -> None:
        self.journal.record(event)
        self.bus.publish(event)

    def _trace(self, seat: Seat, line: str) -> None:
        number, attempt = seat.slot.number, seat.attempt or None
        self.bus.publish(WireTraced(at=self.clock.utc(), slot=number, attempt=attempt, line=line))

    def _cloud_changed(self, reachable: bool, reason: str) -> None:
        self.bus.publish(CloudStateChanged(at=self.clock.utc(), reachable=reachable, reason=reason))
        if reachable:
            self.outbox.wake()

    def _usb_failed(self, error: Exception) -> None:
        self.bus.publish(StationFault(at=self.clock.utc(), reason=str(error)))


class _BatchRefused(BadInput):
    """A batch that cannot be opened, with what the operator is told."""

    def __init__(self, message: str, say: Say) -> None:
        super().__init__(message)
        self.say = say


class _Memory:
    """The journal as the steps see it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def seen_before(self, device_id: str) -> SeenBefore | None:
        return self._journal.seen_before(device_id)

    def known_facts(self, device_id: str) -> dict[str, str]:
        unit = self._journal.unit(device_id)
        return {} if unit is None else {fact.name: fact.value for fact in unit.facts if not fact.is_disputed}

    def whose(self, number: str, besides: str) -> KnownUnit | None:
        return self._journal.whose(number, besides)

    def wifi_digest(self, device_id: str) -> str | None:
        return self._journal.wifi_digest(device_id)

    def knows_secret(self, device_id: str) -> bool:
        return self._journal.knows_secret(device_id)

    def keep_secret(self, device_id: str, secret: MobileSecret) -> None:
        self._journal.keep_secret(device_id, secret)

    def digest(self, device_id: str, ssid: str, password: Secret | None) -> str:
        return self._journal.digest(device_id, ssid, password)


class _ProductFinder:
    """The profile's product: asked once, kept in the journal for the days without the cloud."""

    def __init__(self, profile: Profile, client: CloudClient, journal: Journal, clock: Clock) -> None:
        self._profile, self._client, self._journal, self._clock = profile, client, journal, clock
        self._found: Product | None = None

    def __call__(self, ctx: StepContext) -> Product | None:
        """None for a developer profile. Raises `CloudError` when nobody ever told of the product."""
        wanted = self._profile.product
        if wanted is None or self._found is not None:
            return self._found
        known = self._remembered(wanted.ref)
        if known is not None and self._client.reachable is False:
            return known
        try:
            self._found = self._client.product(wanted.ref, deadline=ctx.deadline.sooner(PRODUCT_S), cancel=ctx.cancel)
        except CloudError as error:
            if known is None or not is_waiting(error):
                raise
            return known
        self._keep(wanted.ref, self._found)
        return self._found

    def _remembered(self, ref: str) -> Product | None:
        """What the journal knows; only a profile that queues may go on with it."""
        cached = self._journal.cached_product(ref)
        if cached is None or self._profile.offline is not Offline.QUEUE:
            return None
        return Product(cached.product_id, cached.slug, cached.name, cached.platform_id)

    def _keep(self, ref: str, product: Product) -> None:
        self._journal.record(
            ProductCached(
                at=self._clock.utc(), ref=ref, product_id=product.id, platform_id=product.platform_id,
                name=product.name, slug=product.slug,
            )
        )  # fmt: skip
