"""Turn every `Say`, title, light and word of the station into text of one language.

A `Words` is made at start (`load`) and handed to every face; there is no global current language.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fluent.runtime import FluentBundle
from fluent.runtime.types import FluentType
from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

from ..local_time import countdown, zone
from ..model import Outcome, SeenBefore, Verdict
from .cells import Breaks, clean
from .say import Say

_DAYS = 7
_OWN = {"blocks", "short"}
"""Parts a language has where it needs them, whether or not the English message has them."""
KEPT = 2048  # texts kept as they were formatted last
MAX_VALUE = 24  # characters of one value inside a sentence


class BadCatalogue(ValueError):
    """Says in one sentence why a catalogue cannot be used."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Holds a sentence: ``says`` what is the matter, ``do`` is the one action.

    ``short``: the form for a tile too small for it, at most two lines of 18 cells, the action last; () if it fits.
    """

    says: tuple[str, ...] = ()
    do: str = ""
    short: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        return (*self.says, self.do) if self.do else self.says


@dataclass(frozen=True, slots=True)
class Face:
    """Holds the words for one state of a slot. ``blocks``: drawn in large letters if ``word`` cannot be."""

    word: str
    short: str
    do: str
    means: str
    blocks: str


class Words:
    """Says everything in one language. Immutable. ``tz``: the zone of the times in it, None: the machine's."""

    def __init__(
        self,
        language: str,
        texts: Iterable[str],
        english: Iterable[str],
        tz: datetime.tzinfo | None = None,
        helps: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Parse ``texts`` in Fluent's syntax; the first one that has a message wins, then those of ``english``.

        ``helps`` reads further texts, for `help` only, when it is first asked: the rest starts without them.

        Raises `BadCatalogue` for a text that is not Fluent, for a message that lacks a part of the English one or
        names a value that one does not have, and for one that cannot be formatted.
        """
        self.language, self.tz = language, tz
        self._helps = helps
        self._help_bundle: FluentBundle | None = None
        functions: dict[str, Any] = {
            "A": _article, "VERDICT": self._verdict, "THING": self._thing, "DAYTIME": self._daytime,
            "FIGURE": lambda value: self.figure(_cut(_raw(value))),
        }  # fmt: skip
        # not isolating: what reverses the reading order is taken out of every value
        self._bundle = FluentBundle([language], functions=functions, use_isolating=False)
        self._formatted = functools.lru_cache(KEPT)(
            lambda pattern, values: str(self._bundle.format_pattern(pattern, dict(values))[0])
        )  # a bench draws the same few sentences many times a second
        self._names: dict[str, tuple[str, ...]] = {}
        own, given = [_parsed(text) for text in texts], [_parsed(text) for text in english]
        for resource in (*own, *given):
            self._bundle.add_resource(resource)
        used, known = _messages(own), _messages(given)
        for key, message in used.items():
            _check(message, known.setdefault(key, message))
        self._names = {key: _variables(message) for key, message in known.items()}
        for key in used:
            self._check_formatted(key)

    # --- sentences ---

    def say(self, said: Say) -> Sentence | None:
        """Return the sentence with its values filled in (cleaned and cut; a missing one reads ``?``).

        None for a key this catalogue does not know.
        """
        if not self._bundle.has_message(said.key):
            return None
        given = dict(said.named)
        message = self._bundle.get_message(said.key)
        values = {name: _Value(given.get(name, "")) for name in self._names[said.key]}
        says = self._format(message.value, values).split("\n") if message.value is not None else []
        do, short = (
            self._format(message.attributes[part], values) if part in message.attributes else ""
            for part in ("do", "short")
        )
        return Sentence(tuple(says), do, tuple(short.split("\n")) if short else ())

    def recalled(self, key: str, values: Iterable[str]) -> Say:
        """Return a sentence of a record, which holds its values without names, in the order of the English one."""
        return Say(key, **dict(zip(self._names.get(key, ()), values, strict=False)))

    @functools.cached_property
    def breaks(self) -> Breaks:
        """Return the parts of words too long for the narrowest tiles, by the word."""
        return {word.replace("-", ""): word.split("-") for word in self.text("figure-breaks").split()}

    def help(self, said: Say) -> tuple[str, str]:
        """Return what it means that an attempt ended with this sentence, and what to try next; "" for none known."""
        if self._help_bundle is None:
            self._help_bundle = FluentBundle([self.language], use_isolating=False)
            for text in self._helps():
                self._help_bundle.add_resource(_parsed(text))
        key = f"why-{said.key}"
        bundle = next((one for one in (self._bundle, self._help_bundle) if one.has_message(key)), None)
        message = bundle.get_message(key) if bundle is not None else None
        if bundle is None or message is None or message.value is None:
            return "", ""
        advice = message.attributes.get("try")
        means = str(bundle.format_pattern(message.value)[0])
        return means, str(bundle.format_pattern(advice)[0]) if advice is not None else ""

    def line(self, said: Say) -> str:
        """Return the sentence as one line; of an unknown one its key."""
        sentence = self.say(said)
        return self.joined(sentence.lines) if sentence else clean(said.key)

    def joined(self, lines: Iterable[str]) -> str:
        """Return sentences one after the other, on one line."""
        return self.text("figure-join").join(lines)

    def text(self, key: str, **values: str | int) -> str:
        """Return a text of a face, with its values by name. They go in as they are."""
        message = self._bundle.get_message(key)
        assert message.value is not None, key
        return self._format(message.value, values)

    def _check_formatted(self, key: str) -> None:
        """Raise `BadCatalogue` for a message that calls or refers to something that does not exist."""
        message = self._bundle.get_message(key)
        values: dict[str, object] = {name: _Value("1") for name in self._names[key]}
        for pattern in (*([message.value] if message.value is not None else []), *message.attributes.values()):
            try:
                _, errors = self._bundle.format_pattern(pattern, values)
            except RecursionError:
                raise BadCatalogue(f"{key} refers to itself") from None
            if errors:
                raise BadCatalogue(f"{key}: {clean(errors[0], 80)}")
        if key == "figure-days" and len(self.text(key).split()) != _DAYS:
            raise BadCatalogue(f"{key} needs {_DAYS} words, Monday first")

    def _format(self, pattern: Any, values: Mapping[str, object]) -> str:
        return self._formatted(pattern, tuple(values.items()))

    def _found(self, group: str, name: str, otherwise: str) -> str:
        """Return the text of the message ``group-name``, or ``otherwise``."""
        key = f"{group}-{name.lower().replace(' ', '-')}"
        return self.text(key) if self._bundle.has_message(key) else otherwise

    # --- single words ---

    def face(self, name: str) -> Face:
        """Return the words for a state of a slot, by the name of its look."""
        message = self._bundle.get_message(f"face-{name}")
        word = self._format(message.value, {}) if message.value is not None else ""
        parts = {part: self._format(pattern, {}) for part, pattern in message.attributes.items()}
        return Face(
            word, parts.get("short", word), parts.get("do", ""), parts.get("means", ""), parts.get("blocks", word)
        )

    def verdict(self, verdict: Verdict) -> str:
        """Return the one word for a verdict."""
        return self.face(verdict.name.lower()).word

    def outcome(self, outcome: Outcome) -> str:
        """Return the word for what a step did."""
        return self.text(f"outcome-{outcome.value}")

    def step_title(self, step: str, title: str = "") -> str:
        """Return what an operator calls a step: by this catalogue, else the engine's ``title``, else its own name."""
        return self._found("step", step, clean(title, 40) or clean(step.replace("_", " ").capitalize(), 40))

    def format_about(self, name: str, about: str) -> str:
        """Return what a format of an export is: by this catalogue, else as it tells ``about`` itself."""
        return self._found("format", name, about)

    def led(self, name: str) -> str:
        """Return what a unit's light does; a light nobody knows is called as it came."""
        return self._found("led", name, clean(name, MAX_VALUE))

    def led_colour(self, name: str) -> str:
        """Return the colour of a unit's light, for narrow tiles; a light nobody knows is called as it came."""
        key = f"led-{name.replace(' ', '-')}"
        if not self._bundle.has_message(key):
            return self.led(name)
        return self._format(self._bundle.get_message(key).attributes["colour"], {})

    def led_means(self, name: str) -> str:
        """Return what it means that a unit's light does that."""
        return self._format(self._bundle.get_message(f"led-{name.replace(' ', '-')}").attributes["means"], {})

    # --- figures and times ---

    def figure(self, text: str) -> str:
        """Put this language's decimal mark into a number written with a point."""
        return text.replace(".", self.text("figure-mark"))

    def seconds(self, value: float) -> str:
        """Return ``75.2`` as ``1:15``; below a minute ``21.4 s``."""
        return self.tenths(value) if value < 60 else countdown(value)

    def tenths(self, value: float) -> str:
        """Return ``75.2 s``, however long it is."""
        return self.text("figure-seconds", figure=self.figure(f"{value:.1f}"))

    def day(self, at: datetime.datetime) -> str:
        """Return ``Tue 10:14``."""
        local = at.astimezone(self.tz)
        return f"{self.text('figure-days').split()[local.weekday()]} {local:%H:%M}"

    def seen_before(self, seen: SeenBefore, *, with_zone: bool = False) -> str:
        """Say that a unit was here; the zone of the time is named where there is room for it."""
        day = self.day(seen.at) + (f" {zone(seen.at, self.tz)}" if with_zone else "")
        return self.line(Say("seen_before", verdict=seen.verdict.name, at=day, station=seen.station_id))

    # --- what catalogues call ---

    def _verdict(self, value: object) -> str:
        name = _raw(value)
        return self.verdict(Verdict[name]) if name in Verdict.__members__ else _cut(name)

    def _thing(self, value: object) -> str:
        return self._found("thing", _raw(value), _cut(_raw(value)))

    def _daytime(self, value: object) -> str:
        """Format an ISO 8601 time by the clock of the bench; return anything else as it is."""
        try:
            return self.day(datetime.datetime.fromisoformat(_raw(value)))
        except (ValueError, OverflowError):
            return _cut(_raw(value))


@dataclass(frozen=True)
class _Value(FluentType):
    """Wraps a value of a `Say`: functions of the catalogue get it whole, a person cleaned and cut."""

    raw: str

    def format(self, _locale: object) -> str:
        return _cut(self.raw)


def _raw(value: object) -> str:
    return value.raw if isinstance(value, _Value) else str(value)


def _cut(text: str) -> str:
    return clean(text, MAX_VALUE) or "?"


def _article(value: object) -> str:
    noun = _cut(_raw(value))
    return f"{'an' if noun[0].lower() in 'aeio' else 'a'} {noun}"


def _parsed(text: str) -> ast.Resource:
    resource = FluentParser().parse(text)
    for entry in resource.body:
        if isinstance(entry, ast.Junk):
            line = text[: entry.span.start].count("\n") + 1 if entry.span else 0
            begins = clean((entry.content or "").splitlines()[0], 60)
            raise BadCatalogue(f"line {line} is no message of Fluent: {begins}")
    return resource


def _messages(resources: Iterable[ast.Resource]) -> dict[str, ast.Message]:
    """Return the first message of every key."""
    found: dict[str, ast.Message] = {}
    for resource in resources:
        for entry in resource.body:
            if isinstance(entry, ast.Message):
                found.setdefault(entry.id.name, entry)
    return found


def variables(text: str) -> dict[str, tuple[str, ...]]:
    """Return the values every message of a catalogue names, in the order of the text."""
    return {key: _variables(message) for key, message in _messages([_parsed(text)]).items()}


def _variables(message: ast.Message) -> tuple[str, ...]:
    found = _Variables()
    found.visit(message)
    return tuple(dict.fromkeys(found.names))


def _check(message: ast.Message, english: ast.Message) -> None:
    """Raise `BadCatalogue` unless ``message`` can stand where the English one does."""
    key = message.id.name
    missing = {part.id.name for part in english.attributes} - {part.id.name for part in message.attributes} - _OWN
    if missing or (message.value is None and english.value is not None):
        raise BadCatalogue(f"{key} lacks {f'.{min(missing)}' if missing else 'a text'}, which the English one has")
    if strange := set(_variables(message)) - set(_variables(english)):
        raise BadCatalogue(f"{key} names the value {min(strange)}, which the English one does not have")


class _Variables(Visitor):
    def __init__(self) -> None:
        self.names: list[str] = []

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802 - named by the library
        self.names.append(node.id.name)
