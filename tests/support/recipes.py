"""Profiles as stories walk them, and what one walk was: what `line_bench` is made of, without the bench."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.platforms import OsVersion, platform_by_slug, platforms
from drivers.virtual import synthetic
from drivers.virtual.factory import factory_modules
from drivers.virtual.synthetic import SyntheticFile
from station.engine.events import AttemptFinished, AttemptStarted, Event, StepFinished
from station.engine.records import WriteIntended
from station.model import Outcome, Verdict
from station.settings.profile import Profile
from support.known_steps import parse_profile

ME = "line@example.com"
SSID = "bench-net"
PASSWORD = "correct horse battery"
PRODUCTS = {row.slug: 20100 + row.id for row in platforms()} | {"boron": 20001, "argon": 20002, "bsom": 20003}
OTHER_PRODUCT = 20099


@dataclass(frozen=True)
class Recipe:
    """A profile a story walks. ``modules`` and ``application`` None: the synthetic ones of ``runs``."""

    platform: str = "boron"
    device_os: str | None = "6.3.4"
    modules: tuple[SyntheticFile, ...] | None = None
    application: SyntheticFile | None = None
    has_application: bool = True
    kind: str = "product"
    product: int | None = None  # None: the platform's own
    slug: str = ""  # in place of the product's number
    offline: str = ""  # as the profile leaves it when it does not say
    claim: bool = False
    claim_user: str = ""
    claim_by: str = ""  # as the profile leaves it when it does not say
    online: bool = False
    wifi: bool | None = None  # None: where the platform has it
    networks: str = ""  # sections [wifi] in place of the usual one
    label: bool = False
    skus: tuple[str, ...] = ()
    keep_secret: bool = False
    allow_downgrade: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    name: str = "{serial}"
    fallback: str = "{platform}-{id6}"
    more: str = ""  # further sections
    revision: int = 1
    keeps: str = ""  # Device OS that the units hold and keep, where `device_os` is None
    released: int | None = None  # version that the cloud brings units to over the air; flashed is the one before

    @property
    def id(self) -> str:
        return f"story-{self.platform}-{self.kind}"

    @property
    def batch(self) -> str:
        return f"batch-{self.id}-r{self.revision}"

    @property
    def platform_id(self) -> int:
        return platform_by_slug(self.platform).id

    @property
    def has_wifi(self) -> bool:
        return platform_by_slug(self.platform).sets_wifi_in_listening_mode if self.wifi is None else self.wifi

    @property
    def runs(self) -> str:
        """Device OS of a unit that passed, where the recipe says one."""
        return self.device_os or self.keeps

    def release(self) -> tuple[SyntheticFile, ...]:
        if self.modules is not None:
            return self.modules
        return synthetic.release(self.platform_id, self.device_os) if self.device_os else ()

    def app(self) -> SyntheticFile | None:
        if not self.has_application:
            return None
        if self.released is not None:
            return self.program("story", number=self.released - 1)
        return self.application or self.program("story")

    def program(self, seed: str, size: int = 12_000, number: int | None = None) -> SyntheticFile:
        """An application for the units of this recipe; before Device OS 1.5 it has to name their product (D7)."""
        version = self.runs or synthetic.versions(self.platform_id)[0]
        names_product = self.runs and self.kind == "product" and OsVersion.parse(version) < OsVersion.parse("1.5.0")
        product = (self.product or PRODUCTS[self.platform], 7) if names_product else (synthetic.NO_PRODUCT,) * 2
        if number is not None:
            product = (product[0], number)
        return synthetic.application(
            self.platform_id, version, product_id=product[0], product_version=product[1], seed=seed, size=size
        )

    def held(self) -> tuple[SyntheticFile, ...]:
        """What a unit holds that passed: the Device OS it keeps, and the files of the profile."""
        kept = synthetic.release(self.platform_id, self.keeps) if self.keeps else ()
        if self.released is None:
            return (*kept, *self.files())
        return (*kept, *self.release(), self.program("released", number=self.released))

    def files(self) -> tuple[SyntheticFile, ...]:
        app = self.app()
        return (*self.release(), *((app,) if app else ()))

    def text(self) -> str:
        """The profile as a process engineer would write it."""
        lines = [
            f'id = "{self.id}"', f"revision = {self.revision}", f'kind = "{self.kind}"',
            f'platforms = ["{self.platform}"]',
        ]  # fmt: skip
        if self.skus:
            lines.append(f"skus = [{', '.join(map(json.dumps, self.skus))}]")
        if self.kind == "product":
            number = f"id = {self.product or PRODUCTS[self.platform]}"
            lines += ["[product]", f'slug = "{self.slug}"' if self.slug else number]
        if self.device_os is not None:
            rows = ", ".join(_ref(file) for file in self.release())
            lines += [
                "[device_os]", f'version = "{self.device_os}"', f"modules = [{rows}]",
                f"allow_downgrade = {str(self.allow_downgrade).lower()}",
            ]  # fmt: skip
        app = self.app()
        if app is not None:
            lines += ["[firmware]", *_ref(app)[2:-2].split(", ")]
        if self.has_wifi:
            lines += [self.networks or f'[wifi]\nssid = "{SSID}"\npassword = "env:STORY_WIFI"']
        flags = (str(flag).lower() for flag in (self.claim, self.online))
        lines += [
            "[cloud]",
            *([f'offline = "{self.offline}"'] if self.offline else []),
            *([f'claim_user = "{self.claim_user}"'] if self.claim_user else []),
            *([f'claim_by = "{self.claim_by}"'] if self.claim_by else []),
            *map("{} = {}".format, ("claim", "online"), flags),
        ]
        lines += ["[name]", f'template = "{self.name}"', f'fallback = "{self.fallback}"']
        lines += ["[label]", f"expect = {str(self.label).lower()}", f"keep_secret = {str(self.keep_secret).lower()}"]
        if self.released is not None:
            lines += ["[release]"]
        lines += [f"[steps.{step}]\nlimit_s = {seconds}" for step, seconds in self.limits.items()]
        return "\n".join([*lines, *([self.more] if self.more else []), ""])

    def profile(self) -> Profile:
        return parse_profile(self.text().encode(), f"{self.id}.toml")


def _ref(file: SyntheticFile) -> str:
    return f'{{ file = "{file.name}", sha256 = "{hashlib.sha256(file.data).hexdigest()}" }}'


def old_radio(platform: str = "boron", device_os: str = "3.3.1") -> tuple[bytes, ...]:
    """Modules of a unit in safe mode: its SoftDevice is older than its system part wants."""
    number = platform_by_slug(platform).id
    return (*factory_modules(number, device_os), synthetic.softdevice(number, 182).data)


BORON = Recipe("boron")
ARGON = Recipe("argon", online=True)
DEVELOPER = Recipe("argon", kind="developer", claim=True, online=True)


@dataclass(frozen=True)
class Walk:
    """One attempt as a story looks at it, with what the virtual side counted meanwhile."""

    started: AttemptStarted
    finished: AttemptFinished
    events: tuple[Event, ...]
    flash_writes: int
    cloud_writes: int
    transfers: int

    @property
    def verdict(self) -> Verdict:
        return self.finished.verdict

    @property
    def seconds(self) -> float:
        return self.finished.seconds

    @property
    def steps(self) -> dict[str, StepFinished]:
        return {event.step: event for event in self.events if isinstance(event, StepFinished)}

    @property
    def outcomes(self) -> dict[str, str]:
        return {name: step.outcome.value for name, step in self.steps.items()}

    @property
    def writes(self) -> list[str]:
        """Return what was announced to be written to the unit, in order."""
        return [event.what for event in self.events if isinstance(event, WriteIntended) and event.target == "unit"]

    def with_outcome(self, outcome: Outcome) -> set[str]:
        return {name for name, step in self.steps.items() if step.outcome is outcome}

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]
