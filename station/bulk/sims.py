"""Brings the SIM cards of a list into a product, which activates them. Rules G2 G3 G10 G13 N2.

The cloud answers an import at once and works on it in the background; it tells the result by e-mail (reference
cloud-api 8.2). So only the list of SIMs shows what became of each, and the journal what was asked before: a list that
is imported again while the cloud still works on it is not sent again.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence

from drivers.clock import Clock
from drivers.identity import Iccid

from ..cloud import sim_api
from ..cloud.answers import MAX_IMPORT, Product
from ..cloud.client import CloudClient
from ..cloud.errors import BadAnswer, CloudError, CloudRefused, OutcomeUnknown
from ..cloud.evidence import About
from ..cloud.sim_answers import Sim
from ..engine.events import Event
from ..engine.records import SimsImported, WriteConfirmed, WriteIntended
from ..steps.shared.cloudwork import TRIES
from ..steps.shared.listing import FEW
from .devices import Progress, Record, never_answered
from .plan import Item
from .results import Result, State

Card = Item[Iccid]
STEP = "sim"
POLL_S = (2.0, 3.0, 5.0, 5.0, 10.0)
"""Pauses between looks; the last repeats."""
ASKED = datetime.timedelta(minutes=15)
"""How long the cloud may work on an import before its SIMs show in the product; then they are sent again."""


AskedBefore = Callable[[int, datetime.datetime], frozenset[str]]
"""From a product and a time to the ICCIDs whose import the cloud took since then, by the journal."""


class SimImport:
    """The import of ``cards`` into ``product``. `look`, then `send`, then `wait`, then `results`.

    All requests raise `CloudError`, but for those of `send` and `wait`: what stops them is in the results.
    """

    def __init__(
        self, client: CloudClient, clock: Clock, record: Record, asked_before: AskedBefore, product: Product,
        cards: Sequence[Card],
    ) -> None:  # fmt: skip
        self._client, self._clock, self._record, self._asked_before = client, clock, record, asked_before
        self._product, self._cards = product, cards
        self.before: int | None = None
        """SIMs that the product had before; None: the cloud did not say."""
        self._shown: dict[str, Sim] = {}
        self._asked: frozenset[str] = frozenset()  # before, by the journal
        self._sent: set[Iccid] = set()
        self._stopped: CloudError | None = None

    # --- observe ---

    def look(self) -> None:
        """Read which SIMs are in the product already, and which are on their way by the journal."""
        self._asked = self._asked_before(self._product.id, self._clock.utc() - ASKED)
        self._look(self._cards)

    def _look(self, cards: Sequence[Card]) -> None:
        product = self._product.id
        first = self._client.run(sim_api.sims(product, 1))
        if first.pages > max(FEW, len(cards)):
            looked = ((card.key, self._client.run(sim_api.sim(card.key, product))) for card in cards)
            found = {str(iccid): sim for iccid, sim in looked if sim is not None}
            total = first.total
        else:
            rows = list(first.rows)
            for page in range(2, first.pages + 1):
                rows += self._client.run(sim_api.sims(product, page)).rows
            found, total = {sim.iccid: sim for sim in rows}, len(rows)
        self.before = total if self.before is None and not self._sent else self.before
        self._shown = found

    @property
    def missing(self) -> tuple[Card, ...]:
        """Cards that are to be sent: by the last look not in the product, or not activated; and not asked for yet."""
        return tuple(card for card in self._cards if str(card.key) not in self._asked and self._is_missing(card))

    @property
    def on_their_way(self) -> int:
        """How many were asked for before, and are not active yet."""
        return sum(str(card.key) in self._asked and self._is_missing(card) for card in self._cards)

    def _is_missing(self, card: Card) -> bool:
        sim = self._shown.get(str(card.key))
        return sim is None or not (sim.is_active or sim.is_off or sim.state_change_in_progress)

    # --- act ---

    def send(self) -> None:
        """Ask for what is missing, in as few requests as the API takes, each journalled before and after."""
        missing = self.missing
        try:
            for at in range(0, len(missing), MAX_IMPORT):
                self._send_part(missing[at : at + MAX_IMPORT])
        except CloudError as error:
            self._stopped = error

    def _send_part(self, part: Sequence[Card]) -> None:
        """Send until it is answered: an answer that got lost is followed by a look, and by what that does not show."""
        for _ in range(TRIES):
            self._record(*(self._event(WriteIntended, card) for card in part))
            try:
                self._client.run(sim_api.import_sims([card.key for card in part], self._product.id))
            except (OutcomeUnknown, BadAnswer) as error:
                last = error
                self._clock.sleep(POLL_S[-1])
                self._look(self._cards)
                self._sent |= {card.key for card in part if not self._is_missing(card)}
                part = [card for card in part if self._is_missing(card)]
                if not part:
                    return
                continue
            self._sent |= {card.key for card in part}
            self._record(
                *(self._event(WriteConfirmed, card) for card in part),
                SimsImported(
                    at=self._clock.utc(), product=self._product.id, iccids=tuple(str(card.key) for card in part)
                ),
            )
            return
        raise never_answered(f"the import of {len(part)} SIM cards", last)

    def _event(self, kind: type[WriteIntended] | type[WriteConfirmed], card: Card) -> Event:
        what = f"import SIM {card.key} into product {self._product.id}"
        return kind(at=self._clock.utc(), step=STEP, target="cloud", what=what)

    # --- verify ---

    def wait(self, seconds: float, progress: Progress) -> None:
        """Look until all that was asked for is active, for ``seconds`` at most."""
        awaited = [card for card in self._cards if card.key in self._sent or str(card.key) in self._asked]
        until, pauses = self._clock.now() + seconds, iter(POLL_S)
        try:
            while awaited:
                self._look(self._cards)
                active = sum(self._is_active(card) for card in awaited)
                progress(active, len(awaited))
                left = until - self._clock.now()
                if active == len(awaited) or left <= 0:
                    return
                self._clock.sleep(min(next(pauses, POLL_S[-1]), left))
        except CloudError as error:
            self._stopped = self._stopped or error

    def _is_active(self, card: Card) -> bool:
        sim = self._shown.get(str(card.key))
        return sim is not None and sim.is_active

    def results(self) -> Iterator[Result]:
        """Yield what became of each card by the last look; asks where one is that the product does not have."""
        for card in self._cards:
            sim = self._shown.get(str(card.key))
            yield Result(card.line, *(self._not_there(card) if sim is None else self._state(card, sim)))

    def _state(self, card: Card, sim: Sim) -> tuple[State, str]:
        if sim.is_active:
            return (State.ADDED, "active") if card.key in self._sent else (State.PRESENT, "active already")
        if sim.is_off:
            return State.DIFFERS, "in the product, but deactivated; reactivate it in the console, which may take days"
        if sim.last_action_failed:
            return State.REFUSED, "in the product, but its activation failed at the carrier; ask the vendor"
        return State.PENDING, "in the product, its activation runs; import the list again to see"

    def _not_there(self, card: Card) -> tuple[State, str]:
        is_asked = card.key in self._sent or str(card.key) in self._asked
        if not is_asked and self._stopped is not None:
            return State.PENDING, f"not done: {self._stopped.told}; then import the list again"
        if self._is_elsewhere(card):
            return State.REFUSED, "belongs to another product or account; have it released there first"
        mail = "the cloud's e-mail to this account says why if it stays so"
        return State.PENDING, f"asked for, and not in the product yet; import the list again to see; {mail}"

    def _is_elsewhere(self, card: Card) -> bool:
        try:
            self._client.run(sim_api.sim(card.key))
        except CloudRefused as error:
            return error.status == FORBIDDEN and error.about is About.UNIT
        except CloudError:
            pass
        return False


FORBIDDEN = 403
