"""The rework desk of one bench in simulated time, and the units on it."""

from __future__ import annotations

from functools import partial

from line_bench import PRODUCTS, LineBench

from drivers.identity import Iccid
from drivers.virtual.unit import VirtualUnit
from station.engine.step import StepResult
from station.journal.sent import was_member, was_released
from station.line.rework.case import Case, Foreseen, Target, Wishes
from station.line.rework.desk import ReworkDesk
from station.line.rework.kinds import REWORKS
from station.model import Outcome

PRODUCT = PRODUCTS["boron"]
MEMBER = "/v1/products/:p/devices/:id"
OWNER, REMOVE, ADD = f"DELETE {MEMBER}/owner", f"DELETE {MEMBER}", "POST /v1/products/:p/devices"
CLAIM, UNCLAIM = "POST /v1/devices", "DELETE /v1/devices/:id"
RELEASE, ACTIVATE, IMPORT = "DELETE /v1/products/:p/sims/:iccid", "PUT /v1/sims/:iccid", "POST /v1/products/:p/sims"
SOMEBODY = "somebody@example.com"
SLOW_SERIAL = "B40TAB123456789"  # BRN402TRAY50: sometimes slow


class Desk:
    """The desk of one bench, and the units on it."""

    def __init__(self, bench: LineBench) -> None:
        self.bench, self.cloud = bench, bench.cloud
        for name in (SOMEBODY, "customer@example.com"):
            bench.cloud.create_user(name)

    def unit(
        self, *, product: int | None = PRODUCT, number: int = 1, slow: bool = False, **columns: object
    ) -> VirtualUnit:
        unit = self.bench.unit("boron", number)
        self.cloud.edit_device(unit.spec.device_id, product_id=product, **columns)
        if slow:
            self.cloud.edit_device(unit.spec.device_id, serial_number=SLOW_SERIAL)
        return unit

    def active_sim(self, unit: VirtualUnit, **columns: object) -> Iccid:
        assert unit.spec.iccid is not None
        place = columns or {"product_id": PRODUCT}
        self.cloud.edit_sim(unit.spec.iccid, status="active", activations=1, **place)
        return unit.spec.iccid

    def look(
        self, kind: str, target: VirtualUnit | Target, *, product: int | None = PRODUCT, asked: bool = False,
        **wishes: bool,
    ) -> tuple[ReworkDesk, Case]:  # fmt: skip
        station = self.bench.station
        desk = ReworkDesk(
            station.client, self.bench.clock, station.journal.record, product=product, by="0042",
            asked=lambda _: asked, released=partial(was_released, station.journal),
            was_member=partial(was_member, station.journal),
        )  # fmt: skip
        named = target.spec.device_id if isinstance(target, VirtualUnit) else target
        return desk, desk.look(named, REWORKS[kind], Wishes(**wishes), self.bench.clock.token())  # type: ignore[arg-type]

    def foresee(self, kind: str, target: VirtualUnit | Target, **more: object) -> Foreseen:
        return REWORKS[kind].foresee(self.look(kind, target, **more)[1])  # type: ignore[arg-type]

    def rework(self, kind: str, target: VirtualUnit | Target, **more: object) -> StepResult:
        desk, case = self.look(kind, target, **more)  # type: ignore[arg-type]
        foreseen = REWORKS[kind].foresee(case)
        return desk.act(case, foreseen.parts) if foreseen.parts else StepResult(Outcome.ALREADY, proof=foreseen.already)

    def record(self, unit: VirtualUnit) -> dict[str, object]:
        return self.cloud.device(unit.spec.device_id) or {}

    def changes(self) -> list[str]:
        """The requests that changed something, in their order."""
        return [one.route for one in self.cloud.requests() if one.had_effect]
