"""A tray of units, one of every platform, and for each platform the profile of the product that its units join.

The profiles are those shipped, and for other platforms made in the same style.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from drivers.identity import Secret
from drivers.platforms import Platform, platform_by_slug, platforms
from drivers.virtual.synthetic import SyntheticFile, ncp_firmware, release
from drivers.virtual.world import StoredNetwork

from ..firmware.examples import PRODUCT_VERSION, example_product, example_release, widget
from ..paths import find_profile
from ..settings.profile import Kind, Profile, StepRule, load_profile, parse_profile

_SHIPPED = {"p1": "p1-product", "argon": "argon-product", "boron": "boron-product", "bsom": "bsom-product"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A unit as it comes to a slot. ``device_os`` None: the demo's option says which.

    ``model``: the first characters of its serial number, where the usual ones of its platform are not meant.
    """

    slug: str
    device_os: str | None = None
    networks: tuple[StoredNetwork, ...] = ()
    model: str = ""


OLD_STOCK = Arrival("photon", "0.4.9", (StoredNetwork("at home", Secret("of its first owner")),))
"""A Photon of 2016 that was set up once: it runs its application, and nothing but its buttons makes it listen."""


def tray() -> tuple[Arrival, ...]:
    """Return one unit of every platform in the order of their ids, and a Photon of the last years behind them."""
    return (*(OLD_STOCK if row.slug == OLD_STOCK.slug else Arrival(row.slug) for row in platforms()), Arrival("photon"))


@dataclass(frozen=True, slots=True)
class Widget:
    """What the units of a platform become: members of a product, on ``device_os`` (None: on what they have).

    ``ncp``: version of the firmware their network co-processor gets, if any. ``released``: version of the product's
    firmware that the cloud brings them to, where it is not the one that is flashed. ``cloud``: lines of the profile's
    section [cloud], else the usual ones; ``sections``: further sections, as lines of TOML. A developer's
    unit is in no product. ``shipped``: the profile that comes with the station and says the same, used instead.
    """

    row: Platform
    device_os: str | None
    ncp: int | None = None
    released: int | None = None
    cloud: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    kind: Kind = Kind.PRODUCT
    shipped: str = ""

    @property
    def modules(self) -> tuple[SyntheticFile, ...]:
        """Return the files of the Device OS."""
        if self.device_os is None:
            return ()
        ncp = () if self.ncp is None else (ncp_firmware(self.row.id, self.ncp),)
        return (*release(self.row.id, self.device_os), *ncp)

    @property
    def flashed(self) -> SyntheticFile:
        """Return the application that the profile names."""
        return widget(self.row, device_os=self.device_os)

    @property
    def files(self) -> tuple[SyntheticFile, ...]:
        """Return all files a unit holds in the end."""
        if self.released is None:
            return (*self.modules, self.flashed)
        return (*self.modules, widget(self.row, "released", self.device_os, self.released))

    def profile(self, rules: Mapping[str, StepRule]) -> Profile:
        """Return the profile in the style of those shipped. ``rules``: the steps it may speak of."""
        if self.shipped:
            return load_profile(find_profile(self.shipped), rules)
        text = "".join(f"{line}\n" for line in self._lines())
        return parse_profile(text.encode(), f"{self.row.slug}.toml", rules)

    def _lines(self) -> Iterator[str]:
        row = self.row
        yield f"# What a {row.name} becomes on its way to a customer: a member of a product, with its firmware."
        yield f'id = "widget-{row.slug}"'
        yield "revision = 1"
        yield f'title = "WIDGET-{row.slug.upper()}"'
        yield f'kind = "{self.kind}"'
        yield f'platforms = ["{row.slug}"]'
        if self.kind is Kind.PRODUCT:
            yield from ("", "[product]", f"id = {example_product(row)}")
        if self.device_os is not None:
            yield from ("", "[device_os]", f'version = "{self.device_os}"', "modules = [")
            yield from (f"    {{ {', '.join(_named(file))} }}," for file in self.modules)
            yield "]"
        yield from ("", "[firmware]", *_named(self.flashed))
        if self.kind is Kind.PRODUCT:
            yield f"product_version = {PRODUCT_VERSION}"
        if row.sets_wifi_in_listening_mode:
            yield from ("", "[wifi]", 'ssid = "station-demo"', 'password = "env:STATION_WIFI_PASSWORD"')
            yield from ("", "[cloud]", *(self.cloud or ('offline = "hold"', "online = true")))
        else:
            yield from ("", "[cloud]", *(self.cloud or ('offline = "queue"',)))
        yield from ("", *self.sections)
        yield from ("", "[name]", 'template = "{serial}"', 'fallback = "{platform}-{id6}"')


def tray_profiles(arrivals: tuple[Arrival, ...], rules: Mapping[str, StepRule]) -> tuple[Profile, ...]:
    """Return a profile for each platform among ``arrivals``. ``rules``: the steps a profile may speak of."""
    profiles = []
    for slug in dict.fromkeys(arrival.slug for arrival in arrivals):
        row = platform_by_slug(slug)
        if slug in _SHIPPED:
            profiles.append(load_profile(find_profile(_SHIPPED[slug]), rules))
        else:
            profiles.append(Widget(row, example_release(row)).profile(rules))
    return tuple(profiles)


def _named(file: SyntheticFile) -> tuple[str, str]:
    return f'file = "{file.name}"', f'sha256 = "{hashlib.sha256(file.data).hexdigest()}"'
