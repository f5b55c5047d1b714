"""Proxy and certificate settings of a host: which ones count, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from station.cloud.way_out import WayOut, bundle_of, wrong_settings

URL = "https://cloud.invalid"
NOTHING = WayOut()


def said(environ: dict[str, str], way: WayOut = NOTHING, url: str = URL) -> list[str]:
    return list(wrong_settings(url, way, environ))


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            "socks5://127.0.0.1:1080",
            "a SOCKS proxy is set on this host ({name}), and the station has no library for it",
        ),
        ("SOCKS5H://somebody:secret@proxy:1080", "a SOCKS proxy is set on this host ({name})"),
        ("http://", "the proxy set on this host ({name}) is no http:// address: write http://host:port"),
        ("http://proxy:port", "the proxy set on this host ({name}) is no http:// address"),
        ("ftp://proxy:21", "the proxy set on this host ({name}) is no http:// address"),
        ("http://[::1", "the proxy set on this host ({name}) is no http:// address"),
    ],
)
def test_a_proxy_that_is_none_is_named_by_its_variable_and_never_shown(name: str, value: str, words: str) -> None:
    (sentence,) = said({name: value})
    assert sentence.startswith(words.format(name=name))
    assert "secret" not in sentence


@pytest.mark.parametrize("value", ["http://proxy:3128", "proxy:3128", "https://proxy", "http://me:secret@proxy:3128"])
def test_a_usable_proxy_is_no_fault(value: str) -> None:
    assert said({"HTTPS_PROXY": value}) == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_certificate_file_that_is_none_is_named_by_its_variable(name: str, tmp_path: Path) -> None:
    missing, text = tmp_path / "missing.pem", tmp_path / "text.pem"
    text.write_text("no certificate\n")
    (absent,) = said({name: str(missing)})
    assert absent == f"the certificate file (CA bundle) that {name} names on this host is not there: {missing}"
    (wrong,) = said({name: str(text)})
    assert (
        wrong
        == f"the certificate file (CA bundle) that {name} names on this host holds no certificate in PEM format: {text}"
    )
    assert said({name: str(tmp_path)}) == []  # a folder of certificates


def test_the_config_file_goes_before_the_environment(tmp_path: Path) -> None:
    way = WayOut(proxy="http://proxy.factory:3128", ca_file=tmp_path / "factory.pem")
    (only,) = said({"HTTPS_PROXY": "socks5://other", "REQUESTS_CA_BUNDLE": str(tmp_path / "other.pem")}, way)
    assert only.startswith(
        "the certificate file (CA bundle) that ca_file below [cloud] names on this host is not there"
    )
    assert bundle_of(way, {"SSL_CERT_FILE": "other"}) == str(tmp_path / "factory.pem")


def test_of_several_variables_the_one_that_counts_is_looked_at() -> None:
    assert bundle_of(NOTHING, {"SSL_CERT_FILE": "c", "CURL_CA_BUNDLE": "b", "REQUESTS_CA_BUNDLE": "a"}) == "a"
    assert bundle_of(NOTHING, {"SSL_CERT_FILE": "c", "REQUESTS_CA_BUNDLE": ""}) == "c"
    assert bundle_of(NOTHING, {}) == ""
    assert said({"https_proxy": "http://proxy:3128", "ALL_PROXY": "socks5://other"}) == []


def test_a_cloud_on_this_host_needs_none_of_them() -> None:
    assert said({"HTTPS_PROXY": "socks5://other", "SSL_CERT_FILE": "/nonexistent"}, url="http://127.0.0.1:8080") == []
