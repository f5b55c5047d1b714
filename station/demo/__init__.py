"""Runs the real station on virtual units, a virtual cloud and virtual hands.

Everything the station does is real: transfers, journal, HTTP. Only the far ends are virtual, and say so. Knows no
command line and no screen: `station.cli` starts a `Demo` and shows its events.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from drivers.clock import Clock, Deadline, SystemClock
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import UnitSpec, make_spec
from drivers.virtual.faults import Fault
from drivers.virtual.hotplug import VirtualChanges, controllers_of
from drivers.virtual.printers import VirtualPrinter
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.world import World

from ..compose import Hardware, Settings, Station
from ..engine.commands import Scan
from ..engine.events import BatchSummary, Event
from ..errors import JournalError
from ..firmware.examples import write_synthetic_files
from ..labels import LabelPrinter
from ..model import SHIPPED, TRIAL, SlotInfo
from ..paths import shipped_profiles
from ..settings.profile import Profile
from ..steps.label import Print
from .hands import Hands
from .imports import import_list, list_of
from .options import FACTORY_OS, SCAN_S, SHOW_S, DemoOptions, batch_of, port_of
from .reconcile import Reconciled, never_left, reconcile
from .records import compared
from .stories import STORIES, Story, story
from .surroundings import ACCOUNT, access_points_of, closing_on_failure, secrets_of, serve_cloud
from .tray import Arrival, tray, tray_profiles
from .troubles import TROUBLES
from .units import Units

__all__ = [
    "FACTORY_OS",
    "SCAN_S",
    "SHOW_S",
    "STORIES",
    "TROUBLES",
    "Arrival",
    "Demo",
    "DemoOptions",
    "Reconciled",
    "Story",
    "make_spec",
    "story",
    "tray",
    "tray_profiles",
]

OUTBOX_WAIT_S = 60.0
"""How long a demo that ends by itself waits for what is owed to the cloud."""
_POLL_S = 0.5


class Demo:
    """The world around one station: `open_batches`, then `start` plugs in.

    With ``once``, `wait_done` returns when every slot is through.
    """

    def __init__(self, options: DemoOptions, clock: Clock, environ: Mapping[str, str]) -> None:
        self.options, self.clock = options, clock
        self._scratch = None if options.data_dir else tempfile.TemporaryDirectory(prefix="station-demo-")
        self.directory = options.data_dir or Path(self._scratch.name if self._scratch else "")
        self.directory.mkdir(parents=True, exist_ok=True)
        self._secrets = secrets_of(environ, options.profiles)
        access_points = access_points_of(options.profiles, self._secrets)
        self.cloud = serve_cloud(clock, self.directory / "cloud.sqlite", options.profiles, self._secrets)
        self.world = World(access_points, sims=self.cloud, cloud=self.cloud)
        self.bus = VirtualBus(clock)
        homes = self.directory / "units" if options.data_dir else None
        self._units = Units(options, clock, self.cloud, self.world, homes, make_spec)
        sections = (profile.section(Print) for profile in options.profiles)
        self.printers = {one.printer: VirtualPrinter(clock) for one in sections if one is not None}
        with closing_on_failure(self.cloud):
            self.station = self._station()
        self._reconciled: dict[int, Reconciled] = {}  # by slot, the last unit that left it
        self._wants = options.wants
        self._specs: dict[int, UnitSpec] = {}
        self._tray: tuple[UnitSpec, ...] = ()
        self._meet()
        self._hands = [
            Hands(self.bus, number, options, clock, self._units.make, self._scan, self._read_label, self._leaves)
            for number in range(1, options.units + 1)
        ]

    def _meet(self) -> None:
        """Let the cloud know the units to come, and what happened to them before."""
        if self.options.opening is not None or self.options.has_list:
            self._tray = tuple(self._units.spec(slot.number) for slot in self.slots)
            for spec in self._tray:
                self._units.register(spec)
        if self.options.opening is not None:
            self.options.opening(self.cloud, self._tray)

    @property
    def slots(self) -> tuple[SlotInfo, ...]:
        return tuple(SlotInfo(number, port_of(number)) for number in range(1, self.options.units + 1))

    @property
    def batches(self) -> tuple[str, ...]:
        return tuple(batch_of(profile) for profile in self.options.profiles)

    @property
    def journal_dir(self) -> Path:
        return self.directory / "journal"

    def _station(self) -> Station:
        token = self.cloud.create_token(ACCOUNT)
        firmware = self.directory / "firmware"
        write_synthetic_files(firmware, self.options.profiles)
        for file in (file for files in self.options.files.values() for file in files):
            (firmware / file.name).write_bytes(file.data)
        settings = Settings(
            station_id="demo", slots=self.slots, data_dir=self.journal_dir,
            firmware=self.options.firmware, made_firmware=firmware,
            cloud_url=self.cloud.base_url, token=lambda: token, secrets=self._secrets, operator="0417",
            gate=lambda *_: _release_of,
            printers=lambda clock: {
                name: LabelPrinter(name, one.connect, clock) for name, one in self.printers.items()
            },
            requests_per_s=20.0, traces=self.options.traces, host_clock=SystemClock(),
            reports=None if self.options.data_dir else Path.cwd(),  # the rest is gone at the end
        )  # fmt: skip
        ports = VirtualPorts(self.bus)
        controller_of = controllers_of(self.bus)
        hardware = Hardware(
            PyusbHost(VirtualBackend(self.bus), controller_of=controller_of),
            PyserialHost(ports.list, ports.open, controller_of), VirtualChanges(self.bus), virtual=True,
        )  # fmt: skip
        return Station(settings, hardware, self.clock)

    # --- life ---

    def open_batches(self) -> None:
        """Import the list of the tray, if one came, and open a batch for each profile.

        Raises `BadInput` as `Station.open_batch` does.
        """
        if self.options.has_list:
            import_list(self.station, self.options.profiles[0], list_of(self._tray))
        specs, allows = tuple(self._units.spec(slot.number) for slot in self.slots), self.options.allows
        for profile in self.options.profiles:
            batch = batch_of(profile)
            allowed = allows(specs, batch) if allows else None
            self.station.open_batch(batch, profile, self._units.coming(profile), allowed)

    def start(self) -> None:
        """Start the station, then plug in."""
        if self.options.cloud_down_s:
            self.cloud.down_for(self.options.cloud_down_s)
        self.station.bus.subscribe(self._saw)
        self.station.start()
        for hands in self._hands:
            hands.start()

    def wait_done(self) -> None:
        """With ``once``: wait until every unit has its verdict and is unplugged."""
        for hands in self._hands:
            hands.join()

    def wait_settled(self) -> None:
        """Wait as `wait_done` does, then for what is owed to the cloud, a minute of the station's clock at most."""
        self.wait_done()
        deadline = Deadline.after(self.clock, OUTBOX_WAIT_S)
        with contextlib.suppress(JournalError):  # the run was ended meanwhile, which closes the journal
            while self.station.journal.waiting() and not deadline.expired:
                self.clock.sleep(_POLL_S)

    def check(self) -> None:
        """Raise what kept virtual hands from plugging in, if anything did."""
        for hands in self._hands:
            if hands.failure is not None:
                raise hands.failure

    def stop_station(self, why: str = "") -> None:
        """Stop hands and station: the journal is complete and closed, the virtual side can still be asked."""
        for hands in self._hands:
            hands.stop()
        self.station.stop(why)
        self._look_at_records()

    def abandon(self, why: str = "") -> None:
        """Take everything down: what went wrong (``why``) matters more than what was counted."""
        self.stop_station(why)
        self.close()

    def close(self) -> None:
        """Close bus and cloud, and delete the files that are not to be kept."""
        self.bus.close()
        self.cloud.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def _saw(self, event: Event) -> None:
        for hands in self._hands:
            if event.slot == hands.slot:
                hands.saw(event)

    def _scan(self, label: str, slot: int) -> None:
        self.station.command(Scan(label, slot))

    def _read_label(self, device_id: str) -> str | None:
        """Return what a scanner reads off the newest label on which people read ``device_id``."""
        labels = [one for printer in self.printers.values() for one in printer.labels if device_id in one.text]
        return next((code for label in reversed(labels) for code in label.scanned), None)

    def _leaves(self, slot: int, unit: VirtualUnit) -> None:
        self._specs[slot] = unit.spec
        if self._compares:
            came_with, files = self._units.came_with(unit), self.options.files.get(unit.spec.platform_id, ())
            row, code = reconcile(slot, unit, came_with, files), self._read_label(unit.device_id)
            if self._profile_of(unit.spec).section(Print) is not None and code not in (
                unit.device_id,
                unit.spec.serial,
            ):
                row = dataclasses.replace(row, problems=(*row.problems, f"its label reads {code or 'nothing'}"))
            self._reconciled[slot] = row

    def _profile_of(self, spec: UnitSpec) -> Profile:
        return next(one for one in self.options.profiles if spec.platform in one.platforms)

    @property
    def _compares(self) -> bool:
        return bool(self.options.files or self.options.wants)

    def _look_at_records(self) -> None:
        """Compare the cloud's records, once: it is not there any more when the demo is closed."""
        wants, self._wants = self._wants, None
        for slot, row in list(self._reconciled.items()) if wants is not None else ():
            spec = self._specs[slot]
            assert wants is not None
            equal, problems = compared(self.cloud, spec, wants(self._profile_of(spec), spec))
            self._reconciled[slot] = dataclasses.replace(row, record=equal, problems=(*row.problems, *problems))

    # --- what the virtual side counted ---

    @property
    def reconciliation(self) -> tuple[Reconciled, ...]:
        """With ``files`` or ``wants``: the last unit of each slot beside its files and the cloud's record of it.

        Complete once the station has stopped.
        """
        if not self._compares:
            return ()
        return tuple(self._reconciled.get(slot.number) or never_left(slot.number) for slot in self.slots)

    def summary(self, units: dict[str, int], seconds: float) -> BatchSummary:
        """Return the closing figures. ``units``: how many ended with each verdict, within ``seconds``."""
        return BatchSummary(
            at=self.clock.utc(), batches=self.batches, units=units, seconds=seconds,
            flash_writes=self._units.flash_writes, cloud_writes=sum(self.cloud.writes.values()),
            transfers=self._units.transfers,
        )  # fmt: skip

    @property
    def unwanted_slots(self) -> tuple[int, ...]:
        """Slots with a unit that no open batch took."""
        return tuple(hands.slot for hands in self._hands if hands.has_unwanted_unit)

    @property
    def dark_slots(self) -> tuple[int, ...]:
        """Slots whose unit never came up."""
        return tuple(hands.slot for hands in self._hands if hands.has_dark_unit)

    @property
    def unhappened(self) -> tuple[Fault, ...]:
        """Ordered faults whose moment no unit ever came to."""
        return self._units.unhappened


def _release_of(profile: Profile) -> str:
    """Let every profile make virtual units: those that come with the program are its own, the others are trials."""
    shipped = {hashlib.sha256(path.read_bytes()).hexdigest() for path in shipped_profiles()}
    return SHIPPED if profile.sha256 in shipped else TRIAL
