"""What the references leave open and the station acts upon all the same: here and nowhere else.

Measure before building more on one of these. Those of the drivers stand in the sections ``uncertain`` of the files
``drivers/platforms/*.toml``.
"""

from __future__ import annotations

NAME_LENGTH = 100
"""? Most characters of a unit's name in the cloud; what it allows is written nowhere (reference cloud-api 4.4)."""

CONTROLLER_ENDPOINTS = 96
"""? Endpoints that one USB controller serves at a time. No reference gives it; common xHCI controllers refuse a device
beyond it ("not enough USB controller resources"). Others serve fewer or more."""
