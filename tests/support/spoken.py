"""The languages of tests: English by the clock of Greenwich, and whatever else is here."""

from __future__ import annotations

import datetime

from station.engine.events import Event
from station.headless import as_words
from station.words.languages import load

ENGLISH = load("en", datetime.UTC)


def in_english(event: Event) -> str | None:
    """What a bench without a screen says."""
    return as_words(event, ENGLISH)
