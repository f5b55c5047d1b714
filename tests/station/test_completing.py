"""Tab on the command line, asked for as argcomplete's shell function asks."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.cli.main import VERBS, parser
from station.paths import shipped_profiles

SHIPPED = {path.stem for path in shipped_profiles()}


def completed(line: str, folder: Path) -> set[str]:
    """What a shell offers after ``line``, typed in ``folder``."""
    told = folder / ".told"
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": str(told)}
    subprocess.run(
        [sys.executable, "-m", "station"], cwd=folder, check=True, stdin=subprocess.DEVNULL,
        env={**os.environ, **asked, "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9"},
    )  # fmt: skip
    return {word.strip() for word in told.read_text("utf-8").split("\n") if word.strip()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.toml").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "firmware").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("station ", {*VERBS, "--help", "-h", "--log", "--version"}),
        ("station --", {"--help", "--log", "--version"}),
        ("station de", {"demo"}),
        ("station --log ", {"debug", "info", "warning"}),
        ("station profile ", {"check", "diff", "hash", "new", "release", "schema", "--help", "-h"}),
        ("station profile check ", {*SHIPPED, "mine.toml", "firmware/"}),
        ("station run --profile dev", {"developer"}),
        ("station profile diff developer bs", {"bsom-product"}),
        ("station demo --speed ", {"fast", "real"}),
        ("station run --language ", {"en", "de", "zh"}),
        ("station profile check developer --firmware ", {"firmware/"}),
        ("station run --batch ", set()),
        (
            "station firmware ",
            {"list", "fetch", "import", "export", "ready", "inspect", "plan", "verify", "--help", "-h"},
        ),
        ("station firmware inspect n", {"notes.txt"}),
        ("station firmware ready --profile dev", {"developer"}),
        ("station firmware list --cache ", {"firmware/"}),
    ],
)
def test_a_shell_is_told_what_could_come_next(line: str, offered: set[str], folder: Path) -> None:
    found = completed(line, folder)
    if line.endswith("check "):
        found = {word for word in found if not word.startswith("-")}
    assert found == offered


def test_every_word_of_every_verb_has_a_help_text() -> None:
    assert not list(_unexplained(parser()))


def _unexplained(verb: argparse.ArgumentParser) -> Iterator[str]:
    for action in verb._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from _unexplained(sub)
        elif not action.help:
            yield f"{verb.prog} {action.metavar or action.dest}"
