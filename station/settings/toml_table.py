"""Reading a TOML file key by key: a typed value, or one sentence that says what to write instead.

Every refusal names file, line, table and key, what was expected and what was found. A value that
stands where a secret might stand is never repeated.
"""

from __future__ import annotations

import collections
import difflib
import enum
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path as FilePath
from typing import Any, NoReturn, TypeVar

from ..errors import BadInput
from ..plain_file import read_plain
from .toml_lines import Path, key_lines

MAX_BYTES = 256 * 1024
MAX_DOTS = 250
"""Dots on one line. Each makes a table inside a table: twenty thousand in one key take minutes and gigabytes."""
MAX_DEPTH = 8
MAX_KEY = 100
MAX_GUESSES = 40
"""Mistakes told at once, and guesses made to find them."""
MAX_VALUES = 4000
"""Keys and list elements; a profile with every section and the longest lists has some hundreds."""
_KIND_NAMES: dict[type, str] = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list in [ ]",
    dict: "a table",
}


class _Nothing(enum.Enum):
    NOTHING = enum.auto()


NOTHING = _Nothing.NOTHING


class Refused(BadInput):
    """One refusal. ``stand_in``: a value the key could have had, `NOTHING` if none is known.

    ``is_own``: the value is wrong by itself, whatever stands elsewhere.
    """

    def __init__(self, sentence: str, path: Path, stand_in: Any = NOTHING, *, is_own: bool = False) -> None:
        super().__init__(sentence)
        self.path, self.stand_in, self.is_own = path, stand_in, is_own


class SeveralRefused(BadInput):
    """Several mistakes in one file, in the order of its lines."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        super().__init__(f"{refused[0]} (and {len(refused) - 1} more)")
        self._sentences = tuple(map(str, refused))

    @property
    def sentences(self) -> tuple[str, ...]:
        return self._sentences


T = TypeVar("T")


def read_all(document: Document, read: Callable[[Table], T]) -> T:
    """What ``read`` makes of the document's top table; raises `BadInput` with all mistakes that can be told at once.

    ``read`` stops at its first mistake. That one is noted, put right by a guess, and ``read`` begins again. What is
    refused where a guess stands is the guess's mistake, and so may be what is judged by several keys together near
    one: neither is told.
    """
    noted: dict[Path, Refused] = {}
    for _ in range(MAX_GUESSES):
        try:
            found = read(document.root)
            if not noted:
                return found
            break
        except Refused as refused:
            is_new = not document.is_guess(refused.path)
            if is_new and (refused.is_own or not document.is_near_guess(refused.path)):
                noted[refused.path] = refused
            if not document.put_right(refused):
                break
    in_order = sorted(noted.values(), key=lambda one: document.line(one.path))
    raise SeveralRefused(in_order) if len(in_order) > 1 else in_order[0]


class Document:
    """One TOML text with the lines of its keys."""

    def __init__(self, raw: bytes, name: str) -> None:
        self.name = name
        text = _decoded(raw, name)
        try:
            self._data = tomllib.loads(text)
        except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
            raise BadInput(f"{name}: this is not TOML: {error}; look for a missing quote or bracket there") from error
        except RecursionError as error:
            raise BadInput(f"{name}: lists nested hundreds of levels deep; is this the right file?") from error
        _check_size(self._data, name)
        self._lines = key_lines(text)
        self._guesses: dict[Path, list[Any]] = {}  # what stood in for a refused value so far, the newest last
        _check_texts(self)

    @classmethod
    def read(cls, path: FilePath) -> tuple[Document, bytes]:
        """The document at ``path`` and its bytes; raises `BadInput` when it cannot be read."""
        try:
            raw = read_plain(path, MAX_BYTES + 1)  # never more than is needed to refuse it
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise BadInput(f"{path}: cannot be read ({reason}); name an existing file") from error
        return cls(raw, str(path)), raw

    @property
    def root(self) -> Table:
        return Table(self, (), self._data)

    # --- mistakes put right, to find the next ones ---

    def is_guess(self, path: Path) -> bool:
        """Whether ``path`` stands in, or is, something that was put right."""
        return any(path[:length] in self._guesses for length in range(1, len(path) + 1))

    def is_near_guess(self, path: Path) -> bool:
        """Whether a value that nobody wrote stands in the same section or, for all to go by, above the sections.

        What was only taken out is not made up.
        """
        made_up = (guess for guess, tried in self._guesses.items() if tried and tried[-1] is not NOTHING)
        return any(len(guess) == 1 or guess[0] == path[0] for guess in made_up)

    def put_right(self, refused: Refused) -> bool:
        """Change the refused value to another guess; False when there is none left."""
        path = refused.path
        table: Any = self._data
        for part in path[:-1]:
            table = table[part] if isinstance(part, int) else table.setdefault(part, {})
        value, tried = table.get(path[-1], NOTHING), self._guesses.setdefault(path, [])
        guesses = [refused.stand_in, NOTHING, not value if isinstance(value, bool) else True]
        if isinstance(value, list):
            guesses.append(value[:1])
        guess = next((one for one in guesses[refused.stand_in is NOTHING :] if one not in (*tried, value)), None)
        if guess is None:
            return False
        tried.append(guess)
        if guess is NOTHING:
            del table[path[-1]]
        else:
            table[path[-1]] = guess
        return True

    def walk(self) -> Iterator[tuple[Path, object]]:
        """Every key and list element with its path, in the order of the levels."""
        return _walk(self._data)

    def line(self, path: Path) -> int:
        """Line of ``path``, or of the nearest table around it that stands in the text."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def _walk(data: dict[str, Any]) -> Iterator[tuple[Path, object]]:
    waiting: collections.deque[tuple[Path, object]] = collections.deque([((), data)])
    while waiting:
        path, value = waiting.popleft()
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, child in inner:
            waiting.append(((*path, key), child))
            yield waiting[-1]


def _check_size(data: dict[str, Any], name: str) -> None:
    """Before anything is noted of each value: the lines of a million keys take gigabytes."""
    for count, (path, _) in enumerate(_walk(data), 1):
        if len(path) > MAX_DEPTH:
            raise BadInput(
                f"{name}: tables or lists {len(path)} levels deep below {shown(path[0])}, expected at most {MAX_DEPTH};"
                " is this the right file?"
            )
        if count > MAX_VALUES:
            raise BadInput(
                f"{name}: more than {MAX_VALUES} keys and list elements, expected some dozens; is this the right file?"
            )


def _check_texts(document: Document) -> None:
    """Keys and texts are shown to people: what a terminal would obey instead of show has no place in them."""
    for path, value in document.walk():
        where, key = f"{document.name} line {document.line(path)}", path[-1]
        if isinstance(key, str) and len(key) > MAX_KEY:
            raise BadInput(f"{where}: a key of {len(key)} characters, expected at most {MAX_KEY}; is a quote missing?")
        for what, text in (("key", key), ("text", value)):
            if isinstance(text, str) and not text.isprintable():
                raise BadInput(
                    f"{where}: a {what} with characters that cannot be shown (control, invisible or right-to-left"
                    " marks); write it again by hand, in plain characters"
                )


def _decoded(raw: bytes, name: str) -> str:
    if len(raw) > MAX_BYTES:
        raise BadInput(f"{name}: {len(raw)} bytes or more, expected at most {MAX_BYTES}; is this the right file?")
    number = next((n for n, line in enumerate(raw.split(b"\n"), 1) if line.count(b".") > MAX_DOTS), None)
    if number is not None:
        raise BadInput(f"{name} line {number}: more than {MAX_DOTS} dots on one line; write one entry a line")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{name}: byte {error.start} is not UTF-8 text; save the file as UTF-8") from error


class Table:
    """One table of a document. Ask for every key it may hold, then call `finish`."""

    def __init__(self, document: Document, path: Path, data: dict[str, Any]) -> None:
        self._document, self._path, self._data = document, path, data
        self._asked: list[str] = []

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._data)

    def has(self, key: str) -> bool:
        self._ask(key)
        return key in self._data

    def refuse(
        self, key: str, expected: str, advice: str, *, found: str = "", stand_in: Any = NOTHING, is_own: bool = False
    ) -> NoReturn:
        """Raise the sentence: file, line, table, key, expected, found, what to write instead.

        ``stand_in`` and ``is_own``: see `Refused`.
        """
        path = (*self._path, key)
        where = f"{self._document.name} line {self._document.line(path)}, {self._label(key)}"
        sentence = f"{where}: expected {expected}{f', found {found}' if found else ''}; {advice}"
        raise Refused(sentence, path, stand_in, is_own=is_own)

    def _refuse_value(self, key: str, expected: str, advice: str, found: str, stand_in: Any = NOTHING) -> NoReturn:
        self.refuse(key, expected, advice, found=found, stand_in=stand_in, is_own=True)

    def _is_guess(self, key: str) -> bool:
        """A value of ours is as good as any: it need not even look like one."""
        return self._document.is_guess((*self._path, key))

    def text(
        self, key: str, wanted: str, example: str, *, pattern: str = r"[^\x00-\x1f\x7f]{1,200}", secret: bool = False
    ) -> str:
        """A required text that ``pattern`` matches whole; ``secret``: never repeat what was found."""
        value = self._value(key, str, wanted, example)
        if not self._is_guess(key) and not re.fullmatch(pattern, value):
            self._refuse_value(
                key, wanted, f"write {key} = {example}", "" if secret else shown(value), _stand_in(example)
            )
        return str(value)

    def text_or(self, key: str, default: str, wanted: str, example: str, *, pattern: str) -> str:
        """As `text`, or ``default`` when the key is absent."""
        return self.text(key, wanted, example, pattern=pattern) if self.has(key) else default

    def integer(self, key: str, low: int, high: int, example: str) -> int:
        wanted = f"a whole number from {low} to {high}"
        value = self._value(key, int, wanted, example)
        if not low <= value <= high:
            self._refuse_value(key, wanted, f"write {key} = {example}", shown(value), _stand_in(example))
        return int(value)

    def seconds(self, key: str, default: float, low: float, high: float) -> float:
        """Seconds as a whole or decimal number, ``default`` when absent."""
        if not self.has(key):
            return default
        wanted = f"seconds from {low:g} to {high:g}"
        value = self._data[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self._refuse_value(key, wanted, f"write {key} = {default:g}", shown(value), default)
        return float(value)

    def flag(self, key: str, default: bool, *, hint: bool | None = None) -> bool:
        """True or false, ``default`` when absent. ``hint``: what to write instead of nonsense, if not the default."""
        if not self.has(key):
            return default
        return bool(self._value(key, bool, "true or false", str(default if hint is None else hint).lower()))

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """One of ``choices``; required unless there is a ``default``."""
        if default is not None and not self.has(key):
            return default
        wanted = "one of " + ", ".join(f'"{choice}"' for choice in choices)
        value = self._value(key, str, wanted, f'"{choices[0]}"')
        if value not in choices:
            close = difflib.get_close_matches(value, choices, 1, 0.5) or [default or choices[0]]
            self._refuse_value(key, wanted, f'write {key} = "{close[0]}"', shown(value), str(close[0]))
        return str(value)

    def items(self, key: str, wanted: str, example: str, *, at_most: int = 64) -> tuple[Any, ...]:
        """A required list of 1 to ``at_most`` values of any kind; the caller judges each of them."""
        value = self._value(key, list, wanted, example)
        if not 1 <= len(value) <= at_most:
            self._refuse_value(
                key,
                f"{wanted}, 1 to {at_most} of them",
                f"write {key} = {example}",
                str(len(value)),
                _stand_in(example),
            )
        return tuple(value)

    def table(self, key: str) -> Table | None:
        """The table ``key``, None when absent."""
        if not self.has(key):
            return None
        value = self._value(key, dict, f"a table [{key}]", "...")
        return Table(self._document, (*self._path, key), value)

    def empty(self, key: str) -> Table:
        """A table ``key`` without keys, for a section that may be left out."""
        return Table(self._document, (*self._path, key), {})

    def tables(self, key: str, wanted: str, example: str, *, at_most: int = 64) -> tuple[Table, ...]:
        """The tables of a list: ``[[key]]`` sections, ``[{...}, {...}]``, or a single ``[key]`` section."""
        if not self.has(key):
            return ()
        if isinstance(self._data[key], dict):
            return (Table(self._document, (*self._path, key), self._data[key]),)
        found: list[Table] = []
        for index, value in enumerate(self.items(key, wanted, example, at_most=at_most)):
            if not isinstance(value, dict):
                self._refuse_value(key, wanted, f"write {key} = {example}", shown(value))
            found.append(Table(self._document, (*self._path, key, index), value))
        return tuple(found)

    def finish(self) -> None:
        """Refuse keys nobody asked for, with the nearest known name."""
        for key in self._data:
            if key not in self._asked:
                close = difflib.get_close_matches(key, self._asked, 1, 0.6)
                known = ", ".join(sorted(self._asked))
                advice = f"write {close[0]}" if close else "remove it"
                self._refuse_value(key, f"only the keys {known}" if known else "no keys here", advice, "this one")

    def _ask(self, key: str) -> None:
        if key not in self._asked:
            self._asked.append(key)

    def _value(self, key: str, kind: type, wanted: str, example: str) -> Any:
        advice = f"write {key} = {example}" if kind is not dict else f"write a line [{key}]"
        if not self.has(key):
            self._refuse_value(key, wanted, advice, "nothing", _stand_in(example))
        value = self._data[key]
        if type(value) is not kind:
            self._refuse_value(key, f"{wanted} ({_KIND_NAMES[kind]})", advice, _kind(value), _stand_in(example))
        return value

    def _label(self, key: str) -> str:
        names = [str(part + 1) if isinstance(part, int) else part for part in self._path]
        return " ".join(part for part in (f"[{'.'.join(names)}]" if names else "", key) if part) or "top of the file"


def _stand_in(example: str) -> Any:
    """The value an example shows, `NOTHING` if it shows several or none."""
    quoted = re.match(r'"[^"]*"', example)
    try:
        return tomllib.loads(f"x = {quoted[0] if quoted else example}")["x"]
    except ValueError:
        return NOTHING


def _kind(value: object) -> str:
    return _KIND_NAMES.get(type(value), f"a {type(value).__name__}")


def shown(value: object) -> str:
    """``value`` as a refusal repeats it: at most 60 characters."""
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        return "a number without end"
    return text if len(text) <= 60 else f"{text[:57]}..."
