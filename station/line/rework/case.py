"""What one unit is to rework: what the cloud shows of it, what a person wishes, and what will happen. No requests."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from drivers.identity import DeviceId, Iccid, SerialNumber

from ...cloud.answers import CloudDevice
from ...cloud.sim_answers import Sim
from ...engine.step import StepContext, StepResult
from ...settings.sku import SimSpeed
from ...steps.shared.cloud_sections import NameTemplate
from ...steps.shared.cloudwork import CloudRecord, mask
from .sims import speed_of

Target = DeviceId | SerialNumber | Iccid


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person may say beside the name of a rework.

    ``releases_sim``: also of a unit that is removed; ``slow_too``: even where it may take days to be active again (G8);
    ``leaves_firmware``: remove a unit that runs its product's firmware (I5); ``claims``: whoever's token this is gets
    the unit; ``again``: send one more e-mail; ``off``: switch a SIM off. ``template``: the new name.
    """

    releases_sim: bool = False
    slow_too: bool = False
    leaves_firmware: bool = False
    claims: bool = False
    again: bool = False
    off: bool = False
    sim_option: str = "--release-sim"  # how a person says that the SIM shall be released
    template: NameTemplate = dataclasses.field(default_factory=NameTemplate)


@dataclass(frozen=True, slots=True)
class Case:
    """One unit, or a SIM card alone, and what the cloud shows of it now. ``record`` None: nothing, to this account."""

    target: Target
    cloud: CloudRecord
    ctx: StepContext
    record: CloudDevice | None
    sim: Sim | None
    wishes: Wishes
    was_asked_for: bool = False  # its owner, for the unit, by the journal
    was_released: bool = False  # its SIM, by the journal

    @property
    def product(self) -> int | None:
        return self.cloud.job.product_id

    @property
    def number(self) -> str:
        """What the unit is called in a line."""
        job = self.cloud.job
        return f"{job.device_id}  {job.serial or '-'}" if job.device_id else f"SIM {job.iccid}"

    @property
    def is_slow(self) -> bool:
        return speed_of(self.cloud.job.serial) is SimSpeed.SOMETIMES_SLOW

    @property
    def shown(self) -> str:
        """What the cloud shows, in a line."""
        one = self.record
        if one is None:
            return "the cloud shows nothing of it here" if self.sim is None else f"SIM {_state(self.sim)}"
        told = [
            f"product {self.product}" if self.product is not None else "in no product",
            f"owner {mask(one.owner)}" if one.owner else "no owner",
            f"name {one.name}" * bool(one.name),
            f"Device OS {one.system_firmware_version}" * bool(one.system_firmware_version),
            "denied" if one.denied else "in quarantine" * one.quarantined,
            "marked for development" * one.development,
            f"SIM {one.iccid} {_state(self.sim)}" * bool(one.iccid),
        ]
        return ", ".join(filter(None, told))


def _state(sim: Sim | None) -> str:
    if sim is None:
        return "not here"
    return f"on its way ({sim.last_action})" if sim.state_change_in_progress else sim.status


@dataclass(frozen=True, slots=True)
class Part:
    """One act of a rework: what will happen, in plain words, and what does it and reads it back."""

    says: str
    act: Callable[[Case], StepResult]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a rework will do to one unit, in order. Without ``parts`` nothing, because of ``already``.

    ``notes``: what follows from it, and what does not. ``warns``: a person has to agree to this very consequence, in
    a script by ``option``.
    """

    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    already: str = ""
    warns: str = ""
    option: str = "--slow-too"


@dataclass(frozen=True, slots=True)
class Rework:
    """One kind. ``foresee`` raises `UnitRejected` where it makes no sense or does harm."""

    about: str
    foresee: Callable[[Case], Foreseen]
    needs_record: bool = True
    takes_sims: bool = False  # by an ICCID alone
    takes_out: bool = False  # wants what the cloud shows of a unit that was in the product, and is not any more
