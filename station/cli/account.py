"""The station's account for a verb: where its token is, how requests leave this host, and a client with both."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Callable

from drivers.clock import Clock
from drivers.identity import Secret
from drivers.plain_text import escaped

from ..cloud.client import CloudClient
from ..cloud.evidence import Route
from ..cloud.retry import Hitch
from ..cloud.way_out import WayOut
from ..local_time import clock_time
from ..settings.config import StationConfig, default_config_path
from ..settings.logins import LoginStore, TokenSource
from ..settings.secrets import ApiToken, SecretSource
from ..steps.shared.cloudwork import LOOK_AGAIN_S, TRIES

LOST_WRITE_S = TRIES * sum(LOOK_AGAIN_S)
"""How long a write whose answer got lost is looked for and sent again, at the most."""


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


def cloud_client(
    config: StationConfig, token: Callable[[], Secret], clock: Clock, *, sends_again: bool = False
) -> CloudClient:  # fmt: skip
    """Return a client of the cloud of ``config``, which tells on standard error what it waits for.

    ``sends_again``: its user looks for writes whose answer got lost, and sends them again, for `LOST_WRITE_S`.
    """
    return CloudClient(
        config.cloud_url, token, clock, bucket_rate=config.requests_per_s, way=way_out(config),
        on_hitch=HitchLine(clock, LOST_WRITE_S if sends_again else 0.0).tell,
    )  # fmt: skip


class HitchLine:
    """Tells the first failed try of a request at once, in a line: what is waited for, and until when."""

    def __init__(self, clock: Clock, lost_write_s: float) -> None:
        self._clock, self._lost_write_s = clock, lost_write_s
        self._told_until: dict[Route, float] = {}

    def tell(self, hitch: Hitch) -> None:
        """Write the line, unless the one about the same kind of request still holds."""
        now, lasts_s = self._clock.now(), self._lost_write_s if hitch.lasts_s is None else hitch.lasts_s
        if lasts_s <= 0 or now < self._told_until.get(hitch.route, now):
            return
        self._told_until[hitch.route] = now + lasts_s
        until = clock_time(self._clock.utc() + datetime.timedelta(seconds=lasts_s))
        how = "looked for, and sent again," if hitch.lasts_s is None else "tried again"
        sys.stderr.write(escaped(f"station: {hitch.what}: {hitch.words}; {how} until {until} at the latest") + "\n")
        sys.stderr.flush()
