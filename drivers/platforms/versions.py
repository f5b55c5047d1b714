"""Device OS versions, ordered by semantic versioning, and half-open ranges of them."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from ..errors import BadIdentity
from ..identity import quoted

_VERSION = re.compile(r"(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?:-([0-9A-Za-z.-]{1,40}))?")


@functools.total_ordering
@dataclass(frozen=True, slots=True)
class OsVersion:
    """A Device OS version, ordered by semantic versioning: ``5.0.0-rc.1 < 5.0.0``."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""

    @classmethod
    def parse(cls, text: str) -> OsVersion:
        """Parse ``text``, with or without a leading ``v``; raises `BadIdentity`."""
        match = _VERSION.fullmatch(text.strip().removeprefix("v"))
        if match is None:
            raise BadIdentity(f"Device OS version{quoted(text)} is not written like 6.2.0 or 5.0.0-rc.1")
        major, minor, patch, prerelease = match.groups()
        return cls(int(major), int(minor), int(patch), prerelease or "")

    def _key(self) -> tuple[object, ...]:
        parts = tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in self.prerelease.split("."))
        return (self.major, self.minor, self.patch, not self.prerelease, parts)

    def __lt__(self, other: OsVersion) -> bool:
        return self._key() < other._key()

    def __str__(self) -> str:
        suffix = f"-{self.prerelease}" if self.prerelease else ""
        return f"{self.major}.{self.minor}.{self.patch}{suffix}"


@dataclass(frozen=True, slots=True)
class OsRange:
    """Versions from ``since`` up to but not including ``before``; None leaves an end open."""

    since: OsVersion | None = None
    before: OsVersion | None = None

    @classmethod
    def parse(cls, since: str, before: str) -> OsRange:
        """Parse both ends; "" leaves one open. Raises `BadIdentity`."""
        return cls(OsVersion.parse(since) if since else None, OsVersion.parse(before) if before else None)

    def __contains__(self, version: OsVersion) -> bool:
        return (self.since is None or self.since <= version) and (self.before is None or version < self.before)
