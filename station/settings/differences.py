"""What another profile changes for a unit, in words: from the typed sections and the descriptions of their keys.

A key left out counts as its default. Of a secret the place is told, which is all that a profile holds.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo

from .profile import Profile
from .sections import Section, fields_of, in_toml

_HEADLINE = frozenset({"id", "revision"})


def differences(old: Profile, new: Profile) -> Iterator[str]:
    """Yield a line for each key that differs, in the order of the sections; `id` and `revision` are no difference."""
    yield from _of_sections("", old, new)


def _of_sections(path: str, old: Section, new: Section) -> Iterator[str]:
    before, after = old.told(), new.told()
    fields = {**fields_of(type(old)), **fields_of(type(new))}
    for key in dict.fromkeys((*before, *after)):
        if path or key not in _HEADLINE:
            yield from _of_values(path, key, before.get(key), after.get(key), fields.get(key))


def _of_values(path: str, key: str, old: Any, new: Any, field: FieldInfo | None) -> Iterator[str]:
    inner = f"{path}.{key}" if path else key
    if old == new:
        return
    if isinstance(old, Section) and isinstance(new, Section):
        yield from _of_sections(inner, old, new)
    elif isinstance(old, Section) or isinstance(new, Section):
        yield from _of_rows(inner, [old] if old else [], [new] if new else [])
    elif isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            yield from _of_values(inner, name, old.get(name), new.get(name), field)
    elif any(isinstance(one, Section) for one in (*_listed(old), *_listed(new))):
        yield from _of_rows(inner, _listed(old), _listed(new))
    else:
        means = (field.description or "").rstrip(".") if field else ""
        yield (f"[{path}] " if path else "") + f"{key}: {_change(old, new, means)}"


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple) else ()


def _of_rows(path: str, old: Sequence[Section], new: Sequence[Section]) -> Iterator[str]:
    """Compare lists of tables: those of one name with each other, then what is left in its order."""
    left, pairs, added = list(old), list[tuple[Section, Section]](), list[Section]()
    for row in new:
        same = next((one for one in left if one.known_by == row.known_by), None)
        if same is None:
            added.append(row)
        else:
            left.remove(same)
            pairs.append((same, row))
    kept = [one for one, _ in pairs]
    if kept and kept[0].has_order and sorted(kept, key=list(old).index) != kept:
        yield f"[{path}] order: now {', '.join(one.known_by for one in new)}"
    replaced = min(len(left), len(added))
    is_only = len(old) == len(new) == 1
    for before, after in (*pairs, *zip(left, added, strict=False)):
        yield from _of_sections(path if is_only else f'{path} "{before.known_by}"', before, after)
    for what, rows in (("no longer", left[replaced:]), ("new", added[replaced:])):
        for row in rows:
            yield f"[{path}] {what}: {', '.join(_stated(row))}"


def _stated(row: Section) -> Iterator[str]:
    """Yield the keys of a table that differ from what holds without them."""
    for key, value in row.told().items():
        field = fields_of(type(row)).get(key)
        if value not in (field.default if field else None, None):
            yield f"{key} {_shown(value)}"


def _change(old: object, new: object, means: str) -> str:
    word, _, told = means.partition(": ")
    if isinstance(old, bool) and isinstance(new, bool) and word in ("true", "false"):
        return told if (word == "true") is new else f"no longer: {told}"
    return f"{_shown(old)} -> {_shown(new)}" + (f" ({means[:1].lower()}{means[1:]})" if means else "")


def _shown(value: object) -> str:
    match value:
        case None | "" | ():
            return "nothing"
        case enum.Enum():
            return str(value.value)
        case Section():
            return f"({', '.join(_stated(value))})"
        case Mapping():
            return ", ".join(f"{key} {_shown(one)}" for key, one in value.items())
        case tuple():
            return ", ".join(map(_shown, value))
        case bool() | float() | int() | str():
            return in_toml(value)
    return str(getattr(value, "slug", value))
