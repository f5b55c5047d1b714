"""Who gave a profile to the line. A release binds one text, by its SHA-256, to a badge; a revision has one for good.

It stands in the journal, and in a line beside the profile (``FILE.release``) that travels with it to other benches.
The line is no signature: whoever may write the folder may write it. It is worth that a text changed by accident or
without a word is refused, and that the first bench that takes it keeps it in a journal which cannot be changed unseen.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from drivers.clock import Clock
from drivers.host.plain_file import read_plain

from ..engine.events import Event
from ..engine.records import ProfileReleased
from ..errors import BadInput
from ..model import SHIPPED, TRIAL, ProfileRef, Release
from ..settings.profile import Profile
from ..words.say import Say

Gate = Callable[[Profile], str]
"""Says by whose release a profile makes units here, or `TRIAL`; raises `BatchRefused` for one that may not."""
MAX_LINES = 64 * 1024
_LINE = re.compile(
    r"(?P<id>[\w.-]{1,40}) revision (?P<revision>[0-9]{1,5}) sha256 (?P<sha256>[0-9a-f]{64})"
    r" released by (?P<by>[\w.-]{1,40}) at (?P<at>[0-9T:.+-]{20,40})"
)


class BatchRefused(BadInput):
    """A batch cannot be opened; ``say`` tells the operator why."""

    def __init__(self, message: str, say: Say) -> None:
        super().__init__(message)
        self.say = say


class Releases(Protocol):
    """The part of the journal that knows releases."""

    def release(self, profile_id: str, revision: int) -> Release | None:
        """Return who released that revision; None when nobody did, as far as this station knows."""
        ...


class ReleaseJournal(Releases, Protocol):
    """The part of the journal that takes releases, too."""

    def record(self, *events: Event) -> object:
        """Commit all of ``events`` in one transaction."""
        ...


def is_badge(text: str) -> bool:
    """Return whether ``text`` may release a profile: a badge, and no word the record uses."""
    return re.fullmatch(r"[\w.-]{1,40}", text) is not None and text.lower() not in (TRIAL, SHIPPED)


def place_of_line(profile: Path) -> Path:
    """Return where the releases of a profile file are written."""
    return profile.with_name(f"{profile.name}.release")


def line_of(release: Release) -> str:
    """Return the line that tells of ``release``; `releases_beside` reads it."""
    ref, at = release.profile, release.at.astimezone(datetime.UTC).isoformat(timespec="seconds")
    return f"{ref.id} revision {ref.revision} sha256 {ref.sha256} released by {release.by} at {at}"


def releases_beside(profile: Path) -> tuple[Release, ...]:
    """Read the lines beside a profile, oldest first. Raises `BadInput` for one that is none."""
    place = place_of_line(profile)
    try:
        lines = read_plain(place, MAX_LINES).decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BadInput(f"{place} cannot be read ({error.strerror}); put the right file there, or remove it") from error
    return tuple(_read(place, number, line) for number, line in enumerate(lines, 1) if line.strip())


def _read(place: Path, number: int, line: str) -> Release:
    found = _LINE.fullmatch(line.strip())
    try:
        if found is not None:
            ref = ProfileRef(found["id"], int(found["revision"]), found["sha256"])
            at = datetime.datetime.fromisoformat(found["at"])
            if at.tzinfo is not None:
                return Release(ref, found["by"], at)
    except ValueError:
        pass
    raise BadInput(f"{place} line {number}: this is not as station profile release wrote it; put back what it wrote")


def known_release(profile: Profile, journal: Releases | None) -> Release | None:
    """Return the release of the profile's revision, by the journal, else by the line beside it; None if there is none.

    It may be of another text: compare `Release.profile`. Raises `BadInput` for a line that cannot be read.
    """
    known = journal.release(profile.id, profile.revision) if journal is not None else None
    if known is not None:
        return known
    wanted = (profile.id, profile.revision)
    return next(
        (one for one in releases_beside(profile.path) if (one.profile.id, one.profile.revision) == wanted), None
    )


def other_text(profile: Profile, release: Release) -> str:
    """Say that a revision was released with another text, and what to do."""
    return (
        f"{profile.path}: revision {profile.revision} of {profile.id} was released by {release.by} with another text; "
        f"raise revision to {profile.revision + 1} or more and release that"
    )


def unreleased(profile: Profile) -> str:
    """Say that nobody released a profile, and how to."""
    return (
        f"{profile.path}: revision {profile.revision} of {profile.id} is not released; release it with "
        f"station profile release {profile.path} --by BADGE"
    )


@dataclass(frozen=True, slots=True)
class ReleaseGate:
    """Lets only released profiles make units, all others ``as_trial`` or not at all.

    A release that only the line beside the profile tells of is taken into the journal.
    """

    journal: ReleaseJournal
    clock: Clock
    as_trial: bool

    def __call__(self, profile: Profile) -> str:
        """Do as `Gate` says."""
        known = known_release(profile, self.journal)
        if known is not None and known.profile == profile.ref:
            if self.journal.release(profile.id, profile.revision) is None:
                self.journal.record(event_of(known, self.clock.utc()))
            return known.by
        if self.as_trial:
            return TRIAL
        if known is not None:
            raise BatchRefused(
                f"{other_text(profile, known)}, or try it with --trial", Say("profile_unreleased", profile=profile.id)
            )
        raise BatchRefused(
            f"{unreleased(profile)}, or try it with --trial", Say("profile_unreleased", profile=profile.id)
        )


def event_of(release: Release, at: datetime.datetime) -> ProfileReleased:
    """Return what the journal is told of ``release``; ``at``: now."""
    return ProfileReleased(at=at, profile=release.profile, by=release.by, released_at=release.at)
