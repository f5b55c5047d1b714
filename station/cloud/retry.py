"""Retry policy for cloud requests: the table of reference cloud-api 9.1. Pure."""

from __future__ import annotations

import email.utils
import enum
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..local_time import clock_time
from ..model import Mender
from .body import Answer
from .call import Call, Effect
from .errors import CloudDown, CloudError, NotTheCloud, RateLimited
from .evidence import Route, Speaker, speaker

MAX_RETRY_AFTER_S = 300.0
"""The longest wait the cloud can ask for (reference cloud-api 9.1); the next answer may ask again."""
TOLD_MOST_S = 12 * 3600.0
"""The longest wait that is told as the cloud asks for it: the next try comes within `MAX_RETRY_AFTER_S`."""
JITTER = 0.2
"""Waits vary by this fraction in both directions, so that stations behind one address do not synchronise."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The network failed. ``was_sent``: the cloud may have received the request and carried it out.

    ``is_blocked``: a proxy or portal answered before the request could be sent.
    ``timed_out_locally``: the caller's own deadline ended it, which says nothing about the cloud.
    ``is_slow``: it took all the time that one try may take.
    """

    was_sent: bool
    reason: str
    timed_out_locally: bool = False
    is_blocked: bool = False
    is_slow: bool = False


class Trouble(enum.Enum):
    """Kinds of failed tries that may be retried."""

    BUSY = "the cloud asks for fewer requests"  # 429, 529: nothing was done
    SICK = "the cloud has a problem"  # 408, 5xx: may or may not have been done
    UNSENT = "the cloud cannot be reached"  # nothing left this host
    BLOCKED = "a proxy stands in the way"  # nothing was sent to the cloud
    LOST = "no answer came back"  # may or may not have been done
    STRANGER = "somebody else answers in the cloud's place"  # a portal, a firewall: may or may not have been done


WAITS_S: dict[Trouble, tuple[float, ...]] = {
    Trouble.BUSY: (5.0, 10.0, 20.0, 40.0, 60.0),
    Trouble.SICK: (1.0, 2.0, 4.0, 8.0),
    Trouble.UNSENT: (1.0, 2.0, 4.0, 8.0),
    Trouble.BLOCKED: (1.0, 2.0, 4.0, 8.0),
    Trouble.LOST: (1.0, 2.0, 4.0, 8.0),
    Trouble.STRANGER: (1.0, 2.0, 4.0, 8.0),
}
SLOW_RETRIES = 1
"""How often a read is tried again that took all its time: a cloud that drips is as good as away."""
_PORTAL = 511
"""Network authentication required: sent by portals."""
_STATUS = {429: Trouble.BUSY, 529: Trouble.BUSY} | dict.fromkeys((408, 500, 502, 503, 504), Trouble.SICK)


def trouble_of(result: Answer | NoAnswer, call: Call[Any]) -> Trouble | None:
    """Return what is wrong with a try of ``call``; None when its answer can be parsed or is a refusal."""
    if isinstance(result, NoAnswer):
        if result.is_blocked:
            return Trouble.BLOCKED
        return Trouble.LOST if result.was_sent else Trouble.UNSENT
    usual = _STATUS.get(result.status, Trouble.SICK if result.status >= 500 else None)
    if usual is not None and result.status != _PORTAL and result.status not in call.accepts:
        return usual
    return None if speaker(call.route, result) is Speaker.CLOUD else Trouble.STRANGER


def is_ambiguous(trouble: Trouble, effect: Effect) -> bool:
    """Return whether a retry could carry the request out twice: stop and read the state instead (N2)."""
    return effect is Effect.ONCE and trouble in (Trouble.SICK, Trouble.LOST, Trouble.STRANGER)


@dataclass(frozen=True, slots=True)
class Hitch:
    """A try that failed: of what, in whose eyes, and for how long the client goes on trying by itself.

    ``lasts_s`` None: it may have been done, so whoever asked looks before it is sent again (N2).
    """

    route: Route
    what: str
    words: str
    lasts_s: float | None


@dataclass(slots=True)
class RetryPlan:
    """Computes the waits between tries of one request; counts rate limits and failures separately."""

    rng: random.Random
    used: dict[bool, int] = field(default_factory=dict)

    def wait_s(self, trouble: Trouble, result: Answer | NoAnswer, now: datetime) -> float | None:
        """Return the seconds to wait, or None when there are no retries left for this kind of trouble.

        ``now`` is only used for a ``Retry-After`` that is a date in an answer without a date.
        """
        is_busy = trouble is Trouble.BUSY
        tries = self.used.get(is_busy, 0)
        is_slow = isinstance(result, NoAnswer) and result.is_slow
        if tries >= (SLOW_RETRIES if is_slow else len(WAITS_S[trouble])):
            return None
        self.used[is_busy] = tries + 1
        asked = retry_after_s(result, now) if is_busy and isinstance(result, Answer) else None
        if asked is not None:
            return min(asked, MAX_RETRY_AFTER_S)
        return WAITS_S[trouble][tries] * self.rng.uniform(1 - JITTER, 1 + JITTER)

    def left_s(self, trouble: Trouble) -> float:
        """Return for how long at most it is still tried again after the next try, the time of answers aside."""
        return sum(WAITS_S[trouble][self.used.get(trouble is Trouble.BUSY, 0) :]) * (1 + JITTER)


def retry_after_s(answer: Answer, now: datetime) -> float | None:
    """Parse ``Retry-After``, seconds or an HTTP date, into seconds (0 or more); None for anything else."""
    text = answer.retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = email.utils.parsedate_to_datetime(text)
        seconds = (at - (answer.date or now)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(seconds, 0.0)


def said(call: Call[Any], result: Answer | NoAnswer) -> str:
    """Describe, for the record, how a try without a usable answer ended."""
    if isinstance(result, NoAnswer):
        return result.reason
    if speaker(call.route, result) is Speaker.CLOUD:
        return f"{result.status} {result.words!r}"
    what = f"{result.words!r}" if result.is_json else f"no JSON of at most {call.most_bytes >> 10} KiB"
    return f"an answer {result.status} that is not the cloud's: {what}"


def asked_to_wait(result: Answer | NoAnswer, now: datetime) -> str:
    """Describe how long the cloud asks to wait; "" if it does not say, or more than anybody would (`TOLD_MOST_S`)."""
    seconds = retry_after_s(result, now) if isinstance(result, Answer) else None
    if seconds is None or seconds > TOLD_MOST_S:
        return ""
    return f"the cloud asks to wait until {clock_time(now + timedelta(seconds=seconds))}"


def gave_up(call: Call[Any], trouble: Trouble, words: str, asked: str) -> CloudError:
    """Return the error for a request that is not tried again; ``asked``: how long the cloud asks to wait."""
    if trouble is Trouble.BUSY:
        when = "then" if asked else "in some minutes"
        return RateLimited(f"{call.what}: {asked or trouble.value} ({words}); keep the unit and try again {when}")
    if trouble is Trouble.BLOCKED:
        return NotTheCloud(f"{call.what}: {words}")
    if trouble is Trouble.STRANGER:
        return NotTheCloud(f"{call.what}: {trouble.value} ({words}); is there a proxy, firewall or portal in between?")
    mender = Mender.VENDOR if trouble is Trouble.SICK else Mender.NETWORK
    return CloudDown(f"{call.what}: {trouble.value} ({words}); check the network, then try again", mender=mender)
