"""What the references leave open and the station acts upon all the same: here and nowhere else.

Measure before building more on one of these. Those of the drivers stand in the sections ``uncertain`` of the files
``drivers/platforms/*.toml``.
"""

from __future__ import annotations

NAME_LENGTH = 100
"""? Most characters of a unit's name in the cloud; what it allows is written nowhere (reference cloud-api 4.4)."""
