"""References to secrets, and that a secret never shows."""

from __future__ import annotations

import logging

import keyring.backends.fail
import pytest

from drivers.identity import Secret
from station.errors import BadInput
from station.settings.secrets import ApiToken, SecretRef, SecretSource, WifiPassword, system_keyring


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("env:WIFI_PASSWORD", SecretRef("env", "WIFI_PASSWORD")),
        ("keyring:station/wifi", SecretRef("keyring", "station", "wifi")),
        ("env:", None),
        ("env:9X", None),
        ("keyring:station", None),
        ("hunter2", None),
        ("ENV:X", None),
        ("env:X\n", None),
    ],
)
def test_a_reference_is_env_or_keyring(text: str, reference: SecretRef | None) -> None:
    assert SecretRef.parse(text) == reference
    if reference is not None:
        assert str(reference) == text


@pytest.mark.rule("N5")
def test_a_resolved_secret_does_not_show(caplog: pytest.LogCaptureFixture) -> None:
    source = SecretSource({"W": "hunter2-hunter2"})
    secret = source.resolve(SecretRef("env", "W"), WifiPassword)
    assert secret.reveal() == "hunter2-hunter2"
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").debug("%s %r %s", secret, secret, source)
    assert "hunter2" not in caplog.text


def test_a_keyring_is_asked_by_service_and_user() -> None:
    source = SecretSource({}, lambda service, user: f"{service}+{user}")
    assert source.resolve(SecretRef("keyring", "station", "wifi"), ApiToken) == ApiToken("station+wifi")


@pytest.mark.parametrize("value", [None, "", "\n", "a\x00b", "x" * 5000])
def test_an_absent_or_unusable_secret_is_refused_with_advice(value: str | None) -> None:
    source = SecretSource({"T": value} if value is not None else {})
    with pytest.raises(BadInput, match=r"^token from env:T: .*set T before the station starts") as caught:
        source.resolve(SecretRef("env", "T"), ApiToken)
    assert not value or value not in str(caught.value)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_the_line_end_of_a_pasted_secret_is_no_part_of_it(end: str) -> None:
    assert SecretSource({"T": f"t0ken{end}"}).resolve(SecretRef("env", "T"), ApiToken) == ApiToken("t0ken")
    keyring_source = SecretSource({}, lambda service, user: f"pass word{end}")
    assert keyring_source.resolve(SecretRef("keyring", "a", "b"), WifiPassword) == WifiPassword("pass word")


@pytest.mark.rule("N5")
@pytest.mark.parametrize("ending", ["\n\n", "\r\r", "\n\r\n", "\x7f", "\x1b[2J", "\udcff", "\u202e"])
@pytest.mark.parametrize("kind", [ApiToken, WifiPassword])
def test_a_secret_that_cannot_be_printed_is_refused_without_showing_it(kind: type[Secret], ending: str) -> None:
    with pytest.raises(BadInput, match=f"^{kind.called} from env:T: it holds characters .*; set T before") as caught:
        SecretSource({"T": f"s3cr3t{ending}"}).resolve(SecretRef("env", "T"), kind)
    assert "s3cr3t" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_password_may_hold_letters_of_any_script_but_a_token_may_not() -> None:
    source = SecretSource({"T": "Schlüssel…鍵"})
    assert source.resolve(SecretRef("env", "T"), WifiPassword).reveal() == "Schlüssel…鍵"
    with pytest.raises(BadInput, match="characters no token has"):
        source.resolve(SecretRef("env", "T"), ApiToken)


def test_a_login_without_keyring_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        with pytest.raises(BadInput, match="use env:NAME instead"):
            SecretSource({}).resolve(SecretRef("keyring", "station", "wifi"), ApiToken)
        with pytest.raises(BadInput, match="no keyring that answers"):
            system_keyring("station", "wifi")
    finally:
        keyring.set_keyring(before)
