"""Rules between the keys of a file, as editors get them: the schema marks what the reader refuses, and never more."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import jsonschema
import pytest
from support.known_steps import STEPS, parse_profile

from station.errors import BadInput
from station.paths import shipped_profiles
from station.settings.config import config_schema, load_config
from station.settings.profile import profile_schema

SHIPPED = {path.stem: path.read_text(encoding="utf-8") for path in shipped_profiles()}
VALIDATOR = jsonschema.Draft202012Validator(profile_schema(STEPS.rules))


def edited(name: str, *edits: tuple[str, str]) -> str:
    """A shipped profile with lines that begin with ``old`` written as ``new``; at its end where there is none."""
    lines = SHIPPED[name].splitlines()
    for old, new in edits:
        found = [at for at, line in enumerate(lines) if line.startswith(old)] if old else []
        if found:
            lines[found[0]] = new
        else:
            lines.append(new)
    return "\n".join(lines) + "\n"


def is_refused(text: str) -> bool:
    try:
        parse_profile(text.encode())
    except BadInput:
        return True
    return False


def marked(text: str) -> set[str]:
    """The keys at the top where the schema finds a text wrong, "" for one that is missing there."""
    return {str(next(iter(error.absolute_path), "")) for error in VALIDATOR.iter_errors(tomllib.loads(text))}


WIFI = '[wifi]\nssid = "plant"\npassword = "env:WIFI"'


@pytest.mark.parametrize(
    ("name", "old", "new", "key"),
    [
        ("boron-product", "id = 12345", "", "product"),
        ("developer", "", "[product]\nid = 12345", "product"),
        ("boron-product", "kind =", 'kind = "developer"', "product"),
        ("boron-product", "platforms =", 'platforms = ["boron", "argon"]', "platforms"),
        ("argon-product", "platforms =", 'platforms = ["argon"]\nskus = ["ARGNKIT"]', "skus"),
        ("boron-product", "skus =", 'skus = ["B404MEA"]', "skus"),
        ("boron-product", "", WIFI, "wifi"),
        ("argon-product", "security =", 'security = "open"', "wifi"),
        ("argon-product", "password =", "", "wifi"),
        ("argon-product", "offline =", 'offline = "queue"', "cloud"),
        ("boron-product", "online =", "online = true", "cloud"),
        ("developer", "claim =", "", "cloud"),
        ("developer", "claim =", "claim = false", "cloud"),
        ("developer", "online =", "online = false", "cloud"),
        ("developer", "offline =", 'offline = "queue"', "cloud"),
        ("argon-product", "allow_downgrade =", "protection = true", "device_os"),
        ("developer", 'sha256 = "7be0', f'sha256 = "{"0" * 64}"\nproduct_version = 3', "firmware"),
        ("boron-product", "kind =", 'kind = "developer"', "firmware"),  # a plain table there
    ],
)
def test_a_rule_between_keys_is_marked_at_its_section(name: str, old: str, new: str, key: str) -> None:
    text = edited(name, (old, new))
    assert not marked(SHIPPED[name])
    assert is_refused(text)
    assert key in marked(text)


def test_a_developer_profile_without_a_cloud_section_lacks_it() -> None:
    text = SHIPPED["developer"].split("[cloud]", maxsplit=1)[0]
    assert is_refused(text)
    assert "" in marked(text)


EDITS = [
    ("kind =", 'kind = "developer"'),
    ("kind =", 'kind = "product"'),
    ("platforms =", 'platforms = ["argon", 12]'),
    ("platforms =", 'platforms = ["boron", "argon"]'),
    ("platforms =", 'platforms = ["bsom"]\nskus = ["b404mea"]'),
    ("security =", 'security = "open"'),
    ("password =", ""),
    ("offline =", 'offline = "queue"'),
    ("offline =", 'offline = "hold"'),
    ("offline =", ""),
    ("online =", "online = true"),
    ("online =", "online = false"),
    ("online =", ""),
    ("claim =", "claim = true"),
    ("claim =", ""),
    ("allow_downgrade =", "protection = true"),
    ("product_version =", ""),
    ("id = 1", 'slug = "widget"'),
    ("[product]", "[label]"),
    ("[wifi]", "[name]"),
    ("", WIFI),
    ("", "[cloud]\nclaim = true"),
]


@pytest.mark.parametrize("name", ["argon-product", "boron-product", "developer"])
def test_the_schema_marks_no_profile_that_the_reader_takes(name: str) -> None:
    taken = refused = 0
    for edits in [*itertools.combinations(EDITS, 1), *itertools.combinations(EDITS, 2)]:
        text = edited(name, *edits)
        try:
            tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
        if is_refused(text):
            refused += 1
        else:
            taken += 1
            assert marked(text) == set(), text
    assert min(taken, refused) > 20


def test_consoles_are_those_of_a_server_of_virtual_units(tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(config_schema())
    file = tmp_path / "station.toml"
    for text, is_good in (
        ('[usb]\nconsoles = "c"\n', False),
        ('[usb]\nbackend = "libusb"\nconsoles = "c"\n', False),
        ('[usb]\nbackend = "usbip:localhost:3240"\nconsoles = "c"\n', True),
    ):
        file.write_text(text, encoding="utf-8")
        assert validator.is_valid(tomllib.loads(text)) is is_good
        if is_good:
            assert load_config(file).usb.consoles
        else:
            with pytest.raises(BadInput, match="consoles only with"):
                load_config(file)
