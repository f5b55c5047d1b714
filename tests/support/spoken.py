"""The languages of tests: English by the clock of Greenwich, and whatever else is here."""

from __future__ import annotations

import datetime
from pathlib import Path

from station.engine.events import Event
from station.headless import as_words
from station.words import languages as here
from station.words.catalogue import variables
from station.words.languages import load
from station.words.say import Say

ENGLISH = load("en", datetime.UTC)


PLACES = variables((Path(here.__file__).with_name("en.ftl")).read_text(encoding="utf-8"))


def filled(key: str, *values: str) -> Say:
    """A sentence with as many of ``values`` as the English one has places, in their order."""
    return Say(key, **dict(zip(PLACES.get(key, ()), values, strict=False)))


LIKELY = {"unit": "P044AB1234567DE", "slot": "32"}
"""Values that have a length of their own; others are a word."""


def likely(key: str) -> Say:
    """A sentence with values as long as a tile shows them; one that asks for nothing stands on a line of the screen."""
    said = filled(key, "Argon", "Boron", "bench-3")
    sentence = ENGLISH.say(said)
    if sentence is None or not sentence.do:
        return said
    return Say(key, **{name: LIKELY.get(name, value) for name, value in said.named})


def in_english(event: Event) -> str | None:
    """What a bench without a screen says."""
    return as_words(event, ENGLISH)
