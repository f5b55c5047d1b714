"""A whole bench in simulated time, with the hands under the test's control: station, virtual units, virtual cloud.

Everything between the USB backend and the HTTP socket is the real thing. `LineBench.close` checks what must hold
after every story: no forbidden page was touched, every write was announced in the journal and none sent twice
without a look (`support.traffic`), no secret was told, the journal's chain holds.
"""

# Not in `support`: stories kept outside this checkout import it as `line_bench`, with this folder on their path.

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import serial
from support.bench_parts import DyingBackend, io_dump, shown
from support.hearing import Hearing
from support.instruments import Instrument, Instruments
from support.journal_trouble import troubled
from support.recipes import (
    ARGON,
    BORON,
    DEVELOPER,
    ME,
    OTHER_PRODUCT,
    PASSWORD,
    PRODUCTS,
    SSID,
    Recipe,
    Walk,
    old_radio,
)
from support.traffic import Traffic

from drivers.clock import SimulatedClock
from drivers.errors import Cancelled
from drivers.host.executable import Programs, SystemPrograms
from drivers.host.port_paths import no_controller
from drivers.identity import Secret
from drivers.platforms import platform_by_slug
from drivers.transport.serialport import PyserialHost
from drivers.transport.usb import PyusbHost
from drivers.virtual.boot import BootRequest
from drivers.virtual.bus import VirtualBus
from drivers.virtual.factory import UnitSpec, factory_modules, make_spec
from drivers.virtual.faults import parse_fault
from drivers.virtual.hotplug import VirtualChanges, controllers_of
from drivers.virtual.serial_side import VirtualPorts
from drivers.virtual.synthetic import SyntheticFile
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.world import AccessPoint, StoredNetwork, World
from station.cloud.virtual import VirtualCloud
from station.cloud.virtual.store import digest
from station.compose import Hardware, Settings, Station
from station.engine.commands import Command, RetrySlot, Scan
from station.engine.events import AttemptFinished, AttemptStarted, Event, HandsNeeded
from station.journal import JournalReader
from station.model import SlotInfo
from station.settings.secrets import SecretSource
from station.steps.shared.allowed import Allowed

_LIKE_A_TOKEN = re.compile(r"([\w-]{40,63})|[\w-]+")  # what is too short is passed over as a whole
QUIET_S = 900.0
"""How long a story may wait for an event, simulated."""


class LineBench:
    """The bench of one story. Make it with `line_bench`."""

    def __init__(
        self, directory: Path, *recipes: Recipe, slots: int = 1, traces: bool = True, requests_per_s: float = 20.0,
        instruments: Mapping[str, Instrument] | None = None, clock: SimulatedClock | None = None,
    ) -> None:  # fmt: skip
        self.requests_per_s = requests_per_s
        self.directory, self.recipes, self.count, self.traces = directory, recipes, slots, traces
        self.clock = clock or SimulatedClock()
        self.environ = {"STORY_WIFI": PASSWORD}
        self._heard = Hearing(self.clock)
        self.events, self.find = self._heard.events, self._heard.find
        self.units: list[VirtualUnit] = []
        self._secrets: list[str] = [PASSWORD]
        self._is_running = self.is_dead = False
        self.open_port: Callable[[str], serial.SerialBase] = lambda device: VirtualPorts(*self.buses).open(device)
        """How a serial port is opened; a story may have other programs on it."""
        self.programs: Programs = Instruments(self.clock, 2.0, **instruments) if instruments else SystemPrograms()
        """What profiles run, from the next `start` on."""
        self.port_of: Callable[[int], str] = lambda number: f"1-{number}"
        """What a slot is bound to, from the next `start` on."""
        self.names_controllers = False  # else ports are told by bus number, as where the system has nothing better
        self.lists: dict[str, Allowed] = {}  # a supervisor's, by batch, from the next `start` on
        self.settings: dict[str, Any] = {}  # further `Settings`, from the next `start` on
        self.token_source: Callable[[], Secret] | None = None  # in place of ``token``
        self.power: int | None = None  # of the bench, from the next `start` on
        self.unbound: frozenset[int] = frozenset()  # slots without a port, from the next `start` on
        self.traffic = Traffic(self.journal_dir)

    # --- setting up ---

    def build(self) -> None:
        """Make the world; the calling thread is registered with the clock."""
        self.cloud = VirtualCloud(self.clock, self.directory / "cloud.sqlite", on_request=self.traffic.cloud_saw)
        for slug, number in PRODUCTS.items():
            self.cloud.create_product(
                number, platform_by_slug(slug).id, slug=f"{slug}-product", name=slug, team=[ME]
            )  # fmt: skip
        self.cloud.create_product(OTHER_PRODUCT, 13, slug="other", name="Other", team=[ME])
        self.cloud.serve()
        self.token = self.cloud.create_token(ME)
        self._secrets.append(self.token.reveal())
        self.access_point = AccessPoint(SSID, Secret(PASSWORD))
        self.world = World([self.access_point], sims=self.cloud, cloud=self.cloud)
        self.bus = VirtualBus(self.clock)
        self.buses: tuple[VirtualBus, ...] = (self.bus,)
        self.start(*self.recipes)

    def start(self, *recipes: Recipe) -> Station:
        """Start the station (again), with a batch for each recipe."""
        self.recipes = recipes
        for recipe in recipes:
            self.release(recipe)
        self.write_firmware(*(file for recipe in recipes for file in recipe.files()))
        slots = (SlotInfo(n, None if n in self.unbound else self.port_of(n)) for n in range(1, self.count + 1))
        settings = Settings(
            station_id="story", slots=tuple(slots),
            data_dir=self.journal_dir, firmware=(self.firmware_dir,), cloud_url=self.cloud.base_url,
            token=self._token, secrets=SecretSource(self.environ), operator="0417",
            requests_per_s=self.requests_per_s, traces=self.traces, power=self.power,
            **self.settings,
        )  # fmt: skip
        ports = VirtualPorts(*self.buses)
        controller_of = controllers_of(*self.buses) if self.names_controllers else no_controller
        hardware = Hardware(
            PyusbHost(DyingBackend(lambda: self.is_dead, *self.buses), controller_of=controller_of),
            PyserialHost(ports.list, self._open_port, controller_of),
            VirtualChanges(*self.buses),
            self.programs,
            virtual=True,
        )
        self.station = Station(settings, hardware, self.clock)
        self.station.bus.subscribe(self._heard.saw)
        try:
            for recipe in recipes:
                self.station.open_batch(recipe.batch, recipe.profile(), allowed=self.lists.get(recipe.batch))
        except BaseException:
            self.station.journal.close()
            raise
        self.station.start()
        self._is_running = True
        return self.station

    def release(self, recipe: Recipe) -> None:
        """Let the cloud have the firmware that units of ``recipe`` are flashed, and release what they are to take."""
        flashed = recipe.app()
        if recipe.released is not None and flashed is not None:
            product = recipe.product or PRODUCTS[recipe.platform]
            self.cloud.create_firmware(product, recipe.released - 1, flashed.data)
            self.cloud.create_firmware(product, recipe.released, recipe.held()[-1].data)
            self.cloud.release_firmware(product, recipe.released)

    def _open_port(self, device: str) -> serial.SerialBase:
        return self.open_port(device)

    def stop(self, why: str = "") -> None:
        """Stop the station, for the reason that the journal tells; units and cloud live on."""
        if self._is_running:
            self._is_running = False
            self.traffic.pause()
            self.station.stop(why)

    def die(self) -> None:
        """End the station as SIGKILL does, at this very moment: nothing of it reaches units or cloud any more, and of
        its journal there is what is committed now. May be called on any thread; `bury` has to follow on the test's."""
        with troubled(self.station.journal) as trouble:
            trouble.lock()
            self.is_dead = True
            shutil.copytree(self.journal_dir, self.directory / "journal-left")

    def bury(self) -> None:
        """Take away what is left of a station that died, so that another one can start."""
        self.stop()
        shutil.rmtree(self.journal_dir)
        (self.directory / "journal-left").rename(self.journal_dir)
        self.traffic.forget_uncommitted()
        self.is_dead = False

    def _token(self) -> Secret:
        if self.is_dead:
            raise Cancelled("the process is gone")
        return self.token if self.token_source is None else self.token_source()

    def restart(self, *recipes: Recipe) -> Station:
        self.stop()
        return self.start(*(recipes or self.recipes))

    def write_firmware(self, *files: SyntheticFile) -> None:
        self.firmware_dir.mkdir(exist_ok=True)
        for file in files:
            (self.firmware_dir / file.name).write_bytes(file.data)
            self.traffic.know(file.name, file.data)

    @property
    def firmware_dir(self) -> Path:
        return self.directory / "firmware"

    @property
    def journal_dir(self) -> Path:
        return self.directory / "journal"

    # --- units ---

    def unit(
        self, platform: str = "boron", number: int = 1, device_os: str | None = None, *, faults: tuple[str, ...] = (),
        spec: UnitSpec | None = None, is_known: bool = True, **settings: object,
    ) -> VirtualUnit:  # fmt: skip
        """A unit out of its box; the cloud knows it as its factory would have told."""
        made = spec or make_spec(platform, 7, number, device_os, **settings)  # type: ignore[arg-type]
        unit = VirtualUnit(made, self.clock, self.world)
        unit.order(*(parse_fault(fault) for fault in faults))
        if is_known:
            self.register(made)
        self._secrets.append(made.mobile_secret.reveal())
        self.adopt(unit)
        return unit

    def register(self, spec: UnitSpec) -> None:
        """Let the cloud know a unit as its factory would have told it."""
        self.cloud.register_unit(
            spec.device_id, spec.platform_id, serial=spec.serial, iccid=spec.iccid, imei=spec.imei, mac=spec.mac,
            secret=spec.mobile_secret,
        )  # fmt: skip

    def adopt(self, unit: VirtualUnit) -> None:
        """Count what is written to ``unit``, made elsewhere, like that of any other."""
        self.units.append(unit)
        self.traffic.watch(unit)

    def finished_unit(self, recipe: Recipe, number: int = 1, **settings: object) -> VirtualUnit:
        """A unit whose flash holds all of the recipe's firmware already: its walk is short."""
        settings = {
            "modules": tuple(file.data for file in recipe.held()), "setup_done": True,
            "device_os": recipe.keeps or None,
        } | settings  # fmt: skip
        if recipe.has_wifi:
            settings = {"networks": (StoredNetwork(SSID, Secret(PASSWORD)),)} | settings
        return self.unit(recipe.platform, number, **settings)  # type: ignore[arg-type]

    def stranger(self) -> UnitSpec:
        """Another Boron than any other here."""
        return make_spec("boron", 99, 99, "3.3.1")

    @property
    def flash_writes(self) -> int:
        return sum(unit.score.flash_writes for unit in self.units)

    @property
    def cloud_writes(self) -> int:
        return sum(self.cloud.writes.values())

    @property
    def transfers(self) -> int:
        return sum(unit.transfers["control"] for unit in self.units)

    # --- hands ---

    def plug(self, unit: VirtualUnit, slot: int = 1) -> None:
        self.bus.plug(f"1-{slot}", unit)

    def unplug(self, slot: int = 1) -> None:
        self.bus.unplug(f"1-{slot}")

    def command(self, command: Command) -> None:
        self.station.command(command)

    def scan_when_asked(self, label: str, slot: int = 1, *, since: int = 0) -> None:
        """Wait until the slot asks for a label, then scan ``label``."""
        self.wait_for(HandsNeeded, slot=slot, since=since, sentence="scan_label")
        self.sleep(1.0)
        self.command(Scan(label))

    def walk(
        self, unit: VirtualUnit, slot: int = 1, *, within: float = QUIET_S, during: Callable[[], None] | None = None
    ) -> Walk:
        """Plug in, see it through, look at the verdict a while, unplug."""
        return self._walked(lambda: self.plug(unit, slot), slot, within, during, leave=True)

    def retry(self, slot: int = 1, *, within: float = QUIET_S) -> Walk:
        """Walk the unit in the slot again."""
        return self._walked(lambda: self.command(RetrySlot(slot)), slot, within, None, leave=False)

    def unwanted(self, unit: VirtualUnit, slot: int = 1) -> HandsNeeded:
        """Plug in a unit that no open batch takes, and leave it; return what its slot says. Nothing else happens."""
        mark, before = self.mark(), (unit.transfers["control"], unit.score.flash_writes, self.cloud.requests())
        self.plug(unit, slot)
        asked = self.wait_for(HandsNeeded, slot=slot, since=mark, within=5.0)
        self.sleep(60.0)
        assert [event for _, event in self.events[mark:] if event.slot == slot and event.attempt] == []
        assert (unit.transfers["control"], unit.score.flash_writes, self.cloud.requests()) == before
        assert isinstance(asked, HandsNeeded)
        return asked

    def _walked(
        self, begin: Callable[[], None], slot: int, within: float, during: Callable[[], None] | None, *, leave: bool
    ) -> Walk:
        mark = self.mark()
        before = (self.flash_writes, self.cloud_writes, self.transfers)
        begin()
        if during is not None:
            during()
        finished = self.wait_finished(slot, since=mark, within=within)
        counts = (self.flash_writes, self.cloud_writes, self.transfers)
        if leave:
            self.sleep(1.0)
            self.unplug(slot)
            self.sleep(1.0)
        return self.told(finished, *(after - first for after, first in zip(counts, before, strict=True)))

    def told(self, finished: AttemptFinished, *counts: int) -> Walk:
        """The attempt that ``finished`` ended."""
        own = tuple(event for _, event in list(self.events) if event.attempt == finished.attempt)
        started = next(event for event in own if isinstance(event, AttemptStarted))
        return Walk(started, finished, own, *(counts or (0, 0, 0)))

    # --- time and events ---

    def mark(self) -> int:
        """A place in the story to look from."""
        return len(self.events)

    def sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def wait(self, wanted: Callable[[Event], bool], *, since: int = 0, within: float = QUIET_S) -> Event:
        """The first event from ``since`` on that is ``wanted``; fails after ``within`` simulated seconds."""
        place = self.find(wanted, since=since, within=within)
        if place is not None:
            return self.events[place][1]
        told = "\n".join(f"{at:8.2f} {shown(event)}" for at, event in self.events[since:][-40:])
        raise AssertionError(f"nothing of that kind within {within} simulated seconds; the last was\n{told}")

    def wait_for(
        self, kind: type[Event], *, slot: int | None = None, since: int = 0, within: float = QUIET_S, **fields: object
    ) -> Event:
        """The first event of ``kind`` with those ``fields``."""

        def fits(event: Event) -> bool:
            return (
                isinstance(event, kind)
                and slot in (None, event.slot)
                and all(getattr(event, name) == value for name, value in fields.items())
            )

        return self.wait(fits, since=since, within=within)

    def wait_finished(self, slot: int = 1, *, since: int = 0, within: float = QUIET_S) -> AttemptFinished:
        found = self.wait_for(AttemptFinished, slot=slot, since=since, within=within)
        assert isinstance(found, AttemptFinished)
        return found

    def when(self, event: Event) -> float:
        """Simulated seconds at which ``event`` was told."""
        return next(at for at, told in self.events if told is event)

    def place_of(self, event: Event) -> int:
        return next(place for place, (_, told) in enumerate(self.events) if told is event)

    # --- the end ---

    def reader(self) -> JournalReader:
        return JournalReader(self.journal_dir)

    def close(self) -> None:
        """Take all down and check what must hold after every story."""
        self.stop()
        self.bus.close()
        issued = self._issued()
        self.cloud.close()
        assert self.bus.failures == []
        for unit in self.units:
            assert unit.score.forbidden == []
        faults = self.traffic.faults()
        assert not faults, "\n".join(faults[:20])
        with self.reader() as journal:
            journal.verify()
            told = io_dump(journal)
        told += "\n".join(json.dumps(event.to_json(), ensure_ascii=False) for _, event in self.events)
        self.check_no_secret(told)
        assert not [word for word in set(_LIKE_A_TOKEN.findall(told)) if digest(word) in issued], "a token was told"

    def _issued(self) -> frozenset[str]:
        """Digests of all tokens and claim codes there are in the cloud."""
        rows = self.cloud._store.rows("SELECT digest FROM tokens UNION SELECT digest FROM claim_codes")
        return frozenset(row["digest"] for row in rows)

    def check_no_secret(self, text: str) -> None:
        """No mobile secret, Wi-Fi password or token stands in ``text``."""
        for secret in self._secrets:
            assert secret not in text, "a secret was told"


@contextmanager
def line_bench(
    directory: Path, *recipes: Recipe, slots: int = 1, traces: bool = True, requests_per_s: float = 20.0,
    instruments: Mapping[str, Instrument] | None = None, clock: SimulatedClock | None = None,
) -> Iterator[LineBench]:  # fmt: skip
    """A running bench; the calling thread is registered with its clock. ``instruments``: in place of real programs."""
    bench = LineBench(
        directory, *recipes, slots=slots, traces=traces, requests_per_s=requests_per_s, instruments=instruments,
        clock=clock,
    )  # fmt: skip
    with bench.clock.registered():
        bench.build()
        try:
            yield bench
        except BaseException:
            bench.stop()
            bench.bus.close()
            bench.cloud.close()
            bench.traffic.pause()
            raise
        bench.close()


__all__ = [
    "ARGON", "BORON", "DEVELOPER", "ME", "OTHER_PRODUCT", "PASSWORD", "PRODUCTS", "SSID", "BootRequest", "LineBench",
    "Recipe", "Walk", "factory_modules", "io_dump", "line_bench", "old_radio", "replace", "shown",
]  # fmt: skip
