"""A profile: what one kind of unit shall become, read from a TOML file into frozen values.

What can only be judged with the firmware files at hand (D6 D7, dependencies) is judged in `station.firmware`.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar, overload

from pydantic import Field, PlainValidator, PrivateAttr, ValidationInfo, WithJsonSchema, create_model, field_validator

from drivers.platforms import Platform, platforms

from ..model import ProfileRef
from .document import Document
from .profile_sections import (
    IS_PRODUCT,
    Context,
    Kind,
    ProfileSection,
    SectionWithDefaults,
    StepRule,
    steps_section,
    where,
)
from .sections import ABSENT, Mistake, Section, in_toml, innermost, json_schema, read_document, refusal, refuse, shown
from .sku import SKUS, skus_of

__all__ = [
    "Kind",
    "Profile",
    "StepRule",
    "is_taken",
    "load_profile",
    "parse_profile",
    "profile_model",
    "profile_schema",
]


def _platform(value: object) -> Platform:
    row = next((row for row in platforms() if type(value) in (str, int) and value in _names(row)), None)
    if row is None:
        known = ", ".join(f'"{row.slug}" ({row.id})' for row in platforms())
        close = difflib.get_close_matches(
            shown(value), [name for row in platforms() for name in _names(row) if isinstance(name, str)], 1
        ) or ["boron"]
        raise refusal(Mistake((), f"platforms among {known}", f'write platforms = ["{close[0]}"]', shown(value)))
    return row


def _names(row: Platform) -> tuple[str | int, ...]:
    return row.slug, *row.other_slugs, row.id


def _list_platforms(schema: dict[str, Any]) -> None:
    schema["enum"] = [name for row in platforms() for name in _names(row)]


S = TypeVar("S", bound=ProfileSection)
D = TypeVar("D", bound=SectionWithDefaults)


def _any_of(skus: Iterable[str]) -> dict[str, Any]:
    """Return the schema of a list of SKUs among ``skus``; those in small letters are judged by the reader alone."""
    return {"items": {"anyOf": [{"enum": sorted(skus)}, {"type": "string", "pattern": "[a-z]"}]}}


_SKUS_SCHEMA = {"type": "array", "minItems": 1, "maxItems": 64, **_any_of(SKUS)}
_JUDGED_BY = ("kind", "platforms", "skus")
_PlatformName = Annotated[Any, Field(json_schema_extra=_list_platforms)]
_PlatformField = Annotated[Platform, PlainValidator(_platform, json_schema_input_type=_PlatformName)]


class Profile(Section):
    """What one kind of unit shall become."""

    id: str = Field(
        pattern=r"^[\w.-]{1,40}$", title="letters, digits, dots and dashes, at most 40", examples=["widget-boron"],
        description="Stands in every record; the same for all revisions of this profile.",
    )  # fmt: skip
    revision: int = Field(ge=1, le=65535, examples=[1], description="Raise it whenever a change goes to the line.")
    title: str = Field(
        default="", min_length=1, max_length=60, title="a title of at most 60 characters", examples=["WIDGET"],
        description="What the header of the bench screen shows.",
    )  # fmt: skip
    kind: Kind = Field(strict=False, description="product: joins a product. developer: joins none and is claimed.")
    platforms: tuple[_PlatformField, ...] = Field(
        strict=False, min_length=1, max_length=16, title="platform names or ids", examples=[["boron"]],
        description="The platforms of the units; a product has exactly one.",
    )  # fmt: skip
    skus: Annotated[tuple[str, ...], WithJsonSchema(_SKUS_SCHEMA)] = Field(
        default=(), strict=False, min_length=1, max_length=64, title="SKUs in quotes", examples=[["BRN404X"]],
        description="What is ordered under this profile, if not any SKU; each must be one that a serial number tells.",
    )  # fmt: skip

    step_settings: Section = Field(alias="steps")  # whose steps these are, says `_model`
    _sha256: str = PrivateAttr()
    _written: frozenset[str] = PrivateAttr()
    _path: Path = PrivateAttr()

    @field_validator("platforms")
    @classmethod
    def _one_for_a_product(cls, rows: tuple[Platform, ...], info: ValidationInfo) -> tuple[Platform, ...]:
        rows = tuple(dict.fromkeys(rows))
        if len(rows) > 1 and info.data.get("kind") is Kind.PRODUCT:
            expected, found = "one platform, as a product has one (C3)", " and ".join(row.slug for row in rows)
            raise refusal(Mistake((), expected, f'write platforms = ["{rows[0].slug}"]', found))
        return rows

    @field_validator("skus")
    @classmethod
    def _are_told_by_serial_numbers(cls, skus: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse a name nobody can check: it would switch the check off."""
        rows = info.data.get("platforms") or platforms()
        known, names = skus_of([row.id for row in rows]), " or ".join(row.name for row in rows)
        if not known:
            raise refusal(Mistake((), f"no skus: no serial number tells the SKU of a {names}", "remove it", "some"))
        mistakes = []
        for at, sku in enumerate(skus):
            if sku.upper() not in known:
                close = difflib.get_close_matches(sku.upper()[:20], known, 2, 0.6) or known[:1]
                expected = f"SKUs of a {names} that its serial number tells"
                advice = f"write skus = {in_toml(sorted(close))}, or remove it"
                mistakes.append(Mistake((at,), expected, advice, shown(sku)))
        refuse(mistakes)
        return tuple(sku.upper() for sku in skus)

    @field_validator("*", mode="wrap")
    @classmethod
    def _check_section(cls, value: Any, read: Callable[[Any], Any], info: ValidationInfo) -> Any:
        """Judge a section whose keys are good, once what it is judged by is good too."""
        section = innermost(cls.model_fields[str(info.field_name)].annotation)
        if not issubclass(section, ProfileSection) or any(key not in info.data for key in _JUDGED_BY):
            return read(value)
        assert isinstance(info.context, Document)
        context = Context(**{key: info.data[key] for key in _JUDGED_BY}, written=frozenset(info.context.data))
        refuse(section.check_presence(context, value is not None))
        found = read(value)
        if isinstance(found, tuple):
            refuse(replace(one, key=(at, *one.path)) for at, row in enumerate(found) for one in row.check(context))
        elif found is not None:
            refuse(found.check(context))
        return found

    def model_post_init(self, document: Document) -> None:
        """Remember the text; pydantic calls it."""
        self._sha256 = hashlib.sha256(document.raw).hexdigest()
        self._written = frozenset(document.data)
        self._path = Path(document.name)

    @property
    def sha256(self) -> str:
        """SHA-256 of the text: it says which text made a unit."""
        return self._sha256

    @property
    def path(self) -> Path:
        """The file it was read from."""
        return self._path

    @property
    def context(self) -> Context:
        """What its sections may know of it."""
        return Context(self.kind, self.platforms, self.skus, self._written)

    @overload
    def section(self, kind: type[D]) -> D: ...
    @overload
    def section(self, kind: type[S]) -> S | None: ...
    def section(self, kind: type[S]) -> S | None:
        """Return the section that ``kind`` declares; if the profile leaves it out, its defaults, or None."""
        absent = kind() if issubclass(kind, SectionWithDefaults) else None
        return next((value for _, value in self if isinstance(value, kind)), absent)

    def sections(self, kind: type[S]) -> tuple[S, ...]:
        """Return all sections of a kind that a profile may have several of."""
        lists = (value for _, value in self if isinstance(value, tuple))
        return tuple(one for value in lists for one in value if isinstance(one, kind))

    @property
    def limits(self) -> dict[str, float]:
        """Seconds that one try of a step may take, by step."""
        return {name: step.limit_s for name, step in dict(self.step_settings).items()}

    @property
    def switched_off(self) -> frozenset[str]:
        return frozenset(name for name, step in dict(self.step_settings).items() if not step.enabled)

    @property
    def ref(self) -> ProfileRef:
        return ProfileRef(self.id, self.revision, self.sha256)

    def fits(self, platform_id: int | None) -> bool:
        """Is this profile for units of that platform?"""
        return any(row.id == platform_id for row in self.platforms)


def load_profile(path: Path, steps: Mapping[str, StepRule]) -> Profile:
    """Read the profile in the file ``path``; raises `station.errors.BadInput`. ``steps``: those it may speak of."""
    return _profile(Document.read(path), steps)


def parse_profile(raw: bytes, name: str, steps: Mapping[str, StepRule]) -> Profile:
    """Read a profile from the bytes of a file called ``name``, as `load_profile` does."""
    return _profile(Document(raw, name), steps)


def profile_schema(steps: Mapping[str, StepRule]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of profiles that may speak of ``steps``.

    It refuses no profile that the reader accepts. What it cannot say, only the reader refuses: versions in order,
    fields of a name, SKUs in small letters.
    """
    rules = [one for rule in steps.values() for _, section in rule.sections for one in section.schema_rules()]
    schema = json_schema(profile_model(steps), "Profile of a provisioning station")
    return schema | {"allOf": [*_schema_rules(), *rules]}


def _schema_rules() -> Iterator[dict[str, Any]]:
    """Yield what JSON Schema can say of the keys at the top."""
    only = {row.id: {"items": {"enum": [row.slug, row.id]}, "minItems": 1} for row in platforms()}
    yield where(IS_PRODUCT, platforms={"anyOf": list(only.values())})
    for number, names in only.items():
        skus = skus_of([number])
        yield where(
            {"properties": {"platforms": names}, "required": ["platforms"]}, skus=_any_of(skus) if skus else ABSENT
        )


def is_taken(key: str) -> bool:
    """Whether no step can have a section called ``key``: a profile has something else by that name."""
    return hasattr(Profile, key) or any(key in (name, field.alias) for name, field in Profile.model_fields.items())


def _profile(document: Document, steps: Mapping[str, StepRule]) -> Profile:
    names = document.data.get("platforms")
    first = next((row.slug for row in platforms() if isinstance(names, list) and row.slug in names), "argon")
    return read_document(document, profile_model(steps), {"platform": first})


def profile_model(steps: Mapping[str, StepRule]) -> type[Profile]:
    """Return `Profile` with the sections that ``steps`` bring along."""
    return _model(tuple(steps.items()))


@functools.cache
def _model(steps: tuple[tuple[str, StepRule], ...]) -> type[Profile]:
    fields: dict[str, Any] = {key: section.field() for _, rule in steps for key, section in rule.sections}
    settings = steps_section(dict(steps))
    fields["step_settings"] = (settings, Field(settings(), alias="steps"))
    return create_model("Profile", __base__=Profile, __doc__=Profile.__doc__, **fields)
