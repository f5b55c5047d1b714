"""One HTTP exchange with the cloud: the only module that uses `requests`.

Every failure becomes a `NoAnswer` that says whether the request may have arrived. Does not
retry, wait or log.
"""

from __future__ import annotations

import datetime
import email.utils
import functools
import http.cookiejar
import importlib.metadata
import ipaddress
import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import requests.adapters
import requests.auth
import requests.utils
import urllib3
import urllib3.connection
import urllib3.exceptions
import urllib3.util

from drivers.identity import Secret

from ..errors import BadInput
from .body import MAX_BODY_BYTES, Answer, clean, parse_body, without
from .call import READ_S
from .flight import Flight, FlightResponse
from .retry import NoAnswer
from .way_out import BY_ENVIRONMENT, PROXIES, WayOut, bundle_of, is_socks, place_of_proxy, wrong_settings

T = TypeVar("T")
TOOL = "provisioning-station"
CONNECT_S = 5.0
"""Real seconds, as `READ_S`."""
_CHUNK_BYTES = 16 << 10
_HEADER_SHOWN = 80


class _Bearer(requests.auth.AuthBase):
    """Sets the header itself, so that a .netrc file can never replace the station's token."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class _Nobody(requests.auth.AuthBase):
    """Says nothing of who asks, not even what a .netrc file knows."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _auth(token: Secret | None) -> requests.auth.AuthBase:
    return _Nobody() if token is None else _Bearer(token)


@dataclass(frozen=True, slots=True)
class Download:
    """What came for a file. ``is_too_long``: it is more than was allowed for, and was not read to its end."""

    status: int
    data: bytes = b""
    is_too_long: bool = False
    location: str = ""  # where it has moved to
    retry_after: str = ""


class _Session(requests.Session):
    """A session that ignores redirects.

    Even with redirects disabled, the library would read a redirect's whole body, however long, and fail on
    an invalid address.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - the library's signature
        return None


class _Connection(urllib3.connection.HTTPConnection):
    """A connection attached to the thread's `Flight` during a request; reports to it what was sent."""

    response_class = FlightResponse

    def connect(self) -> None:
        """Connect to the cloud. What is sent meanwhile is CONNECT to a proxy, not our request."""
        flight = Flight.current()
        try:
            super().connect()
        finally:
            if flight.has_sent:
                flight.proxy = f"{self.host}:{self.port}"
            flight.has_sent = False

    def send(self, data: Any) -> None:
        """Send, connecting first if necessary: after an error from here on, part of it may have been sent."""
        if self.sock is None:
            self.connect()
        flight = Flight.current()
        flight.hold(self.sock)
        flight.has_sent = True
        super().send(data)


class _TlsConnection(_Connection, urllib3.connection.HTTPSConnection):
    """The same over TLS: `_Connection` comes first, so that its ``connect`` includes the handshake."""


class _TlsSocket(ssl.SSLSocket):
    """A TLS socket attached to the `Flight` from the first byte of the handshake."""

    def do_handshake(self, block: bool = False) -> None:
        flight = Flight.current()
        flight.hold(self)
        flight.has_way = True
        super().do_handshake(block)


class _TlsInTls(ssl.SSLObject):
    """TLS inside the TLS of an https:// proxy. The `Flight` already holds the proxy's socket."""

    def do_handshake(self) -> None:
        Flight.current().has_way = True
        super().do_handshake()


def _tls_context() -> ssl.SSLContext:
    context = urllib3.util.create_urllib3_context()
    context.sslsocket_class, context.sslobject_class = _TlsSocket, _TlsInTls
    return context


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class _Adapter(requests.adapters.HTTPAdapter):
    """Opens connections, direct or through a proxy, whose answers are read under the limits of a `Flight`."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: object) -> None:
        self.tls = _tls_context()
        super().init_poolmanager(connections, maxsize, block, ssl_context=self.tls, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: object) -> urllib3.PoolManager:
        if is_socks(proxy):  # our pools would go past it
            raise requests.exceptions.InvalidSchema("a SOCKS proxy")
        manager: urllib3.PoolManager = super().proxy_manager_for(proxy, ssl_context=self.tls, **proxy_kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


@functools.cache
def program_version() -> str:
    """Return the version that is installed; the package's metadata, which hold the README, take 2 ms to read."""
    return importlib.metadata.version(TOOL)


class HttpLink:
    """A `requests.Session` bound to one base URL, without cookies, redirects or retries. Thread-safe.

    ``base_url``: https, or http to this host (a virtual cloud); raises `BadInput` for anything else.
    """

    def __init__(self, base_url: str, way: WayOut = BY_ENVIRONMENT) -> None:
        self.base_url, self._way = base_url.rstrip("/"), way
        self._is_local = _check_base_url(self.base_url)
        self._session = _Session()
        self._session.trust_env = not self._is_local  # no proxy for this host
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers["X-Particle-Tool"] = f"{TOOL}@{program_version()}"
        adapter = _Adapter(pool_maxsize=40, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def send(
        self, method: str, path: str, token: Secret | None, json: Mapping[str, object] | None,
        flight: Flight | None = None, form: Mapping[str, str | Secret] | None = None,
    ) -> Answer | NoAnswer:  # fmt: skip
        """Send one request; every status is an `Answer`, any failure a `NoAnswer`. Raises nothing.

        ``token`` None sends none. ``flight`` sets limits other than the usual ones, and lets another thread end this
        call at once.
        """
        flight = flight or Flight(MAX_BODY_BYTES, READ_S)
        secrets = [one.reveal() for one in (token, *(form or {}).values()) if isinstance(one, Secret)]
        fields = form and {name: one.reveal() if isinstance(one, Secret) else one for name, one in form.items()}
        request = requests.Request(method, self.base_url + path, json=json, data=fields, auth=_auth(token))
        return self._exchange(request, flight, lambda response: _answer_of(response, secrets, flight.body_bytes))

    def fetch(
        self, url: str, token: Secret | None, flight: Flight, progress: Callable[[int, int | None], None]
    ) -> Download | NoAnswer:
        """Get the file at an absolute address, which the caller has checked; ``token`` None sends none. Raises nothing.

        ``progress`` is called with the bytes that have arrived, and how many there will be if the other end says.
        """
        request = requests.Request("GET", url, auth=_auth(token), headers={"Accept-Encoding": "identity"})
        return self._exchange(request, flight, lambda response: _download_of(response, flight.body_bytes, progress))

    def _exchange(
        self, request: requests.Request, flight: Flight, read: Callable[[requests.Response], T]
    ) -> T | NoAnswer:
        """Send ``request`` and read its answer. Raises nothing.

        Not even undocumented exceptions: their text and traceback may quote our request including the token (N5).
        """
        try:
            with flight.under_way(), self._session.request(
                request.method, request.url, json=request.json, data=request.data, auth=request.auth,
                headers=request.headers, timeout=(CONNECT_S, READ_S), allow_redirects=False, stream=True,
                proxies=self._proxies, verify=bundle_of(self._way, self._environ) or None,
            ) as response:  # fmt: skip
                return read(response)
        except Exception as error:
            if not flight.has_sent and (wrong := next(self.wrong_settings(), "")):
                return NoAnswer(was_sent=False, reason=clean(wrong))
            if not isinstance(error, requests.RequestException):
                return NoAnswer(was_sent=True, reason=f"the exchange failed ({type(error).__name__})")
            if flight.proxy and not flight.has_sent:
                return NoAnswer(was_sent=False, reason=clean(_of_proxy(flight, error)), is_blocked=True)
            place = place_of_proxy(self._way, self._environ)
            return NoAnswer(was_sent=flight.has_sent, reason=clean(_reason(error, flight.has_sent, place)))

    def wrong_settings(self) -> Iterator[str]:
        """Yield a sentence for each setting of this host that keeps requests from leaving it."""
        return wrong_settings(self.base_url, self._way, self._environ)

    @property
    def _environ(self) -> Mapping[str, str]:
        """Return the environment as it counts for this cloud: of no proxy where NO_PROXY spares its host."""
        if self._is_local:
            return {}
        is_spared = requests.utils.should_bypass_proxies(self.base_url, no_proxy=None)
        return {name: value for name, value in os.environ.items() if not (is_spared and name in PROXIES)}

    @property
    def _proxies(self) -> dict[str, str]:
        """Return the config's proxy for every request: of a session's, the environment's goes first."""
        return {} if self._is_local or not self._way.proxy else dict.fromkeys(("http", "https"), self._way.proxy)

    def close(self) -> None:
        self._session.close()


def _check_base_url(url: str) -> bool:
    """Return whether the URL is on this host; raises `BadInput` if the token would be sent in clear text elsewhere."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = False
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_local)):
        raise BadInput(f"cloud URL {url!r} would send the token in clear text; write https://api.particle.io")
    return is_local


def _answer_of(response: requests.Response, secrets: Sequence[str], most_bytes: int) -> Answer:
    """Convert a response, removing what is secret in the request (N5): a proxy may quote it in its error."""
    raw = _body_of(response, most_bytes)
    body, is_json = parse_body(raw, *secrets)

    def header(name: str) -> str:
        return clean(without(secrets, response.headers.get(name, ""))[:_HEADER_SHOWN])

    return Answer(
        status=response.status_code, body=body, is_json=is_json,
        file=raw if not is_json and b"\0" in raw[:_HEADER_SHOWN] else b"",  # no text has a NUL, every module has some
        request_id=header("X-Request-Id"),
        date=_date(header("Date")), retry_after=header("Retry-After"),
    )  # fmt: skip


def _download_of(
    response: requests.Response, most_bytes: int, progress: Callable[[int, int | None], None]
) -> Download | NoAnswer:
    """Read a file; a connection that breaks within it is told with how much had come."""
    moved_to = response.headers.get("Location", "") if 300 <= response.status_code < 400 else ""
    head = Download(
        response.status_code, location=clean(moved_to)[:2000], retry_after=response.headers.get("Retry-After", "")[:80]
    )
    length = response.headers.get("Content-Length", "")
    total = int(length[:12]) if length.isascii() and length.isdigit() else None
    if response.status_code != 200:
        return head
    read = bytearray()
    try:
        for chunk in response.iter_content(_CHUNK_BYTES) if (total or 0) <= most_bytes else ():
            read += chunk
            if len(read) > most_bytes:
                break
            progress(len(read), total)
    except requests.RequestException:
        of = "" if total is None else f" of {total}"
        return NoAnswer(was_sent=True, reason=f"the connection broke after about {len(read)}{of} bytes")
    is_too_long = max(len(read), total or 0) > most_bytes
    return replace(head, data=b"" if is_too_long else bytes(read), is_too_long=is_too_long)


def _body_of(response: requests.Response, most_bytes: int) -> bytes:
    """Read the body; b"" when it is too long, which is then refused as not being JSON."""
    read = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        read += chunk
        if len(read) > most_bytes:
            return b""
    return bytes(read)


def _date(text: str) -> datetime.datetime | None:
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=datetime.UTC)


_CONNECT_STATUS = re.compile(r"Tunnel connection failed: (\d{3})\b")


def _of_proxy(flight: Flight, error: requests.RequestException) -> str:
    """Describe how a proxy answered the request for a tunnel; of its page only the status is used."""
    proxy, status = f"the proxy {flight.proxy} set on this host", _CONNECT_STATUS.search(str(error))
    if flight.has_way:
        return f"{proxy} leads to somebody without the cloud's certificate: check the proxy, and the clock of this host"
    if status is None:
        return f"{proxy} does not open a way to the cloud"
    if status[1] == "407":
        return f"{proxy} wants a password (407)"
    return f"{proxy} answers with a page of its own ({status[1]}) and opens no way to the cloud"


def _reason(error: requests.RequestException, was_sent: bool, proxy_place: str) -> str:
    """Describe what failed; the library's own text contains addresses and is long. ``proxy_place``: who names it."""
    if isinstance(error, requests.exceptions.SSLError):
        # before the request was sent or during the answer: the advice is the same
        return "the cloud's certificate was not accepted: check the clock and the network of this host"
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {CONNECT_S:.0f} s"
    if isinstance(error, requests.ReadTimeout):
        return f"no answer within {READ_S:.0f} s"
    if isinstance(error, requests.exceptions.ProxyError) and not was_sent:
        return "the proxy did not connect" + (f": check {proxy_place} on this host" if proxy_place else "")
    if was_sent:
        return "the connection broke before an answer came"
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return "no name server (DNS) knows the cloud's name: check the network and the name server of this host"
    return "no network, or the cloud's address does not answer"
