"""The stories ``station demo`` can tell: each a bench with its own units and products, told by one command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drivers.platforms import platform_by_slug
from drivers.virtual.factory import UnitSpec
from drivers.virtual.synthetic import SyntheticFile

from ..cloud.virtual import VirtualCloud
from ..firmware.examples import PRODUCT_VERSION, example_product
from ..settings.profile import Kind, Profile, StepRule
from ..steps.shared.allowed import Allowed
from .options import DemoOptions
from .pasts import lets_mend, were_somewhere
from .records import Wanted, wanted_record
from .surroundings import ACCOUNT
from .tray import Arrival, Widget

__all__ = ["STORIES", "Story", "story"]


@dataclass(frozen=True, slots=True)
class Story:
    """``widgets``: what the units become, one product for each platform among ``arrivals``.

    In the end every unit has to hold exactly its widget's files, and the cloud to show of it what ``wants`` says.
    ``opening``: what happened in the cloud before, to the units that will come. ``has_list``: they came with a list,
    which is imported before the first of them is plugged in.
    """

    name: str
    about: str  # one line for ``--stories``
    arrivals: tuple[Arrival, ...]
    widgets: tuple[Widget, ...]
    opening: Callable[[VirtualCloud, tuple[UnitSpec, ...]], None] | None = None
    has_list: bool = False
    allows: Callable[[tuple[UnitSpec, ...], str], Allowed] | None = None
    wants: Callable[[Profile, UnitSpec], Wanted] = lambda profile, spec: wanted_record(profile, spec, ACCOUNT)

    @property
    def files(self) -> Mapping[int, tuple[SyntheticFile, ...]]:
        """Return what the units of each platform, by its id, have to hold in the end."""
        return {widget.row.id: widget.files for widget in self.widgets}

    def profiles(self, rules: Mapping[str, StepRule]) -> tuple[Profile, ...]:
        """Return the profile of each widget. ``rules``: the steps a profile may speak of."""
        return tuple(widget.profile(rules) for widget in self.widgets)

    def options(self, rules: Mapping[str, StepRule]) -> DemoOptions:
        """Return the demo that tells it."""
        return DemoOptions(
            self.profiles(rules), arrivals=self.arrivals, units=len(self.arrivals), once=True, files=self.files,
            wants=self.wants, opening=self.opening, allows=self.allows, has_list=self.has_list,
        )  # fmt: skip


_UPDATES: tuple[tuple[str, str, str, int | None], ...] = (
    ("photon", "0.5.5", "2.3.1", None), ("p1", "1.5.2", "2.3.1", None), ("electron", "1.4.4", "3.3.1", None),
    ("argon", "1.4.4", "6.3.4", 9), ("boron", "3.3.1", "6.3.4", None), ("xenon", "0.8.0-rc.27", "1.5.2", None),
    ("esomx", "4.0.0", "6.3.4", None), ("asom", "3.3.1", "6.3.4", 9), ("bsom", "2.3.1", "6.3.4", None),
    ("xsom", "1.1.0", "1.4.4", None), ("b5som", "3.3.1", "6.3.4", None), ("tracker", "3.3.1", "6.3.4", 9),
    ("trackerm", "5.0.1", "6.3.4", None), ("p2", "5.0.1", "6.3.4", None), ("msom", "5.5.0", "6.3.4", None),
    ("electron2", "6.3.4", "6.4.1", None), ("sulu", "6.3.4", "6.4.1", None),
)  # fmt: skip
"""Platform, Device OS it comes with, that of its product, and the co-processor firmware of its product."""

_ELECTRONS = (
    Arrival("electron", "1.4.4", model="E26K"), Arrival("electron", "2.3.1", model="E35K"),
    Arrival("electron", "3.3.1", model="P035"), Arrival("electron", "1.0.1"),
    Arrival("electron", "1.4.4", model="E27T"),
)  # fmt: skip
"""Of each kind that takes a plastic SIM: E260, E350, ELC314, one of the first without a serial number, E270."""
_IMPORTED = 2
"""So many cards of the list were imported before the shift."""


def _import_cards(cloud: VirtualCloud, specs: tuple[UnitSpec, ...]) -> None:
    """Let the first cards of the list be in the product already, and active; the others are only known."""
    for spec in specs[:_IMPORTED]:
        assert spec.iccid is not None
        product = example_product(spec.platform)
        cloud.edit_sim(spec.iccid, product_id=product, status="active", activations=1, last_action="activate")


_EACH, _ALL = "unit-{id}@customers.example.com", "fleet@customers.example.com"
_BY_CODE, _ONLINE = 'claim_by = "code"', ("online = true",)


def _customer(slug: str, email: str, *more: str) -> tuple[str, ...]:
    """Return the section of a product's customers, with its own client."""
    client = (f'client_id = "{slug}-shop"', f'client_secret = "env:{slug.upper()}_SHOP_SECRET"')
    return ("[customer]", f'email = "{email}"', *client, *more)


def _developer_was_here(cloud: VirtualCloud, specs: tuple[UnitSpec, ...]) -> None:
    """Let the last unit be claimed by the developer already, as one from a desk."""
    cloud.edit_device(specs[-1].device_id, owner=ACCOUNT)


_RELEASED = 9
"""Version of the product's firmware that is released, later than the file of the profile."""
_RELEASES = tuple(
    Widget(
        platform_by_slug(slug), "6.3.4", released=_RELEASED, cloud=('offline = "hold"', "online = true"),
        sections=("[release]", 'ota = "await"'),
    )
    for slug in ("argon", "boron")
)  # fmt: skip


def _release(cloud: VirtualCloud, _: tuple[UnitSpec, ...]) -> None:
    """Upload the version that is flashed, and the later one that is released."""
    for widget in _RELEASES:
        product = example_product(widget.row)
        cloud.create_firmware(product, PRODUCT_VERSION, widget.flashed.data)
        cloud.create_firmware(product, _RELEASED, widget.files[-1].data)
        cloud.release_firmware(product, _RELEASED)


def _wants_release(profile: Profile, spec: UnitSpec) -> Wanted:
    """Return what the cloud shows of a unit that took the release: what it wants of it, and what the unit runs."""
    versions = dict.fromkeys(("targeted_firmware_release_version", "firmware_version"), _RELEASED)
    return {**wanted_record(profile, spec, ACCOUNT), **versions}


_OWNED = ("foreign owner", "nobody's")
_HELD_BACK = ("waits in quarantine", "denied", "denied, and owned", "marked for development")

STORIES = (
    Story(
        "updates",
        "one unit of every platform gets the Device OS of its product: Photon 0.5.5 to 2.3.1, Argon 1.4.4 to 6.3.4 ...",
        arrivals=tuple(Arrival(slug, old) for slug, old, _, _ in _UPDATES),
        widgets=tuple(Widget(platform_by_slug(slug), new, ncp) for slug, _, new, ncp in _UPDATES),
    ),
    Story(
        "electrons-4ff",
        "Electrons with plastic SIMs from a card list: two imported before, the others one by one, each card scanned",
        arrivals=_ELECTRONS,
        widgets=(Widget(platform_by_slug("electron"), "3.3.1", sections=("[sim]", "scan = true")),),
        opening=_import_cards,
    ),
    Story(
        "tray",
        "six Borons of a tray: its list joins the product in one request, then each is walked and adds nothing",
        arrivals=(Arrival("boron", "4.2.0"),) * 6,
        widgets=(Widget(platform_by_slug("boron"), "6.3.4"),),
        has_list=True,
    ),
    Story(
        "developer",
        "Argons and a Boron of a developer's desk, in no product: online by Wi-Fi or SIM, only then claimed and named",
        arrivals=(Arrival("argon", "3.3.1"), Arrival("boron", "4.2.0"), Arrival("argon", "1.4.4")),
        widgets=tuple(
            Widget(platform_by_slug(slug), "6.3.4", cloud=("claim = true",), kind=Kind.DEVELOPER)
            for slug in ("argon", "boron")
        ),
    ),
    Story(
        "customer",
        "units go to customers who never log in: one each, all to one, and an Electron that the developer had claimed",
        arrivals=(Arrival("argon", "6.3.4"), Arrival("boron", "6.3.4"), Arrival("electron", "3.3.1")),
        widgets=(
            Widget(platform_by_slug("argon"), "6.3.4", sections=_customer("argon", _EACH)),
            Widget(platform_by_slug("boron"), "6.3.4", cloud=_ONLINE, sections=_customer("boron", _ALL)),
            Widget(
                platform_by_slug("electron"),
                "3.3.1",
                cloud=_ONLINE,
                sections=_customer("electron", _EACH, f'unclaim_from = ["{ACCOUNT}"]'),
            ),
        ),
        opening=_developer_was_here,
    ),
    Story(
        "claim-code",
        "claim codes over USB: a Photon and an Argon of a product for its customers, a P2 for the developer",
        arrivals=(Arrival("photon", "2.3.1"), Arrival("argon", "6.3.4"), Arrival("p2", "6.3.4")),
        widgets=(
            Widget(platform_by_slug("photon"), "2.3.1", sections=_customer("photon", _ALL, _BY_CODE)),
            Widget(platform_by_slug("argon"), "6.3.4", sections=_customer("argon", _EACH, _BY_CODE)),
            Widget(platform_by_slug("p2"), "6.3.4", cloud=("claim = true", _BY_CODE), kind=Kind.DEVELOPER),
        ),
    ),
    Story(
        "release",
        f"Argons and Borons are flashed version {PRODUCT_VERSION} and wait for version {_RELEASED} over the air",
        arrivals=(Arrival("argon", "1.4.4"), Arrival("boron", "3.3.1"), Arrival("argon"), Arrival("boron")),
        widgets=_RELEASES, opening=_release, wants=_wants_release,
    ),
    Story(
        "foreign-owner",
        "a Boron of another account: unclaimed as a supervisor's list allows, then claimed; beside it one of nobody's",
        arrivals=tuple(Arrival("boron", "3.3.1") for _ in _OWNED),
        widgets=(Widget(platform_by_slug("boron"), "6.3.4", cloud=('offline = "queue"', "claim = true")),),
        opening=were_somewhere(*_OWNED),
        allows=lets_mend(*_OWNED),
    ),
    Story(
        "quarantine",
        "Borons the cloud holds back: one that waits is approved, denied and marked ones as a supervisor's list allows",
        arrivals=tuple(Arrival("boron", "3.3.1") for _ in _HELD_BACK),
        widgets=(Widget(platform_by_slug("boron"), "6.3.4"),),
        opening=were_somewhere(*_HELD_BACK),
        allows=lets_mend(*_HELD_BACK),
    ),
    Story(
        "label",
        "Borons get a label of their own once all else matched: it comes out of a virtual printer and is scanned back",
        arrivals=(Arrival("boron", "3.3.1"), Arrival("boron", "4.2.0"), Arrival("boron", "6.3.4")),
        widgets=(Widget(platform_by_slug("boron"), "6.3.4", shipped="boron-labelled"),),
    ),
)  # fmt: skip
"""In the order of ``--stories``."""


def story(name: str | None) -> Story | None:
    """Return the story of that name; None if there is none."""
    return next((one for one in STORIES if one.name == name), None)
