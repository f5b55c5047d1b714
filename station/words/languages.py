"""Find languages: the catalogues beside this file, and those of plug-ins.

A plug-in brings Fluent text by an entry point of the group `GROUP`, named after its language. Text for a language that
is already here adds to it; that is how a step from outside brings its own sentences.
"""

from __future__ import annotations

import datetime
import functools
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from .catalogue import BadCatalogue, Words

GROUP = "station.languages"
ENGLISH = "en"
_HERE = Path(__file__).parent
_HELP = _HERE / "help"
"""What sentences mean to a technician, and what to try next: a file a language, beside the catalogues."""


def languages() -> tuple[str, ...]:
    """Return the code of every language the station can speak, English first."""
    here = {path.stem for path in _HERE.glob("*.ftl")}
    return (ENGLISH, *sorted((here | {entry.name for entry in entry_points(group=GROUP)}) - {ENGLISH}))


def load(language: str = ENGLISH, tz: datetime.tzinfo | None = None) -> Words:
    """Return the words of ``language``; what its catalogue lacks is said in English. ``tz`` as of `Words`.

    Raises `BadCatalogue` for a language nobody brought, or a text that cannot be used.
    """
    return _loaded(language, tz, tuple(sys.path))


@functools.cache
def _loaded(language: str, tz: datetime.tzinfo | None, _places: tuple[str, ...]) -> Words:
    """Parse each language once while modules are found at the same places; a `Words` is immutable."""
    brought = entry_points(group=GROUP)
    texts = {code: _texts(code, [entry for entry in brought if entry.name == code]) for code in {language, ENGLISH}}
    if not texts[language]:
        raise BadCatalogue(f"no language is called {language}; there are {', '.join(languages())}")
    try:
        return Words(language, texts[language], texts[ENGLISH], tz, lambda: _helps(language))
    except BadCatalogue as error:
        raise BadCatalogue(f"the catalogue of language {language} cannot be used: {error}") from error


def _texts(language: str, brought: list[EntryPoint]) -> list[str]:
    own = [path.read_text(encoding="utf-8") for path in _HERE.glob("*.ftl") if path.stem == language]
    return [*own, *map(_brought, brought)]


def _helps(language: str) -> list[str]:
    """Return the technician's texts of ``language``, then the English ones for what it lacks."""
    paths = (_HELP / f"{code}.ftl" for code in dict.fromkeys((language, ENGLISH)))
    return [path.read_text(encoding="utf-8") for path in paths if path.is_file()]


def _brought(entry: EntryPoint) -> str:
    try:
        text = entry.load()
    except Exception as error:  # a stranger's module may raise anything
        raise BadCatalogue(f"the language {entry.name} ({entry.value}) cannot be loaded: {error}") from error
    if not isinstance(text, str):
        raise BadCatalogue(f"the language {entry.name} ({entry.value}) is no text, but {type(text).__name__}")
    return text
