"""What a profile says of plastic SIM cards, in its section [sim], and the scan of such a card. Rules A9 G2.

The number printed on a card, or on what it came in, must be the one that the unit's modem reads from its SIM.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

from pydantic import Field

from drivers.wire import requests
from drivers.wire.messages.tables import SimType

from ...engine.events import ScanRead
from ...engine.records import UnitFacts
from ...engine.step import StepContext
from ...errors import StepFault, UnitRejected
from ...model import IdentityFact
from ...scan.reading import Reading, identity_of
from ...settings.profile_sections import Context, SectionWithDefaults
from ...settings.sections import Mistake
from ...settings.sku import SimForm, rows_of, sim_form
from ...words.say import Say
from .label import owned
from .unit import Unit

CARD = "card"
"""The source of a number that was scanned from a card."""
ASKED_AGAIN = "sim asked again"
"""That the activation of a SIM was asked for once more after it failed; kept with owed work (`CloudRecord.tried`)."""
FAILED_ON = "sim failed on"
"""When the action was that failed before the SIM was asked for again: a later one shows that this was done (N2)."""
ASKED_FACT, FAILED_FACT, NOT_ASKED = "sim_asked_again", "sim_failed_on", "none"
"""Facts with the SIM it was asked for, and before that with the SIM and the date of what failed.

A walk, or the station, may end before it sees what came of it, and the next may not ask again."""


def read_card(unit: Unit, ctx: StepContext) -> None:
    """Wait for a scan of the unit's SIM card, if the profile wants one and the unit has a card (A9).

    Raises `UnitRejected` for the card of another SIM, `StepFault` when none was scanned in time.
    """
    known = unit.known
    form = sim_form(str(known.serial or ""), known.platform.id)
    is_scanned_already = any(fact.name == "iccid" and fact.source in ("label", CARD) for fact in known.facts)
    if not unit.scans_card or form is not SimForm.CARD or is_scanned_already:
        return
    look = _Look(unit, ctx)
    if not ctx.scan(Say("scan_card", unit=known.label), unit.label.timeout_s, look):
        raise StepFault(
            f"no SIM card of {known.label} was scanned within {unit.label.timeout_s:.0f} s; scan the card, then retry",
            say=Say("label_not_scanned"),
        )
    fact = IdentityFact("iccid", str(known.iccid), CARD)
    known.facts.append(fact)
    ctx.record(UnitFacts(facts=(fact,), **ctx.head()))


def check_choice(unit: Unit, ctx: StepContext) -> None:
    """Raise `UnitRejected` for a unit that uses the SIM in its holder: a product activates the one soldered in.

    The unit is asked once more before it is judged.
    """
    if (
        unit.known.fact("active_sim") == "external"
        and unit.device.ask(requests.get_active_sim(), ctx.deadline) is SimType.EXTERNAL
    ):
        raise external_sim(unit.known.label)


def external_sim(label: str) -> UnitRejected:
    """Return what is said of a unit that uses the SIM in its holder."""
    return UnitRejected(
        f"{label} uses the SIM in its holder, and its product activates the one soldered in; the technician has to "
        "choose that one again: hold MODE until the light blinks blue fast",
        say=Say("sim_external"),
    )


class _Look:
    """Says what to ask next, None when the scan is the unit's card. The same other card twice is a mismatch."""

    def __init__(self, unit: Unit, ctx: StepContext) -> None:
        self._unit, self._ctx = unit, ctx
        self._doubted = ""

    def __call__(self, read: Reading) -> Say | None:
        name, number = identity_of(read.scanned)
        again, why = self._again(name, number, read)
        self._ctx.announce(
            ScanRead(shown=read.shown, accepted=not again, reason=why, say=again, **self._ctx.head())
        )  # fmt: skip
        return again or None

    def _again(self, name: str, number: str, read: Reading) -> tuple[Say, str]:
        known = self._unit.known
        if name != "iccid":
            return Say("not_the_card"), "no SIM card"
        if number == str(known.iccid):
            return Say(), ""
        whose = owned(read.scanned, self._unit, self._ctx)
        if whose is not None:
            return whose.say, whose.why
        if number == self._doubted:
            raise UnitRejected(
                f"the card says SIM {number}, scanned twice, the SIM in {known.label} is {known.iccid}; put the SIM of "
                "this card in, or scan the card of that SIM",
                say=Say("wrong_card"),
            )
        self._doubted = number
        return Say("card_differs", iccid=read.shown), f"not SIM {known.iccid}"


class SimCard(SectionWithDefaults):
    """The plastic SIM card that somebody puts into every unit, on platforms that take one."""

    is_scanned: bool = Field(
        default=False, alias="scan",
        description="true: the card, or what it came in, is scanned and must name the SIM in the unit (A9).",
    )  # fmt: skip

    def check(self, context: Context) -> Iterator[Mistake]:
        rows = rows_of([row.id for row in context.platforms], context.skus)
        if self.is_scanned and not any(row.sim_form is SimForm.CARD for row in rows):
            names = " or ".join(context.skus or [row.name for row in context.platforms])
            yield Mistake("scan", f"no scan of SIM cards: {names} has its SIM soldered in (G1)", "remove it", "true")


def tried_before(facts: Mapping[str, str], iccid: str, now: datetime.datetime) -> tuple[tuple[str, str], ...]:
    """What was tried for a SIM without coming to an end, by the unit's ``facts``; the cloud has its time once more.

    Where it is not known whether it was sent, the date of what failed before tells; without one it counts as sent.
    """
    failed_sim, _, failed_on = facts.get(FAILED_FACT, "").partition(" ")
    if iccid and facts.get(ASKED_FACT) == iccid:
        return ((ASKED_AGAIN, now.isoformat()),)
    if iccid and failed_sim == iccid:
        return ((FAILED_ON, failed_on),) if failed_on else ((ASKED_AGAIN, now.isoformat()),)
    return ()
