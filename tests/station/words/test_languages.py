"""Languages by option, by config, and from outside the packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from station.cli.main import main
from station.words.catalogue import BadCatalogue
from station.words.languages import languages, load

ONCE = ("demo", "--headless", "--once", "--units", "1", "--profile", "boron-product")

TOY = """
PIRATE = '''
face-pass = AYE
    .short = AYE
    .do = Heave!
    .means = heave it out
headless-station = ship
pass =
    .do = Heave!
step-toy = Splice
'''
ENGLISH_TOO = '''
toy_failed = Toy { $what } is broken.
    .do = Toy box.
pass = never said, as English has it
'''
BROKEN = 7
"""


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    """A folder as an installed package leaves it: a module, and what it declares."""
    (tmp_path / "toy.py").write_text(TOY, encoding="utf-8")
    declared = tmp_path / "toy-1.0.dist-info"
    declared.mkdir()
    (declared / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n", encoding="utf-8")
    (declared / "entry_points.txt").write_text(
        "[station.languages]\npirate = toy:PIRATE\nen = toy:ENGLISH_TOO\nbroken = toy:BROKEN\ngone = toy:GONE\n",
        encoding="utf-8",
    )
    return tmp_path


def fresh(toys: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A new interpreter that finds the toy package."""
    environ = os.environ | {"PYTHONPATH": str(toys)}
    return subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, text=True)


@pytest.mark.slow
def test_a_language_from_outside_is_spoken_on_every_line(toys: Path) -> None:
    said = fresh(toys, "-m", "station", *ONCE, "--language", "pirate")
    assert said.returncode == 0, said.stderr
    assert "  ship      station demo:" in said.stdout
    assert "  slot 1    AYE in " in said.stdout  # what the toy lacks is said in English
    assert said.stdout.splitlines()[-1].startswith("1 AYE in ")


def test_a_text_from_outside_adds_sentences_to_a_language_that_is_here(toys: Path) -> None:
    code = (
        "from station.words.languages import languages, load; from station.words.say import Say\n"
        "print(languages())\n"
        "for language in 'en', 'de', 'pirate':\n"
        "    words = load(language)\n"
        "    print(words.line(Say('toy_failed', what='X')), words.line(Say('pass')), words.step_title('toy', 'Toy'))\n"
    )
    said = fresh(toys, "-c", code)
    assert said.stderr == ""
    assert said.stdout.splitlines() == [
        "('en', 'broken', 'de', 'gone', 'pirate', 'zh')",
        "Toy X is broken. Toy box. Unplug. Toy",
        "Toy X is broken. Toy box. Abziehen. Toy",
        "Toy X is broken. Toy box. Heave! Splice",
    ]


@pytest.mark.parametrize(
    ("language", "why"),
    [
        ("broken", "the language broken (toy:BROKEN) is no text, but int"),
        ("gone", "the language gone (toy:GONE) cannot be loaded: "),
        ("none", "no language is called none; there are en, broken, de, gone, pirate, zh"),
    ],
)
def test_a_language_that_cannot_be_spoken_is_refused_before_anything_starts(
    toys: Path, language: str, why: str
) -> None:
    said = fresh(toys, "-m", "station", *ONCE, "--language", language)
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith(f"station: --language: {why}")


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("de", ("  Station   Station demo: 1 Platz, VIRT", "1 GUT in ")),
        ("zh", ("  工站      工站 demo：1 个槽位", "1 合格，用时 ")),
    ],
)
def test_the_demo_speaks_the_language_of_the_option(
    language: str, says: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main((*ONCE, "--language", language)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(says[0] in line for line in lines)
    assert lines[-1].startswith(says[1])


def test_a_config_names_the_language_of_its_station(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "station.toml"
    config.write_text('[station]\nlanguage = "xx"\n', encoding="utf-8")
    command = ("run", "--config", str(config), "--profile", "boron-product", "--batch", "B1", "--headless")
    assert main(command) == 2
    assert f"{config}: [station] language: no language is called xx; there are en, de, zh" in capsys.readouterr().err


def test_only_languages_that_are_here_are_loaded() -> None:
    assert languages() == ("en", "de", "zh")
    with pytest.raises(BadCatalogue, match="no language is called"):
        load("../en")
