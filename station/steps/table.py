"""All steps there are, and the order a profile makes of them."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import entry_points

from drivers.platforms import Platform

from ..engine.walk import Lane, StepPlan
from ..errors import BadInput
from ..settings.profile import Kind, Profile, StepRule, is_taken
from .spec import ALL_OTHERS, UNIT_LANE, CloudStep, StationStep, StepSpec, UnitStep

GROUP = "station.steps"
"""Entry points of this group name further steps: objects of type `StepSpec`."""
_SETS: Mapping[str, frozenset[Lane]] = {UNIT_LANE: frozenset({Lane.UNIT}), ALL_OTHERS: frozenset(Lane)}
FIRST = "identify"
"""Every walk begins with it, a repeated single step too."""


class StepTable:
    """Steps by name, in the order in which a walk may come to them. Immutable."""

    def __init__(self, specs: Iterable[StepSpec]) -> None:
        """Raises `BadInput` when two steps have one name or one section, or when they do not make an order."""
        self._specs: dict[str, StepSpec] = {}
        owners: dict[str, str] = {}
        for spec in specs:
            if spec.name in self._specs:
                raise BadInput(f"two steps are called {spec.name}; remove one of the packages that bring them")
            self._specs[spec.name] = spec
            if spec.section is not None:
                key = spec.section[0]
                owner = owners.setdefault(key, "the profile itself" if is_taken(key) else spec.name)
                if owner != spec.name:
                    raise BadInput(f"the step {spec.name} calls its section [{key}], as {owner} does; rename one")
        self._orders = {kind: _ordered(kind, self._specs) for kind in Kind}

    @staticmethod
    def found() -> StepTable:
        """The steps of this package and those of plug-ins, read once while modules are found at the same places."""
        return _table_at(tuple(sys.path))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for order in self._orders.values() for name in order))

    @property
    def on_unit(self) -> frozenset[str]:
        """The steps that speak to the unit."""
        return frozenset(name for name, spec in self._specs.items() if spec.lane is Lane.UNIT)

    @property
    def drawing_power(self) -> frozenset[str]:
        """The steps at which a cellular unit takes a share of the bench's power."""
        return frozenset(name for name, spec in self._specs.items() if spec.draws_power)

    @property
    def needing_identity(self) -> frozenset[str]:
        return frozenset(name for name, spec in self._specs.items() if spec.needs_identity)

    @property
    def rules(self) -> Mapping[str, StepRule]:
        """What a profile may say of each step below ``[steps]``."""
        specs = {name: self._specs[name] for name in self.names}
        return {
            name: StepRule(spec.limit_s, spec.may_be_off, (spec.section,) if spec.section else ())
            for name, spec in specs.items()
        }

    def unit_step(self, name: str) -> UnitStep:
        spec = self._specs[name]
        assert isinstance(spec, UnitStep)
        return spec

    def station_step(self, name: str) -> StationStep:
        spec = self._specs[name]
        assert isinstance(spec, StationStep)
        return spec

    def cloud_step(self, name: str) -> CloudStep:
        """Raises `BadInput` for owed work of a step that this station does not have."""
        spec = self._specs.get(name)
        if not isinstance(spec, CloudStep):
            raise BadInput(f"no step {name} that works without the unit; install the package that brings it")
        return spec

    def is_flashing(self, name: str) -> bool:
        """Return whether a step is one of those that write firmware."""
        return self._specs[name].visit == "dfu"

    def companions(self, name: str) -> frozenset[str]:
        """What must run for one step to be repeated by itself."""
        visit = self._specs[name].visit if name in self._specs else ""
        shared = {other for other, spec in self._specs.items() if visit and spec.visit == visit}
        return frozenset({FIRST, name} | shared)

    def scopes(self, profile: Profile) -> Mapping[str, tuple[str, ...]]:
        """What a token must be allowed for ``profile``, each scope with the steps that ask for it."""
        found: dict[str, tuple[str, ...]] = {}
        for plan in self.plans(profile):
            for scope in self._specs[plan.name].scopes:
                found[scope] = (*found.get(scope, ()), plan.name)
        return found

    def only_for_people(self, profile: Profile) -> tuple[str, ...]:
        """The steps of ``profile`` that no API user's token can do."""
        return tuple(plan.name for plan in self.plans(profile) if self._specs[plan.name].only_for_people(profile))

    def plans(self, profile: Profile, platform: Platform | None = None) -> tuple[StepPlan, ...]:
        """The steps of ``profile`` for one platform or (None) for all of its platforms together."""
        rows = (platform,) if platform else profile.platforms
        off = {name for name, spec in self._specs.items() if not any(spec.applies(profile, row) for row in rows)}
        return self.plans_without(profile.kind, off | profile.switched_off, dict(profile.limits))

    def plans_without(self, kind: Kind, off: Collection[str], limits: Mapping[str, float]) -> tuple[StepPlan, ...]:
        """The steps of ``kind`` but for those that are ``off``, every predecessor before its followers.

        ``limits``: seconds by step where they differ from the step's own.
        """
        reached: dict[str, tuple[str, ...]] = {}  # with steps that are off replaced by what they waited for
        plans: list[StepPlan] = []
        for name, after in self._orders[kind].items():
            before = tuple(dict.fromkeys(found for step in after for found in reached[step]))
            reached[name] = before if name in off else (name,)
            if name not in off:
                spec = self._specs[name]
                plans.append(StepPlan(name, spec.title, spec.lane, before, limits.get(name, spec.limit_s)))
        return tuple(plans)


@functools.cache
def _table_at(_places: tuple[str, ...]) -> StepTable:
    return StepTable([*_own(), *_plugged_in()])


def _own() -> Iterator[StepSpec]:
    for module in pkgutil.iter_modules(importlib.import_module(__package__).__path__):
        spec = getattr(importlib.import_module(f"{__package__}.{module.name}"), "SPEC", None)
        if isinstance(spec, StepSpec):
            yield spec


def _plugged_in() -> Iterator[StepSpec]:
    for entry in entry_points(group=GROUP):
        try:
            spec = entry.load()
        except Exception as error:  # a stranger's module may raise anything
            raise BadInput(f"the step {entry.name} ({entry.value}) cannot be loaded: {error}; uninstall it") from error
        if not isinstance(spec, UnitStep | CloudStep | StationStep):
            kinds = "UnitStep, CloudStep or StationStep"
            raise BadInput(f"the step {entry.name} ({entry.value}) is no {kinds}; uninstall its package")
        yield spec


def _ordered(kind: Kind, specs: Mapping[str, StepSpec]) -> dict[str, tuple[str, ...]]:
    """The steps of ``kind`` with what they come after, predecessors first; the unit's own steps before others."""
    known = {name: spec for name, spec in specs.items() if kind in spec.after}
    after: dict[str, tuple[str, ...]] = {}
    for name, spec in known.items():
        after[name] = tuple(step for step in spec.after[kind] if step not in _SETS)
        for step in after[name]:
            if step not in known:
                raise BadInput(f"the step {name} of a {kind} unit comes after {step}, which there is none of")
    for marker, lanes in _SETS.items():
        behind = _followers(after)
        for name, spec in known.items():
            if marker in spec.after[kind]:
                left_out = behind[name] | {name, *after[name]}
                after[name] += tuple(one for one in known if specs[one].lane in lanes and one not in left_out)
    behind = _followers(after)
    return {
        name: tuple(step for step in after[name] if behind[step].isdisjoint(after[name]))  # not what those wait for
        for name in _sorted(kind, after, specs)
    }


def _followers(after: Mapping[str, tuple[str, ...]]) -> dict[str, set[str]]:
    """Of every step, all that come behind it."""
    found: dict[str, set[str]] = {name: set() for name in after}
    for name in after:
        left, seen = list(after[name]), set()
        while left:
            step = left.pop()
            if step not in seen:
                seen.add(step)
                found[step].add(name)
                left.extend(after[step])
    return found


def _sorted(kind: Kind, after: Mapping[str, tuple[str, ...]], specs: Mapping[str, StepSpec]) -> list[str]:
    sorter = TopologicalSorter(after)
    try:
        sorter.prepare()
    except CycleError as error:
        raise BadInput(f"the steps {', '.join(error.args[1])} of a {kind} unit wait for each other") from error
    order: list[str] = []
    ready: list[str] = []
    while sorter.is_active():
        ready.extend(sorter.get_ready())
        ready.sort(key=lambda name: (specs[name].lane is not Lane.UNIT, name))
        order.append(ready.pop(0))
        sorter.done(order[-1])
    return order
