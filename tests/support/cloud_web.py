"""A browser for the virtual cloud: requests as any program sends them, without our client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from drivers.clock import SimulatedClock
from drivers.identity import Secret
from station.cloud.virtual import Limits, VirtualCloud
from support.cloud_bench import ME, populate

PASSWORD = "a password of a test"
STRANGER = "stranger@example.com"


class Web:
    """Sends requests with a token, and keeps the last response."""

    def __init__(self, cloud: VirtualCloud, clock: SimulatedClock, token: str) -> None:
        self.cloud, self.clock, self.token = cloud, clock, token
        self.last = requests.Response()

    def __call__(self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any) -> Any:
        """Send one request, ``body`` as JSON; its answer's JSON, None where there is none."""
        used = self.token if token is None else token
        headers = {"Authorization": f"Bearer {used}"} if used else {}
        headers |= more.pop("headers", {})
        if body is not None:
            more["json"] = body
        self.last = requests.request(
            method, self.cloud.base_url + path, headers=headers, timeout=60, allow_redirects=False, **more
        )
        return self.last.json() if self.last.content and "json" in self.last.headers["Content-Type"] else None

    @property
    def status(self) -> int:
        return self.last.status_code

    def login(self, **form: Any) -> Any:
        """Ask for a token as the vendor's tools do."""
        fields = {"grant_type": "password", "client_id": "particle", "client_secret": "particle"} | form
        return self("POST", "/oauth/token", data=fields, token="")

    def as_user(self, username: str) -> Web:
        """The same cloud as another account sees it."""
        return Web(self.cloud, self.clock, self.cloud.create_token(username).reveal())


@contextmanager
def web(limits: Limits | None = None) -> Iterator[Web]:
    """Serve the cloud of `support.cloud_bench` in simulated time."""
    clock = SimulatedClock()
    cloud = VirtualCloud(clock, limits=limits)
    token = populate(cloud)
    cloud.create_user(ME, Secret(PASSWORD))
    with clock.registered():
        cloud.serve()
        yield Web(cloud, clock, token.reveal())
        cloud.close()
