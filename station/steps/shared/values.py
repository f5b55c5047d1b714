"""Values that somebody is asked for and the limits they have: read in bounds, judged, asked again before a unit fails.

Whoever answers (the unit's application, a program beside it) is untrusted: JSON, or lines ``key=value``.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field
from pydantic_core import SchemaError, SchemaValidator, core_schema

from drivers.plain_text import printable

from ...engine.step import StepContext, StepResult, already
from ...errors import StationError, StepFault, UnitRejected
from ...model import ANY_VALUE
from ...settings.profile_sections import Context, ProfileSection
from ...settings.sections import Mistake, Section, refusal, shown, tables
from ...words.say import NOTHING, Say

MAX_ANSWER = 16 * 1024
MAX_VALUES = 256
MAX_TEXT = 120
TRIES, AGAIN_S = 4, 0.5
"""How often, and how far apart, somebody is asked whose values are out of their limits one time and not the next."""
_KEY = re.compile(r"[\w.-]{1,40}")
_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?")
_SAID = 14, 18  # characters of a value, and of its name, that fit into a line for the operator

Value = float | str | None
"""A number, a text, or None where the answer says that there is nothing."""


# --- limits -----------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def _expression(text: str) -> SchemaValidator:
    """Compile an expression; raises `SchemaError` for what is none, or needs more than 10 MB.

    By the engine pydantic brings: it matches in linear time, where `re` may look at one value of a unit for hours.
    """
    for whole in (text, rf"\A(?:{text})\z"):  # by itself, too: `a)|(b` is none
        compiled = SchemaValidator(core_schema.str_schema(pattern=whole, regex_engine="rust-regex"))
    return compiled


def _is_expression(text: str) -> str:
    try:
        _expression(text)
    except SchemaError as error:
        why = str(error).strip().splitlines()[-1].strip().removeprefix("SchemaError: ").removeprefix("error: ")
        raise refusal(Mistake(expected=f"a regular expression ({why.rstrip('.')})", found=shown(text))) from None
    return text


def _fits(text: str, expression: str) -> bool:
    """Return whether the expression fits all of ``text``."""
    return _expression(expression).isinstance_python(text)


class Limit(
    Section,
    json_schema_extra={
        "oneOf": [
            {"anyOf": [{"required": ["min"]}, {"required": ["max"]}]},
            *({"required": [key]} for key in ("text", "pattern", "present")),
        ],
        "dependentSchemas": {"unit": {"anyOf": [{"required": ["min"]}, {"required": ["max"]}]}},
    },
):
    """What one value of the answer must be: a number in bounds, a text, a text of a pattern, or just there."""

    name: str = Field(
        default="", min_length=1, max_length=40, title="a name of at most 40 characters", examples=["Battery"],
        description="What people and records call the value; without it, what the answer does.",
    )  # fmt: skip
    low: float | None = Field(
        default=None, alias="min", allow_inf_nan=False, title="a number", examples=[3.6],
        description="The smallest good number.",
    )  # fmt: skip
    high: float | None = Field(
        default=None, alias="max", allow_inf_nan=False, title="a number", examples=[4.2],
        description="The largest good number.",
    )  # fmt: skip
    unit: str = Field(
        default="", min_length=1, max_length=12, title="a physical unit of at most 12 characters", examples=["V"],
        description="The physical unit of the number.",
    )  # fmt: skip
    text: str | None = Field(
        default=None, min_length=1, max_length=MAX_TEXT, title="a text in quotes", examples=["ok"],
        description="The one good text.",
    )  # fmt: skip
    pattern: Annotated[str, AfterValidator(_is_expression)] | None = Field(
        default=None, min_length=1, max_length=MAX_TEXT, title="a regular expression", examples=["v1\\..*"],
        description="A regular expression that all of the text fits, without look-around and back-references.",
    )  # fmt: skip
    is_present: Literal[True] | None = Field(
        default=None, alias="present", title="true", examples=[True], description="true: any value is good."
    )

    def mistakes(self, at: tuple[str | int, ...]) -> Iterator[Mistake]:
        """Yield what is wrong between its keys; ``at`` is where it stands."""
        numbers = [key for key, value in (("min", self.low), ("max", self.high)) if value is not None]
        others = (("text", self.text), ("pattern", self.pattern), ("present", self.is_present))
        texts = [key for key, value in others if value is not None]
        if len(texts) + bool(numbers) != 1:
            expected = "one kind of limit: min and max, text, pattern, or present"
            advice = 'write min = 3.6 and max = 4.2, or text = "ok", or present = true'
            yield Mistake(at, expected, advice, " and ".join((*numbers, *texts)) or "none")
        if self.unit and not numbers:
            yield Mistake((*at, "unit"), "a unit only beside min or max", "remove it")
        if self.low is not None and self.high is not None and self.low > self.high:
            advice = f"write min = {self.high:g} and max = {self.low:g}"
            yield Mistake((*at, "min"), f"at most max, which is {self.high:g}", advice, f"{self.low:g}")


Limits = dict[str, Limit]
LIMITS: Any = Field(
    min_length=1, max_length=64, title="the limits of one value or more",
    examples=[{"vbat": {"min": 3.6, "max": 4.2, "unit": "V"}}],
    description="What each value must be, by its key in the answer; one inside another is called outer.inner.",
    json_schema_extra={"propertyNames": {"pattern": f"^{_KEY.pattern}$"}},
)  # fmt: skip


class Question(ProfileSection):
    """A section with which a profile has somebody asked for values, once or several times, and limits them."""

    limits: Limits = LIMITS

    @property
    def known_by(self) -> str:
        """What tells it from others of its list: what is asked, in whatever order its keys stand."""
        return self.asked

    @property
    def asked(self) -> str:
        """What is asked, in a few words."""
        raise NotImplementedError

    @property
    def who(self) -> str:
        """Whoever answers, for sentences about the answer."""
        raise NotImplementedError

    @classmethod
    def rows(cls, title: str, description: str, example: Mapping[str, object]) -> tuple[Any, Any]:
        """Return what `field` does: ``[[key]]`` for several, or the only one plainly, ``[key]``."""
        kind: Any = cls
        return Annotated[tuple[kind, ...], tables(kind), AfterValidator(_distinct)], Field(
            default=(), strict=False, min_length=1, max_length=32, title=title, examples=[[example]],
            description=description,
        )  # fmt: skip

    def check(self, _context: Context) -> Iterator[Mistake]:
        for key, limit in self.limits.items():
            if not _KEY.fullmatch(key):
                expected = "a key of at most 40 letters, digits, dots, dashes and underscores"
                yield Mistake(("limits", key), expected, "write it as the answer does", shown(key))
            yield from limit.mistakes(("limits", key))


Q = TypeVar("Q", bound=Question)


def _distinct(rows: tuple[Q, ...]) -> tuple[Q, ...]:
    """Refuse two values of one name: they would be one column of the record."""
    seen: set[str] = set()
    for at, row in enumerate(rows):
        for key, limit in row.limits.items():
            name = limit.name or key
            if name in seen:
                advice = f'write name = "{name} 2" or the like below it'
                raise refusal(Mistake((at, "limits", key), "every value by another name", advice, shown(name)))
            seen.add(name)
    return rows


# --- answers ----------------------------------------------------------------------------------


class BadAnswer(StationError):
    """An answer that judges nobody. ``say`` is for the operator."""

    def __init__(self, message: str, say: Say = NOTHING) -> None:
        super().__init__(message)
        self.say = say


def parse_answer(raw: bytes) -> dict[str, Value]:
    """Read values by their keys, those inside others as ``outer.inner``; raises `BadAnswer`."""
    if len(raw) > MAX_ANSWER:
        raise BadAnswer(f"{len(raw)} bytes, expected at most {MAX_ANSWER}")
    try:
        text = raw.decode("utf-8").strip()
        told = json.loads(text, object_pairs_hook=_once) if text.startswith("{") else _once(_lines(text))
        values = dict(_flat(told, ""))
    except RecursionError:
        raise BadAnswer("values inside others hundreds of levels deep") from None
    except UnicodeDecodeError as error:
        begins = raw[:16].hex(" ")
        raise BadAnswer(f"no text in UTF-8 from byte {error.start} on; it begins with the bytes {begins}") from None
    except ValueError as error:  # JSONDecodeError is one
        begins = printable(raw[:40].decode("latin-1"))
        raise BadAnswer(f"neither JSON nor lines key=value: {error}; it begins with {begins!r}") from None
    if not values:
        raise BadAnswer("no value in it")
    return values


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found or len(found) >= MAX_VALUES:
            raise ValueError(f"{printable(key[:40])} twice" if key in found else f"more than {MAX_VALUES} values")
        found[key] = value
    return found


def _lines(text: str) -> Iterator[tuple[str, object]]:
    for line in filter(None, map(str.strip, text.splitlines())):
        key, equals, value = line.partition("=")
        if not equals:
            raise ValueError(f"no = in the line {printable(line[:40])!r}")
        yield key.strip(), value.strip()


def _flat(told: object, key: str) -> Iterator[tuple[str, Value]]:
    inner = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else None
    if inner is not None:
        for name, value in inner:
            yield from _flat(value, f"{key}.{name}" if key else str(name))
    else:
        yield printable(key[:MAX_TEXT]), _plain(told)


def _plain(told: object) -> Value:
    if told is None:
        return None
    if isinstance(told, bool):
        return "true" if told else "false"
    if isinstance(told, str):
        return printable(told[:MAX_TEXT])
    assert isinstance(told, int | float)
    number = float(told) if abs(told) < 1e300 else math.nan  # NaN and infinities of JSON's extensions, too
    return number if math.isfinite(number) else str(told)[:MAX_TEXT]


# --- judging ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    """One value and its limit. ``say`` is for the operator if it is out."""

    name: str
    limit: Limit
    value: float | str
    is_out: bool
    say: Say = NOTHING

    @property
    def wanted(self) -> str:
        """The limit of a text, in words."""
        if self.limit.is_present:
            return ANY_VALUE
        return self.limit.text or (f"/{self.limit.pattern}/" if self.limit.pattern else "")

    def __str__(self) -> str:
        limit, unit = self.limit, self.limit.unit
        bounds = f"{_number(limit.low, 'no less')} to {_number(limit.high, 'no more')} {unit}".rstrip()
        return f"{self.name} {_found(self.value, unit)}, wants {self.wanted or bounds}"


def judge(key: str, limit: Limit, values: Mapping[str, Value]) -> Judged:
    """Compare one value of an answer; raises `BadAnswer` for one that is not in it, unless that is the limit."""
    name = limit.name or key
    short = name[: _SAID[1]]
    value = values.get(key)
    if value is None:
        if key not in values and not limit.is_present:
            known = ", ".join(list(values)[:8])
            raise BadAnswer(f"no value {key} in it, only {known}", Say("value_untold", name=short))
        return Judged(name, limit, "", True, Say("value_missing", name=short))
    if limit.low is None and limit.high is None:
        text = value if isinstance(value, str) else f"{value:.10g}"
        wanted = limit.text if limit.text is not None else limit.pattern or ""
        fits = limit.is_present or text == limit.text or (limit.pattern and _fits(text, limit.pattern))
        return Judged(
            name, limit, text, not fits, Say("value_differs", name=short, found=text[: _SAID[0]], wanted=wanted[:24])
        )
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value) or math.isinf(float(value)):  # 1e999 would be above any min
            return Judged(name, limit, value, True, Say("value_no_number", name=short, found=value[: _SAID[0]]))
        value = float(value)
    low, high = -math.inf if limit.low is None else limit.low, math.inf if limit.high is None else limit.high
    is_out = not low <= value <= high
    return Judged(name, limit, value, is_out, _out_of_bounds(short, limit, value))


def _out_of_bounds(name: str, limit: Limit, value: float) -> Say:
    found = _found(value, limit.unit)
    low, high = (f"{bound:.6g}" if bound is not None else "" for bound in (limit.low, limit.high))
    if not low:
        return Say("value_too_high", name=name, found=found, high=f"{high} {limit.unit}".rstrip())
    if not high:
        return Say("value_too_low", name=name, found=found, low=f"{low} {limit.unit}".rstrip())
    return Say("value_outside", name=name, found=found, low=low, high=f"{high} {limit.unit}".rstrip())


def _found(value: float | str, unit: str) -> str:
    return f"{value:.6g} {unit}".rstrip() if isinstance(value, float) else value or "nothing"


def _number(bound: float | None, otherwise: str) -> str:
    return otherwise if bound is None else f"{bound:.6g}"


Turn = contextlib.AbstractContextManager[None]
NO_DOUBT: Mapping[str, StepFault] = MappingProxyType({})


def settle_all(
    rows: Sequence[Q], ask: Callable[[Q], bytes], ctx: StepContext,
    turn: Callable[[Q], Turn] = lambda _: contextlib.nullcontext(),
    doubt: Callable[[Q, tuple[Judged, ...]], Mapping[str, StepFault]] = lambda *_: NO_DOUBT,
) -> StepResult:  # fmt: skip
    """Ask every question, each inside its ``turn``, record all values and judge them; raises as `settle` and `report`.

    ``ask`` may raise `BadAnswer`. ``doubt`` tells which values of an answer judge no unit, as `report` takes them.
    """
    judged: list[Judged] = []
    doubted: dict[str, StepFault] = {}
    for number, row in enumerate(rows):
        with turn(row):
            ctx.progress(number / len(rows), note=row.asked)
            told = settle(row.who, row.limits, functools.partial(ask, row), ctx)
        judged += told
        doubted |= doubt(row, told)
    return report(judged, ctx, doubted)


def settle(who: str, limits: Limits, ask: Callable[[], bytes], ctx: StepContext) -> tuple[Judged, ...]:
    """Ask until no value is out of its limits, or one is out twice running; an answer of no use is asked for again.

    Raises `StepFault` when two running are of no use, and when values are out one time and in the next.
    """
    last_out: set[str] = set()
    spoiled: BadAnswer | None = None
    for left in reversed(range(TRIES)):
        try:
            values = parse_answer(ask())
            judged = tuple(judge(key, limit, values) for key, limit in limits.items())
        except BadAnswer as error:
            if spoiled is not None:
                say = error.say or Say("answer_garbled")
                raise StepFault(f"{who}: {error}; correct it or the profile", say=say) from error
            spoiled = error
        else:
            spoiled, out = None, {one.name for one in judged if one.is_out}
            if not out or out & last_out:
                return judged
            last_out = out
        if left:
            ctx.clock.sleep(AGAIN_S, ctx.cancel)
    if spoiled is not None:
        raise StepFault(f"{who}: {spoiled}; correct it or the profile", say=spoiled.say or Say("answer_garbled"))
    what = ", ".join(sorted(last_out))
    raise StepFault(f"{who}: {what} is out of its limits one time and not the next; walk it again", say=Say("unsteady"))


def report(judged: Iterable[Judged], ctx: StepContext, doubted: Mapping[str, StepFault] = NO_DOUBT) -> StepResult:
    """Record every value; raises `UnitRejected` that names the first one out of its limits.

    ``doubted``: values that judge no unit now, and what to raise where nothing but them is out.
    """
    judged = tuple(judged)
    for one in judged:
        ctx.measure(
            one.name, one.value, one.limit.unit, one.limit.low, one.limit.high, wanted=one.wanted, is_out=one.is_out
        )  # fmt: skip
    out = [one for one in judged if one.is_out]
    first = next((one for one in out if one.name not in doubted), None)
    if first is not None:
        others = len(out) - 1
        more = f" ({others} more out of their limits)" if others else ""
        raise UnitRejected(f"{first}, asked twice{more}; red bin", say=first.say)
    if out:
        raise doubted[out[0].name]
    return already(f"{len(judged)} of {len(judged)} values in their limits")
