"""Makes what a demo's profiles need outside the station: cloud account, products, access points, passwords."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from drivers.clock import Clock
from drivers.identity import Secret
from drivers.virtual.world import AccessPoint

from ..cloud.virtual import VirtualCloud
from ..settings.profile import Profile
from ..settings.secrets import SecretRef, SecretSource
from ..steps.product_add import Product
from ..steps.shared.wifi_section import Wifi

ACCOUNT = "factory@example.com"


def secrets_of(environ: Mapping[str, str], profiles: Iterable[Profile]) -> SecretSource:
    """Return the secrets of ``environ``, with a demo password for every Wi-Fi reference nobody has set."""
    found = dict(environ)
    for profile in profiles:
        for network in profile.sections(Wifi):
            reference = network.password
            if isinstance(reference, SecretRef) and reference.scheme == "env":
                found.setdefault(reference.name, "demo-network-password")
    return SecretSource(found)


def access_points_of(profiles: Iterable[Profile], secrets: SecretSource) -> list[AccessPoint]:
    """Return an access point for every Wi-Fi network that ``profiles`` name."""
    points = []
    for profile in profiles:
        for network in profile.sections(Wifi):
            password = secrets.resolve(network.password, Secret) if network.password else None
            points.append(AccessPoint(network.ssid, password, is_hidden=network.is_hidden))
    return points


def serve_cloud(clock: Clock, path: Path, profiles: Iterable[Profile]) -> VirtualCloud:
    """Start a cloud whose state lies in the file ``path``; it has the account and the products of ``profiles``."""
    cloud = VirtualCloud(clock, path)
    with closing_on_failure(cloud):
        cloud.create_user(ACCOUNT)
        for profile in profiles:
            product = profile.section(Product)
            if product is not None:
                number = product.id or 10_000 + profile.platforms[0].id
                cloud.create_product(
                    number, profile.platforms[0].id, slug=product.slug or profile.id, name=profile.title,
                    team=[ACCOUNT],
                )  # fmt: skip
        cloud.serve()
    return cloud


@contextlib.contextmanager
def closing_on_failure(cloud: VirtualCloud) -> Iterator[None]:
    """Close the cloud's file and port if what is built on it cannot be."""
    try:
        yield
    except BaseException:
        cloud.close()
        raise
