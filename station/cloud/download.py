"""Fetches files that the cloud's answers name: from the cloud itself, or over https from the host it names.

The answer is untrusted. Our token goes to the cloud's own address alone, and only if it asks for one; nothing is
fetched from a host of the local network, and no more is read than a file may have.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from urllib.parse import SplitResult, urljoin, urlsplit

from drivers.clock import Clock
from drivers.identity import Secret
from drivers.plain_text import printable

from .body import Answer
from .errors import BadAnswer, CloudDown, CloudError, NotTheCloud, RateLimited
from .flight import Flight
from .http import Download, HttpLink
from .retry import NoAnswer, RetryPlan, Trouble
from .way_out import BY_ENVIRONMENT, WayOut

Progress = Callable[[int, int | None], None]
"""Called with the bytes that have arrived, and how many there will be if the other end says."""
LONGEST_S, STALL_S = 1800.0, 60.0
"""Real seconds for one file, and without a byte of it."""
_MOVES = 3
_PUBLIC = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?")
"""A host with a domain: no bare name and no address, however written, of a local network."""
_PORTS = {"http": 80, "https": 443}
_BUSY, _SICK = frozenset({429, 529}), frozenset({408, 500, 502, 503, 504})


def check_address(url: str, cloud_url: str) -> bool:
    """Return whether ``url`` is the cloud's own address; raises `BadAnswer` if nothing may be fetched from there."""
    try:
        parts, own = urlsplit(url), urlsplit(cloud_url)
        is_own = _origin(parts) == _origin(own)
        is_plain = parts.username is None and parts.password is None
        is_public = _origin(parts)[::2] == ("https", 443) and bool(_PUBLIC.fullmatch(parts.hostname or ""))
    except ValueError:
        is_own = is_plain = is_public = False
    if not is_plain or not (is_own or is_public):
        raise BadAnswer(
            f"the cloud says its files are at {printable(url)[:80]!r}, which is neither the cloud nor a public https "
            "address; nothing was fetched"
        )
    return is_own


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)


class Downloads:
    """Fetches files for one station, one at a time. ``token`` is called when the cloud wants to know who asks."""

    def __init__(
        self, cloud_url: str, token: Callable[[], Secret], clock: Clock, rng: random.Random | None = None,
        way: WayOut = BY_ENVIRONMENT,
    ) -> None:  # fmt: skip
        self._link, self._token, self._clock = HttpLink(cloud_url, way), token, clock
        self._rng = rng or random.Random()

    def close(self) -> None:
        self._link.close()

    def get(self, url: str, what: str, most_bytes: int, progress: Progress) -> bytes:
        """Return the file at ``url``; raises `CloudError` after all retries, or at once for an address out of bounds.

        ``what`` is its name in messages.
        """
        plan = RetryPlan(self._rng)
        while True:
            result = self._followed(url, most_bytes, progress)
            if isinstance(result, Download) and result.status == 200:
                if result.is_too_long:
                    raise BadAnswer(f"{what}: the cloud's file has more than {most_bytes} bytes, no module is so large")
                return result.data
            trouble, said = _trouble(result)
            if trouble is None:
                raise BadAnswer(f"{what}: the cloud lists this file, but {said} when it is fetched; try again later")
            asked = Answer(result.status, retry_after=result.retry_after) if isinstance(result, Download) else result
            seconds = plan.wait_s(trouble, asked, self._clock.utc())
            if seconds is None:
                raise _gave_up(trouble, f"{what}: {trouble.value} ({said})")
            self._clock.sleep(seconds)

    def _followed(self, url: str, most_bytes: int, progress: Progress) -> Download | NoAnswer:
        """Fetch once, wherever the file has moved to."""
        for _ in range(_MOVES):
            result = self._once(url, most_bytes, progress)
            if not isinstance(result, Download) or not result.location:
                return result
            url = urljoin(url, result.location)
        raise BadAnswer(f"the cloud's file has moved more than {_MOVES - 1} times; nothing was fetched")

    def _once(self, url: str, most_bytes: int, progress: Progress) -> Download | NoAnswer:
        is_own = check_address(url, self._link.base_url)
        result = self._link.fetch(url, None, Flight(most_bytes, LONGEST_S, STALL_S), progress)
        if is_own and isinstance(result, Download) and result.status in (400, 401, 403):
            return self._link.fetch(url, self._token(), Flight(most_bytes, LONGEST_S, STALL_S), progress)
        return result


def _trouble(result: Download | NoAnswer) -> tuple[Trouble | None, str]:
    """Return what is wrong with a try, None if it would not pass by waiting; and what was said."""
    if isinstance(result, NoAnswer):
        if result.is_blocked:
            return Trouble.BLOCKED, result.reason
        return (Trouble.LOST if result.was_sent else Trouble.UNSENT), result.reason
    said = f"it answers {result.status}"
    if result.status in _BUSY:
        return Trouble.BUSY, said
    return (Trouble.SICK if result.status in _SICK else None), said


def _gave_up(trouble: Trouble, words: str) -> CloudError:
    if trouble is Trouble.BUSY:
        return RateLimited(f"{words}; try again in some minutes")
    return (NotTheCloud if trouble is Trouble.BLOCKED else CloudDown)(f"{words}; check the network, then try again")
