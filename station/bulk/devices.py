"""Brings the units of a list into a product: looks what is missing, imports it, and reads it back. Rules C1 C9 C11 N2.

One import takes many units and says of each what became of it, but only the read-back counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from drivers.clock import Clock
from drivers.identity import DeviceId, Imei, SerialNumber
from drivers.platforms import platforms

from ..cloud import api
from ..cloud.answers import MAX_IMPORT, CloudDevice, Membership, Product
from ..cloud.api import Identifier
from ..cloud.client import CloudClient
from ..cloud.errors import BadAnswer, CloudDown, CloudError, OutcomeUnknown
from ..engine.events import Event
from ..engine.records import WriteConfirmed, WriteIntended
from ..steps.product_add import REFUSALS
from ..steps.shared.cloudwork import LOOK_AGAIN_S, TRIES, is_same_account, mask
from ..steps.shared.listing import FEW
from .plan import Item
from .results import Result, State

Unit = Item[Identifier]
Record = Callable[..., object]
"""Commits events to the journal, all of one call in one transaction."""
Progress = Callable[[int, int], None]
STEP = "product_add"
"""The step of a walk that the import does beforehand; the journal knows its writes by the same name."""


@dataclass(frozen=True, slots=True)
class Members:
    """What the cloud shows of some units of a product. ``total``: its devices in all; None: the cloud did not say."""

    records: tuple[CloudDevice, ...] = ()
    total: int | None = None

    def by_key(self) -> dict[str, CloudDevice]:
        """Return the records by each of their numbers that an import takes."""
        return {
            number: record
            for record in self.records
            for number in (str(record.id), record.serial_number, record.imei)
            if number
        }


def never_answered(what: str, last: CloudError) -> CloudDown:
    """Return the error of a write that was sent again and again, and that the cloud neither answered nor shows.

    ``last``: what came in place of the answer.
    """
    return CloudDown(f"{what} was sent {TRIES} times, and the cloud does not show it; try again. Last: {last}")


class DeviceImport:
    """The import of ``units`` into ``product``. `look`, then `send`, then `results`; each may be asked for again.

    ``claim_user``: in the product's team; owns them from then on. All requests raise `CloudError`, but for those of
    `send`: what stops it is in the results.
    """

    def __init__(
        self, client: CloudClient, clock: Clock, record: Record, product: Product, units: Sequence[Unit],
        claim_user: str = "",
    ) -> None:  # fmt: skip
        self._client, self._clock, self._record = client, clock, record
        self._product, self._units, self._claim_user = product, units, claim_user
        self.before = Members()
        self._shown: dict[str, CloudDevice] = {}
        self._sent: set[Identifier] = set()
        self._said: dict[Identifier, Membership] = {}
        self._instead: dict[Identifier, str] = {}  # what the cloud answered about in place of a unit
        self._stopped: CloudError | None = None

    # --- observe ---

    def look(self) -> None:
        """Read which units are in the product already, and how many it has."""
        self.before = self._members(self._units)
        self._shown = self.before.by_key()

    @property
    def missing(self) -> tuple[Unit, ...]:
        """Units that are to be sent, by the last look."""
        return tuple(unit for unit in self._units if not self._is_done(unit))

    @property
    def to_claim(self) -> tuple[Unit, ...]:
        """Those of `missing` that are in the product already, and only lack their owner."""
        return tuple(unit for unit in self.missing if self._shown_of(unit) is not None)

    def _is_done(self, unit: Unit) -> bool:
        record = self._shown_of(unit)
        return record is not None and bool(record.owner or not self._claim_user)

    def _shown_of(self, unit: Unit) -> CloudDevice | None:
        record = self._shown.get(str(unit.key))
        return None if record is None or record.quarantined else record

    def _members(self, units: Sequence[Unit]) -> Members:
        """Read the whole list where that takes fewer requests than units, else each unit by itself."""
        first = self._client.run(api.members(self._product.id, 1))
        has_imei = any(isinstance(unit.key, Imei) for unit in units)  # nothing finds a device by it
        if first.pages > max(FEW, len(units)) and not has_imei:
            found = (self._member(unit.key) for unit in units)
            return Members(tuple(record for record in found if record is not None), first.total)
        rows = list(first.rows)
        for page in range(2, first.pages + 1):
            rows += self._client.run(api.members(self._product.id, page)).rows
        return Members(tuple(rows), len(rows))

    def _member(self, key: Identifier) -> CloudDevice | None:
        product = self._product.id
        if isinstance(key, SerialNumber):
            return self._client.run(api.member_by_serial(product, key))
        assert isinstance(key, DeviceId)
        return self._client.run(api.device_in_product(product, key))

    # --- act ---

    def send(self, progress: Progress) -> None:
        """Import what is missing, in as few requests as the API takes, and read it back.

        What the cloud refuses a unit for counts when it says so twice, with a look in between. An answer that got lost
        is decided by the read-back. Where the cloud is away, or refuses for a reason that is not about units, the rest
        is left.
        """
        missing = self.missing
        try:
            self._send_all(missing, progress)
            refused = [unit for unit in missing if self._said.get(unit.key) in REFUSALS]
            self._read_back(refused, (0.0,))
            self._send_all([unit for unit in refused if not self._is_done(unit)], lambda *_: None)
            self._read_back([unit for unit in missing if self._said.get(unit.key) not in REFUSALS])
        except CloudError as error:
            self._stopped = error
            with contextlib.suppress(CloudError):  # a request that was refused may have added some of its units
                self._read_back(missing, (0.0,))

    def _send_all(self, units: Sequence[Unit], progress: Progress) -> None:
        for at in range(0, len(units), MAX_IMPORT):
            progress(at, len(units))
            self._send_part(units[at : at + MAX_IMPORT])
        progress(len(units), len(units))

    def _send_part(self, part: Sequence[Unit]) -> None:
        for _ in range(TRIES):
            try:
                self._announced(part)
                return
            except (OutcomeUnknown, BadAnswer) as error:
                last = error
                self._read_back(part, (0.0, *LOOK_AGAIN_S))
                part = [unit for unit in part if not self._is_done(unit)]
                if not part:
                    return
        raise never_answered(f"the import of {len(part)} units", last)

    def _announced(self, part: Sequence[Unit]) -> None:
        """Send one import, journalled before and after."""
        self._record(*(self._event(WriteIntended, unit) for unit in part))
        self._sent |= {unit.key for unit in part}
        answer = self._client.run(api.add_to_product(self._product.id, [unit.key for unit in part], self._claim_user))
        said = {sent.lower(): result for sent, result in answer.rows}
        self._said |= {unit.key: said[str(unit.key).lower()] for unit in part}
        self._instead |= {unit.key: answer.instead for unit in part if self._said[unit.key] is Membership.UNCONFIRMED}
        self._record(*(self._event(WriteConfirmed, unit) for unit in part))

    def _event(self, kind: type[WriteIntended] | type[WriteConfirmed], unit: Unit) -> Event:
        return kind(
            at=self._clock.utc(), device_id=str(unit.line.device_id) if unit.line.device_id else None, step=STEP,
            target="cloud", what=f"add {unit.key} to product {self._product.id}",
        )  # fmt: skip

    def _read_back(self, units: Sequence[Unit], pauses: Iterable[float] = (0.0, *LOOK_AGAIN_S)) -> None:
        """Look until all of ``units`` are shown, or what is not shown stands still: a read may lag behind a write."""
        for seconds in pauses if units else ():
            if seconds:
                self._clock.sleep(seconds)
            self._shown |= self._members(units).by_key()
            if all(self._is_done(unit) for unit in units):
                return

    # --- verify ---

    def results(self) -> Iterator[Result]:
        """Yield what became of each unit, by what the cloud shows of it now; asks where a refused one is."""
        for unit in self._units:
            record = self._shown_of(unit)
            if record is not None:
                yield self._result_of_member(unit, record)
            else:
                yield Result(unit.line, *self._why_not(unit))

    def _result_of_member(self, unit: Unit, record: CloudDevice) -> Result:
        line, number = unit.line, self._product.id
        owner = f", owner {mask(record.owner)}" if record.owner else ""
        if line.serial is not None and record.serial_number not in ("", str(line.serial)):
            words = f"in product {number}, but the cloud knows it with serial number {record.serial_number}"
            return Result(line, State.DIFFERS, f"{words}; ask who made the list")
        if self._claim_user and not record.owner:
            words = f"in product {number}, but nobody owns it: check that {mask(self._claim_user)} is in its team"
            return Result(line, State.DIFFERS, words)
        if self._claim_user and not is_same_account(record.owner, self._claim_user):
            words = f"in product {number}, but {mask(record.owner)} owns it; have it unclaimed, then import it again"
            return Result(line, State.DIFFERS, words)
        was_there = str(unit.key) in self.before.by_key() and not self.before.by_key()[str(unit.key)].quarantined
        if unit.key in self._sent and was_there:
            return Result(line, State.PRESENT, f"in product {number} already, claimed now{owner}")
        if unit.key in self._sent and self._said.get(unit.key) is not Membership.EXISTING:
            return Result(line, State.ADDED, f"read back in product {number}{owner}")
        return Result(line, State.PRESENT, f"in product {number} already{owner}")

    def _why_not(self, unit: Unit) -> tuple[State, str]:
        said = self._said.get(unit.key)
        if said in REFUSALS:
            return State.REFUSED, self._elsewhere(unit) or REFUSALS[said][1]
        if self._stopped is not None:
            return State.PENDING, f"not done: {self._stopped.told}; then import the list again"
        if instead := self._instead.get(unit.key):
            return State.PENDING, f"the cloud did not say what became of it{instead}; import the list again"
        return State.PENDING, "the cloud took it and does not show it in the product yet; import the list again"

    def _elsewhere(self, unit: Unit) -> str:
        """Say where a unit is that the cloud did not take, as far as the account may see it."""
        if unit.line.device_id is None:
            return ""
        try:
            record = self._client.run(api.my_device(unit.line.device_id))
        except CloudError:  # the station's token may not look outside the product, for one
            return ""
        if record is None or not (record.is_product_device or record.platform_id):
            return ""
        if record.is_product_device and record.product_id != self._product.id:
            return f"is in product {record.product_id}; remove it there first"
        names = {row.id: row.name for row in platforms()}
        if record.platform_id is not None and record.platform_id != self._product.platform_id:
            its, wanted = (names.get(one, f"platform {one}") for one in (record.platform_id, self._product.platform_id))
            return f"is a unit of {its}, the product is for {wanted} (C3)"
        return ""
