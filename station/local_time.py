"""Times as people read them: by the clock on the wall, with the zone said. Files and JSON keep UTC."""

from __future__ import annotations

import datetime


def zone(at: datetime.datetime, tz: datetime.tzinfo | None = None) -> str:
    """Format the UTC offset in force at ``at``: ``UTC+8``, ``UTC-3:30``, ``UTC``. ``tz`` None: the machine's zone."""
    offset = at.astimezone(tz).utcoffset() or datetime.timedelta()
    minutes = abs(offset) // datetime.timedelta(minutes=1)
    if not minutes:
        return "UTC"
    sign = "-" if offset < datetime.timedelta() else "+"
    return f"UTC{sign}{minutes // 60}" + (f":{minutes % 60:02d}" if minutes % 60 else "")


def clock_time(at: datetime.datetime, tz: datetime.tzinfo | None = None) -> str:
    """Format a time of day: ``10:14:03 UTC+8``."""
    return f"{at.astimezone(tz):%H:%M:%S} {zone(at, tz)}"


def moment(at: datetime.datetime, tz: datetime.tzinfo | None = None) -> str:
    """Format date and time: ``2026-11-22 10:14:03 UTC+8``."""
    return f"{at.astimezone(tz):%Y-%m-%d %H:%M:%S} {zone(at, tz)}"


def minute(at: datetime.datetime, tz: datetime.tzinfo | None = None) -> str:
    """Format date and time without seconds: ``2026-11-22 10:14 UTC+8``."""
    return f"{at.astimezone(tz):%Y-%m-%d %H:%M} {zone(at, tz)}"


def countdown(seconds: float) -> str:
    """Format whole seconds as minutes and seconds: ``0:11``."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
