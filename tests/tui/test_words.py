from __future__ import annotations

import ast
import datetime
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_steps import STEPS

from station.model import SeenBefore, Verdict
from station.view import words
from station.view.look import ASCII as ASCII_GLYPHS
from station.view.look import FACES, UNICODE, Glyphs, Look
from station.view.words import MAX_ENTRIES, MAX_LINE, MAX_WORDS, SENTENCES, Sentence

STATION = Path(words.__file__).parents[1]

VALUES = ("Argon", "Boron", "bench-3")


def test_the_catalogue_is_short() -> None:
    assert len(SENTENCES) <= MAX_ENTRIES


def test_every_line_is_short_and_shows_on_any_terminal() -> None:
    lines = [(key, line) for key in SENTENCES for line in (words.say(key, VALUES) or Sentence()).lines]
    assert {key for key, _ in lines} == set(SENTENCES)
    assert not [one for one in lines if not 0 < len(one[1].split()) <= MAX_WORDS]
    # the one that is longer is one action, and must not lose its half on a small tile
    assert {key for key, line in lines if len(line) > MAX_LINE} == {"dfu_by_hand"}
    assert not [one for one in lines if not (one[1].isascii() and one[1].isprintable())]


SOFTWARE = {
    "app", "apps", "mobile", "phone", "smartphone", "software", "program", "driver", "python", "cli", "server",
    "database", "api", "sql", "sqlite", "json", "http", "tls", "libusb", "udev", "exception", "thread", "timeout",
}  # fmt: skip


@pytest.mark.rule("E15")
def test_no_sentence_names_software_or_a_mobile_app() -> None:
    said = {key: set(re.findall(r"\w+", " ".join(said.lines).lower())) for key, said in SENTENCES.items()}
    assert {key: found for key, words in said.items() if (found := words & SOFTWARE)} == {}


@pytest.mark.rule("E15")
def test_no_title_light_or_face_names_an_app() -> None:
    texts = [*words.STEP_TITLES.values(), *(light.words for light in words.LEDS.values())]
    texts += [f"{face.word} {face.action}" for face in FACES.values()]
    assert not [text for text in texts if {"app", "mobile", "phone"} & set(text.lower().split())]


def _named_by_the_engine() -> set[str]:
    """Every key of this catalogue that the other rooms hand over, in words or through a table."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in _files_of_the_engine()]
    return {key for tree in trees for key in _Keys(tree).handed_over()} - {""}


def _files_of_the_engine() -> list[Path]:
    return [path for path in STATION.rglob("*.py") if "ui" not in path.parts]


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
        said = [
            node for node in ast.walk(self._tree) if isinstance(node, ast.Call) and node.args and _name(node) == "Say"
        ]
        return set().union(*(self.of(node.args[0]) for node in said))

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


def _literals(node: ast.expr) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


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
        ('class Refused(Error):\n    say = Say("a", (x,))', {"a"}),
        ('T = {1: "a"}\nprint(T, "b")\nx = x or "c"\nrefuse(reason=x)', set()),
    ],
)  # fmt: skip
def test_a_key_is_found_however_it_is_handed_over(text: str, keys: set[str]) -> None:
    assert _Keys(ast.parse(text)).handed_over() == keys


def test_every_sentence_the_engine_names_stands_in_the_catalogue() -> None:
    named = _named_by_the_engine()
    assert "wrong_label" in named  # the search itself finds something
    assert named <= set(SENTENCES)


NOT_SAID_YET: set[str] = set()
"""What the rules of provisioning foresee and no step finds out yet. Take out what is said; add nothing."""

STEPS_TO_COME = {"group", "lock", "label"}
"""Steps of the design that nobody has built yet."""


def test_every_sentence_is_said_by_somebody() -> None:
    by_the_screen = {
        text for room in ("view", "tui") for path in STATION.rglob(f"{room}/**/*.py") for text in _literals_of(path)
    }
    assert set(SENTENCES) - by_the_screen - _named_by_the_engine() == NOT_SAID_YET


def test_every_step_title_is_that_of_a_step() -> None:
    assert set(words.STEP_TITLES) == set(STEPS.names) | STEPS_TO_COME


def _literals_of(path: Path) -> set[str]:
    """Every string of a file but those of the catalogue itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    catalogue = [
        part for node in tree.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "SENTENCES"
        for part in ast.walk(node)
    ]  # fmt: skip
    nodes = set(ast.walk(tree)) - set(catalogue)
    return {text for node in nodes if isinstance(node, ast.expr) for text in _literals(node)}


@pytest.mark.parametrize(
    ("key", "values", "lines"),
    [
        ("wrong_platform", ("Argon", "Boron"), ("This is an Argon.", "This batch wants Boron.", "Red bin.")),
        ("wrong_platform", ("Boron", "Argon"), ("This is a Boron.", "This batch wants Argon.", "Red bin.")),
        ("wrong_platform", (), ("This is a ?.", "This batch wants ?.", "Red bin.")),
        ("already_elsewhere", ("12345",), ("Already in product 12345.", "Technician.")),
        ("wifi_join_failed", (), ("Unit cannot join Wi-Fi.", "Red bin.")),
        ("label_of_slot", ("1",), ("That is the label of slot 1.", "Scan again.")),
        ("not_the_label", ("order code",), ("That is an order code.", "Scan the unit's label.")),
        ("unit_history", ("P044", "PENDING", "2026-11-24T10:14:00+00:00"), ("Unit P044:", "SET ASIDE, Tue 10:14.")),
        ("unit_history", ("P044", "x", "yesterday"), ("Unit P044:", "x, yesterday.")),
        ("label_of_passed", (), ("That is the label of a unit", "that passed ?.", "Scan again.")),
        ("dfu_by_hand", (), ("Hold MODE. Tap RESET. Let go at YELLOW.",)),
    ],
)
def test_values_are_filled_in(key: str, values: tuple[str, ...], lines: tuple[str, ...]) -> None:
    said = words.say(key, values, datetime.UTC)
    assert said is not None
    assert said.lines == lines


@pytest.mark.parametrize("value", ["{0}", "{1}{a 0}", "{0.__class__}", "%s", "[red]x[/]"])
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    said = words.say("already_elsewhere", (value, "other"))
    assert said is not None
    assert value in said.says[0]


def test_an_unknown_key_says_nothing_of_its_own() -> None:
    assert words.say("no_such_key") is None


@pytest.mark.parametrize("verdict", Verdict)
def test_every_end_of_an_attempt_names_one_action(verdict: Verdict) -> None:
    key = {
        Verdict.PASS: "pass", Verdict.PENDING: "pending", Verdict.FAIL: "wrong_label",
        Verdict.ABORTED: "swapped", Verdict.ERROR: "silent",
    }[verdict]  # fmt: skip
    assert SENTENCES[key].do


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII_GLYPHS], ids=["unicode", "ascii"])
def test_every_state_has_a_shape_of_its_own_and_a_word(glyphs: Glyphs) -> None:
    shown = [look for look in Look if look is not Look.EMPTY]
    shapes = [glyphs.shape(look) for look in shown]
    assert all(shapes)
    assert len(set(shapes)) == len(shapes)
    spoken = [FACES[look].word for look in shown if look is not Look.RUNNING]  # running says its step
    assert all(spoken)
    assert len(set(spoken)) == len(spoken)
    assert all(shape.isascii() for shape in shapes) is glyphs.ascii_only


@pytest.mark.rule("H1")
@pytest.mark.rule("H3")
def test_button_instructions_end_at_the_colour_where_to_let_go() -> None:
    assert words.line("dfu_by_hand").endswith("Let go at YELLOW.")
    assert words.line("listening_by_hand").endswith("Let go at DARK BLUE.")


def test_a_light_we_do_not_know_is_still_said() -> None:
    light = words.led("sparkling\x1b[31m plaid")
    assert light is not None
    assert light.words == "sparkling [31m plaid"


def test_a_unit_seen_before_is_said_with_day_and_bench() -> None:
    at = datetime.datetime(2026, 11, 24, 10, 14, tzinfo=datetime.UTC)
    seen = SeenBefore(Verdict.PASS, at, "bench-3", "B1")
    assert words.seen_before(seen, datetime.UTC) == "Seen before: PASS, Tue 10:14, bench-3."


@given(st.sampled_from(sorted(SENTENCES)), st.lists(st.text(max_size=60), max_size=3))
def test_no_value_can_break_a_sentence(key: str, values: list[str]) -> None:
    said = words.say(key, values)
    assert said is not None
    assert all(line.isprintable() for line in said.lines)
