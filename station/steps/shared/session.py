"""What the USB steps of one attempt share: the unit, its flashing, and what the profile fixed before it was plugged in.

Belongs to the slot's thread; the cloud steps see only the `CloudRecord` made from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.host.executable import Programs
from drivers.identity import Secret
from drivers.wire.messages.tables import WifiSecurity

from ...cloud.client import CloudClient
from ...engine.step import StepContext
from ...engine.turn import Turn
from ...engine.walk import Lane, StepPlan
from ...settings.profile import Profile
from .cloudwork import CloudJob, FindProduct
from .flashing import FirmwareSession
from .unit import Unit


@dataclass(frozen=True, slots=True)
class WifiCredentials:
    """The network a unit shall join. ``password`` is None for an open one."""

    ssid: str
    password: Secret | None
    security: WifiSecurity


class BenchWifi:
    """Whether the bench's own Wi-Fi may be down: joins of the last units, across slots.

    A unit that fails where others joined is a bad unit. Before anybody has joined, and while several units in a
    row fail, the bench itself is in doubt.
    """

    def __init__(self) -> None:
        self._has_worked = False
        self._failed: list[str] = []

    def joined(self) -> None:
        self._has_worked = True
        self._failed.clear()

    def failed(self, device_id: str) -> bool:
        """Note a failure; True when the bench is in doubt."""
        if device_id not in self._failed:
            self._failed.append(device_id)
        return not self._has_worked or len(self._failed) > 1


@dataclass(frozen=True, slots=True)
class UnitSession:
    """One unit under work. Only ``unit`` (who it is) and ``firmware`` change while it is walked."""

    unit: Unit
    firmware: FirmwareSession
    profile: Profile
    plans: tuple[StepPlan, ...]  # the steps this unit goes through
    find_product: FindProduct  # raises CloudError; remembers what it found
    client: CloudClient
    wifi: WifiCredentials | None
    bench_wifi: BenchWifi

    @property
    def has_cloud_steps(self) -> bool:
        return any(plan.lane is Lane.CLOUD for plan in self.plans)

    def walks(self, step: str) -> bool:
        """Whether the unit goes through ``step`` at all."""
        return any(plan.name == step for plan in self.plans)

    def cloud_job(self, ctx: StepContext) -> CloudJob:
        """The cloud work of the unit as far as it is identified; raises CloudError like ``find_product``."""
        product = self.find_product(ctx)
        return CloudJob.of(self.unit, self.profile, product.id if product else None, is_named=self.walks("name"))


@dataclass(frozen=True, slots=True)
class StationSession:
    """What the steps of the station's own lane work with. They read who ``unit`` is, and speak to it never."""

    unit: Unit
    profile: Profile
    programs: Programs
    turn: Turn  # all slots share it: of two power meters there is usually one
