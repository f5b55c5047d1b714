"""The rows of `station doctor` about the cloud, as they are printed: a config file, a token, a cloud over real HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest

from drivers.clock import SystemClock
from station.cli.main import main
from station.cloud.virtual import VirtualCloud

ME, PRODUCT = "line@example.com", 20001
PROFILE = f'id = "widget"\nrevision = 1\nkind = "product"\nplatforms = ["boron"]\n[product]\nid = {PRODUCT}\n'
SETTINGS = (
    "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE", "SSL_CERT_FILE", "PARTICLE_TOKEN",
)  # fmt: skip


@dataclass
class Desk:
    cloud: VirtualCloud
    folder: Path
    capsys: pytest.CaptureFixture[str]
    lines: str = ""

    def look(self, *profiles: str) -> dict[str, list[str]]:
        """What the doctor prints below each of its headings."""
        config = self.folder / "station.toml"
        url = f'url = "{self.cloud.base_url}"'
        config.write_text(f"[cloud]\n{self.lines or url}\n")
        named: list[str] = []
        for number, text in enumerate(profiles):
            (self.folder / f"p{number}.toml").write_text(text)
            named += ["--profile", str(self.folder / f"p{number}.toml")]
        main(["doctor", "--config", str(config), "--data-dir", str(self.folder / "data"), *named])
        rows: dict[str, list[str]] = {}
        for line in self.capsys.readouterr().out.splitlines():
            state, what, words = line.split(maxsplit=2)
            rows.setdefault(what, []).append(f"{state} {words}")
        return rows


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    with closing(VirtualCloud(SystemClock())) as cloud:
        cloud.create_product(PRODUCT, 13, slug="widget", name="Widget", team=[ME])
        cloud.serve()
        monkeypatch.setenv("PARTICLE_TOKEN", cloud.create_token(ME).reveal())
        yield Desk(cloud, tmp_path, capsys)
    keyring.set_keyring(before)


def test_all_is_well(desk: Desk) -> None:
    rows = desk.look(PROFILE)
    assert rows["token"] == [f"ok accepted: {ME}, a person's, does not expire"]
    assert rows["product"] == [f"ok {PRODUCT} (Widget) is there, for Boron"]
    assert len(rows["clock"]) == 1


def test_nobody_is_logged_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARTICLE_TOKEN")
    rows = desk.look(PROFILE)
    (token,) = rows["token"]
    assert token.startswith("STOP nobody is logged in on this station; run: station login")
    assert rows["clock"][0].startswith("note not compared")
    assert "product" not in rows


def test_each_profile_is_looked_at_and_the_token_once(desk: Desk) -> None:
    rows = desk.look(PROFILE, PROFILE.replace("boron", "argon").replace("widget", "other"))
    assert len(rows["token"]) == 1
    assert [row.split()[0] for row in rows["product"]] == ["ok", "STOP"]
    assert "(C3)" in rows["product"][1]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HTTPS_PROXY", "socks5://127.0.0.1:1080", "a SOCKS proxy is set on this host (HTTPS_PROXY)"),
        ("https_proxy", "http://", "the proxy set on this host (https_proxy) is no http:// address"),
        ("REQUESTS_CA_BUNDLE", "/nonexistent.pem", "REQUESTS_CA_BUNDLE names on this host is not there: /nonexistent"),
        ("SSL_CERT_FILE", os.devnull, "SSL_CERT_FILE names on this host holds no certificate in PEM format"),
    ],
)
def test_a_setting_of_this_host_that_lets_nothing_out_is_named_and_nothing_is_asked(
    name: str, value: str, words: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    desk.lines = 'url = "https://cloud.invalid"'
    rows = desk.look(PROFILE)
    (network,) = rows["cloud"]
    assert network.startswith("STOP ")
    assert words in network
    assert not {"token", "product"} & set(rows)


def test_a_ca_file_of_the_config_that_is_not_there_is_named_with_its_place(desk: Desk) -> None:
    desk.lines = 'url = "https://cloud.invalid"\nca_file = "factory.pem"'
    (network,) = desk.look()["cloud"]
    assert "ca_file below [cloud] names on this host is not there" in network
    assert str(desk.folder / "factory.pem") in network


@pytest.mark.parametrize("proxy", ["socks5://proxy:1080", "http://me:secret@proxy:3128", "proxy:3128", "ftp://proxy"])
def test_a_proxy_of_the_config_that_cannot_be_used_is_refused_where_it_stands_and_keeps_its_password(
    proxy: str, desk: Desk
) -> None:
    config = desk.folder / "station.toml"
    config.write_text(f'[cloud]\nproxy = "{proxy}"\n')
    assert main(["doctor", "--config", str(config)]) == 2
    said = desk.capsys.readouterr().err
    assert "station.toml line 2, [cloud] proxy: expected the address of a proxy, http://host:port" in said
    assert "secret" not in said
