"""Answers of applications and instruments, which anybody may have written: read in bounds, judged, asked again."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.known_steps import parse_profile

from station.errors import BadInput
from station.steps.app_test import AppTest
from station.steps.local_test import LocalTest
from station.steps.shared.values import MAX_ANSWER, BadAnswer, Judged, Limit, judge, parse_answer

BORON = 'id = "p"\nrevision = 1\nkind = "product"\nplatforms = ["boron"]\n[product]\nid = 12345\n'


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        ('{"vbat": 3.95, "ok": true, "fw": "v1", "gps": null}', {"vbat": 3.95, "ok": "true", "fw": "v1", "gps": None}),
        ('{"batt": {"v": 4, "cells": [1, 2]}}', {"batt.v": 4.0, "batt.cells.0": 1.0, "batt.cells.1": 2.0}),
        ("vbat=3.95\r\n\n fw = v1=beta \n", {"vbat": "3.95", "fw": "v1=beta"}),
        ('{"a": "\\u001b[2Jx"}', {"a": "?[2Jx"}),
        ('{"\\u001b[2Ja": 1}', {"?[2Ja": 1.0}),
        ("\x1b[2J = 1", {"?[2J": "1"}),
    ],
)
def test_json_and_lines_are_read(answer: str, values: dict[str, object]) -> None:
    assert parse_answer(answer.encode()) == values


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "no value in it"),
        (b"{}", "no value in it"),
        (b"hello", "no = in the line 'hello'"),
        (b'{"a": 1', "neither JSON nor lines"),
        (b'{"a": 1, "a": 2}', "a twice"),
        (b"a=1\na=2", "a twice"),
        (b"a=1\xff\xfe", "no text in UTF-8 from byte 3 on; it begins with the bytes 61 3d 31 ff fe"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "bytes, expected at most"),
        (b'{"a":' * 2500 + b"1" + b"}" * 2500, "hundreds of levels|neither JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "neither JSON"),
        (b"x" * (MAX_ANSWER + 1), "expected at most 16384"),
        ("\n".join(f"k{n}=1" for n in range(300)).encode(), "more than 256 values"),
    ],
)
def test_what_is_neither_is_refused_in_words(answer: bytes, why: str) -> None:
    with pytest.raises(BadAnswer, match=why):
        parse_answer(answer)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_answer_raises_anything_else(answer: bytes) -> None:
    with contextlib.suppress(BadAnswer):
        for value in parse_answer(answer).values():
            assert value is None or isinstance(value, float) or value.isprintable()


@given(st.dictionaries(st.text("abc_.", min_size=1, max_size=8), st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_numbers_come_out_as_they_went_in_both_ways(values: dict[str, float]) -> None:
    assert parse_answer(json.dumps(values).encode()) == values
    lines = "\n".join(f"{key}={value!r}" for key, value in values.items()).encode()
    for key, told in values.items():
        judged = judge(key, Limit.model_validate({"min": told, "max": told}), parse_answer(lines))
        assert (judged.value, judged.is_out) == (told, False)


def judged(value: object, **limit: object) -> Judged:
    return judge("v", Limit.model_validate(limit), parse_answer(json.dumps({"v": value}).encode()))


@pytest.mark.parametrize(
    ("value", "limit", "is_out", "said"),
    [
        (3.6, {"min": 3.6, "max": 4.2}, False, ""),
        (4.2, {"min": 3.6, "max": 4.2}, False, ""),
        (3.59, {"min": 3.6, "max": 4.2, "unit": "V"}, True, "v 3.59 V, wants 3.6 to 4.2 V"),
        (0, {"max": 0}, False, ""),
        (0.1, {"max": 0}, True, "v 0.1, wants no less to 0"),
        (-1, {"min": 0}, True, "v -1, wants 0 to no more"),
        ("12.5", {"min": 12}, False, ""),
        ("12,5", {"min": 12}, True, "v 12,5, wants 12 to no more"),
        (float("inf"), {"min": 12}, True, "v inf, wants 12 to no more"),
        ("1e999", {"min": 12}, True, "v 1e999, wants 12 to no more"),
        ("-1e999", {"max": 12}, True, "v -1e999, wants no less to 12"),
        (1e999, {"max": 12}, True, "v inf, wants no less to 12"),
        (True, {"max": 12}, True, "v true, wants no less to 12"),
        ("ok", {"text": "ok"}, False, ""),
        ("ok ", {"text": "ok"}, True, "v ok , wants ok"),
        (3, {"text": "3"}, False, ""),
        ("v1.4", {"pattern": "v1\\..*"}, False, ""),
        ("xv1.4", {"pattern": "v1\\..*"}, True, "v xv1.4, wants /v1\\..*/"),
        ("", {"present": True}, False, ""),
        (None, {"present": True}, True, "v nothing, wants any value"),
        (None, {"min": 1}, True, "v nothing, wants 1 to no more"),
    ],
)
def test_each_kind_of_limit(value: object, limit: dict[str, object], is_out: bool, said: str) -> None:
    found = judged(value, **limit)
    assert found.is_out is is_out
    assert not is_out or str(found) == said


def test_a_value_that_is_not_told_judges_nobody_unless_it_is_only_to_be_there() -> None:
    values = parse_answer(b"a=1")
    assert judge("b", Limit.model_validate({"present": True}), values).is_out
    with pytest.raises(BadAnswer, match="no value b in it, only a"):
        judge("b", Limit.model_validate({"min": 1}), values)


# --- what a profile says ---


def refusals(text: str) -> list[str]:
    with pytest.raises(BadInput) as refused:
        parse_profile((BORON + text).encode(), "p.toml")
    return [sentence.removeprefix("p.toml line ") for sentence in refused.value.sentences]


def test_one_question_may_be_a_plain_table_and_several_a_list() -> None:
    plain = parse_profile((BORON + '[app_test]\nrequest = "t"\nlimits.v = { min = 1 }\n').encode())
    (row,) = plain.sections(AppTest)
    assert (row.request, row.timeout_s, row.limits["v"].low) == ("t", 10.0, 1.0)
    both = '[[app_test]]\nrequest = "a"\nlimits.v.min = 1\n[[app_test]]\nrequest = "b"\nlimits.w.present = true\n'
    assert [one.request for one in parse_profile((BORON + both).encode()).sections(AppTest)] == ["a", "b"]


def test_all_mistakes_of_limits_are_told_at_once_with_line_place_and_advice() -> None:
    text = """[[app_test]]
request = "a"
[app_test.limits.v]
min = 4.2
max = 3.6
[app_test.limits.w]
text = "ok"
unit = "V"
[app_test.limits.x]
[app_test.limits.y]
pattern = "("
[app_test.limits.z]
min = "3"
maximum = 4
[app_test.limits."bad key"]
present = true
[[app_test]]
request = ""
"""
    assert refusals(text) == [
        "17, [app_test.1.limits.y] pattern: expected a regular expression (unclosed group), found '('; write pattern = "
        '"v1\\\\..*"',
        "19, [app_test.1.limits.z] min: expected a number, found a text in quotes; write min = 3.6",
        "20, [app_test.1.limits.z] maximum: expected only the keys max, min, name, pattern, present, text, unit, found"
        " this one; write max",
        "23, [app_test.2] limits: expected the limits of one value or more, found nothing; write limits = "
        '{ vbat = { min = 3.6, max = 4.2, unit = "V" } }',
        "24, [app_test.2] request: expected what the application is asked, 1 to 512 characters, found ''; write"
        ' request = "selftest"',
    ]


def test_rules_between_the_keys_of_a_limit() -> None:
    text = """[[app_test]]
request = "a"
[app_test.limits.v]
min = 4.2
max = 3.6
[app_test.limits.w]
text = "ok"
unit = "V"
[app_test.limits.x]
[app_test.limits.y]
text = "ok"
pattern = "ok"
[app_test.limits."bad key"]
present = true
"""
    assert refusals(text) == [
        "10, [app_test.1.limits.v] min: expected at most max, which is 3.6, found 4.2; write min = 3.6 and max = 4.2",
        "14, [app_test.1.limits.w] unit: expected a unit only beside min or max; remove it",
        "15, [app_test.1.limits] x: expected one kind of limit: min and max, text, pattern, or present, found none;"
        ' write min = 3.6 and max = 4.2, or text = "ok", or present = true',
        "16, [app_test.1.limits] y: expected one kind of limit: min and max, text, pattern, or present, found text and"
        ' pattern; write min = 3.6 and max = 4.2, or text = "ok", or present = true',
        "19, [app_test.1.limits] bad key: expected a key of at most 40 letters, digits, dots, dashes and underscores,"
        " found 'bad key'; write it as the answer does",
    ]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?=a)b", "look-around, including look-ahead and look-behind, is not supported"),
        (r"(a)\1", "backreferences are not supported"),
        (r"(\w{100}){100}", "Compiled regex exceeds size limit of 10485760 bytes"),
        ("a)|(b", "unopened group"),
        ("(?x)a # ", "unclosed group"),
    ],
)
def test_an_expression_that_could_take_for_ever_or_is_none_is_refused_with_the_profile(pattern: str, why: str) -> None:
    text = f"[app_test]\nrequest = 't'\nlimits.v.pattern = '{pattern}'\n"
    (told,) = refusals(text)
    assert f"[app_test.limits.v] pattern: expected a regular expression ({why}), found" in told


@pytest.mark.parametrize("pattern", ["(a+)+", "(a|a)*", "(.*a){30}", "((a*)*)*", r"(\w+\s?)+"])
def test_no_value_keeps_a_slot_busy_with_an_expression(pattern: str) -> None:
    """One that backtracks would look at this for longer than the world exists; the time limit of tests sees that."""
    limit = Limit.model_validate({"pattern": pattern})
    assert judge("v", limit, {"v": "a" * 119 + "!"}).is_out
    assert not judge("v", limit, {"v": "a" * 119}).is_out


@pytest.mark.parametrize("value", ["v1.2", "v10"])
@pytest.mark.parametrize(
    ("pattern", "fits"), [("v1|v10|v1.2", True), ("v1", False), (r"v\d+(\.\d)?", True), ("1", False)]
)
def test_an_expression_fits_all_of_a_text(value: str, pattern: str, fits: bool) -> None:
    assert judge("v", Limit.model_validate({"pattern": pattern}), {"v": value}).is_out is not fits


def test_two_values_of_one_name_are_refused_as_they_would_be_one_column() -> None:
    rows = '[[app_test]]\nrequest = "idle"\nlimits.v.min = 1\n[[app_test]]\nrequest = "load"\nlimits.v.min = 1\n'
    (told,) = refusals(rows)
    assert "[app_test.2.limits] v: expected every value by another name, found 'v'; write name = \"v 2\"" in told
    assert parse_profile((BORON + rows + 'limits.v.name = "v under load"\n').encode())


@pytest.mark.parametrize("command", ['["./meter"]', '["bin/meter"]', "[]", '"meter"', '[""]', "[1]"])
def test_a_program_is_an_absolute_path_or_a_name_and_its_arguments(command: str) -> None:
    text = f'[tests]\nname = "power"\ncommand = {command}\nlimits.ma.max = 12\n'
    (told,) = refusals(text)
    assert "[tests] command: expected" in told
    good = parse_profile((BORON + text.replace(command, '["/opt/meter", "-c", "2"]')).encode())
    assert good.sections(LocalTest)[0].command == ("/opt/meter", "-c", "2")
