"""No secret that a story deals with is in anything the station prints or keeps."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.cli.main import main
from station.cloud.virtual.store import digest
from station.demo import STORIES

WIFI_PASSWORD = "canary-of-the-wifi"
_LIKE_A_TOKEN = re.compile(rb"[A-Za-z0-9+/=_-]{20,}")
"""Tokens are hexadecimal digits, claim codes base64 (reference cloud-api 2.1, 5.4)."""


def kept(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What the station keeps: everything but the virtual cloud and the virtual units."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name.partition(".")[0] != "cloud" and "units" not in path.parts:
            yield str(path.relative_to(folder)), path.read_bytes()


def found(content: bytes, digests: set[str], owners: tuple[str, ...] = ()) -> list[str]:
    """What in ``content`` has one of the ``digests`` the cloud keeps, alone or as the secret of one of ``owners``."""
    words = {word.decode() for word in _LIKE_A_TOKEN.findall(content)}
    words |= {word.partition("=")[2] for word in words} | {word.rpartition("/")[2] for word in words}
    return [word for word in words if not digests.isdisjoint({digest(word), *(digest(one, word) for one in owners)})]


@pytest.mark.parametrize("around", [b'{"access_token": "%s"}', b"Bearer %s", b"code=%s&x=1", b"/v1/access_tokens/%s\n"])
def test_the_search_finds_tokens_claim_codes_and_secrets_of_clients(around: bytes) -> None:
    token, code = "0123456789abcdef0123456789abcdef01234567", "k/9+" * 16
    for secret in (token, code) if b"/v1" not in around else (token,):
        assert found(around % secret.encode(), {digest(secret)}) == [secret]
        assert found(around % secret.encode(), {digest("line-3", secret)}, ("line-3",)) == [secret]


@pytest.mark.parametrize("name", [one.name for one in STORIES])
def test_no_secret_of_a_story_is_printed_or_kept(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATION_WIFI_PASSWORD", WIFI_PASSWORD)
    folder, export = tmp_path / "data", tmp_path / "export.csv"
    told = ("--log", "debug", "demo", "--story", name, "--headless", "--trace")
    assert main((*told, "--data-dir", str(folder), "--export", str(export))) == 0
    out, err = capfd.readouterr()
    places = [("stdout", out.encode()), ("stderr", err.encode()), ("export", export.read_bytes()), *kept(folder)]
    assert any(place.startswith("journal") for place, _ in places)

    cloud = sqlite3.connect(folder / "cloud.sqlite")
    mobile = {
        row[0].encode() for row in cloud.execute("SELECT mobile_secret FROM devices WHERE mobile_secret NOT NULL")
    }
    digests = {
        row[0]
        for row in cloud.execute(
            "SELECT digest FROM tokens UNION SELECT digest FROM claim_codes UNION SELECT secret FROM clients"
        )
    }
    clients = tuple(row[0] for row in cloud.execute("SELECT id FROM clients"))
    cloud.close()
    assert digests
    for place, content in places:
        assert WIFI_PASSWORD.encode() not in content, place
        assert not [secret for secret in mobile if secret in content], place
        assert not found(content, digests, clients), place
