"""What `station login` keeps, and which token a running station works with."""

from __future__ import annotations

import datetime
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import pytest

from station.errors import BadInput
from station.settings.logins import LOGIN_FILE, Kind, Login, LoginStore, TokenSource
from station.settings.secrets import LOGIN, ApiToken, SecretRef, SecretSource

URL, OTHER = "https://api.particle.io", "http://127.0.0.1:8080"
TOKEN, NEWER = ApiToken("0123456789abcdef" * 2), ApiToken("fedcba9876543210" * 2)
LINE = Login(
    TOKEN, Kind.PERSON, "line@example.com", datetime.datetime(2027, 2, 27, 10, tzinfo=datetime.UTC), "particle", True
)
EITHER = SecretRef(LOGIN, "PARTICLE_TOKEN")
ONLY_KEPT = SecretRef(LOGIN, "")


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory. ``is_locked``: it gives nothing; ``forgets``: it takes all and keeps nothing."""

    priority = 1

    def __init__(self, *, forgets: bool = False) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.forgets, self.is_locked, self.reads = forgets, False, 0

    def get_password(self, service: str, username: str) -> str | None:
        self.reads += 1
        return None if self.is_locked else self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgets:
            self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.held.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("not there")


@pytest.fixture(autouse=True)
def no_ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def ring(no_ring: None) -> Ring:
    made = Ring()
    keyring.set_keyring(made)
    return made


def kept(folder: Path, url: str = URL) -> Login | None:
    """What another process finds."""
    found = LoginStore(folder, url).find()
    return None if found is None else replace(found, place="")


# --- where it is kept -----------------------------------------------------------------------------


def test_without_a_keyring_it_is_in_a_file_that_only_this_login_may_read(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "provisioning-station"
    where = LoginStore(folder, URL).keep(LINE)
    file = folder / LOGIN_FILE
    assert where == f"{file}, which only this login may read"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert kept(folder) == LINE


def test_with_a_keyring_the_file_tells_only_whose_it_is(ring: Ring, tmp_path: Path) -> None:
    assert LoginStore(tmp_path, URL).keep(LINE) == "the keyring of this login"
    assert TOKEN.reveal() not in (tmp_path / LOGIN_FILE).read_text()
    assert "line@example.com" in (tmp_path / LOGIN_FILE).read_text()
    assert kept(tmp_path) == LINE


def test_a_keyring_that_keeps_nothing_is_none(tmp_path: Path) -> None:
    keyring.set_keyring(Ring(forgets=True))
    assert "which only this login may read" in LoginStore(tmp_path, URL).keep(LINE)
    assert kept(tmp_path) == LINE


def test_another_login_replaces_the_one_before_and_leaves_nothing_of_it(ring: Ring, tmp_path: Path) -> None:
    store = LoginStore(tmp_path, URL)
    store.keep(LINE)
    store.keep(replace(LINE, token=NEWER))
    assert list(ring.held.values()) == [NEWER.reveal()]
    keyring.set_keyring(keyring.backends.fail.Keyring())
    store.keep(LINE)
    assert kept(tmp_path) == LINE


def test_two_clouds_have_a_login_each(ring: Ring, tmp_path: Path) -> None:
    LoginStore(tmp_path, URL).keep(LINE)
    assert kept(tmp_path, OTHER) is None
    LoginStore(tmp_path, OTHER).keep(replace(LINE, token=NEWER))
    LoginStore(tmp_path, URL).forget()
    assert kept(tmp_path) is None
    found = kept(tmp_path, OTHER)
    assert found is not None
    assert found.token == NEWER
    assert list(ring.held.values()) == [NEWER.reveal()]


def test_nothing_to_forget_is_as_good(tmp_path: Path) -> None:
    LoginStore(tmp_path / "nowhere", URL).forget()
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_others_may_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    LoginStore(tmp_path, URL).keep(LINE)
    (tmp_path / LOGIN_FILE).chmod(0o644)
    with pytest.raises(BadInput, match="chmod 600") as caught:
        kept(tmp_path)
    assert TOKEN.reveal() not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"https://api.particle.io": 7}', '{"https://api.particle.io": {"token": "t", "kind": "GOD"}}',
        '{"https://api.particle.io": {"token": "t", "kind": "PERSON", "expires_at": "soon"}}',
        '{"https://api.particle.io": {"token": "t", "kind": "PERSON", "expires_at": 5}}',
    ],
)  # fmt: skip
def test_a_file_of_another_form_is_refused_and_not_quoted(text: str, tmp_path: Path) -> None:
    file = tmp_path / LOGIN_FILE
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(BadInput, match="is not as station login writes it; remove it, and run: station login"):
        kept(tmp_path)


def test_a_pipe_in_its_place_blocks_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / LOGIN_FILE, 0o600)
    with pytest.raises(BadInput, match="a named pipe, expected a plain file"):
        kept(tmp_path)


def test_a_keyring_that_is_locked_says_so(ring: Ring, tmp_path: Path) -> None:
    LoginStore(tmp_path, URL).keep(LINE)
    ring.is_locked = True
    with pytest.raises(BadInput, match="does not hold the token any more, or is locked; run: station login"):
        kept(tmp_path)


def test_a_login_shows_its_token_to_nobody() -> None:
    assert TOKEN.reveal() not in repr(LINE) + str(LINE.told())


# --- which token counts ---------------------------------------------------------------------------


def source(folder: Path, reference: SecretRef = EITHER, environ: dict[str, str] | None = None) -> TokenSource:
    environ = environ or {}
    return TokenSource(reference, LoginStore(folder, URL), SecretSource(environ))


def test_nobody_logged_in_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="run: station login, or set PARTICLE_TOKEN before the station starts"):
        source(tmp_path)()
    with pytest.raises(BadInput, match=r"run: station login$"):
        source(tmp_path, ONLY_KEPT, {"PARTICLE_TOKEN": "not asked for"})()


def test_the_environment_goes_before_what_is_kept_and_an_empty_variable_is_none(tmp_path: Path) -> None:
    LoginStore(tmp_path, URL).keep(LINE)
    assert source(tmp_path, EITHER, {"PARTICLE_TOKEN": "of-the-environment"})() == ApiToken("of-the-environment")
    assert source(tmp_path, EITHER, {"PARTICLE_TOKEN": ""})() == TOKEN
    assert source(tmp_path)() == TOKEN
    assert source(tmp_path, ONLY_KEPT, {"PARTICLE_TOKEN": "of-the-environment"})() == TOKEN


def test_what_the_config_names_is_all_that_counts(tmp_path: Path) -> None:
    LoginStore(tmp_path, URL).keep(LINE)
    assert source(tmp_path, SecretRef("env", "MINE"), {"MINE": "named"})() == ApiToken("named")


@pytest.mark.rule("N4")
@pytest.mark.parametrize("environ", [{}, {"PARTICLE_TOKEN": "of-the-environment"}], ids=["kept", "environment"])
def test_a_login_of_another_process_counts_at_once(environ: dict[str, str], tmp_path: Path) -> None:
    LoginStore(tmp_path, URL).keep(LINE)
    running = source(tmp_path, EITHER, environ)
    running()
    LoginStore(tmp_path, URL).keep(replace(LINE, token=NEWER))
    assert running() == NEWER


def test_a_logout_of_another_process_counts_at_once(tmp_path: Path) -> None:
    LoginStore(tmp_path, URL).keep(LINE)
    running = source(tmp_path)
    running()
    LoginStore(tmp_path, URL).forget()
    with pytest.raises(BadInput, match="nobody is logged in"):
        running()


def test_the_keyring_is_asked_once_until_somebody_logs_in(ring: Ring, tmp_path: Path) -> None:
    LoginStore(tmp_path, URL).keep(LINE)
    running, before = source(tmp_path), ring.reads
    for _ in range(50):
        running()
    assert ring.reads == before + 1
