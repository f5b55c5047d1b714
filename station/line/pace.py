"""How long owed work waits for its next try: seconds at first, an hour in the end. Pure."""

from __future__ import annotations

import datetime

AGAIN_S: tuple[float, ...] = tuple(3600.0 / 2**halvings for halvings in range(8, -1, -1))
"""Pauses after the tries of an item that waits for something of its own, such as a slow SIM: 14 s, doubled up to an
hour; the last repeats. A SIM that is never activated costs nine looks in its first hour, then one or two an hour."""
LONGEST_S = AGAIN_S[-1]
PERSON_S = AGAIN_S[6]
"""Longest of these pauses, a quarter of an hour, when a person has to act for this very unit."""
MEND_S = AGAIN_S[4]
"""Longest of these pauses, 225 s, when a person may fix the cause at any moment (an account, a product)."""


def pause_s(tries: int, most_s: float = LONGEST_S, least_s: float = 0.0) -> float:
    """Return the pause after so many tries (1 or more): at most ``most_s`` seconds, unless ``least_s`` are more."""
    usual_s = min(AGAIN_S[min(tries, len(AGAIN_S)) - 1], most_s)
    return next((seconds for seconds in AGAIN_S if seconds >= max(usual_s, least_s)), LONGEST_S)


def next_try(now: datetime.datetime, pause_s: float) -> datetime.datetime:
    """Return when to try again after about ``pause_s`` seconds, never after more.

    It is brought forward to a multiple of half the pause. As each pause of `AGAIN_S` is twice the one before, items
    that were put off at different times and after different tries become due together, and one list shows them all.
    """
    grid = pause_s / 2
    due = (now.timestamp() + pause_s) // grid * grid
    return datetime.datetime.fromtimestamp(due, datetime.UTC)
