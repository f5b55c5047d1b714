"""What a section of a profile is: a table of its own that one step brings along, with the rules it is judged by.

Each section stands with the step that owns it, or in the room below that works with it. It is handed what it may know
of the rest of the profile (`Context`) and never reaches for it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from drivers.platforms import Platform

from .sections import Mistake, Section


class Kind(enum.StrEnum):
    """What a unit becomes."""

    PRODUCT = "product"  # a member of a product
    DEVELOPER = "developer"  # in no product, claimed by a developer account


@dataclass(frozen=True, slots=True)
class Context:
    """What a section may know of its profile. ``written``: the keys at the top of the file, good or not."""

    kind: Kind
    platforms: tuple[Platform, ...]
    skus: tuple[str, ...]
    written: frozenset[str]


IS_PRODUCT, IS_DEVELOPER = (
    {"properties": {"kind": {"const": kind.value}}, "required": ["kind"]} for kind in (Kind.PRODUCT, Kind.DEVELOPER)
)
"""Schemas of profiles of each kind, for `where`."""


def where(*conditions: Mapping[str, Any], **keys: Any) -> dict[str, Any]:
    """Return a schema by which a profile that any of ``conditions`` fits has such ``keys``."""
    return {"if": {"anyOf": list(conditions)}, "then": {"properties": keys}}


class ProfileSection(Section):
    """One section of a profile. None stands for one that is left out."""

    @classmethod
    def field(cls) -> tuple[Any, Any]:
        """Return the type of the section's key in the profile, and its default or `Field`."""
        return cls | None, Field(default=None, validate_default=True)

    def check(self, _context: Context) -> Iterator[Mistake]:
        """Yield what is wrong between its keys or with the rest of the profile; each key is good by itself then."""
        yield from ()

    @classmethod
    def schema_rules(cls) -> Iterator[dict[str, Any]]:
        """Yield in JSON Schema what these checks refuse by the rest of the profile, as far as it can say so.

        Each is a schema of the whole profile (see `where`). Rules among the section's own keys go into its class:
        ``json_schema_extra``. None may refuse what the checks accept.
        """
        yield from ()

    @classmethod
    def check_presence(cls, _context: Context, _is_there: bool) -> Iterator[Mistake]:
        """Yield why such a profile must have the section, or must not: its keys are not looked at then."""
        yield from ()


class SectionWithDefaults(ProfileSection):
    """A section that holds where a profile leaves it out too: every key has a default."""

    @classmethod
    def field(cls) -> tuple[Any, Any]:
        return cls, Field(default=cls(), validate_default=True)


@dataclass(frozen=True, slots=True)
class StepRule:
    """What a profile may say of a step: ``limit_s`` is what holds if it says nothing.

    ``sections``: those of the step, by their keys. A profile may leave each of them out, if the section agrees.
    """

    limit_s: float
    may_be_off: bool = False
    sections: tuple[tuple[str, type[ProfileSection]], ...] = ()


def steps_section(rules: Mapping[str, StepRule]) -> type[Section]:
    """Return [steps] with a section for each step of ``rules``: ``limit_s`` and ``enabled``."""
    limit = Field(ge=5, le=86400, description="How long one try may take, in seconds.")
    optional = ", ".join(name for name, rule in rules.items() if rule.may_be_off)
    must = f"true: only {optional} may be switched off"
    always = Field(title=must, examples=[True], description=must)
    either = Field(description="false: units of this profile leave the step out.")
    fields: dict[str, Any] = {}
    for name, rule in rules.items():
        enabled: Any = Annotated[bool, either] if rule.may_be_off else Annotated[Literal[True], always]
        keys: Any = {"limit_s": (Annotated[float, limit], float(rule.limit_s)), "enabled": (enabled, True)}
        step = create_model(f"Step {name}", __base__=Section, __doc__=f"The step {name}.", **keys)
        fields[name] = (step, step())
    return create_model("Steps", __base__=Section, __doc__="Time limits, and steps switched off.", **fields)
