"""Makes a demo's virtual units, registers them with the virtual cloud and counts what is done to them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from drivers.clock import Clock
from drivers.identity import SerialNumber
from drivers.platforms import platform_by_slug
from drivers.virtual.factory import UnitSpec
from drivers.virtual.families import family_of
from drivers.virtual.faults import Fault
from drivers.virtual.flash import Score
from drivers.virtual.layout import os_version
from drivers.virtual.synthetic import usual_version
from drivers.virtual.unit import VirtualUnit
from drivers.virtual.world import World

from ..cloud.virtual import VirtualCloud
from ..cloud.virtual.sims import SimClass
from ..settings.profile import Profile
from ..settings.sku import SimForm, sim_form, sim_speed
from .options import DemoOptions
from .tray import Arrival
from .troubles import deal

SpecMaker = Callable[[str, int, int, str], UnitSpec]
"""From platform slug, seed, number and Device OS to the unit of that number."""


class _Tally(NamedTuple):
    """Counters of one unit, kept after it left: the unit itself holds megabytes of flash."""

    score: Score
    transfers: Counter[str]
    happened: list[Fault]


class Units:
    """The units of one demo. ``homes``: the folder in which they keep their flash; None keeps it in memory."""

    def __init__(
        self,
        options: DemoOptions,
        clock: Clock,
        cloud: VirtualCloud,
        world: World,
        homes: Path | None,
        make_spec: SpecMaker,
    ) -> None:
        self._options, self._clock, self._cloud, self._world = options, clock, cloud, world
        self._homes, self._make_spec = homes, make_spec
        self._tallies: list[_Tally] = []
        self._came_with: dict[str, str] = {}  # Device OS by Device ID
        count = options.total or options.units
        dealt = deal(options.troubles, count, options.seed, self._slug) if options.troubles else ()
        self._faults = (*options.faults, *dealt)

    def spec(self, slot: int, turn: int = 0) -> UnitSpec:
        """Return what the ``turn``-th unit of a slot is: the same for the same seed, in every process."""
        options = self._options
        number, arrival = slot + turn * options.units, self._arrival(slot)
        device_os = arrival.device_os or usual_version(platform_by_slug(arrival.slug).id, options.factory_os)
        spec = self._make_spec(arrival.slug, options.seed, number, device_os)
        serial = spec.serial
        if arrival.model and serial is not None:
            serial = SerialNumber.parse(arrival.model + str(serial)[len(arrival.model) :])
        return dataclasses.replace(spec, serial=serial, networks=(*spec.networks, *arrival.networks))

    def make(self, slot: int, turn: int) -> VirtualUnit:
        """Make the ``turn``-th unit of a slot."""
        options = self._options
        unit = self._registered(self.spec(slot, turn))
        number = slot + turn * options.units
        if number <= (options.total or options.units):
            unit.order(*(fault for fault in self._faults if fault.applies_to(number, unit.device_id)))
        return unit

    def coming(self, profile: Profile) -> int | None:
        """Return how many units of the platforms of ``profile`` come in all; None where there is no end of them."""
        if self._options.total is None:
            return None
        slugs = {row.slug for row in profile.platforms}
        return sum(self._slug(number) in slugs for number in range(1, self._options.total + 1))

    def _slug(self, number: int) -> str:
        """Return the platform of the unit with that number, from 1."""
        return self._arrival((number - 1) % self._options.units + 1).slug

    def came_with(self, unit: VirtualUnit) -> str:
        """Return the Device OS ``unit`` had as it came, "" if none: one kept on disk may have been updated before."""
        return self._came_with[unit.device_id]

    def _registered(self, spec: UnitSpec) -> VirtualUnit:
        """Make a unit that the cloud knows and whose writes are counted; so is any unit a fault swaps in for it."""
        home = self._homes / str(spec.device_id) if self._homes else None
        if home is not None:
            home.mkdir(parents=True, exist_ok=True)
        unit = VirtualUnit(spec, self._clock, self._world, home, make_stranger=self._registered)
        system = family_of(spec.platform_id).find_system(unit.memory)
        self._came_with[unit.device_id] = str(os_version(system.header.version)) if system is not None else ""
        self.register(spec)
        self._tallies.append(_Tally(unit.score, unit.transfers, unit.faults.happened))
        return unit

    def register(self, spec: UnitSpec) -> None:
        """Make a unit known to the cloud, as its factory did, and its SIM as what that unit is sold with."""
        serial = str(spec.serial or "")
        self._cloud.register_unit(
            spec.device_id, spec.platform_id, serial=spec.serial, iccid=spec.iccid, imei=spec.imei, mac=spec.mac,
            secret=spec.mobile_secret, is_plastic_sim=sim_form(serial, spec.platform_id) is SimForm.CARD,
            sim_class=SimClass[sim_speed(serial, was_active=False).name],
        )  # fmt: skip

    def _arrival(self, slot: int) -> Arrival:
        """Deal the slots out over the platforms of the profiles, the first share to the first, unless it is ordered."""
        options = self._options
        if options.arrivals:
            return options.arrivals[(slot - 1) % len(options.arrivals)]
        rows = list(dict.fromkeys(row for profile in options.profiles for row in profile.platforms))
        return Arrival(rows[(slot - 1) * len(rows) // options.units].slug)

    @property
    def flash_writes(self) -> int:
        return sum(tally.score.flash_writes for tally in self._tallies)

    @property
    def transfers(self) -> int:
        return sum(tally.transfers["control"] for tally in self._tallies)

    @property
    def unhappened(self) -> tuple[Fault, ...]:
        """Ordered faults whose moment no unit ever came to."""
        happened = {fault for tally in self._tallies for fault in tally.happened}
        return tuple(fault for fault in self._faults if fault not in happened)
