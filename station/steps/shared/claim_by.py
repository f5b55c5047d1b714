"""The two ways in which a unit gets its owner, and what the way by claim code needs."""

from __future__ import annotations

import enum

from ...settings.profile_sections import Context


class ClaimBy(enum.StrEnum):
    """How a unit is claimed."""

    ID = "id"  # by its Device ID, with the owner's token, once it is online
    CODE = "code"  # by a claim code of the owner, which the unit hands in when it connects


def needs_network(context: Context) -> str:
    """Say why units could not hand in a claim code, "" if they can: one with Wi-Fi alone needs a network (K4)."""
    bare = [row.name for row in context.platforms if row.has_wifi and not row.has_cellular]
    if not bare or "wifi" in context.written:
        return ""
    return f'"id", or a section [wifi]: {bare[0]} hands a claim code in only where it has a network (K4)'
