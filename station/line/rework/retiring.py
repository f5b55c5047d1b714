"""The whole way out of a product for a unit that is plugged in: Tinker, SIM, owner, membership, in this order (I5 L5).

The unit is looked at and flashed by the steps of a walk. Each part looks first, so that started again only what is
left is done.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.clock import Clock

from ...cloud.client import CloudClient
from ...engine.step import StepContext, StepResult
from ...errors import UnitRejected
from ...firmware.cache import Entry, FirmwareCache
from ...firmware.modules import SYSTEM_PART, held_modules
from ...firmware.release import ReleaseFiles, load_release
from ...firmware.store import FirmwareStore
from ...firmware.tinker import find_tinker
from ...model import Outcome
from ...settings.profile import Profile, StepRule, parse_profile
from ...steps.dfu import dfu
from ...steps.firmware import firmware
from ...steps.identify import identify
from ...steps.shared.air import Air
from ...steps.shared.entering import DfuAccess
from ...steps.shared.flashing import FirmwareSession
from ...steps.shared.lastlook import LastLook
from ...steps.shared.released import Releases
from ...steps.shared.session import UnitSession
from ...steps.shared.unit import Unit
from ...steps.shared.wifi_networks import BenchWifi
from .case import Case, Foreseen, Part, Rework
from .kinds import foresee_release, foresee_removal


@dataclass(slots=True)
class PluggedUnit:
    """The unit on a port and the Tinker that fits it. ``rules``: the steps a profile may speak of."""

    unit: Unit
    client: CloudClient
    cache: FirmwareCache
    rules: Mapping[str, StepRule]
    clock: Clock
    tinker: Entry | None = None
    is_unsure: bool = False  # whether it runs that already is told by its flash only
    _session: UnitSession | None = None

    def look(self, ctx: StepContext) -> bool:
        """Identify the unit, find its Tinker, and return whether it runs that already.

        Raises `UnitRejected` for one that cannot be flashed, and `BadInput` where the cache has no Tinker for it.
        """
        identify(self._made(None), ctx)
        known = self.unit.known
        system = held_modules(known.modules).get(SYSTEM_PART)
        self.tinker = find_tinker(self.cache, known.platform, system.version if system is not None else None)
        self._session = self._made(self.tinker)
        writes = self._session.firmware.plan(ctx).writes
        self.is_unsure = all(write.compare_first for write in writes)
        return not writes

    def flash(self, ctx: StepContext) -> StepResult:
        """Write Tinker in place of the application, as a walk does, and read back what the unit holds."""
        assert self._session is not None
        entered = dfu(self._session, ctx)
        return firmware(self._session, ctx) if entered.outcome is not Outcome.FAILED else entered

    def _made(self, tinker: Entry | None) -> UnitSession:
        profile = self._profile(tinker)
        row = self.unit.known.platform
        empty = ReleaseFiles((), None, None)
        files = empty if tinker is None else load_release(profile, row, FirmwareStore((), cache=self.cache), None)
        session = FirmwareSession(self.unit, profile, files, lambda _: None)
        return UnitSession(
            self.unit,
            session,
            profile,
            (),
            lambda _: None,
            self.client,
            LastLook(self.clock),
            (),
            BenchWifi(),
            DfuAccess(),
            Releases(self.client, self.clock),
            Air(self.unit.device.port, self.clock),
        )

    def _profile(self, tinker: Entry | None) -> Profile:
        """Return the profile of a unit in no product, with nothing but that application."""
        lines = [
            'id = "retire"', "revision = 1", 'kind = "developer"', f'platforms = ["{self.unit.known.platform.slug}"]',
            "[cloud]", "claim = true",
        ]  # fmt: skip
        if tinker is not None:
            lines += ["[firmware]", f'file = "{tinker.name}"', f'sha256 = "{tinker.sha256}"']
        return parse_profile("\n".join([*lines, ""]).encode(), "retire.toml", self.rules)


def foresee(case: Case, plugged: PluggedUnit | None = None, *, has_tinker: bool = False) -> Foreseen:
    """Return what is left to do. ``has_tinker``: the unit runs it already."""
    parts: list[Part] = []
    if plugged is not None and plugged.tinker is not None and not has_tinker:
        name = plugged.tinker.name
        says = f"writes {name} in place of its application" + ", unless that is there" * plugged.is_unsure
        parts.append(Part(f"{says}; do not unplug it", lambda case: plugged.flash(case.ctx)))
    out = _out(dataclasses.replace(case, wishes=dataclasses.replace(case.wishes, leaves_firmware=True)))
    parts += out.parts
    if not parts:
        return Foreseen(already=f"it runs Tinker; {out.already}")
    return Foreseen(tuple(parts), out.notes, warns=out.warns)


def _out(case: Case) -> Foreseen:
    """Return the parts in the cloud; of a unit that is out already, perhaps by a run that was cut, the SIM is left."""
    if case.record is not None:
        return foresee_removal(case)
    if case.product is None:
        raise UnitRejected("the cloud shows it in no product of this account; name the product with --product")
    if case.wishes.releases_sim and case.sim is not None:
        return foresee_release(case)
    lacks = f", nor SIM {case.cloud.job.iccid}" * bool(case.cloud.job.iccid and case.sim is None)
    return Foreseen(already=f"product {case.product} has it no more{lacks}")


RETIRE = Rework("take a plugged-in unit out of its product: Tinker, SIM, owner, membership", foresee)
