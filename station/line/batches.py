"""Opens batches: checks that everything a profile needs is there before the first unit, else refuses."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from drivers.clock import Clock, Deadline
from drivers.errors import DeadlineExceeded

from ..cloud import api
from ..cloud.answers import Product
from ..cloud.client import CloudClient
from ..cloud.customer_api import ClientSecret, ProductClient
from ..cloud.errors import is_waiting
from ..engine.events import BatchOpened, Event
from ..engine.records import FirmwareNamed, ProductCached, ReworkAllowed
from ..engine.step import StepContext
from ..errors import BadInput, CloudError
from ..firmware.release import files_of, load_release
from ..firmware.store import FirmwareStore
from ..model import Batch
from ..paths import find_profile
from ..settings.profile import Profile, load_profile
from ..settings.secrets import SecretSource
from ..steps import product_add
from ..steps.shared.allowed import Allowed
from ..steps.shared.cloud_sections import Cloud, Release
from ..steps.shared.customer_section import Customer
from ..steps.shared.customers import CustomerDesk
from ..steps.shared.released import NotReleased, Releases, foresee
from ..steps.shared.wifi_section import Wifi
from ..steps.table import StepTable
from ..words.say import Say
from .account import Needs, check_account, needs_of
from .bench import Bench, OpenBatch
from .releases import BatchRefused, Gate

DESK_S = 5.0
"""How long opening a batch waits for the cloud's answer about its product."""
PRODUCT_S = 30.0
"""How long the cloud may take to answer about a product while a unit waits; the journal may know it too."""


class KnownBatch(Protocol):
    """A batch in the journal; ``closed_at`` is None while it is open."""

    @property
    def batch(self) -> Batch: ...
    @property
    def closed_at(self) -> datetime.datetime | None: ...


class KnownProduct(Protocol):
    """A product as the cloud described it earlier."""

    @property
    def product_id(self) -> int: ...
    @property
    def slug(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def platform_id(self) -> int: ...


class BatchJournal(Protocol):
    """The part of the journal needed to open a batch."""

    def batch(self, batch: str) -> KnownBatch | None:
        """Return the batch of that name, None when there never was one."""
        ...

    def cached_product(self, ref: str) -> KnownProduct | None:
        """Return the product last seen under ``ref`` (number or slug), None when it never was."""
        ...

    def modules_of_file(self, digits: str) -> tuple[str, ...]:
        """Return the hashes of the modules in the file whose SHA-256 begins so; none if it was never named."""
        ...

    def record(self, *events: Event) -> object:
        """Commit all of ``events`` in one transaction."""
        ...


class Batches:
    """Opens the batches of one station. ``steps``: those a profile may name; ``gate``: which profiles may."""

    def __init__(
        self,
        bench: Bench,
        client: CloudClient,
        journal: BatchJournal,
        clock: Clock,
        store: FirmwareStore,
        secrets: SecretSource,
        steps: StepTable,
        gate: Gate,
    ) -> None:
        self._bench, self._client, self._journal, self._clock = bench, client, journal, clock
        self._store, self._secrets, self._steps, self._gate = store, secrets, steps, gate
        self._profiles: dict[str, Profile] = {}

    def open(
        self, batch: str, profile: Profile, target: int | None, allowed: Allowed | None = None
    ) -> OpenBatch:  # fmt: skip
        """Check everything the profile needs, then open the batch, or continue an open one.

        ``allowed``: a supervisor's list for this batch, for as long as this station runs.

        Raises `BadInput` when a file is missing, a secret is not set, the batch belongs to another profile, or the
        profile is not released.
        """
        number = product_add.product_id(profile)
        opened = OpenBatch(
            batch=self._batch(batch, profile, target), profile=profile,
            files={p.id: load_release(profile, p, self._store, number) for p in profile.platforms},
            wifi=tuple(network.goal(self._secrets) for network in profile.sections(Wifi)),
            find_product=ProductFinder(profile, self._client, self._journal, self._clock),
            releases=Releases(self._client, self._clock), allowed=allowed,
            customers=customers_of(profile, self._secrets),
        )  # fmt: skip
        self._bench.check(opened)
        notes = (*self._check_account(needs_of(profile, self._steps, allowed)), *self._foresee_release(opened))
        known = self._journal.batch(batch)
        is_news = known is None or known.batch != opened.batch  # a trial becomes a release, an older record gets one
        if events := (*([self.event(opened)] if is_news else ()), *self._new_files(profile)):
            self._journal.record(*events)
        if allowed is not None:
            self._journal.record(ReworkAllowed(
                at=self._clock.utc(), batch=batch, by=allowed.by, sha256=allowed.sha256,
                units=tuple(f"{one.unit} {', '.join(one.cures)}" for one in allowed.units),
            ))  # fmt: skip
        opened = replace(opened, notes=notes)
        self._bench.add(opened)  # from now on units are walked in it
        self._profiles[profile.id] = profile
        return opened

    def _new_files(self, profile: Profile) -> Iterator[FirmwareNamed]:
        """Yield what the journal is told of files it does not know: later, their hash is all that anybody has."""
        new = [ref for ref in files_of(profile) if not self._journal.modules_of_file(ref.sha256)]
        if new:
            files = tuple((ref.file, ref.sha256, *self._store.modules(ref)) for ref in new)
            yield FirmwareNamed(at=self._clock.utc(), files=files)

    def event(self, opened: OpenBatch) -> BatchOpened:
        """Return the event that announces an open batch."""
        title = opened.profile.title or opened.profile.id
        return BatchOpened(at=self._clock.utc(), batch=opened.batch, title=title)

    def profile(self, name: str) -> Profile:
        """Find a profile by the id it was loaded with, or by what ``--profile`` takes; raises `BadInput`."""
        loaded = self._profiles.get(name)
        if loaded is not None:
            return loaded
        try:
            path = find_profile(name)
        except BadInput as error:
            known = ", ".join(self._profiles) or "none"
            raise BatchRefused(f"{error}; loaded: {known}", Say("profile_unreleased", profile=name)) from error
        return load_profile(path, self._steps.rules)

    def _batch(self, batch: str, profile: Profile, target: int | None) -> Batch:
        known = self._journal.batch(batch)
        if known is None:
            return Batch(batch, profile.ref, target, self._gate(profile))
        if known.closed_at is not None:
            raise BatchRefused(f"batch {batch} is closed; open a new one", Say("batch_ended", batch=batch))
        if known.batch.profile != profile.ref:
            made_with = known.batch.profile
            raise BadInput(
                f"batch {batch} was opened with {made_with.id} revision {made_with.revision}, not with this text of"
                f" {profile.id} revision {profile.revision}; close it and open a new batch"
            )
        return replace(known.batch, release=self._gate(profile))

    def _check_account(self, needs: Needs) -> tuple[str, ...]:
        """Return what a person should know of the account; raise `BadInput` for what would stop every unit.

        While the cloud is away nothing is checked; the first unit asks, and waits for the answer.
        """
        found = list(check_account(self._client, self._clock, [needs], DESK_S))
        if stops := [one.words for one in found if one.stops_line]:
            raise BadInput(*stops)
        return tuple(f"{one.what}: {one.words}" for one in found if one.tells_line)

    def _foresee_release(self, opened: OpenBatch) -> tuple[str, ...]:
        """Return what to tell of updates over the air, before the first unit (D2). While the cloud is away, nothing.

        Raises `BadInput` when the cloud has no released version for units of the profile, or one that it refuses.
        """
        profile, product = opened.profile, opened.profile.section(product_add.Product)
        if product is None or profile.section(Release) is None:
            return ()
        try:
            files = [one.application for one in opened.files.values()]
            found = foresee(profile, product.ref, files, opened.releases, Deadline.after(self._clock, DESK_S))
        except NotReleased as error:
            raise BadInput(str(error)) from error
        except (CloudError, DeadlineExceeded):
            return ()
        return tuple(f"release: {one}" for one in found if one.is_sent)


def customers_of(profile: Profile, secrets: SecretSource) -> CustomerDesk | None:
    """Return what speaks for the customers of ``profile``, None if it has none; raises `BadInput` without a secret."""
    customer = profile.section(Customer)
    if customer is None:
        return None
    client = ProductClient(customer.client_id, secrets.resolve(customer.client_secret, ClientSecret))
    return CustomerDesk(client, is_one_for_all=customer.is_one_for_all)


class ProductFinder:
    """Finds the profile's product: asks the cloud once and keeps the answer in the journal for when it is away."""

    def __init__(self, profile: Profile, client: CloudClient, journal: BatchJournal, clock: Clock) -> None:
        self._profile, self._client, self._journal, self._clock = profile, client, journal, clock
        self._found: Product | None = None

    def __call__(self, ctx: StepContext) -> Product | None:
        """Return the product, None for a developer profile. Raises `CloudError` if it is not known from earlier."""
        wanted = self._profile.section(product_add.Product)
        if wanted is None or self._found is not None:
            return self._found
        known = self._remembered(wanted.ref)
        if known is not None and self._client.reachable is False:
            return known
        try:
            deadline = ctx.deadline.sooner(PRODUCT_S)
            self._found = self._client.run(api.product(wanted.ref), deadline=deadline, cancel=ctx.cancel)
        except CloudError as error:
            if known is None or not is_waiting(error):
                raise
            return known
        self._keep(wanted.ref, self._found)
        return self._found

    def _remembered(self, ref: str) -> Product | None:
        """Return what the journal knows; only a profile that queues cloud work may use it."""
        cached = self._journal.cached_product(ref)
        if cached is None or not self._profile.section(Cloud).queues(self._profile.context):
            return None
        return Product(cached.product_id, cached.slug, cached.name, cached.platform_id)

    def _keep(self, ref: str, product: Product) -> None:
        self._journal.record(
            ProductCached(
                at=self._clock.utc(), ref=ref, product_id=product.id, platform_id=product.platform_id,
                name=product.name, slug=product.slug,
            )
        )  # fmt: skip
