"""Makes what a demo's profiles need outside the station: cloud account, products, access points, passwords."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from drivers.clock import Clock
from drivers.devices.wifi import WifiNetwork
from drivers.identity import Secret
from drivers.virtual.world import AccessPoint, Login

from ..cloud.customer_api import ClientSecret
from ..cloud.virtual import VirtualCloud
from ..settings.profile import Profile
from ..settings.secrets import SecretRef, SecretSource
from ..steps.product_add import Product
from ..steps.shared.customer_section import Customer
from ..steps.shared.wifi_section import Wifi

ACCOUNT = "factory@example.com"


_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nZGVtbw==\n-----END CERTIFICATE-----"
_DEMO_SECRETS = {
    "password": "demo-password",  # long enough for WPA, and as long as a key of WEP
    "certificate": _CERTIFICATE,
    "private_key": "-----BEGIN PRIVATE KEY-----\nZGVtbw==\n-----END PRIVATE KEY-----",
    "root_ca": _CERTIFICATE,
}
"""By key of the section [wifi]."""


def secrets_of(environ: Mapping[str, str], profiles: Iterable[Profile]) -> SecretSource:
    """Return the secrets of ``environ``, with a demo one for every reference of a profile that nobody has set."""
    found = dict(environ)
    for profile in profiles:
        customer = profile.section(Customer)
        if customer is not None and customer.client_secret.scheme == "env":
            found.setdefault(customer.client_secret.name, "demo-client-secret")
        for network in profile.sections(Wifi):
            for key, made in _DEMO_SECRETS.items():
                reference = getattr(network, key)
                if isinstance(reference, SecretRef) and reference.scheme == "env":
                    found.setdefault(reference.name, made)
    return SecretSource(found)


def access_points_of(profiles: Iterable[Profile], secrets: SecretSource) -> list[AccessPoint]:
    """Return an access point for every Wi-Fi network that units of ``profiles`` join here."""
    goals = (network.goal(secrets) for profile in profiles for network in profile.sections(Wifi))
    return [_access_point(goal.network) for goal in goals if goal.is_joined]


def _access_point(network: WifiNetwork) -> AccessPoint:
    user = network.enterprise
    login = None if user is None else Login(
        user.type, user.username, _plain(user.password), user.certificate, _plain(user.private_key),
        user.outer_identity, user.root_ca,
    )  # fmt: skip
    return AccessPoint(
        network.ssid, _plain(network.password), network.security, is_hidden=network.is_hidden, login=login
    )


def _plain(secret: Secret | None) -> Secret | None:
    """Return a secret of the station as the world has it: one equals only another of its own kind."""
    return Secret(secret.reveal()) if secret is not None else None


def serve_cloud(clock: Clock, path: Path, profiles: Iterable[Profile], secrets: SecretSource) -> VirtualCloud:
    """Start a cloud whose state lies in the file ``path``; it has the account and the products of ``profiles``.

    A product whose units go to customers has the client that makes them, with the secret ``secrets`` tell.
    """
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
                if (customer := profile.section(Customer)) is not None:
                    secret = secrets.resolve(customer.client_secret, ClientSecret)
                    cloud.create_client(customer.client_id, ACCOUNT, number, secret)
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
