"""Events kept in files, one JSON line each as ``--json`` writes them, and read back as the events they were."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from station.engine import console_events, records
from station.engine import events as ev
from station.words.say import Say

from .spoken import filled

FOLDER = Path(__file__).parents[1] / "tui" / "recorded"


def kept(events: Iterable[ev.Event], path: Path) -> None:
    """Write ``events`` to a file."""
    path.write_text("".join(json.dumps(event.to_json()) + "\n" for event in events), encoding="ascii")


def read(name: str) -> list[ev.Event]:
    """Return the events of a recorded file."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="ascii").splitlines()
    return [_event(json.loads(line)) for line in lines]


def _event(row: dict[str, Any]) -> ev.Event:
    name = row.pop("kind")
    kind = next(getattr(room, name) for room in (ev, records, console_events) if hasattr(room, name))
    says = [field.name for field in dataclasses.fields(kind) if typing.get_type_hints(kind)[field.name] is Say]
    said = {name: filled(row.pop("sentence"), *row.pop("values")) for name in says}
    made: ev.Event = kind(**said, **_fields(kind, row))
    return made


def _fields(kind: Any, row: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {name: _value(hints[name], value) for name, value in row.items()}


def _value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return _value(next(one for one in arguments if one is not type(None)), value)
    if typing.get_origin(hint) is tuple:
        hints = (arguments[0],) * len(value) if arguments[1:] == (...,) else arguments
        return tuple(_value(one, part) for one, part in zip(hints, value, strict=True))
    if dataclasses.is_dataclass(hint):
        return hint(**_fields(hint, value))  # type: ignore[operator]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint[value] if issubclass(hint, enum.IntEnum) else hint(value)
    if hint is datetime.datetime:
        return datetime.datetime.fromisoformat(value)
    return value
