"""A bench that needs nothing: virtual units, a virtual cloud, and a pair of virtual hands - around the real station.

Everything the station does is real: transfers, journal, HTTP. Only the far ends are virtual, and say so.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from drivers.clock import CancelToken, Clock, ClockThread, SystemClock
from drivers.errors import Cancelled
from drivers.identity import Secret
from drivers.platforms import Platform
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual.backend import VirtualBackend
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import UnitSpec, make_spec
from drivers.virtual.faults import Fault
from drivers.virtual.flash import Score
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.unit import UnitMode, VirtualUnit
from drivers.virtual.world import AccessPoint, World

from .cloud.virtual import VirtualCloud
from .compose import Hardware, Settings, Station
from .engine.commands import Scan
from .engine.events import AttemptFinished, AttemptStarted, Event, HandsDone, HandsNeeded
from .firmware.examples import write_synthetic_files
from .model import SlotInfo
from .settings.profile import Profile
from .settings.secrets import SecretRef, SecretSource

ACCOUNT = "factory@example.com"
FACTORY_OS = "3.3.1"
"""What a virtual unit holds when it comes out of its box."""
SHOW_S = 3.0
"""How long a verdict is looked at before the unit is unplugged."""
SCAN_S = 1.5
"""How long virtual hands take to pick up the scanner."""
DARK_S = 30.0
"""How long virtual hands wait for a unit that nobody sees, before they take the next one."""
GAP_S = 1.0
"""Between one unit and the next in a slot."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What ``station demo`` was asked for. ``data_dir`` None: everything is forgotten at the end."""

    profiles: tuple[Profile, ...]
    units: int = 4
    seed: int = 1
    firmware: tuple[Path, ...] = ()
    data_dir: Path | None = None
    faults: tuple[Fault, ...] = ()
    cloud_down_s: float = 0.0
    once: bool = False
    traces: bool = False
    scan_after_s: float = SCAN_S
    show_s: float = SHOW_S
    factory_os: str = FACTORY_OS


class _Tally(NamedTuple):
    """What one unit counts of itself. It may have left: a whole unit holds megabytes of flash, this does not."""

    score: Score
    transfers: Counter[str]
    happened: list[Fault]


class Demo:
    """The world around one station: `open_batches`, then `start` plugs in.

    With ``once`` `wait_done` returns when every slot is through.
    """

    def __init__(self, options: DemoOptions, clock: Clock, environ: Mapping[str, str]) -> None:
        self.options, self.clock = options, clock
        self._scratch = None if options.data_dir else tempfile.TemporaryDirectory(prefix="station-demo-")
        self.directory = options.data_dir or Path(self._scratch.name if self._scratch else "")
        self.directory.mkdir(parents=True, exist_ok=True)
        self._secrets = SecretSource(_with_demo_passwords(environ, options.profiles))
        self.cloud = _cloud(clock, self.directory, options)
        self.world = World(_access_points(options.profiles, self._secrets), sims=self.cloud, cloud=self.cloud)
        self.bus = VirtualBus(clock)
        self._tallies: list[_Tally] = []
        with _closing_on_failure(self.cloud):
            self.station = self._station()
        self._hands = [_Hands(self, number) for number in range(1, options.units + 1)]

    @property
    def slots(self) -> tuple[SlotInfo, ...]:
        return tuple(SlotInfo(number, port_of(number)) for number in range(1, self.options.units + 1))

    def _station(self) -> Station:
        token = _token(self.cloud)
        settings = Settings(
            station_id="demo", slots=self.slots, data_dir=self.journal_dir,
            firmware=self.options.firmware, made_firmware=self._firmware(),
            cloud_url=self.cloud.base_url, token=lambda: token, secrets=self._secrets, operator="0417",
            requests_per_s=20.0, traces=self.options.traces, host_clock=SystemClock(),
        )  # fmt: skip
        ports = VirtualPorts(self.bus)
        hardware = Hardware(PyusbHost(VirtualBackend(self.bus)), PyserialHost(ports.list, ports.open), virtual=True)
        return Station(settings, hardware, self.clock)

    def _firmware(self) -> Path:
        """A folder with what the profiles may name; labelled synthetic by the files' names."""
        folder = self.directory / "firmware"
        write_synthetic_files(folder, {row for profile in self.options.profiles for row in profile.platforms})
        return folder

    # --- life ---

    def open_batches(self) -> None:
        """Open a batch for each profile; raises `BadInput` as `Station.open_batch` does."""
        for profile in self.options.profiles:
            self.station.open_batch(batch_of(profile), profile)

    def start(self) -> None:
        """Start the station, then plug in."""
        if self.options.cloud_down_s:
            self.cloud.down_for(self.options.cloud_down_s)
        self.station.bus.subscribe(self._saw)
        self.station.start()
        for hands in self._hands:
            hands.start()

    def wait_done(self) -> None:
        """With ``once``: until every unit had its verdict and is unplugged."""
        for hands in self._hands:
            hands.join()

    def check(self) -> None:
        """Raises what kept virtual hands from plugging in, if anything did."""
        for hands in self._hands:
            if hands.failure is not None:
                raise hands.failure

    def stop_station(self, why: str = "") -> None:
        """Hands off, station down: the journal is complete and closed, the virtual side can still be asked."""
        for hands in self._hands:
            hands.stop()
        self.station.stop(why)

    def abandon(self, why: str = "") -> None:
        """Take everything down: what went wrong (``why``) matters more than what was counted."""
        self.stop_station(why)
        self.close()

    def close(self) -> None:
        self.bus.close()
        self.cloud.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def _saw(self, event: Event) -> None:
        for hands in self._hands:
            if event.slot == hands.slot:
                hands.saw(event)

    def make_unit(self, slot: int, turn: int) -> VirtualUnit:
        """The ``turn``-th unit of a slot: the same for the same seed, in every process."""
        number = slot + turn * self.options.units
        platform = self._platform_for(slot)
        unit = self._known_unit(make_spec(platform.slug, self.options.seed, number, self.options.factory_os))
        if turn == 0:
            unit.order(*(fault for fault in self.options.faults if fault.applies_to(slot, unit.device_id)))
        return unit

    def _known_unit(self, spec: UnitSpec) -> VirtualUnit:
        """A unit the cloud knows and whose writes are counted; so is whoever an ordered fault puts in its place."""
        home = self.directory / "units" / str(spec.device_id) if self.options.data_dir else None
        if home is not None:
            home.mkdir(parents=True, exist_ok=True)
        unit = VirtualUnit(spec, self.clock, self.world, home, make_stranger=self._known_unit)
        self.cloud.register_unit(
            spec.device_id, spec.platform_id, serial=spec.serial, iccid=spec.iccid, imei=spec.imei, mac=spec.mac,
            secret=spec.mobile_secret,
        )  # fmt: skip
        self._tallies.append(_Tally(unit.score, unit.transfers, unit.faults.happened))
        return unit

    def _platform_for(self, slot: int) -> Platform:
        """Slots are dealt out over the platforms of the profiles: the first half to the first, and so on."""
        rows = list(dict.fromkeys(row for profile in self.options.profiles for row in profile.platforms))
        return rows[(slot - 1) * len(rows) // self.options.units]

    @property
    def batches(self) -> tuple[str, ...]:
        return tuple(batch_of(profile) for profile in self.options.profiles)

    @property
    def journal_dir(self) -> Path:
        return self.directory / "journal"

    # --- what the virtual side counted ---

    @property
    def flash_writes(self) -> int:
        return sum(tally.score.flash_writes for tally in self._tallies)

    @property
    def cloud_writes(self) -> int:
        return sum(self.cloud.writes.values())

    @property
    def transfers(self) -> int:
        return sum(tally.transfers["control"] for tally in self._tallies)

    @property
    def dark_slots(self) -> tuple[int, ...]:
        """Slots whose unit never came up."""
        return tuple(hands.slot for hands in self._hands if hands.has_dark_unit)

    @property
    def unhappened(self) -> tuple[Fault, ...]:
        """Ordered faults whose moment no unit ever came to."""
        happened = {fault for tally in self._tallies for fault in tally.happened}
        return tuple(fault for fault in self.options.faults if fault not in happened)


class _Hands:
    """Whoever sits at one slot: plugs in, scans when asked, looks at the verdict, unplugs."""

    def __init__(self, demo: Demo, slot: int) -> None:
        self._demo, self.slot = demo, slot
        self._clock = demo.clock
        self._condition = demo.clock.condition()
        self._token: CancelToken = demo.clock.token()
        self._seen: list[Event] = []
        self._walks: set[str | None] = set()  # attempts begun while the present unit was in
        self._past: set[str | None] = set()  # those of the units before it, whose ends may still be told
        self._thread: ClockThread | None = None
        self.failure: Exception | None = None
        self.has_dark_unit = False  # it never came up, so no walk judged it

    def start(self) -> None:
        self._thread = self._clock.thread(f"hands-{self.slot}", self._run)

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        self._token.cancel()
        self.join()

    def saw(self, event: Event) -> None:
        if isinstance(event, AttemptStarted | AttemptFinished | HandsNeeded | HandsDone):
            with self._condition:
                if isinstance(event, AttemptStarted):
                    self._walks.add(event.attempt)
                self._seen.append(event)
                self._condition.notify_all()

    def _run(self) -> None:
        turn = 0
        try:
            self._clock.sleep(0.2 * self.slot, self._token)
            while True:
                self._work(self._demo.make_unit(self.slot, turn))
                if self._demo.options.once:
                    return
                turn += 1
                self._clock.sleep(GAP_S, self._token)
        except Cancelled:
            return
        except Exception as error:  # a full disk, say: told by `Demo.check`
            self.failure = error

    def _work(self, unit: VirtualUnit) -> None:
        port = port_of(self.slot)
        with self._condition:
            self._seen.clear()
            self._past |= self._walks
        self._demo.bus.plug(port, unit)
        while (event := self._next_event(unit)) is not None:
            if isinstance(event, HandsNeeded) and event.waits_for_scan:
                self._scan()
            elif isinstance(event, AttemptFinished) and event.attempt not in self._past and self._looks(unit):
                break
        last = self._present
        self._demo.bus.unplug(port)
        for one in {unit, last or unit}:
            one.close()

    def _next_event(self, unit: VirtualUnit) -> Event | None:
        """What is told next of this slot; None when its unit stays dark and nobody will ever walk it."""
        while True:
            with self._condition:
                if self._condition.wait_for(lambda: bool(self._seen), DARK_S, self._token):
                    return self._seen.pop(0)
                is_walked = bool(self._walks - self._past)
            if not (is_walked or self._is_coming(unit) or self._is_shown):
                self.has_dark_unit = True
                return None

    @property
    def _is_shown(self) -> bool:
        present = self._present
        return present is not None and present.presence is not None

    @property
    def _present(self) -> VirtualUnit | None:
        """Whoever is on the port now: after a fault perhaps another unit than the one that was plugged in."""
        found = self._demo.bus.unit_at(port_of(self.slot))
        return found if isinstance(found, VirtualUnit) else None

    def _looks(self, unit: VirtualUnit) -> bool:
        """Look at the verdict for a while, and as long as a unit is on its way. False: one came, and is walked now."""
        while True:
            was_coming = self._is_coming(unit)
            with self._condition:
                is_walked = self._condition.wait_for(
                    lambda: any(isinstance(event, AttemptStarted) for event in self._seen),
                    self._demo.options.show_s,
                    self._token,
                )
            if is_walked or not (was_coming or self._is_coming(unit)):
                return not is_walked

    def _is_coming(self, unit: VirtualUnit) -> bool:
        """Whether an ordered fault is not over yet: the unit or its successor is to be plugged in, or boots."""
        present = self._present
        return unit.successor is not None if present is None else present.mode is UnitMode.STARTING

    def _scan(self) -> None:
        """Scan the label of whoever is there after a while, unless a person was faster."""
        with self._condition:
            faster = self._condition.wait_for(lambda: bool(self._seen), self._demo.options.scan_after_s, self._token)
        unit = self._present
        if unit is not None and not faster:
            self._demo.station.command(Scan(unit.label, self.slot))


def batch_of(profile: Profile) -> str:
    """The batch a demo profile fills."""
    return f"demo-{profile.id}"


def port_of(slot: int) -> str:
    """The virtual port a demo slot is bound to."""
    return f"1-{slot}"


def _with_demo_passwords(environ: Mapping[str, str], profiles: tuple[Profile, ...]) -> dict[str, str]:
    """The environment, and a demo password for every Wi-Fi reference nobody has set."""
    found = dict(environ)
    for profile in profiles:
        reference = profile.wifi.password if profile.wifi else None
        if isinstance(reference, SecretRef) and reference.scheme == "env":
            found.setdefault(reference.name, "demo-network-password")
    return found


def _access_points(profiles: tuple[Profile, ...], secrets: SecretSource) -> list[AccessPoint]:
    points = []
    for profile in profiles:
        if profile.wifi is not None:
            password = secrets.resolve(profile.wifi.password, Secret) if profile.wifi.password else None
            points.append(AccessPoint(profile.wifi.ssid, password))
    return points


def _cloud(clock: Clock, directory: Path, options: DemoOptions) -> VirtualCloud:
    cloud = VirtualCloud(clock, directory / "cloud.sqlite")
    with _closing_on_failure(cloud):
        cloud.create_user(ACCOUNT)
        for profile in options.profiles:
            if profile.product is not None:
                number = profile.product.id or 10_000 + profile.platforms[0].id
                cloud.create_product(
                    number, profile.platforms[0].id, slug=profile.product.slug or profile.id, name=profile.title,
                    team=[ACCOUNT],
                )  # fmt: skip
        cloud.serve()
    return cloud


@contextlib.contextmanager
def _closing_on_failure(cloud: VirtualCloud) -> Iterator[None]:
    """Let go of the cloud's file and port when what is built on it cannot be."""
    try:
        yield
    except BaseException:
        cloud.close()
        raise


def _token(cloud: VirtualCloud) -> Secret:
    return cloud.create_token(ACCOUNT)
