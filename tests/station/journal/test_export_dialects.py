"""CSV for a spreadsheet and for a program: the same values, each as its reader takes them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.journal_story import finished, identified, started, step

from station.errors import BadInput
from station.export import CSV
from station.export.batch_log import Type, batch_log
from station.export.cells import guarded_all, unguarded
from station.export.csvfile import Lines, cell_of, cells_of
from station.export.dialect import BOM, PLAIN, SAFE, Dialect, dialect_of
from station.export.steps import STEPS
from station.journal import Journal

ICCID, FORMULA = "89310410106543789301", "=HYPERLINK(1;2)"


def written(journal: Journal, dialect: Dialect, exporter: Any = CSV) -> str:
    file = io.StringIO(newline="")
    with batch_log(journal, "B1") as log:
        assert exporter.in_dialect(log, file, dialect) > 0
    return file.getvalue()


def rows(text: str, delimiter: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline=""), delimiter=delimiter))


@pytest.fixture
def told(journal: Journal) -> Journal:
    journal.record(started("a-1"), identified("a-1", iccid=ICCID, device_os="6.3.4", name=FORMULA, sku="a\x1bb"))
    journal.record(step("a-1", "wifi", seconds=2.5), finished("a-1"))
    return journal


def test_for_a_program_every_value_is_as_it_is(told: Journal) -> None:
    text = written(told, dialect_of("plain", None, None))
    (row,) = rows(text, ",")
    assert not text.startswith(BOM)
    assert (row["ICCID"], row["Device OS Version"], row["Device Name"], row["SKU"]) == (ICCID, "6.3.4", FORMULA, "a b")
    assert (row["Started"], row["Seconds"]) == ("2026-01-05T06:00:00.000+00:00", "9.25")


def test_for_excel_a_file_has_its_mark_its_signs_and_times_it_takes_for_times(told: Journal) -> None:
    text = written(told, dialect_of("excel", None, "de-AT"))
    (row,) = rows(text, ";")
    assert text.startswith(BOM)
    assert (row["ICCID"], row["Device Name"]) == (f"'{ICCID}", "'=HYPERLINK(1;2)")
    assert (row["Started"], row["Seconds"], row["wifi s"]) == ("2026-01-05 06:00:00", "9,25", "2,5")
    assert row["wifi: download (s)"] == "2,5"
    (english,) = rows(written(told, dialect_of("excel", None, "en-GB")), ",")
    assert english["Seconds"] == "9.25"


def test_both_hold_the_same_once_the_marks_are_off(told: Journal) -> None:
    (plain,), (safe,) = rows(written(told, PLAIN), ","), rows(written(told, SAFE), ",")
    assert {name: unguarded(cell) for name, cell in safe.items()} == plain


def test_the_steps_are_written_in_the_same_dialect(told: Journal) -> None:
    (row,) = rows(written(told, dialect_of("excel", "tab", "fr"), STEPS), "\t")
    assert (row["Started"], row["Seconds"], row["Step"]) == ("2026-01-05 06:00:00", "2,5", "wifi")


@pytest.mark.parametrize(
    ("environ", "delimiter", "decimal"),
    [
        ({"LC_ALL": "de_DE.UTF-8"}, ";", ","),
        ({"LC_ALL": "", "LC_NUMERIC": "fr_FR@euro", "LANG": "en_US"}, ";", ","),
        ({"LANG": "C.UTF-8"}, ",", "."),
        ({"LANG": "zh_CN.UTF-8"}, ",", "."),
        ({}, ",", "."),
    ],
)
def test_the_locale_is_that_of_the_login(
    environ: dict[str, str], delimiter: str, decimal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_NUMERIC", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = dialect_of("excel", None, None)
    assert (found.delimiter, found.decimal) == (delimiter, decimal)
    assert dialect_of(None, None, None) == SAFE, "what no spreadsheet was named for is the same everywhere"


@pytest.mark.parametrize(
    ("reader", "delimiter", "locale", "said"),
    [
        ("plain", None, "de", "--locale is for people"),
        ("excel", ",", "de", "is the decimal sign of"),
        ("excel", None, "deutsch", "--locale deutsch is none"),
        (None, "ab", None, "parts no cells"),
        (None, '"', None, "parts no cells"),
        (None, "\n", None, "parts no cells"),
    ],
)
def test_what_makes_no_csv_is_refused(reader: str | None, delimiter: str | None, locale: str | None, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        dialect_of(reader, delimiter, locale)


@pytest.mark.parametrize(
    ("name", "sign"), [("comma", ","), ("Semicolon", ";"), ("tab", "\t"), ("|", "|"), ("\\t", "\t")]
)
def test_a_delimiter_is_named_or_given(name: str, sign: str) -> None:
    assert dialect_of("plain", name, None).delimiter == sign


def test_switzerland_writes_german_with_a_point() -> None:
    assert dialect_of(None, None, "de-CH").decimal == "."
    assert dialect_of(None, None, "de_DE").decimal == ","


TEXTS = st.sampled_from(["P044AB0000001", "e5", "SEP1", "dec", "true", "0123", "89310410106543789301", "6.3.4", "a;=1",
                         "a\nb", "", "=1", "done", "x-y_z.1", "\u212a", "1\n2"])  # fmt: skip


@given(st.lists(TEXTS | st.text(max_size=9) | st.none(), min_size=1, max_size=12))
@example(["a", "b\nc"])
@example(["1", "2\n3"])
def test_cells_made_together_are_those_made_one_by_one(values: list[str | None]) -> None:
    for dialect in (SAFE, PLAIN):
        each = cell_of(Type.TEXT, dialect)
        assert list(cells_of(Type.TEXT, dialect)(values)) == [each(value) for value in values]


@pytest.mark.parametrize("text", ["SEP1", "dec", "True", "MAY 5", "=1", "1E5", "0123", "3a", "\u212a"])
def test_no_text_that_is_guarded_is_taken_for_a_harmless_one(text: str) -> None:
    assert guarded_all([text, "x"]) is None
    assert guarded_all(["x", text]) is None


@given(
    st.lists(st.tuples(st.text(st.sampled_from("a1,;| \"'\n\r=_é")), st.text(), st.none()), min_size=1),
    st.sampled_from([SAFE, PLAIN, *(Dialect(delimiter=sign, decimal=".") for sign in ";\t| _")]),
)
@example([('say "hi"', "a,b", None), ("", "", None), ("a,,b", "", None)], PLAIN)
def test_lines_are_those_that_the_csv_module_writes(lines: list[tuple[str, str, None]], dialect: Dialect) -> None:
    ours, theirs = io.StringIO(newline=""), io.StringIO(newline="")
    assert Lines(ours, [Type.TEXT] * 3, dialect).add(zip(*lines, strict=True)) == len(lines)
    cell = cell_of(Type.TEXT, dialect)
    csv.writer(theirs, delimiter=dialect.delimiter).writerows(map(cell, line) for line in lines)
    assert ours.getvalue() == theirs.getvalue()
