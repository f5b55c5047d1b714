"""How requests leave this host: by which proxy, and whose certificates count. Says what is wrong with such a setting.

The station's config file goes before the environment; of that, what the vendor's tools and `requests` look at counts,
and ``SSL_CERT_FILE``. Sends nothing. A proxy's password never leaves this file.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class WayOut:
    """What the config file says below ``[cloud]``; without it the environment of this process counts."""

    proxy: str = ""  # http://host:port
    ca_file: Path | None = None


BY_ENVIRONMENT = WayOut()


@dataclass(frozen=True, slots=True)
class _Setting:
    """One setting in force, and where a person finds it."""

    place: str
    value: str


def bundle_of(way: WayOut, environ: Mapping[str, str]) -> str:
    """Return the file (or folder) of the certificates that count, "" for those that come with the station."""
    found = _bundle(way, environ)
    return found.value if found is not None else ""


def _bundle(way: WayOut, environ: Mapping[str, str]) -> _Setting | None:
    if way.ca_file is not None:
        return _Setting("ca_file below [cloud]", str(way.ca_file))
    return _first(environ, _BUNDLES)


def _proxy(way: WayOut, environ: Mapping[str, str]) -> _Setting | None:
    return _Setting("proxy below [cloud]", way.proxy) if way.proxy else _first(environ, PROXIES)


def place_of_proxy(way: WayOut, environ: Mapping[str, str]) -> str:
    """Return where a person finds the proxy that counts, "" if none is set."""
    found = _proxy(way, environ)
    return found.place if found is not None else ""


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> _Setting | None:
    return next((_Setting(name, environ[name]) for name in names if environ.get(name)), None)


def wrong_settings(url: str, way: WayOut, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each setting of this host that keeps requests to ``url`` from leaving it."""
    if urlsplit(url).scheme != "https":  # only to this host, past proxies and without certificates
        return
    if (proxy := _proxy(way, environ)) is not None and (words := _fault_of_proxy(proxy)):
        yield words
    if (bundle := _bundle(way, environ)) is not None and (words := _fault_of_bundle(bundle)):
        yield words


def is_socks(proxy: str) -> bool:
    """Return whether a proxy's address is a SOCKS one."""
    return proxy.strip().lower().startswith("socks")


def _fault_of_proxy(setting: _Setting) -> str:
    if is_socks(setting.value):
        return (
            f"a SOCKS proxy is set on this host ({setting.place}), and the station has no library for it:"
            " set an http:// proxy or none"
        )
    text = setting.value if "://" in setting.value else f"http://{setting.value}"  # as `requests` reads it
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    return "" if is_good else (
        f"the proxy set on this host ({setting.place}) is no http:// address: write http://host:port"
    )  # fmt: skip


def _fault_of_bundle(setting: _Setting) -> str:
    what = f"the certificate file (CA bundle) that {setting.place} names on this host"
    path = Path(setting.value)
    try:
        if not path.exists():
            return f"{what} is not there: {path}"
        if path.is_dir():
            return ""
        if not os.access(path, os.R_OK):
            return f"{what} cannot be read: {path}"
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:  # an `ssl.SSLError` too
        return f"{what} holds no certificate in PEM format: {path}"
    return ""
