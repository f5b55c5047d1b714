"""Label templates: what is refused when they are read, and that no value is ever a command (M1)."""

from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.virtual.printers.zpl import read_format
from station.errors import BadInput
from station.labels import parse_template
from station.labels.template import FIELDS, MOST_BYTES, values_of
from station.model import ProfileRef

GOOD = "^XA^FO1,1^BXN,5,200^FD{device_id}^FS^FO2,2^A0N,24,24^FD{reason}^FS^XZ"


@pytest.mark.rule("M1")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("{reason}", "{Serial}"), r"\{Serial\} is no field; write one of device_id, serial"),
        (GOOD.replace("{reason}", "{}"), r"\{\} is no field"),
        (GOOD.replace("^FO2,2", "^FO{serial},2"), "a field stands outside of"),
        (GOOD.replace("^FO2,2", "~JA^FO2,2"), "~ is a command that is carried out at once"),
        (GOOD.replace("^FO2,2", "^CC+"), "another command character"),
        (GOOD.replace("^FO2,2", "^JUS"), "settings that stay"),
        (GOOD.replace("^FD{reason}", "^FH\\^FD{reason}"), "what the station writes where it is needed"),
        (GOOD + GOOD, "expected one label, from"),
        ("device {device_id}", "expected one label, from"),
        (GOOD.removesuffix("^XZ"), "expected one label, from"),
        ("^XA" + " " * MOST_BYTES + "^XZ", "more than 262144 bytes"),
        ("", "expected one label, from"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_filled_in_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_template(text.encode(), "box.zpl")
    assert any(re.search(told, one) for one in refused.value.sentences), refused.value.sentences


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadInput, match="byte order mark; save the file as UTF-8 without BOM"):
        parse_template(b"\xef\xbb\xbf^XA^XZ", "a.zpl")
    with pytest.raises(BadInput, match="byte 3 is not UTF-8 text"):
        parse_template(b"^XA\xff^XZ", "box.zpl")


@pytest.mark.rule("M1")
@example("^XZ~JA_5E^FS")
@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=100))
def test_whatever_is_filled_in_comes_out_as_it_is_and_is_no_command(value: str) -> None:
    template = parse_template(GOOD.replace("{reason}", "a_b {reason}|{reason}").encode(), "box.zpl")
    printed = read_format(template.render({**FIELDS, "reason": value}))
    shown = "".join(char if char.isprintable() else "?" for char in value)
    assert printed.texts == (f"a_b {shown}|{shown}",)
    assert [code.text for code in printed.codes] == [FIELDS["device_id"]]


def test_a_value_is_cut_and_loses_what_moves_a_cursor() -> None:
    template = parse_template(GOOD.encode(), "box.zpl")
    (text,) = read_format(template.render({**FIELDS, "reason": "a\n\x1b\u202eb" + "x" * 500})).texts
    assert (text[:6], len(text)) == ("a???bx", 120)


@pytest.mark.parametrize("command", ["^BXN,5,200", "^BCN,40,N", "^BQN,2,3"])
@pytest.mark.parametrize("value", ["a^b", "a~b", "a>8b", "Lös", "a\\b"])
def test_a_code_holds_nothing_a_scanner_might_read_otherwise(command: str, value: str) -> None:
    text = f"^XA{command}^FD{'QA,' if 'BQ' in command else ''}{{batch}}^FS^XZ"
    template = parse_template(text.encode(), "box.zpl")
    with pytest.raises(BadInput, match="batch has characters no"):
        template.render({**FIELDS, "batch": value})
    printed = read_format(template.render({**FIELDS, "batch": "2026-11_A/3 (b)"}))
    assert printed.codes[0].text == "2026-11_A/3 (b)"


def test_a_unit_without_a_value_gets_no_label_with_a_hole() -> None:
    template = parse_template(GOOD.encode(), "box.zpl")
    with pytest.raises(BadInput, match="the unit has no reason; take it out of the template"):
        template.render({"device_id": "e00fce68"})


def test_the_mobile_secret_and_the_day_are_in_no_digest() -> None:
    template = parse_template(GOOD.replace("{reason}", "{secret}{date}{serial}").encode(), "box.zpl")
    other = {**FIELDS, "secret": "BBBBBBBBBBBBBBB", "date": "2026-11-23"}
    assert template.digest(FIELDS) == template.digest(other)
    assert template.digest(FIELDS) != template.digest({**FIELDS, "serial": "P046AH1234ABCDF"})


def test_the_values_of_a_unit_hold_no_secret_unless_it_is_handed_over() -> None:
    at = datetime.datetime(2026, 11, 22, 10, tzinfo=datetime.UTC)
    facts = {"serial": "P046AH1234ABCDE", "secret": "***", "modules": "many"}
    values = values_of(facts, ProfileRef("widget", 3, "0" * 64), "b-1", at)
    assert values["secret"] == ""
    assert (values["serial"], values["revision"], values["date"]) == ("P046AH1234ABCDE", "3", "2026-11-22")
    assert set(values) <= set(FIELDS)
