"""The JSON Schema that editors get: another validator reads by it what the station reads."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest
from pydantic import Field
from support.known_steps import STEPS

from station.cli.main import main
from station.errors import BadInput
from station.paths import shipped_profiles
from station.settings.config import config_schema
from station.settings.profile import Kind, StepRule, parse_profile
from station.settings.profile import profile_schema as schema_of
from station.settings.profile_sections import Context, ProfileSection
from station.settings.sections import Mistake

README = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
GOOD = next(path for path in shipped_profiles() if path.stem == "argon-product").read_text(encoding="utf-8")


def profile_schema() -> dict[str, Any]:
    return schema_of(STEPS.rules)


def complaints(schema: dict[str, Any], text: str) -> list[str]:
    """Where the other validator finds a text wrong."""
    found = jsonschema.Draft202012Validator(schema).iter_errors(tomllib.loads(text))
    return [".".join(map(str, error.absolute_path)) for error in found]


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, part in {"": schema, **schema["$defs"]}.items():
        for key, value in part.get("properties", {}).items():
            yield f"{name}.{key}", value


@pytest.mark.parametrize("schema", [profile_schema(), config_schema()], ids=["profile", "config"])
def test_the_schema_is_one_and_explains_every_key(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    explained = {name for name, part in schema["$defs"].items() if part.get("description")}
    bare = [
        key for key, value in properties(schema)
        if not value.get("description") and value.get("$ref", "").rpartition("/")[2] not in explained
        and "slots" not in key
    ]  # fmt: skip
    assert bare == []


@pytest.mark.parametrize("file", shipped_profiles(), ids=lambda path: path.stem)
def test_shipped_profiles_are_good_by_the_schema(file: Path) -> None:
    assert complaints(profile_schema(), file.read_text("utf-8")) == []


def test_the_examples_of_the_readme_are_good_by_the_schemas() -> None:
    profile = next(text for text in EXAMPLES if "[device_os]" in text)
    config = next(text for text in EXAMPLES if "[slots]" in text)
    assert complaints(profile_schema(), profile) == complaints(config_schema(), config) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[firmware]", "[[firmware]]"),
        ("revision = 1\n", 'revision = 1\n"skus" = ["A35K"]\n'),
        ('platforms = ["argon"]', "platforms = [12]"),
        ("id = 12346", 'slug = "widget-argon"'),
        ("limit_s = 120", "limit_s = 119.5"),
    ],
)
def test_an_editor_marks_nothing_that_the_reader_takes(old: str, new: str) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    try:
        parse_profile(text.encode(), "p.toml", STEPS.rules)
    except BadInput:
        assert complaints(profile_schema(), text) != []
    else:
        assert complaints(profile_schema(), text) == []


def test_the_command_line_prints_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == profile_schema()
    assert main(["profile", "schema", "--config"]) == 0
    assert json.loads(capsys.readouterr().out) == config_schema()


# --- a section that a step from elsewhere brings along ---


class Torque(ProfileSection):
    """How tight the screw is."""

    SCREWS: ClassVar[dict[str, float]] = {"boron": 0.4, "argon": 0.5}

    limit_s: float = Field(ge=1, le=60, description="How long the screwdriver may take.", examples=[5])
    newton_metres: int = Field(ge=1, le=9, description="Torque.", examples=[3])

    def check(self, context: Context) -> Iterator[Mistake]:
        if len(context.platforms) > 1:
            yield Mistake("newton_metres", "a torque for one platform", "remove the section", str(self.newton_metres))

    @classmethod
    def check_presence(cls, context: Context, is_there: bool) -> Iterator[Mistake]:
        if context.kind is Kind.PRODUCT and not is_there:
            yield Mistake((), "a section [torque]", "write [torque]", "nothing")


WITH_TORQUE = {**STEPS.rules, "torque": StepRule(60, sections=(("torque", Torque),))}


def told(text: str) -> tuple[str, ...]:
    with pytest.raises(BadInput) as caught:
        parse_profile(text.encode(), "p.toml", WITH_TORQUE)
    return caught.value.sentences


def test_a_section_from_elsewhere_is_read_typed_and_published() -> None:
    text = GOOD + "[torque]\nlimit_s = 5\nnewton_metres = 3\n"
    found = parse_profile(text.encode(), "p.toml", WITH_TORQUE).section(Torque)
    assert found is not None
    assert (found.newton_metres, found.limit_s) == (3, 5.0)
    assert complaints(schema_of(WITH_TORQUE), text) == []
    assert complaints(profile_schema(), text) == [""]
    with pytest.raises(BadInput, match="torque: expected only the keys"):
        parse_profile(text.encode(), "p.toml", STEPS.rules)
    assert parse_profile(GOOD.encode(), "p.toml", STEPS.rules).section(Torque) is None


def test_its_mistakes_are_told_like_those_of_any_section() -> None:
    assert told(GOOD) == ("p.toml line 1, torque: expected a section [torque], found nothing; write [torque]",)
    last = len(GOOD.splitlines())
    assert told(GOOD + "[torque]\nlimit_s = 61\nnewton_meters = 3\n") == (
        f"p.toml line {last + 1}, [torque] newton_metres: expected a whole number from 1 to 9, found nothing; "
        "write newton_metres = 3",
        f"p.toml line {last + 2}, [torque] limit_s: expected seconds from 1 to 60, found 61; write limit_s = 5",
        f"p.toml line {last + 3}, [torque] newton_meters: expected only the keys limit_s, newton_metres, found this "
        "one; write newton_metres",
    )


def test_what_it_may_know_of_the_profile_is_handed_to_it() -> None:
    developer = next(path for path in shipped_profiles() if path.stem == "developer").read_text("utf-8")
    assert parse_profile(developer.encode(), "p.toml", WITH_TORQUE).section(Torque) is None
    (sentence,) = told(developer + "[torque]\nlimit_s = 5\nnewton_metres = 3\n")
    assert "[torque] newton_metres: expected a torque for one platform, found 3; remove the section" in sentence
