"""A file with several mistakes: all that can be told are told together, and none that nobody made."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from support.known_steps import STEPS, load_profile, parse_profile

from station.cli.main import main
from station.errors import BadInput
from station.paths import shipped_profiles
from station.settings.config import load_config
from station.settings.profile import profile_schema

GOOD = next(path for path in shipped_profiles() if path.stem == "argon-product").read_text(encoding="utf-8")
BREAKS = {
    # what is written: (what is written instead, key of the sentence, what it says)
    "revision = 1\n": ("revision = 0\n", "revision", "a whole number from 1 to 65535"),
    'kind = "product"': ('kind = "produkt"', "kind", 'write kind = "product"'),
    "id = 12346": ("id = 5", "[product] id", "from 101"),
    "allow_downgrade = false": ('allow_downgrade = "no"', "[device_os] allow_downgrade", "true or false"),
    "product_version = 7": ("product_version = 70000", "[firmware] product_version", "from 1 to 65535"),
    'security = "wpa2"': ('security = "wpa4"', "[wifi] security", "one of"),
    'password = "env:STATION_WIFI_PASSWORD"': ('password = "hunter22"', "[wifi] password", "(not shown)"),
    'template = "{serial}"': ('template = "{seriel}"', "[name] template", "{seriel}"),
    "timeout_s = 60": ("timeout_s = -1", "[label] timeout_s", "seconds from 1"),
    "keep_secret = false": ("keep_secrets = false", "[label] keep_secrets", "write keep_secret"),
}


def sentences(text: str) -> tuple[str, ...]:
    with pytest.raises(BadInput) as caught:
        parse_profile(text.encode(), "p.toml")
    return caught.value.sentences


def broken(keys: list[str]) -> str:
    text = GOOD
    for key in keys:
        assert text.count(key) == 1
        text = text.replace(key, BREAKS[key][0])
    return text


def where(sentence: str) -> str:
    found = re.match(r"p\.toml line \d+, (.*?): expected ", sentence)
    assert found is not None
    return found[1]


def test_all_mistakes_of_a_profile_are_told_in_the_order_of_its_lines() -> None:
    told = sentences(broken(list(BREAKS)))
    assert [where(one) for one in told] == [key for _, key, _ in BREAKS.values()]
    assert all(says in one for one, (_, _, says) in zip(told, BREAKS.values(), strict=True))
    assert "hunter22" not in "".join(told)
    numbers = [int(one.split("line ")[1].split(",")[0]) for one in told]
    assert numbers == sorted(numbers)


def test_any_two_of_them_are_told_and_no_other() -> None:
    for one, other in itertools.combinations(BREAKS, 2):
        told = [where(sentence) for sentence in sentences(broken([one, other]))]
        assert told == [BREAKS[one][1], BREAKS[other][1]]


@pytest.mark.parametrize("old", [old for old in BREAKS if "template" not in old])  # no schema says what fields are
def test_an_editor_marks_them_by_the_schema(old: str) -> None:
    found = jsonschema.Draft202012Validator(profile_schema(STEPS.rules)).iter_errors(tomllib.loads(broken([old])))
    marked = [" ".join(map(str, error.absolute_path)) for error in found]
    table, _, key = BREAKS[old][1].replace("[", "").replace("]", "").rpartition(" ")
    assert marked in ([f"{table} {key}".strip()], [table])  # a key, or the table with one too many


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('platforms = ["argon"]', 'platforms = ["argn"]'),  # no word about a [wifi] that only an Argon may have
        ('platforms = ["argon"]', 'platform = ["argon"]'),
        ('kind = "product"', ""),
        ('version = "6.3.4"', 'version = "latest"'),
        ("[product]", "[produkt]"),
    ],
)
def test_one_mistake_is_told_as_one_or_with_its_misspelt_key(old: str, new: str) -> None:
    told = sentences(GOOD.replace(old, new, 1))
    assert 1 <= len(told) <= 2
    key = (new or old).split(" ")[0].strip("[]")
    assert all(key.rstrip("s") in one or "product" in one for one in told)


def test_the_command_line_prints_one_sentence_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.toml"
    file.write_text(broken(["revision = 1\n", "timeout_s = 60"]), encoding="utf-8")
    assert main(["profile", "check", str(file)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(": expected")[0].rpartition(", ")[2] for line in told] == ["revision", "[label] timeout_s"]
    with pytest.raises(BadInput, match=r"revision: .* \(and 1 more\)$"):
        load_profile(file)


def test_a_configuration_is_read_to_its_end_too(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text('[station]\nid = 5\n[slots]\n1 = "nonsense"\n2 = "1-2"\n[cloud]\ntoken = "abc"\n', encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_config(file)
    assert len(caught.value.sentences) == 3
    assert "abc" not in str(caught.value.sentences)


@pytest.mark.parametrize(
    ("keys", "rule"),
    [
        (["revision = 1\n"], ("online = true", 'online = true\noffline = "queue"')),
        (["revision = 1\n", "timeout_s = 60"], ("id = 12346", "")),
        (["keep_secret = false"], ('version = "6.3.4"', 'version = "5.8.0"\nprotection = true')),
    ],
    ids=["cloud", "product", "device_os"],
)
def test_rules_between_good_keys_are_told_beside_bad_keys_elsewhere(keys: list[str], rule: tuple[str, str]) -> None:
    text = GOOD.replace('offline = "hold"', "#")
    alone = sentences(text.replace(*rule, 1))
    assert alone
    told = sentences(broken(keys).replace('offline = "hold"', "#").replace(*rule, 1))
    assert len(told) == len(alone) + len(keys)
    assert {one.partition(", ")[2] for one in alone} <= {one.partition(", ")[2] for one in told}


def test_the_keys_of_a_section_that_must_go_are_not_corrected_first() -> None:
    developer = next(path for path in shipped_profiles() if path.stem == "developer").read_text(encoding="utf-8")
    (told,) = sentences(developer + '[product]\nid = 5\nslag = "x"\n')
    assert "expected no [product] in a developer profile" in told
    boron = next(path for path in shipped_profiles() if path.stem == "boron-product").read_text(encoding="utf-8")
    told_of = [where(one) for one in sentences(boron + '[wifi]\nssid = ""\nsecurity = "wpa4"\n')]
    assert "wifi" in told_of
    assert not any(one.startswith("[wifi]") for one in told_of)


def test_a_rule_about_a_key_of_a_section_left_out_is_told_where_the_file_begins() -> None:
    head = 'id = "dev"\nrevision = 1\nkind = "developer"\nplatforms = ["argon"]\n'
    (told,) = sentences(head)
    assert told.startswith("p.toml line 1, [cloud] claim: expected claim = true")
    assert told.endswith("write claim = true below [cloud]")


def test_no_rule_is_told_that_rests_on_a_bad_key() -> None:
    for kind in ('kind = "produkt"', "kind = 5", ""):
        told = sentences(GOOD.replace('kind = "product"', kind).replace("id = 12346", ""))
        assert [where(one) for one in told] == ["kind"]


@pytest.mark.parametrize(("word", "meant"), [("yes", "true"), ("on", "true"), ("TRUE", "true"), ("no", "false")])
def test_a_word_for_yes_or_no_is_taken_for_what_was_meant(word: str, meant: str) -> None:
    (told,) = sentences(GOOD.replace("expect = false", f'expect = "{word}"'))
    assert told.endswith(f"expected true or false, found a text in quotes; write expect = {meant}")


def test_a_list_of_bad_elements_is_not_called_too_short_as_well() -> None:
    told = sentences(GOOD.replace('platforms = ["argon"]', 'platforms = ["argn", 99]'))
    assert [where(one) for one in told] == ["platforms", "platforms"]
    assert 'write platforms = ["argon"]' in told[0]
    assert "1 to 16 of them" not in "".join(told)
    assert "1 to 16 of them, found 0" in sentences(GOOD.replace('platforms = ["argon"]', "platforms = []"))[0]


def test_more_mistakes_than_anyone_reads_are_counted() -> None:
    told = sentences("".join(f"key{number} = 1\n" for number in range(60)) + GOOD)
    assert len(told) == 41
    assert told[-1] == "p.toml: and 20 more mistakes"


@pytest.mark.parametrize("key", ["is_expected", "keeps_secret", "step_settings", "sha256", "sections"])
def test_names_of_the_program_are_no_keys_of_the_file(key: str) -> None:
    assert sentences(f"{key} = true\n" + GOOD)
    assert sentences(GOOD.replace("expect = false", f"{key} = true"))
