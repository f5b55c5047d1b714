"""The station's account for a verb: where its token is, how requests leave this host, and a client with both."""

from __future__ import annotations

import os
from collections.abc import Callable

from drivers.clock import Clock
from drivers.identity import Secret

from ..cloud.client import CloudClient
from ..cloud.way_out import WayOut
from ..settings.config import StationConfig, default_config_path
from ..settings.logins import LoginStore, TokenSource
from ..settings.secrets import ApiToken, SecretSource


def login_store(config: StationConfig) -> LoginStore:
    """Return where the login for the cloud of ``config`` is kept: beside the config file, or in the keyring."""
    return LoginStore((config.source or default_config_path()).parent, config.cloud_url)


def token_source(config: StationConfig) -> TokenSource:
    """Return the station's token as it is at any time; calling it raises `BadInput` when there is none."""
    return TokenSource(config.token, login_store(config), SecretSource(os.environ))


def token_of(config: StationConfig) -> ApiToken:
    """Return the station's token as it is now; raises `BadInput` when there is none or it is malformed."""
    return token_source(config)()


def way_out(config: StationConfig) -> WayOut:
    """Return how requests leave this host, as far as the config says."""
    return WayOut(config.proxy, config.ca_file)


def cloud_client(config: StationConfig, token: Callable[[], Secret], clock: Clock) -> CloudClient:
    """Return a client of the cloud of ``config``."""
    return CloudClient(config.cloud_url, token, clock, bucket_rate=config.requests_per_s, way=way_out(config))
