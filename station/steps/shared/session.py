"""What the USB steps of one attempt share: the unit, its flashing, and what the profile fixed before it was plugged in.

Belongs to the slot's thread; the cloud steps see only the `CloudRecord` made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.host.executable import Programs

from ...cloud.answers import CloudDevice
from ...cloud.call import ProductRef
from ...cloud.client import CloudClient
from ...engine.step import StepContext
from ...engine.turn import Turn
from ...engine.walk import Lane, StepPlan
from ...labels.printer import LabelPrinter
from ...settings.profile import Profile
from .air import Air
from .allowed import Allowed
from .cloudjob import CloudJob
from .cloudwork import FindProduct
from .customers import CustomerDesk
from .entering import DfuAccess
from .flashing import FirmwareSession
from .instruments import Instruments
from .lastlook import LastLook
from .released import NotReleased, Releases, Wanted, wanted
from .simcard import tried_before
from .unit import Unit
from .wifi_networks import BenchWifi, WifiGoal


@dataclass(frozen=True, slots=True)
class UnitSession:
    """One unit under work. Only ``unit`` (who it is) and ``firmware`` change while it is walked."""

    unit: Unit
    firmware: FirmwareSession
    profile: Profile
    plans: tuple[StepPlan, ...]  # the steps this unit goes through
    find_product: FindProduct  # raises CloudError; remembers what it found
    client: CloudClient
    last: LastLook  # what the cloud showed of the unit
    wifi: tuple[WifiGoal, ...]
    bench_wifi: BenchWifi
    dfu_access: DfuAccess
    releases: Releases
    air: Air
    allowed: Allowed | None = None  # a supervisor's list for this batch
    customers: CustomerDesk | None = None  # of a profile whose units go to some
    may_start: Callable[[StepContext], None] = lambda _ctx: None  # raises `UnitRejected` before the first write

    @property
    def has_cloud_steps(self) -> bool:
        return any(plan.lane is Lane.CLOUD for plan in self.plans)

    def walks(self, step: str) -> bool:
        """Whether the unit goes through ``step`` at all."""
        return any(plan.name == step for plan in self.plans)

    def product_ref(self, ctx: StepContext) -> ProductRef:
        """The product of a product unit; raises CloudError like ``find_product``."""
        product = self.find_product(ctx)
        assert product is not None
        return product.id

    def wanted_release(self, ctx: StepContext, record: CloudDevice | None) -> Wanted:
        """What the cloud will want of the unit; raises `NotReleased` and CloudError."""
        locked = record.desired_firmware_version if record else None
        versions = self.releases.versions(self.product_ref(ctx), ctx.deadline, ctx.cancel, lacks=locked)
        try:
            return wanted(self.profile, versions, self.firmware.application, record)
        except NotReleased:
            self.releases.forget()
            raise

    def _tried_before(self, ctx: StepContext) -> tuple[tuple[str, str], ...]:
        known = self.unit.known
        facts = self.unit.memory.known_facts(str(known.device_id)) if known.iccid else {}
        return tried_before(facts, str(known.iccid or ""), ctx.clock.utc())

    def cloud_job(self, ctx: StepContext) -> CloudJob:
        """The cloud work of the unit as far as it is identified; raises CloudError like ``find_product``."""
        product = self.find_product(ctx)
        return CloudJob.of(
            self.unit, self.profile, product.id if product else None, is_named=self.walks("name"),
            awaits_online=self.walks("online"), checks_sim=self.walks("sim"), since=self.client.cloud_date,
            allowed=self.allowed, tried=self._tried_before(ctx) if self.walks("sim") else (),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class StationSession:
    """What the steps of the station's own lane work with. They read who ``unit`` is, and speak to it never."""

    unit: Unit
    profile: Profile
    programs: Programs
    turn: Turn  # all slots share it: of two power meters there is usually one
    instruments: Instruments  # shared too
    printers: Mapping[str, LabelPrinter]  # and so are these, each with a turn of its own
    batch: str
