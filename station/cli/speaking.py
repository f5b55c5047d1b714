"""Choose the language a verb speaks, from its option, the config or the default."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..engine.events import Event
from ..errors import BadInput
from ..headless import as_json, as_words
from ..settings.config import StationConfig
from ..words.catalogue import BadCatalogue, Words
from ..words.languages import load

Form = Callable[[Event], str | None]


def add_language(parser: argparse.ArgumentParser) -> None:
    """Declare the option."""
    parser.add_argument("--language", metavar="L", help="what screen and lines speak: en, de, zh, or of a plug-in (en)")


def add_theme(parser: argparse.ArgumentParser) -> None:
    """Declare how the screen looks and sounds."""
    parser.add_argument("--theme", choices=("dark", "light"), help="of the screen; light: for bright halls (dark)")
    parser.add_argument("--sounds", action="store_true", help="tones for PASS, FAIL and YOUR TURN")


def words_of(arguments: argparse.Namespace, config: StationConfig | None = None) -> Words:
    """Load the words of the option, else of the config, else English; raises `BadInput` when there are none."""
    asked = arguments.language
    language = asked or (config.language if config is not None else "en")
    try:
        return load(language)
    except BadCatalogue as error:
        where = "--language" if asked or config is None else f"{config.source}: [station] language"
        raise BadInput(f"{where}: {error}") from error


def form_of(arguments: argparse.Namespace, words: Words) -> Form:
    """Return how a verb without a screen writes events: as JSON if asked, else in words."""
    return as_json if arguments.json else lambda event: as_words(event, words)
