"""Carries out owed cloud work without the unit, for many units at once where that takes fewer requests.

Implements the engine's `OutboxDesk`. What is owed of one step by many units is looked up in one list and, where the
API allows, sent in one request; then the step of each unit observes, acts and verifies as at the bench.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from drivers.clock import CancelToken, Clock
from drivers.errors import DeadlineExceeded

from ..cloud.budget import Priority
from ..cloud.client import CloudClient
from ..cloud.errors import BadAnswer, CloudRefused
from ..engine.events import Event
from ..engine.ports import Finish
from ..engine.step import Emit, NoScanner, StepContext, StepResult, deferred
from ..errors import BadInput, StepFault, UnitRejected
from ..model import OutboxItem
from ..steps.shared.cloudjob import CloudJob
from ..steps.shared.cloudwork import NEVER, CloudRecord, ask
from ..steps.shared.lastlook import LastLook
from ..steps.shared.simcard import tried_before
from ..steps.spec import CloudStep
from ..steps.table import StepTable

STEP_S = 300.0


@dataclass(frozen=True, slots=True)
class _Case:
    """One unit's owed step."""

    item: OutboxItem
    cloud: CloudRecord
    ctx: StepContext


class OwedDesk:
    """The outbox's way to the cloud. For its thread only. ``known_facts``: what the journal knows of a Device ID."""

    def __init__(
        self, client: CloudClient, steps: StepTable, clock: Clock, record: Emit,
        known_facts: Callable[[str], Mapping[str, str]],
    ) -> None:  # fmt: skip
        self._client, self._steps, self._clock, self._record = client, steps, clock, record
        self._known_facts = known_facts
        self._tried: dict[str, dict[str, str]] = {}  # by attempt: what its owed work tries once only

    def together(self, items: Sequence[OutboxItem], again: Collection[OutboxItem], cancel: CancelToken) -> Finish:
        """Prepare ``items`` of one step, and return what finishes each. Raises `CloudError` as that does.

        ``again``: those that were tried before; their looks are polls, which come last.
        """
        step = self._steps.cloud_step(items[0].action)
        cases: dict[OutboxItem, _Case] = {}
        by_product: dict[int, list[_Case]] = {}
        for item in items:
            with contextlib.suppress(BadInput):  # its own finish says what is wrong
                cases[item] = case = self._case(item, Priority.POLL if item in again else Priority.OWED, cancel)
                if case.cloud.job.product_id is not None:
                    by_product.setdefault(case.cloud.job.product_id, []).append(case)
        for product, group in by_product.items():
            self._prepare(step, product, group)
        return lambda item: self._finish(step, cases.get(item) or self._case(item, Priority.OWED, cancel))

    def _case(self, item: OutboxItem, priority: Priority, cancel: CancelToken) -> _Case:
        """Raises `BadInput` for an item that is not one of ours."""
        job, tried = CloudJob.from_json(item.body), self._tried.get(item.attempt)
        if tried is None:
            facts = self._known_facts(job.device_id) if job.iccid else {}
            tried = self._tried[item.attempt] = dict(tried_before(facts, job.iccid, self._clock.utc()))
        cloud = CloudRecord(job, self._client.at(priority), LastLook(self._clock), tried=tried)
        return _Case(item, cloud, self._context(item, cancel))

    def _context(self, item: OutboxItem, cancel: CancelToken) -> StepContext:
        return StepContext(
            step=item.action, slot=0, attempt=item.attempt, clock=self._clock,
            limit_s=STEP_S, cancel=cancel, announce=_unseen,
            record=self._record, desk=NoScanner(), device_id=item.device_id,
        )  # fmt: skip

    def _prepare(self, step: CloudStep, product: int, group: Sequence[_Case]) -> None:
        if self._list(step, product, group) and step.ahead is not None:
            step.ahead([(case.cloud, case.ctx) for case in group])
            self._list(step, product, group)

    def _list(self, step: CloudStep, product: int, group: Sequence[_Case]) -> bool:
        if step.listing is None:
            return False
        client, ctx = self._client.at(Priority.OWED), group[0].ctx
        try:
            return step.listing(client, product, [case.cloud for case in group], ctx)
        except (BadAnswer, CloudRefused):  # each unit is looked up by itself, which says what is wrong
            return False

    def _finish(self, step: CloudStep, case: _Case) -> StepResult:
        """Run an owed cloud step without the unit; raises `CloudError` if it should be tried again later.

        Only the cloud's answer about this very unit raises `UnitRejected`; the message names the unit, which is in a
        tray by now.
        """
        job, ctx = case.cloud.job, self._context(case.item, case.ctx.cancel)  # its time begins now
        try:
            return ask(ctx, lambda: step.act(case.cloud, ctx), holds=NEVER)
        except (DeadlineExceeded, StepFault) as error:  # says nothing about the unit, and no operator waits
            return deferred(str(error), case.item.body)
        except UnitRejected as error:
            who = f"{job.serial} ({job.device_id})" if job.serial else job.device_id
            raise UnitRejected(f"pull {who}: {error}", say=error.say) from error


def _unseen(event: Event) -> None:
    """Drop the event: progress of owed work has no slot to be shown in."""
