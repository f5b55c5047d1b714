"""Completes the command line when a shell's user presses Tab. Loaded only then."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import argcomplete
from argcomplete.completers import (
    BaseCompleter,
    ChoicesCompleter,
    DirectoriesCompleter,
    FilesCompleter,
    SuppressCompleter,
)

from ..paths import shipped_profiles
from ..words.languages import languages


def complete(parser: argparse.ArgumentParser) -> None:
    """Write the possible continuations where argcomplete's shell function reads them, and exit."""
    for action in _values(parser):
        if completer := _completer(action):
            action.completer = completer  # type: ignore[attr-defined] # argcomplete looks for it there
    argcomplete.autocomplete(parser, default_completer=SuppressCompleter())


def _values(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield all actions that take a free value, those of sub-parsers included."""
    for action in parser._actions:  # argparse has no public access; argcomplete uses this too
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _values(inner)
        elif action.choices is None:
            yield action


def _completer(action: argparse.Action) -> BaseCompleter | None:
    """Return the completer of an action's value, None if it cannot be guessed."""
    if action.dest in ("profile", "file", "other"):
        return _Profiles(("toml",))
    if action.dest == "language":
        return ChoicesCompleter(dict.fromkeys(languages(), ""))
    if action.type is not Path:
        return None
    return DirectoriesCompleter() if action.metavar in ("D", "DIR") else FilesCompleter()


class _Profiles(FilesCompleter):
    """Completes files, and the names of the profiles shipped with the station."""

    def __call__(self, prefix: str, **context: object) -> list[str]:
        names = [path.stem for path in shipped_profiles() if path.stem.startswith(prefix)]
        return [*names, *super().__call__(prefix, **context)]
