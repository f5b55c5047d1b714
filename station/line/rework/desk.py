"""Looks units up, reworks them and reads them back. Needs no unit and no batch (I1)."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Sequence

from drivers.clock import CancelToken, Clock
from drivers.errors import DriverError, UnknownPlatform
from drivers.identity import DeviceId, Iccid, SerialNumber
from drivers.platforms import platform

from ...cloud import api, rework_api
from ...cloud.answers import CloudDevice
from ...cloud.call import ProductRef
from ...cloud.client import CloudClient
from ...cloud.errors import CloudRefused
from ...cloud.evidence import About
from ...cloud.sim_answers import Sim
from ...engine.records import UnitFacts
from ...engine.step import Emit, NoScanner, StepContext, StepResult
from ...errors import BadInput, CloudError, StationError, UnitRejected, classify_error
from ...model import IdentityFact, Outcome
from ...steps.shared.cloudjob import CloudJob
from ...steps.shared.cloudwork import CloudRecord, judged
from ...steps.shared.knowledge import UnitKnowledge
from ...steps.shared.lastlook import LastLook
from ...steps.shared.listing import FEW
from .case import Case, Part, Rework, Target, Wishes

STEP = "rework"
STEP_S = 900.0
"""How long one unit may take, with a SIM that is waited for."""


class ReworkDesk:
    """Looks units up and reworks them. ``product``: where to look first; ``by``: the badge of who does it.

    ``asked``: whether the owner of a Device ID was asked for it before, by the journal; ``released``: whether the SIM
    of an ICCID was released before, ``was_member`` whether a Device ID was in a product, both by the journal;
    ``announce``: who is told when hands are needed. One thread.
    """

    def __init__(
        self, client: CloudClient, clock: Clock, record: Emit, *, product: ProductRef | None = None, by: str = "",
        asked: Callable[[str], bool] = lambda _: False, released: Callable[[str], bool] = lambda _: False,
        was_member: Callable[[str, int], bool] = lambda _, __: False, announce: Emit = lambda _: None,
    ) -> None:  # fmt: skip
        self._client, self._clock, self._record = client, clock, record
        self._product, self._by, self._announce = product, by, announce
        self._asked, self._released, self._was_member = asked, released, was_member
        self._number: int | None = None
        self._listed: dict[DeviceId, CloudDevice] = {}

    def expect(self, targets: Collection[Target], cancel: CancelToken) -> None:
        """Read what the cloud shows of many members from one list, where that takes fewer requests than units."""
        devices = [one for one in targets if isinstance(one, DeviceId)]
        if self._product is None or len(devices) < FEW:
            return
        with contextlib.suppress(CloudError):  # each look says what is wrong
            number, page, pages = self._product_number(cancel), 1, 1
            while number is not None and page <= pages <= len(devices):
                found = self._client.run(api.members(number, page), cancel=cancel)
                self._listed |= {row.id: row for row in found.rows}
                page, pages = page + 1, found.pages

    def look(
        self, target: Target, rework: Rework, wishes: Wishes, cancel: CancelToken, told: UnitKnowledge | None = None
    ) -> Case:  # fmt: skip
        """Read what the cloud shows of ``target``. Raises `UnitRejected`, `CloudError`, `BadInput`.

        ``told``: what the unit itself says, if it is here; it may be out of its product already.
        """
        number = self._product_number(cancel)
        if isinstance(target, Iccid):
            if not rework.takes_sims:
                raise UnitRejected("an ICCID names a SIM card; name the unit by its Device ID or serial number")
            return self._case(target, CloudJob("", 0, number, "", iccid=str(target)), None, wishes, cancel)
        device = self._device_id(target, number, cancel)
        product, record = self._find(device, number, cancel)
        if record is None and told is not None:
            job = CloudJob(str(device), told.platform.id, number, "", str(told.serial or ""), str(told.iccid or ""))
            return self._case(target, job, None, wishes, cancel)
        is_out = record is None and number is not None and self._was_member(str(device), number)
        if record is None and rework.needs_record and not (rework.takes_out and is_out):
            raise UnitRejected(self._unseen(device, number))
        job = self._job(device, number if is_out else product, record, wishes)
        return self._case(target, job, record, wishes, cancel)

    def _product_number(self, cancel: CancelToken) -> int | None:
        if self._number is None and self._product is not None:
            try:
                self._number = self._client.run(api.product(self._product), cancel=cancel).id
            except CloudRefused as error:
                if error.about is not About.PRODUCT:
                    raise
                raise BadInput(
                    f"the cloud knows no product {self._product} ({error.words}); name the right one"
                ) from error
        return self._number

    def _device_id(self, target: DeviceId | SerialNumber, number: int | None, cancel: CancelToken) -> DeviceId:
        """By serial number the product's own list is asked before the look-up of which there are 50 an hour (A15)."""
        if isinstance(target, DeviceId):
            return target
        if number is not None:
            member = self._client.run(rework_api.member_of_serial(number, target), cancel=cancel)
            if member is not None:
                return member.id
        known = self._client.serial_lookup(target, cancel=cancel)
        if known is None:
            raise UnitRejected(f"the cloud knows no unit with serial number {target}; check the label")
        return known.device_id

    def _find(
        self, device: DeviceId, number: int | None, cancel: CancelToken
    ) -> tuple[int | None, CloudDevice | None]:  # fmt: skip
        """Return the product the unit is a member of, by the cloud's own record (I2), and that record."""
        if number is not None:
            member = self._listed.pop(device, None)
            if member is None:
                member = self._client.run(api.device_in_product(number, device), cancel=cancel)
            if member is not None:
                return number, member
        record = self._client.run(api.my_device(device), cancel=cancel)
        if record is None or not record.is_product_device:
            return None, record
        if number is not None:
            raise UnitRejected(
                f"it is in product {record.product_id}, not in {number}; "
                f"say --product {record.product_id} if that is meant"
            )
        return record.product_id, record

    def _unseen(self, device: DeviceId, number: int | None) -> str:
        where = f"in product {number}, nor of this account" if number is not None else "of this account"
        hint = "name its product with --product, or " * (number is None)
        return f"the cloud shows no unit {device} {where}: {hint}log in as its owner, or check the number"

    def _job(self, device: DeviceId, product: int | None, record: CloudDevice | None, wishes: Wishes) -> CloudJob:
        if record is None:
            return CloudJob(str(device), 0, product, "")
        name = wishes.template.render(_slug(record), str(device), record.serial_number)
        return CloudJob(
            str(device), record.platform_id or 0, product, name,
            serial=record.serial_number, iccid=record.iccid, claims=wishes.claims,
        )  # fmt: skip

    def _case(
        self, target: Target, job: CloudJob, record: CloudDevice | None, wishes: Wishes, cancel: CancelToken
    ) -> Case:  # fmt: skip
        cloud = CloudRecord(job, self._client, LastLook(self._clock))
        ctx = self.context(job.device_id or None, cancel)
        sim = _sim(cloud, ctx) if job.iccid else None
        was_released = bool(job.iccid) and sim is None and self._released(job.iccid)
        return Case(target, cloud, ctx, record, sim, wishes, self._asked(job.device_id), was_released)

    def context(self, device_id: str | None, cancel: CancelToken) -> StepContext:
        """Return what one unit is worked on through: its writes are journalled."""
        return StepContext(
            step=STEP, slot=0, attempt="", clock=self._clock, limit_s=STEP_S, cancel=cancel,
            announce=self._announce, record=self._record, desk=NoScanner(), device_id=device_id,
        )  # fmt: skip

    def act(self, case: Case, parts: Sequence[Part]) -> StepResult:
        """Carry ``parts`` out in their order, and keep in the journal what was read back.

        A part that fails ends it; one that is only under way does not. Raises `CloudError` where that is not about
        the unit: started again, the rest is done.
        """
        results: list[StepResult] = []
        case = dataclasses.replace(case, ctx=self.context(case.ctx.device_id, case.ctx.cancel))  # its time begins now
        for part in parts:
            result = self._attempt(part, case)
            results.append(result)
            if result.outcome in _ENDING:
                break
        worst = max(results, key=lambda one: _SEVERITY.index(one.outcome))
        text = "; ".join(one.proof or one.reason for one in results)
        if case.ctx.device_id is not None and any(one.outcome in _EFFECTIVE for one in results):
            fact = IdentityFact("rework", text, self._by or "station rework")
            self._record(UnitFacts(facts=(fact,), **case.ctx.head()))
        return dataclasses.replace(worst, proof=text, reason="")

    def _attempt(self, part: Part, case: Case) -> StepResult:
        try:
            return part.act(case)
        except CloudError as error:
            told = judged(error)
            if not isinstance(told, UnitRejected):
                raise
            return StepResult(Outcome.FAILED, reason=str(told))
        except (StationError, DriverError) as error:
            return StepResult(classify_error(error).outcome, reason=str(error))


_ENDING = (Outcome.FAILED, Outcome.ABORTED, Outcome.ERROR)
_SEVERITY = (Outcome.SKIPPED, Outcome.ALREADY, Outcome.DONE, Outcome.DEFERRED, *_ENDING)
_EFFECTIVE = frozenset({Outcome.DONE, Outcome.DEFERRED})


def _slug(record: CloudDevice) -> str:
    try:
        return platform(record.platform_id or 0).slug
    except UnknownPlatform:
        return f"platform{record.platform_id}"


def _sim(cloud: CloudRecord, ctx: StepContext) -> Sim | None:
    """Return the SIM, None for one that is nowhere, or somebody else's."""
    try:
        return cloud.sim(ctx)
    except CloudRefused as error:
        if error.about is not About.UNIT:
            raise
        return None
