"""What a unit can be asked, by chip family, platform, radio and Device OS. The facts are in ``requests.toml``."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .versions import OsRange, OsVersion


class Kind(enum.StrEnum):
    """The tables of ``requests.toml``."""

    REQUEST = "requests"  # control requests, by type id
    RAW = "raw"  # raw vendor requests, by wIndex
    COMMAND = "console"  # console commands, by key
    RATE = "rates"  # line rates of the serial port that are commands, in baud
    FIELD = "fields"  # fields of answers: "554.imei", "i.IMEI"
    HOLE = "holes"  # control requests that some releases have and answer with an error, by type id


_RADIOS = ("", "wifi", "scan", "cellular")
_NAMES = {
    Kind.REQUEST: "types", Kind.RAW: "indexes", Kind.COMMAND: "keys", Kind.RATE: "rates", Kind.FIELD: "fields",
    Kind.HOLE: "types",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Capability:
    """One row: ``names`` are supported by those units in those versions."""

    kind: Kind
    names: frozenset[int | str]
    families: frozenset[str]
    platforms: frozenset[str]  # slugs; empty: all of the families
    radio: str  # "wifi", "scan" (any Wi-Fi, even for scanning only), "cellular"; "": all units
    ranges: tuple[OsRange, ...]
    result: int = 0  # of a hole: what the unit answers

    @classmethod
    def parse(cls, kind: Kind, row: Mapping[str, Any]) -> Capability:
        """Read a row; raises `KeyError`, `TypeError`, `ValueError` or `BadIdentity`."""
        ranges = row.get("ranges", [["", ""]])
        if row.get("radio", "") not in _RADIOS:
            raise ValueError(f"radio {row['radio']!r} is not one of {', '.join(_RADIOS[1:])}")
        return cls(
            kind,
            frozenset(row[_NAMES[kind]]),
            frozenset(row["families"]),
            frozenset(row.get("platforms", ())),
            row.get("radio", ""),
            tuple(OsRange.parse(since, before) for since, before in ranges),
            row["result"] if kind is Kind.HOLE else 0,
        )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The rows that apply to one platform, and the names the table contains for any platform."""

    rows: tuple[Capability, ...]
    listed: frozenset[tuple[Kind, int | str]]

    @classmethod
    def of(cls, rows: Iterable[Capability], family: str, slug: str, radios: Mapping[str, bool]) -> Capabilities:
        """Select the rows for a platform; ``radios``: which radios it has, by the names used in `Capability.radio`."""
        every = tuple(rows)
        ours = (r for r in every if family in r.families and (not r.platforms or slug in r.platforms))
        return cls(
            tuple(row for row in ours if not row.radio or radios[row.radio]),
            frozenset((row.kind, name) for row in every for name in row.names),
        )

    def depends_on_version(self, kind: Kind, name: int | str) -> bool:
        """Return whether some Device OS of the platform lacks it, as far as the table knows."""
        is_always = any(OsRange() in row.ranges for row in self._rows(kind, name))
        has_hole = kind is Kind.REQUEST and bool(self._rows(Kind.HOLE, name))
        return (kind, name) in self.listed and (not is_always or has_hole)

    def has(self, kind: Kind, name: int | str, device_os: OsVersion) -> bool:
        """Return whether a unit with ``device_os`` has it; True for what the table does not contain."""
        if (kind, name) not in self.listed:
            return True
        return any(device_os in one for row in self._rows(kind, name) for one in row.ranges)

    def hole(self, request_type: int, device_os: OsVersion) -> int | None:
        """Return the result that ``device_os`` answers every such request with, None if it is not broken there."""
        rows = self._rows(Kind.HOLE, request_type)
        return next((row.result for row in rows if any(device_os in one for one in row.ranges)), None)

    def ever(self, kind: Kind, name: int | str) -> bool:
        """Return whether any Device OS of the platform has it; True for what the table does not contain."""
        return (kind, name) not in self.listed or bool(self._rows(kind, name))

    def _rows(self, kind: Kind, name: int | str) -> list[Capability]:
        return [row for row in self.rows if row.kind is kind and name in row.names]
