"""Sections of a TOML file as frozen models. Reading a file finds all its mistakes, each told in one sentence.

A field's type and bounds say what is good, its ``title`` what is expected in words (numbers with bounds, enums and
booleans need none), its ``description`` what it means, its ``examples`` what to write. From these come the sentence
about a wrong value and the JSON Schema for editors. In examples ``$platform`` stands for the profile's first platform,
``$key`` for the text of another key of the same table.
"""

from __future__ import annotations

import difflib
import enum
import json
import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from ..errors import BadInput
from .document import Document
from .toml_lines import Path

MAX_TOLD = 40
ABSENT: dict[str, Any] = {"not": {}}
"""JSON Schema of a key that must not be there. Validators tell its place, which they do not of ``false``."""
_TYPES = {str: "a text in quotes", bool: "true or false", int: "a whole number", float: "a number",
          list: "a list in [ ]", dict: "a table"}  # fmt: skip
_WRONG_TYPE = {"string_type": str, "bool_type": bool, "int_type": int, "float_type": float, "tuple_type": list,
               "model_type": dict, "dict_type": dict}  # fmt: skip
_NAMES: Mapping[str, str] = MappingProxyType({"platform": "argon", "file": "FILE"})
"""What examples name when the file does not say it."""
_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0")


# patterns by `re`: the regex library of pydantic takes 0.1 s to build a `\w{1,40}`
class Section(BaseModel, strict=True, extra="forbid", hide_input_in_errors=True, regex_engine="python-re"):
    """A table of the file. Every key is declared, and none is converted: "1" is no number."""

    model_config = ConfigDict(frozen=True)
    has_order: ClassVar[bool] = True
    """Whether several of them in a list mean something else in another order."""
    beside: ClassVar[Mapping[str, str]] = {}
    """Keys that name a file beside the profile, and for each the key of its SHA-256."""

    @property
    def known_by(self) -> str:
        """What tells it from others of its list: the first key."""
        return str(next(iter(self))[1])

    def told(self) -> dict[str, object]:
        """Return what a person compares, by key."""
        return {field.alias or name: getattr(self, name) for name, field in type(self).model_fields.items()}


def tables(section: Any) -> BeforeValidator:
    """Return what lets a list of tables be written as a plain table if it has only one: ``[firmware]``."""
    forms = list[section] | section
    return BeforeValidator(lambda value: [value] if isinstance(value, dict) else value, json_schema_input_type=forms)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One broken rule at ``key``: below the section that is checked, or () for the checked value itself.

    Where ``expected`` or ``advice`` is empty, the key's field says it.
    """

    key: str | Path = ()
    expected: str = ""
    advice: str = ""
    found: str = ""

    @property
    def path(self) -> Path:
        return (self.key,) if isinstance(self.key, str) else self.key


def refusal(*mistakes: Mistake) -> ValidationError:
    """Return what a validator raises to tell of ``mistakes``."""
    details = [
        InitErrorDetails(type=PydanticCustomError("mistake", "{expected}", asdict(one)), loc=one.path, input=None)
        for one in mistakes
    ]
    return ValidationError.from_exception_data("", details)


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Raise the `refusal` of ``mistakes`` if there are any."""
    if found := tuple(mistakes):
        raise refusal(*found)


S = TypeVar("S", bound=Section)


def read_document(document: Document, model: type[S], names: Mapping[str, str] = _NAMES) -> S:
    """Return the document as a ``model``; raises `BadInput` with all its mistakes.

    Validators are handed the document as context. ``names`` says what `$NAME` stands for in examples.
    """
    try:
        return model.model_validate(document.data, context=document)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    told = [_told(document, model, one, names) for one in errors if not _is_echo(one, errors)]
    sentences = [sentence for _, sentence in sorted(told, key=lambda one: one[0])[:MAX_TOLD]]
    if len(told) > MAX_TOLD:
        sentences.append(f"{document.name}: and {len(told) - MAX_TOLD} more mistakes")
    raise BadInput(*sentences)


def json_schema(model: type[Section], title: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the files that ``model`` reads."""
    schema = json.dumps(model.model_json_schema(schema_generator=_TomlSchema) | {"title": title})
    named = string.Template(schema).safe_substitute(_NAMES)
    return {"$schema": _TomlSchema.schema_dialect, **json.loads(named)}


class _TomlSchema(GenerateJsonSchema):
    """TOML has no null: a key without a value is left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        shown, default = self.generate_inner(schema["schema"]), schema.get("default")
        return shown | {"default": default} if isinstance(default, str | float | int) else shown

    def field_title_should_be_set(self, _schema: Any) -> bool:
        return False


# --- one sentence for one error of pydantic's ---


def _is_echo(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """Whether a list is only too short because its bad elements, refused themselves, are not counted."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(one["loc"][: len(loc)] == loc != one["loc"] for one in errors)


def _told(document: Document, model: type[Section], error: ErrorDetails, names: Mapping[str, str]) -> tuple[int, str]:
    """The line of the error and its sentence."""
    path: Path = ()
    at: Any = document.data
    beside: dict[str, Any] = {}
    section: type = model
    field: FieldInfo | None = None
    for part in error["loc"]:
        if isinstance(part, str):
            if field is not None and (entry := _entry(field.annotation)) is not None:
                field = FieldInfo(annotation=entry)
            else:
                section = innermost(field.annotation) if field is not None else section
                field = fields_of(section).get(part) if issubclass(section, Section) else None
            beside = at if isinstance(at, dict) else {}  # a rule may be about a key of a section left out
            at = beside.get(part)
            path = (*path, part)
        elif isinstance(at, list):  # else the only table of a list, written as a plain one
            at = at[part]
            path = (*path, part)
    line = document.line(path)
    while isinstance(path[-1], int):  # a bad element is told of its list
        path = path[:-1]
    parts = [str(part + 1) if isinstance(part, int) else part for part in path]
    expected, found, advice = _wanted(error, parts, section, field)
    near = {name: value[:40] for name, value in beside.items() if isinstance(value, str)}
    advice = string.Template(advice).safe_substitute({**_NAMES, **names, **near})
    table = f"[{'.'.join(parts[:-1])}] " if parts[1:] else ""
    found = f", found {found}" if found else ""
    return line, f"{document.name} line {line}, {table}{parts[-1]}: expected {expected}{found}; {advice}"


def fields_of(section: type[Section]) -> dict[str, FieldInfo]:
    """Return what is declared of each key of ``section``."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def _entry(annotation: Any) -> Any:
    """Return the section that each value is of a table whose keys a person chooses, None for any other annotation."""
    values = get_args(annotation)[1] if get_origin(annotation) is dict else None
    return values if isinstance(values, type) and issubclass(values, Section) else None


def innermost(annotation: Any) -> type:
    """Return the class in an annotation such as ``tuple[Firmware, ...]``, ``int | None`` or ``Literal[True]``."""
    while not isinstance(annotation, type):
        arguments = get_args(annotation)
        annotation = arguments[0] if arguments else type(annotation)
    return annotation


def _wanted(error: ErrorDetails, parts: list[str], section: Any, field: FieldInfo | None) -> tuple[str, str, str]:
    """What was expected, what was found (or ""), what to write instead."""
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        known = sorted(fields_of(section))
        close = difflib.get_close_matches(parts[-1], known, 1, 0.6)
        return f"only the keys {', '.join(known)}", "this one", f"write {close[0]}" if close else "remove it"
    told = error.get("ctx", {}) if kind == "mistake" else {}
    expected, advice = _of_field(parts, value, field) if field is not None else ("", "")
    found = told.get("found", shown(value))
    if kind == "missing":
        found = "nothing"
    elif kind in ("too_short", "too_long"):
        low, high = (_bound(field, name) for name in ("min_length", "max_length"))
        expected, found = f"{expected}, {low} to {high} of them", str(len(value))
    elif kind in _WRONG_TYPE:
        name = _TYPES[_WRONG_TYPE[kind]]
        expected, found = expected if name in expected else f"{expected} ({name})", kind_of(value)
    return told.get("expected") or expected, found, told.get("advice") or advice


def read_options(model: type[S], values: Mapping[str, object]) -> S:
    """Return what a command line says as a ``model``; raises `BadInput` with all its mistakes."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    raise BadInput(*(wrong_option(model, one["loc"], one.get("ctx", {}).get("expected", "")) for one in errors))


def wrong_option(model: type[Section], path: Path, expected: str = "") -> str:
    """Return the sentence about an option that says a key of ``model``; what is ``expected`` its field knows else."""
    key = str(path[0])
    return f"--{key.replace('_', '-')}: expected {expected or _of_field([key], None, fields_of(model)[key])[0]}"


def _of_field(parts: list[str], value: object, field: FieldInfo) -> tuple[str, str]:
    """What a field expects, and what to write instead of ``value``."""
    kind, default = innermost(field.annotation), field.default
    word = value.lower() if isinstance(value, str) else shown(value)
    expected, examples = field.title or "", field.examples or [default]
    if not expected and issubclass(kind, Section):
        return f"a table [{'.'.join(parts)}]", f"write a line [{'.'.join(parts)}]"
    if issubclass(kind, enum.Enum):
        choices = [str(one.value) for one in kind]
        expected = "one of " + ", ".join(map(in_toml, choices))
        close = difflib.get_close_matches(word, choices, 1, 0.5)
        examples = close or [default if isinstance(default, kind) else choices[0]]
    elif kind is bool:
        expected = expected or _TYPES[bool]
        examples = field.examples or [word in _YES or (word not in _NO and default is True)]
    elif not expected:  # a number with decimals is a time, in these files
        what = "seconds" if kind is float else _TYPES[kind]
        expected = f"{what} from {_bound(field, 'ge')} to {_bound(field, 'le')}"
    return expected, f"write {parts[-1]} = {' or '.join(map(in_toml, examples))}"


def _bound(field: FieldInfo | None, name: str) -> object:
    return next((getattr(one, name) for one in (field.metadata if field else ()) if hasattr(one, name)), None)


def kind_of(value: object) -> str:
    """Say what kind of TOML value ``value`` is, without repeating it."""
    return _TYPES.get(type(value), f"a {type(value).__name__}")


def shown(value: object) -> str:
    """Return ``value`` as a sentence repeats it: at most 60 characters, without the login in an address."""
    try:
        text = in_toml(value) if isinstance(value, bool) else repr(value)
    except ValueError:  # a number of thousands of digits
        return "a number without end"
    text = re.sub(r"//[^/\s]*@", "//...@", text)
    return text if len(text) <= 60 else f"{text[:57]}..."


def in_toml(value: object) -> str:
    """Return ``value`` as it is written in a TOML file, on one line."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {in_toml(one)}' for key, one in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(in_toml, value))}]"
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
