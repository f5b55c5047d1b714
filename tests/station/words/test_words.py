"""What the station says in each of its languages: complete, short, and said by somebody."""

from __future__ import annotations

import ast
import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from fluent.syntax import FluentParser
from fluent.syntax import ast as ftl
from hypothesis import given
from hypothesis import strategies as st
from support.known_steps import STEPS
from support.spoken import ENGLISH, filled, likely

from station.engine.console_events import ConsoleEnd
from station.export.table import EXPORTERS
from station.model import VERDICT_WORD, SeenBefore, Verdict
from station.view.look import ASCII as ASCII_GLYPHS
from station.view.look import LIGHTS, UNICODE, Glyphs, Look
from station.words import languages
from station.words.catalogue import BadCatalogue, Sentence, Words, variables
from station.words.cells import clean, width_of, wrap
from station.words.languages import load
from station.words.say import Say

MAX_WORDS = 8
MAX_LINE = 36  # cells of one line, with values of ordinary length
SHORT_LINES, SHORT_CELLS = 2, 18
HERE = Path(languages.__file__).parent
STATION = HERE.parent
LANGUAGES = {path.stem: load(path.stem, datetime.UTC) for path in HERE.glob("*.ftl")}
VALUES = ("Argon", "Boron", "bench-3")


def text_of(language: str) -> str:
    return (HERE / f"{language}.ftl").read_text(encoding="utf-8")


def named(language: str) -> dict[str, tuple[str, ...]]:
    """Every message with the values it names."""
    return variables(text_of(language))


NAMED = named("en")
SENTENCES = sorted(key for key in NAMED if "-" not in key)
"""A key with a dash is a text of a face, found by its group."""


def said(words: Words, key: str, *values: str) -> Sentence:
    sentence = words.say(filled(key, *values))
    assert sentence is not None
    return sentence


def test_the_three_languages_are_here() -> None:
    assert {"en", "de", "zh"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_message_with_the_same_values_and_parts(language: str) -> None:
    assert {key: set(names) for key, names in named(language).items()} == {
        key: set(names) for key, names in NAMED.items()
    }
    parts = {
        code: {
            entry.id.name: {part.id.name for part in entry.attributes} - {"blocks", "short"}
            for entry in FluentParser().parse(text_of(code)).body
            if isinstance(entry, ftl.Message)
        }
        for code in (language, "en")
    }
    assert parts[language] == parts["en"]


@pytest.mark.rule("M3")
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_written_twice(language: str) -> None:
    keys = re.findall(r"^(-?[a-z][\w-]*) =", text_of(language), re.MULTILINE)
    assert [key for key, times in Counter(keys).items() if times > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_of_a_sentence_is_short_and_shows_on_any_terminal(language: str) -> None:
    words = LANGUAGES[language]
    lines = [(key, line) for key in SENTENCES for line in said(words, key, *VALUES).lines]
    assert {key for key, _ in lines} == set(SENTENCES)
    assert [one for one in lines if not 0 < len(one[1].split()) <= MAX_WORDS] == []
    # the one that may be longer is one action, and must not lose its half on a small tile
    assert [one for one in lines if width_of(one[1]) > MAX_LINE and one[0] != "dfu_by_hand"] == []
    assert [one for one in lines if clean(one[1]) != one[1]] == []
    assert language != "en" or [one for one in lines if not one[1].isascii()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_has_a_form_for_two_lines_of_a_small_tile(language: str) -> None:
    words = LANGUAGES[language]
    broad = []
    for key in SENTENCES:
        sentence = words.say(likely(key)) or Sentence()
        whole = [line for text in sentence.lines for line in wrap(text, SHORT_CELLS)]
        assert len(sentence.short) <= SHORT_LINES, key
        assert not sentence.says or not sentence.do or len(sentence.short) in (0, SHORT_LINES), key
        if len(whole) > SHORT_LINES and (not sentence.short or max(map(width_of, sentence.short)) > SHORT_CELLS):
            broad.append(key)
        assert len(whole) > SHORT_LINES or not sentence.short, f"{key} needs no short form"
    assert broad == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_lights_steps_and_faces_fit_their_places(language: str) -> None:
    words = LANGUAGES[language]
    wide = [(light, words.led(light)) for light in LIGHTS if width_of(words.led(light)) > 20]
    wide += [(step, words.step_title(step)) for step in TITLES if width_of(words.step_title(step)) > 16]
    wide += [(look.value, words.face(look.value).short) for look in Look if width_of(words.face(look.value).short) > 7]
    wide += [(look.value, words.face(look.value).word) for look in Look if width_of(words.face(look.value).word) > 14]
    assert wide == []


SOFTWARE = {
    "app", "apps", "mobile", "phone", "smartphone", "software", "program", "driver", "python", "cli", "server",
    "database", "api", "sql", "sqlite", "json", "http", "tls", "libusb", "udev", "exception", "thread", "timeout",
    "handy", "programm", "treiber", "datenbank", "软件", "程序", "手机", "驱动", "数据库",
}  # fmt: skip


@pytest.mark.rule("E15")
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_title_light_or_face_names_software_or_a_mobile_app(language: str) -> None:
    words = LANGUAGES[language]
    texts = [" ".join(said(words, key, *VALUES).lines) for key in SENTENCES if key != "journal_locked"]
    texts += [words.step_title(step) for step in TITLES] + [words.led(light) for light in LIGHTS]
    texts += [f"{face.word} {face.do}" for face in (words.face(look.value) for look in Look)]
    found = [
        (text, name) for text in texts for name in SOFTWARE
        if (name in re.findall(r"\w+", text.lower()) if name.isascii() else name in text)
    ]  # fmt: skip
    assert found == []


# --- who says what ---


def _named_by_the_rooms() -> set[str]:
    """Every key that somebody puts into a `Say`, in words or through a table."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in STATION.rglob("*.py")]
    return {key for tree in trees for key in _Keys(tree).handed_over()} - {""}


class _Keys:
    """What expressions of one file may say as a key: followed through names, tables, tuples taken apart and enums."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._named: dict[str, list[tuple[int | None, ast.expr]]] = {}
        self._members: list[ast.expr] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                self._assigned(node.targets[0], node.value)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                self._assigned(node.target, node.value)
            elif isinstance(node, ast.ClassDef):
                self._members += [part.value for part in node.body if isinstance(part, ast.Assign)]

    def _assigned(self, target: ast.expr, value: ast.expr) -> None:
        targets = enumerate(target.elts) if isinstance(target, ast.Tuple) else [(None, target)]
        for place, one in targets:
            if isinstance(one, ast.Name):
                self._named.setdefault(one.id, []).append((place, value))

    def handed_over(self) -> set[str]:
        says = [node for node in ast.walk(self._tree) if isinstance(node, ast.Call) and node.args]
        return set().union(*(self.of(node.args[0]) for node in says if _name(node) == "Say"))

    def named_values(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every key with the names of the values that are handed over with it, but for those of a dictionary."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and _name(node) == "Say" and node.args:
                names = tuple(word.arg for word in node.keywords if word.arg is not None)
                if len(names) == len(node.keywords):
                    yield from ((key, names) for key in self.of(node.args[0]))

    def of(self, node: ast.expr, place: int | None = None, via: frozenset[str] = frozenset()) -> set[str]:
        """The strings ``node`` may be; with ``place`` those at that place of the tuples it may be."""
        match node:
            case ast.Constant(value=str(text)):
                return {text} if place is None else set()
            case ast.Tuple(elts=parts) if place is not None and place < len(parts):
                return self.of(parts[place], None, via)
            case ast.Name(id=name) if name not in via:
                return self._union(
                    ((value, at if at is not None else place) for at, value in self._named.get(name, ())), via | {name}
                )
            case ast.Attribute(attr="value"):
                return self._union(((member, place) for member in self._members), via)
        return self._union(((part, place) for part in _may_be(node)), via)

    def _union(self, parts: Iterable[tuple[ast.expr, int | None]], via: frozenset[str]) -> set[str]:
        return set().union(*(self.of(part, place, via) for part, place in parts))


def _may_be(node: ast.expr) -> list[ast.expr]:
    """What an expression chooses from: the ends of a condition, the rows of a table, a look-up and its default."""
    match node:
        case ast.IfExp(body=one, orelse=other):
            return [one, other]
        case ast.BoolOp(values=values) | ast.Dict(values=values):
            return values
        case ast.Subscript(value=table):
            return [table]
        case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *default]):
            return [table, *default]
    return []


def _name(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('refuse(say=Say("a"))', {"a"}),
        ('Say("a" if is_late else "b")', {"a", "b"}),
        ('Say(owed.key or "a")', {"a"}),
        ('T = {1: "a", 2: "b"}\nSay(T.get(x, "c"))', {"a", "b", "c"}),
        ('T = {1: "a"}\nSay(T[x])', {"a"}),
        ('T = {1: ("a", "x"), 2: ("b", "x")}\nrow = T.get(n)\nkey, said = row\nSay(key)', {"a", "b"}),
        ('class Finding(Enum):\n    ONE = "a"\nSay(found.value)', {"a"}),
        ('class Refused(Error):\n    say = Say("a", found=x)', {"a"}),
        ('T = {1: "a"}\nprint(T, "b")\nx = x or "c"\nrefuse(reason=x)', set()),
    ],
)  # fmt: skip
def test_a_key_is_found_however_it_is_handed_over(text: str, keys: set[str]) -> None:
    assert _Keys(ast.parse(text)).handed_over() == keys


NOT_SAID_YET: set[str] = set()
"""What the rules of provisioning foresee and no step finds out yet. Take out what is said; add nothing."""

TITLES = [key.removeprefix("step-") for key in NAMED if key.startswith("step-")]


def test_every_sentence_is_said_by_somebody_and_nobody_says_another() -> None:
    by_rooms = _named_by_the_rooms()
    assert "wrong_label" in by_rooms  # the search itself finds something
    assert by_rooms == set(SENTENCES) - NOT_SAID_YET


LATER = {"owed_stuck"}
"""Sentences about a unit that only the screen knows how to call."""


def test_a_sentence_gets_the_values_it_names_in_the_order_of_the_english_one() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in STATION.rglob("*.py")]
    given = {pair for tree in trees for pair in _Keys(tree).named_values() if pair[0] in NAMED}
    assert len(given) > 60  # the search itself finds something
    assert sorted((key, names) for key, names in given if names != NAMED[key] and key not in LATER) == []


BY_NAME = ("face-", "step-", "outcome-", "led-", "thing-", "did-", "mode-", "console-ended-", "format-")
"""Groups whose messages are found by the name of something else."""


def test_every_text_of_a_face_is_shown_by_somebody() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in STATION.rglob("*.py")]
    literals = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    texts = {key for key in NAMED if key not in SENTENCES and not key.startswith(BY_NAME)}
    assert texts - literals == set()


def test_every_title_light_and_face_is_that_of_something() -> None:
    assert set(TITLES) == set(STEPS.names)
    assert {key for key in NAMED if key.startswith("led-")} == {f"led-{name.replace(' ', '-')}" for name in LIGHTS}
    ends = {f"console-ended-{why}" for why in get_args(ConsoleEnd)}
    assert {key for key in NAMED if key.startswith("console-ended-")} == ends
    assert {key for key in NAMED if key.startswith("format-")} == {f"format-{one.name}" for one in EXPORTERS}
    assert {key for key in NAMED if key.startswith("face-")} == {f"face-{look.value}" for look in Look}


def test_faces_and_reports_call_a_verdict_the_same_in_english() -> None:
    assert {verdict: ENGLISH.verdict(verdict) for verdict in Verdict} == VERDICT_WORD


# --- values ---


@pytest.mark.parametrize(
    ("key", "values", "lines"),
    [
        ("wrong_platform", ("Argon", "Boron"), ("This is an Argon.", "This batch wants Boron.", "Take it out.")),
        ("wrong_platform", ("Boron", "Argon"), ("This is a Boron.", "This batch wants Argon.", "Take it out.")),
        ("wrong_platform", (), ("This is a ?.", "This batch wants ?.", "Take it out.")),
        ("already_elsewhere", ("12345",), ("Already in product 12345.", "Technician.")),
        ("wifi_join_failed", (), ("Unit cannot join Wi-Fi.", "Red bin.")),
        ("label_of_slot", ("1",), ("That is the label of slot 1.", "Scan again.")),
        ("not_the_label", ("order code",), ("That is an order code.", "Scan the unit's label.")),
        ("unit_history", ("P044", "PENDING", "2026-11-24T10:14:00+00:00"), ("Unit P044:", "SET ASIDE, Tue 10:14.")),
        ("unit_history", ("P044", "x", "yesterday"), ("Unit P044:", "x, yesterday.")),
        ("label_of_passed", (), ("That is the label of a unit", "that passed ?.", "Scan again.")),
        ("dfu_by_hand", ("MODE",), ("Hold MODE. Tap RESET. Let go at YELLOW.",)),
        ("listening_by_hand", ("SETUP",), ("Hold SETUP. Let go at DARK BLUE.",)),
    ],
)
def test_values_are_filled_in(key: str, values: tuple[str, ...], lines: tuple[str, ...]) -> None:
    assert said(ENGLISH, key, *values).lines == lines


@pytest.mark.parametrize(
    ("language", "key", "values", "lines"),
    [
        ("de", "wrong_platform", ("Argon", "Boron"), ("Das ist ein Argon.", "Dieses Los will Boron.", "Herausnehmen.")),
        ("de", "not_the_label", ("order code",), ("Gescannt: eine Bestellnummer.", "Etikett des Geräts scannen.")),
        ("de", "unit_history", ("P044", "PASS", "2026-11-24T10:14:00+00:00"), ("Gerät P044:", "GUT, Di 10:14.")),
        ("zh", "identity_missing", ("serial number",), ("设备缺少序列号。", "叫技术员。")),
        ("zh", "unit_history", ("P044", "FAIL", "2026-11-24T10:14:00+00:00"), ("设备 P044：", "不合格，周二 10:14。")),
    ],
)
def test_values_are_said_in_the_language_of_the_sentence(
    language: str, key: str, values: tuple[str, ...], lines: tuple[str, ...]
) -> None:
    assert said(LANGUAGES[language], key, *values).lines == lines


@pytest.mark.parametrize("value", ["{0}", "{ $product }", "{ A($product) }", "%s", "[red]x[/]", "{ -unplug }"])
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    assert said(ENGLISH, "already_elsewhere", value, "other").says == (f"Already in product {value}.",)


def test_an_unknown_key_says_nothing_of_its_own() -> None:
    assert ENGLISH.say(Say("no_such_key")) is None
    assert ENGLISH.line(Say("no_such\x1b_key")) == "no_such _key"


@pytest.mark.rule("M3")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", Verdict)
def test_every_end_of_an_attempt_names_one_action(verdict: Verdict, language: str) -> None:
    key = {
        Verdict.PASS: "pass", Verdict.PENDING: "pending", Verdict.FAIL: "wrong_label",
        Verdict.ABORTED: "swapped", Verdict.ERROR: "silent",
    }[verdict]  # fmt: skip
    assert said(LANGUAGES[language], key).do


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII_GLYPHS], ids=["unicode", "ascii"])
def test_every_state_has_a_shape_of_its_own_and_a_word(glyphs: Glyphs, language: str) -> None:
    shown = [look for look in Look if look is not Look.EMPTY]
    shapes = [glyphs.shape(look) for look in shown]
    assert all(shapes)
    assert len(set(shapes)) == len(shapes)
    spoken = [LANGUAGES[language].face(look.value) for look in shown if look is not Look.RUNNING]  # running: its step
    for part in ([face.word for face in spoken], [face.short for face in spoken], [face.blocks for face in spoken]):
        assert all(part)
        assert len(set(part)) == len(part)
    assert all(shape.isascii() for shape in shapes) is glyphs.ascii_only


MORE_THAN_ONE = {"type_label", "type_reason"}
"""Sentences of a window with a field, which name the key that ends it."""


@pytest.mark.rule("M3")
def test_an_operator_is_told_one_thing_to_do_at_a_time() -> None:
    """Waiting with its end is one thing; so is a button that is held, with the colour at which it is let go."""
    asked = {key: re.findall(r"[^.?!]+[.?!]", said(ENGLISH, key, *VALUES).do) for key in SENTENCES}
    several = {
        key for key, parts in asked.items() if len(parts) > 1 and parts[0] not in ("Wait.", f"Hold {VALUES[0]}.")
    }
    assert several == MORE_THAN_ONE
    assert sum(map(bool, asked.values())) > 80  # the search itself finds something


@pytest.mark.rule("H1")
@pytest.mark.rule("H3")
@pytest.mark.rule("H11")
@pytest.mark.rule("M3")
@pytest.mark.parametrize(
    ("language", "yellow", "blue"),
    [
        ("en", "Let go at YELLOW.", "Let go at DARK BLUE."),
        ("de", "Bei GELB loslassen.", "bis DUNKELBLAU."),
        ("zh", "变黄松开。", "变深蓝松开。"),
    ],
)
def test_button_instructions_end_at_the_colour_where_to_let_go(language: str, yellow: str, blue: str) -> None:
    assert LANGUAGES[language].line(Say("dfu_by_hand")).endswith(yellow)
    assert LANGUAGES[language].line(Say("listening_by_hand")).endswith(blue)


def test_a_light_we_do_not_know_is_still_said() -> None:
    assert ENGLISH.led("sparkling\x1b[31m plaid") == "sparkling [31m plaid"


def test_a_step_without_words_has_the_engines_title_or_its_own_name() -> None:
    assert LANGUAGES["de"].step_title("wifi", "Wi-Fi of the engine") == "WLAN"
    assert LANGUAGES["de"].step_title("toy", "A toy\x1b") == "A toy"
    assert LANGUAGES["de"].step_title("toy_step") == "Toy step"


def test_a_unit_seen_before_is_said_with_day_and_bench() -> None:
    at = datetime.datetime(2026, 11, 24, 10, 14, tzinfo=datetime.UTC)
    seen = SeenBefore(Verdict.PASS, at, "bench-3", "B1")
    assert ENGLISH.seen_before(seen) == "Seen before: PASS, Tue 10:14, bench-3."
    assert LANGUAGES["zh"].seen_before(seen, with_zone=True) == "来过：合格，周二 10:14 UTC，bench-3。"


@pytest.mark.parametrize(("language", "said"), [("en", "21.4 s"), ("de", "21,4 s"), ("zh", "21.4 秒")])
def test_figures_have_the_mark_of_the_language(language: str, said: str) -> None:
    assert LANGUAGES[language].seconds(21.4) == said
    assert LANGUAGES[language].seconds(75.2) == "1:15"


@given(st.sampled_from(sorted(LANGUAGES)), st.sampled_from(SENTENCES), st.lists(st.text(max_size=60), max_size=3))
def test_no_value_can_break_a_sentence(language: str, key: str, values: list[str]) -> None:
    lines = said(LANGUAGES[language], key, *values).lines
    assert len(lines) == len(said(LANGUAGES[language], key).lines)
    assert all(line.isprintable() for line in lines)


# --- catalogues that cannot be used ---


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("pass = { $x", "line 1 is no message of Fluent: pass = { $x"),
        ("# a comment\n\npass\n", "line 3 is no message of Fluent: pass"),
        (
            "twin = Slot { $other }.\n    .do = { -technician }",
            "twin names the value other, which the English one does not have",
        ),
        ("twin = Slot { $slot }.", "twin lacks .do, which the English one has"),
        ("twin =\n    .do = { -technician }", "twin lacks a text, which the English one has"),
        ("arrived = { -no-such-term }", "arrived: Unknown term: -no-such-term"),
        ('arrived = { SHOUT("x") }', "arrived: Unknown function: SHOUT"),
        ("arrived = { arrived }", "arrived refers to itself"),
        ("figure-days = a b c", "figure-days needs 7 words, Monday first"),
    ],
)
def test_a_catalogue_with_a_mistake_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(BadCatalogue, match=re.escape(why)):
        Words("xx", [text], [text_of("en")])


def test_what_a_catalogue_lacks_is_said_in_english() -> None:
    words = Words("xx", ["silent = ¿?\n    .do = ¡!"], [text_of("en")])
    assert words.line(Say("silent")) == "¿? ¡!"
    assert words.line(Say("unit_stuck")) == "Unit is stuck. Plug it in again."
