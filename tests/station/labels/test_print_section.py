"""[print] of a profile: refused when it is read, with the line and what to write instead (M1)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.known_steps import load_profile, parse_profile
from support.labelled import FAIL, TEMPLATE, Labelled

from station.cli.main import main
from station.errors import BadInput
from station.paths import find_profile
from station.steps.label import Print


def test_a_good_one_is_read(tmp_path: Path) -> None:
    assert Labelled(folder=tmp_path, fail_template=FAIL).profile().sha256


@pytest.mark.rule("M1")
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"template": TEMPLATE.replace("{batch}", "{lot}")}, r"\[print\] template: .*\{lot\} is no field"),
        ({"template": TEMPLATE.replace("{batch}", "{mac}")}, r"\[print\] template: expected no \{mac\}: Boron has no"),
        ({"template": TEMPLATE.replace("{batch}", "{reason}")}, r"no \{reason\}: a unit that passed has none"),
        ({"template": TEMPLATE.replace("^BXN,5,200", "^A0N,20,20")}, r"a code of \{device_id\} or \{serial\} \(M1\)"),
        ({"template": TEMPLATE.replace("24^FD{device_id}", "24^FDid")}, r"\{device_id\} as a text"),
        ({"fail_template": FAIL.replace("{reason}", "{why}")}, r"\[print\] fail_label: .*\{why\} is no field"),
        ({"printer": "the printer of the bench"}, r"\[print\] printer: expected the name of a printer"),
    ],
)  # fmt: skip
def test_what_cannot_be_printed_is_refused_when_the_profile_is_read(
    tmp_path: Path, changed: dict[str, str], told: str
) -> None:
    with pytest.raises(BadInput) as refused:
        replace(Labelled(folder=tmp_path), **changed).profile()  # type: ignore[arg-type]
    assert any(re.search(told, one) for one in refused.value.sentences), refused.value.sentences


def test_a_secret_is_on_a_label_only_where_the_unit_tells_it(tmp_path: Path) -> None:
    recipe = Labelled(folder=tmp_path, template=TEMPLATE.replace("{batch}", "{secret}"))

    class Bare(Labelled):
        def text(self) -> str:
            return super().text().replace("[label]\nexpect = false\nkeep_secret = false\n", "")

    with pytest.raises(BadInput, match=r"no \{secret\} without \[label\]"):
        Bare(folder=tmp_path, template=recipe.template).profile()


def test_a_template_that_was_changed_is_another_one(tmp_path: Path) -> None:
    recipe = Labelled(folder=tmp_path)

    class Changed(Labelled):
        def text(self) -> str:
            return recipe.text()

    with pytest.raises(BadInput, match=r"sha256: expected the SHA-256 of box.zpl, found .*; look at the file, then"):
        Changed(folder=tmp_path, template=TEMPLATE.replace("24,24", "30,30")).profile()


def test_a_template_that_is_not_there_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"a label template beside this profile, found .*cannot be read"):
        parse_profile(Labelled().text().encode(), str(tmp_path / "x.toml"))


# --- where a template is looked for ---


def test_a_copy_of_a_shipped_profile_finds_its_shipped_template_from_anywhere(tmp_path: Path) -> None:
    raw = find_profile("boron-labelled").read_bytes()
    copied = parse_profile(raw, str(tmp_path / "mine.toml"))
    assert copied.section(Print) == load_profile(find_profile("boron-labelled")).section(Print)
    (tmp_path / "boron-label.zpl").write_text(TEMPLATE, encoding="utf-8")
    with pytest.raises(BadInput, match=r"sha256: expected the SHA-256 of boron-label.zpl"):  # the one beside it counts
        parse_profile(raw, str(tmp_path / "mine.toml"))


@pytest.mark.parametrize("name", ["nobodys.zpl", "../profiles/boron-label.zpl"])
def test_only_a_shipped_template_is_found_elsewhere(name: str, tmp_path: Path) -> None:
    text = find_profile("boron-labelled").read_text("utf-8").replace("boron-label.zpl", name)
    with pytest.raises(BadInput, match="cannot be read"):
        parse_profile(text.encode(), str(tmp_path / "mine.toml"))


def test_the_hash_of_a_template_that_was_changed_is_written_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(find_profile("boron-labelled").read_bytes())
    (tmp_path / "boron-label.zpl").write_text(TEMPLATE, encoding="utf-8")
    assert main(["profile", "hash", str(file), "--check"]) == 2
    assert main(["profile", "hash", str(file)]) == 0
    wanted = load_profile(file).section(Print)
    assert wanted is not None
    assert wanted.template.text == TEMPLATE
    file.write_text(file.read_text("utf-8").replace('"boron-label.zpl"', '"nobodys.zpl"'), "utf-8")
    capsys.readouterr()
    assert main(["profile", "hash", str(file)]) == 2
    assert "template nobodys.zpl: cannot be read (No such file or directory); put it beside" in capsys.readouterr().err
