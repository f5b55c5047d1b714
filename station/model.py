"""The words of the station as frozen values. No behaviour beyond invariants, no imports but the standard library.

Everything that crosses a thread, a layer or a file is one of these.
"""

from __future__ import annotations

import datetime
import enum
import json
import re
from dataclasses import dataclass


class Verdict(enum.IntEnum):
    """How an attempt ended, ordered by severity: the worst of its steps wins."""

    PASS = 10  # every goal was observed or verified
    PENDING = 20  # all local work done and verified, cloud work is owed
    FAIL = 30  # the unit is bad, or is the wrong unit
    ABORTED = 40  # the operator stopped it or pulled the cable
    ERROR = 50  # we cannot tell: cable, host, cloud, bug


class Outcome(enum.StrEnum):
    """What one step did."""

    ALREADY = "already"  # the goal was observed to be true; nothing was written
    DONE = "done"  # acted, then verified by reading back
    SKIPPED = "skipped"  # not applicable; the reason names the rule or the plan
    DEFERRED = "deferred"  # queued for the cloud
    FAILED = "failed"  # the unit does not meet the goal
    ABORTED = "aborted"  # operator or unplug
    ERROR = "error"  # we cannot tell


OUTCOME_VERDICT: dict[Outcome, Verdict] = {
    Outcome.ALREADY: Verdict.PASS,
    Outcome.DONE: Verdict.PASS,
    Outcome.SKIPPED: Verdict.PASS,
    Outcome.DEFERRED: Verdict.PENDING,
    Outcome.FAILED: Verdict.FAIL,
    Outcome.ABORTED: Verdict.ABORTED,
    Outcome.ERROR: Verdict.ERROR,
}
"""What a step's outcome makes of the attempt."""

VERDICT_WORD: dict[Verdict, str] = {
    Verdict.PASS: "PASS",
    Verdict.PENDING: "SET ASIDE",
    Verdict.FAIL: "FAIL",
    Verdict.ABORTED: "STOPPED",
    Verdict.ERROR: "CHECK STATION",
}
"""What reports and exports say, in English whatever the faces speak (`station.words`); the codes stay in JSON, SQL and
one export column."""


GOOD = frozenset({Verdict.PASS, Verdict.PENDING})
"""Verdicts that prove something of a unit, until somebody works on it by hand."""
YOUR_TURN = "YOUR TURN"
"""What reports and exports say, in place of a word above, of a unit that was worked on by hand since its verdict."""


def result_of(verdict: Verdict | None, *, is_by_hand: bool) -> str:
    """Return what reports and exports say of an attempt, ``not finished`` for one without a verdict."""
    return "not finished" if verdict is None else YOUR_TURN if is_by_hand else VERDICT_WORD[verdict]


ANY_VALUE = "any value"
"""Is wanted of a measured value that only has to be there."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value read from a unit, the cloud or an instrument, with its limits if it has any.

    ``wanted``: the limit of a text, in the words of whoever set it. ``is_out``: the value is not what it shall be.
    """

    name: str
    value: float | str
    unit: str = ""  # physical unit: "s", "dBm", "bytes"
    low: float | None = None
    high: float | None = None
    wanted: str = ""
    is_out: bool = False

    @property
    def bounds(self) -> str:
        """Return the limits of a number, such as ``"3.6..4.2"`` or ``"..12"``; "" if it has none."""
        low, high = ("" if limit is None else f"{limit:.10g}" for limit in (self.low, self.high))
        return f"{low}..{high}" if low or high else ""


@dataclass(frozen=True, slots=True)
class IdentityFact:
    """One identity value and where it was read: ``("serial", "P044...", "request 21")``.

    ``name`` is one of `station.steps.shared.knowledge.VALUES`, platform or platform_id; the value of a secret is
    always ``"***"``.
    """

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One try of one step in one attempt."""

    step: str
    outcome: Outcome
    reason: str = ""  # rule number, plan reason or the sentence of the failure
    proof: str = ""  # what was read back
    seconds: float = 0.0
    measurements: tuple[Measurement, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return OUTCOME_VERDICT[self.outcome]


@dataclass(frozen=True, slots=True)
class ProfileRef:
    """Which text made a unit: id, revision and SHA-256 of the profile's bytes."""

    id: str
    revision: int
    sha256: str


TRIAL = "trial"
"""Stands in place of a badge where a profile that nobody released makes units."""
SHIPPED = "shipped"
"""Stands there where the demo makes virtual units of a profile that comes with the program."""


@dataclass(frozen=True, slots=True)
class Release:
    """That a profile was given to the line: by which badge, and when (with time zone)."""

    profile: ProfileRef
    by: str
    at: datetime.datetime


NO_LOT = "-"
"""In the place of a lot: that of the part was scanned by mistake, and there is none from now on."""


def lot_name(part: str, lot: str) -> str:
    """Return how a lot is printed, shown and exported: ``ANT=2231-A``, or ``2231-A`` where no part is named."""
    return f"{part}={lot}" if part else lot


_BATCH_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def is_batch_name(text: str) -> bool:
    """What fits a scan ``BATCH:``, a file name and one cell of a spreadsheet."""
    return _BATCH_NAME.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Batch:
    """The units of one production order, made with one profile."""

    id: str
    profile: ProfileRef
    target: int | None = None  # how many units are ordered
    release: str = ""  # the badge of who released the profile, or `TRIAL`, `SHIPPED`; "" in older records


CHANGING_FACTS = frozenset({
    "device_os", "mode", "claimed", "setup_done", "bootloader", "ncp", "modem", "modules", "protection", "environment",
    "active_sim", "label",
})  # fmt: skip
"""Identities that are others after a restart or an update: of two values the newer one holds, and neither is wrong."""

MODULE_FACT = "module "
"""What the name of a fact begins with that tells a firmware module; its own name follows: ``module bootloader``."""

AS_IT_IS = "as it is"
"""What is wanted of a firmware module that the profile does not name."""


@dataclass(frozen=True, slots=True)
class SlotInfo:
    """A numbered place on the bench, bound to a USB port path (``None``: not bound yet)."""

    number: int
    port_path: str | None = None


MAX_REASON = 60
"""So many characters may say why a slot is out of service, or what sits on an ignored port."""


@dataclass(frozen=True, slots=True)
class OffSlot:
    """A slot out of service: why, and since when (``None``: nobody wrote it down)."""

    number: int
    why: str
    since: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class SeenBefore:
    """What the journal knows of a unit that arrives: its last finished attempt.

    ``is_by_hand``: somebody worked on the unit since, and its verdict is not proven any more.
    """

    verdict: Verdict
    at: datetime.datetime
    station_id: str
    batch: str
    is_by_hand: bool = False


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """A unit the journal knows. ``label`` is what a person calls it; ``seen`` its last finished attempt, if any."""

    device_id: str
    label: str
    seen: SeenBefore | None


class Mender(enum.StrEnum):
    """Who can mend what keeps owed cloud work from being finished."""

    NETWORK = "network"  # whoever looks after network, firewall, portal and proxy
    ACCOUNT = "account"  # whoever administers the account: its team, plan and token
    PRODUCT = "product"  # the product's supervisor, in the console
    PROFILE = "profile"  # the process engineer
    VENDOR = "vendor"  # the cloud itself has a problem
    NOBODY = "nobody"  # it passes by itself: wait


EVERYWHERE = "all"
"""In a postponement of owed work: whatever is owed would fare no better now."""


def place_of(body: str) -> str:
    """Return where owed work with this ``body`` is done: "product 12345", else "account"."""
    try:
        product = json.loads(body)["product_id"]
    except (ValueError, TypeError, LookupError):
        product = None
    return "account" if product is None else f"product {product}"


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """Cloud work owed for one unit. ``action`` is a step name; ``body`` JSON without secrets."""

    attempt: str
    device_id: str
    action: str
    body: str
