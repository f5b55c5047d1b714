"""A SOCKS proxy without its library, a proxy URL that is none, a CA path that leads nowhere: named as what they are."""

from __future__ import annotations

from contextlib import closing

import pytest

from drivers.identity import Secret
from station.cloud.http import HttpLink
from station.cloud.retry import NoAnswer

NAMES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HTTPS_PROXY", "socks5://127.0.0.1:1080", "a SOCKS proxy is set on this host"),
        ("ALL_PROXY", "socks5h://127.0.0.1:1080", "a SOCKS proxy is set on this host"),
        ("HTTPS_PROXY", "http://", "the proxy set on this host"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:1", "the proxy set on this host"),
        ("HTTPS_PROXY", "http://127.0.0.1:1", "the proxy did not connect: check HTTPS_PROXY on"),
        ("REQUESTS_CA_BUNDLE", "/nonexistent/ca.pem", "the certificate file (CA bundle) that REQUESTS_CA_BUNDLE names"),
        ("CURL_CA_BUNDLE", "/nonexistent/ca.pem", "the certificate file (CA bundle) that CURL_CA_BUNDLE names"),
        ("SSL_CERT_FILE", "/nonexistent/ca.pem", "the certificate file (CA bundle) that SSL_CERT_FILE names"),
        ("REQUESTS_CA_BUNDLE", __file__, "the certificate file (CA bundle) that REQUESTS_CA_BUNDLE names"),
    ],
)
def test_a_setting_of_this_host_that_lets_nothing_out_is_named(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in (*NAMES, "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    with closing(HttpLink("https://cloud.invalid")) as link:
        result = link.send("GET", "/v1/user", Secret("not-a-real-token"), None)
    assert isinstance(result, NoAnswer)
    assert result.reason.startswith(words)
    assert not result.was_sent  # a write may be sent again: nothing left this host
