"""What a technician is told of a bad end: every sentence it may end with says what it means and what to try next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl

from station.cli import main
from station.steps.table import StepTable
from station.view.bars import DETAILS_KEYS
from station.words import languages as here
from station.words.cells import clean
from station.words.languages import load
from station.words.say import Say

RULES = StepTable.found().rules
HERE = Path(here.__file__).parent
LANGUAGES = sorted(path.stem for path in HERE.glob("*.ftl"))
NO_END = ("Good ends", "Hands", "Slots between attempts", "Lines of the station", "Questions")
"""Parts of the catalogue with sentences that no attempt ends badly with."""
WAITS = {"scanner_busy", "before_it", "record_again", "power_busy", "instrument_busy", "printer_busy"}
"""Sentences elsewhere that only say what is waited for."""
ASKED = {"scan_printed", "label_in_doubt", "old_label", "no_label_again"}
"""Sentences elsewhere that ask for a scan."""
LEFT_DARK = {"dfu_by_hand", "hands_default"}
"""What hands are asked for, and the end of a unit that vanished while it would stay dark."""


def ends() -> list[str]:
    """Return every sentence a FAIL, an ERROR or a stopped attempt can end with: whatever is not known to be none."""
    found: list[str] = []
    for part in re.split(r"^## ", (HERE / "en.ftl").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        if not part.startswith(NO_END):
            found += re.findall(r"^([a-z][a-z_0-9]*) =", part, flags=re.MULTILINE)
    return sorted((set(found) - WAITS - ASKED) | LEFT_DARK)


def texts(language: str) -> dict[str, ftl.Message]:
    resource = FluentParser().parse((HERE / "help" / f"{language}.ftl").read_text(encoding="utf-8"))
    assert not [entry for entry in resource.body if isinstance(entry, ftl.Junk)]
    return {entry.id.name: entry for entry in resource.body if isinstance(entry, ftl.Message)}


def test_the_search_finds_the_ends() -> None:
    assert {"wifi_join_failed", "silent", "unplugged_too_early", "value_too_low", "check_station"} <= set(ends())
    assert not {"pass", "scan_label", "cloud_back", "leave_writing"} & set(ends())
    assert len(ends()) > 80


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_end_says_what_it_means_and_what_to_try_next(language: str) -> None:
    assert sorted(texts(language)) == sorted(f"why-{key}" for key in ends())
    words = load(language)
    silent = [key for key in ends() if not all(words.help(Say(key)))]
    assert silent == []
    said = [text for key in ends() for text in words.help(Say(key))]
    assert [text for text in said if clean(text) != text or len(text) > 160] == []
    assert [text for text in said if text[-1] not in ".?。？"] == []


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_no_language_leaves_them_in_english(language: str) -> None:
    english, words = load("en"), load(language)
    assert [key for key in ends() if set(english.help(Say(key))) & set(words.help(Say(key)))] == []


VERB = re.compile(r"""[:："“„]\s?(?:sudo )?station ([a-z]+)(?: ([a-z]+))?""")
KEY = re.compile(r"[(（]([A-Z])[)）]")


def helped(verb: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the help of a verb, which lists those below it."""
    with pytest.raises(SystemExit):
        main.main([verb, "--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("language", LANGUAGES)
def test_advice_names_only_verbs_and_keys_that_exist(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = load(language)
    told = " ".join(text for key in ends() for text in words.help(Say(key)))
    verbs = [match.groups() for match in VERB.finditer(told)]
    assert ("login", None) in verbs
    for verb, below in verbs:
        verbs_below = re.findall(r"^    ([a-z-]+)  ", helped(verb, capsys), flags=re.MULTILINE)
        assert verb in main.VERBS
        assert below is None or below in verbs_below, f"station {verb} {below}"
    keys = set(KEY.findall(told))
    assert {"R", "M", "P"} <= keys <= {key for key, _ in DETAILS_KEYS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_advice_names_no_step_to_begin_at_as_a_retry_does_only_what_is_missing(language: str) -> None:
    words = load(language)
    quoted = {f"{begin}{words.step_title(step)}{end}" for step in RULES for begin, end in ('""', "„“", "“”")}
    assert f"„{words.step_title('sim')}“" in quoted
    said = [text for key in ends() for text in words.help(Say(key))]
    assert [text for text in said if any(title in text for title in quoted)] == []


def test_a_sentence_nobody_explained_says_nothing() -> None:
    assert load("en").help(Say("toy_failed")) == ("", "")
