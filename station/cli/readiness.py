"""Says what a shift with a profile would miss on this bench while there is no internet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ParamSpec

from drivers.host.executable import Programs

from ..errors import BadInput
from ..firmware.release import files_of, load_release
from ..firmware.store import FirmwareStore
from ..line.batches import customers_of
from ..settings.profile import Profile
from ..settings.secrets import SecretSource
from ..steps.local_test import missing_programs
from ..steps.product_add import Product, product_id
from ..steps.shared.cloud_sections import Cloud
from ..steps.shared.wifi_section import Wifi

P = ParamSpec("P")


def missing(
    profile: Profile, store: FirmwareStore, secrets: SecretSource, programs: Programs, knows: Callable[[str], bool]
) -> Iterator[str]:
    """Yield a sentence for everything that is missing. ``knows``: whether the cloud told of that product before."""
    yield from _files(profile, store)
    yield from missing_secrets(profile, secrets)
    yield from missing_programs(profile, programs)
    cloud, product = profile.section(Cloud), profile.section(Product)
    if not cloud.queues(profile.context):
        why = cloud.why_hold(profile.context) or 'the profile says offline = "hold"'
        yield f"without the cloud every unit waits in its slot: {why}"
    elif product is not None and not knows(str(product.ref)):
        yield f"the cloud never told this bench of product {product.ref}; let one unit pass with internet first"


def missing_secrets(profile: Profile, secrets: SecretSource) -> Iterator[str]:
    """Yield a sentence for every secret that a profile names and nobody has set."""
    yield from (words for network in profile.sections(Wifi) for words in _said(network.goal, secrets))
    yield from _said(customers_of, profile, secrets)


def _files(profile: Profile, store: FirmwareStore) -> Iterable[str]:
    """Yield what is wrong with single files, or, where they all are good, with the whole of each platform."""
    single = [words for ref in files_of(profile) for words in _said(store.read, ref)]
    if single:
        return single
    number = product_id(profile)
    return [words for row in profile.platforms for words in _said(load_release, profile, row, store, number)]


def _said(check: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> tuple[str, ...]:
    """Return the sentences with which ``check`` refuses."""
    try:
        check(*args, **kwargs)
    except BadInput as error:
        return error.sentences
    return ()
