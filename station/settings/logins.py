"""What ``station login`` keeps, and which token the station works with.

A token is in the keyring of this login where there is one, else in the file ``login.json`` (mode 0600) beside the
config file. That file is there in either case: it tells whose the token is and until when, and its change tells a
running station that somebody logged in. One login for each cloud: a virtual one never gets the real one's token.
"""

from __future__ import annotations

import contextlib
import datetime
import enum
import json
import os
import secrets
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.host.plain_file import check_plain, read_plain, written_whole
from drivers.identity import Secret

from ..errors import BadInput
from .secrets import LOGIN, ApiToken, SecretRef, SecretSource

LOGIN_FILE = "login.json"
SERVICE = "provisioning-station login"
_MOST_BYTES = 256 << 10
ADVICE = "run: station login"


class Kind(enum.StrEnum):
    """Whose a token is. The value is how it is told."""

    PERSON = "a person's"
    API_USER = "an API user's"
    CLIENT = "an OAuth client's"


@dataclass(frozen=True, slots=True)
class Login:
    """One login. ``expires_at`` None: never; ``username`` "": the cloud does not tell it to an API user.

    ``is_ours``: the station had the token made, so that nobody else uses it; a pasted one may be in use elsewhere.
    """

    token: ApiToken
    kind: Kind
    username: str = ""
    expires_at: datetime.datetime | None = None
    client: str = ""
    is_ours: bool = False
    place: str = ""  # where it is kept, once it is

    @property
    def who(self) -> str:
        """Return the account, as far as it is known."""
        return self.username or f"{self.kind.value} token"

    def told(self) -> dict[str, object]:
        """Return what may be read of it by everybody."""
        return {
            "kind": self.kind.name, "username": self.username, "client": self.client, "is_ours": self.is_ours,
            "expires_at": None if self.expires_at is None else self.expires_at.isoformat(),
        }  # fmt: skip


class LoginStore:
    """The login for the cloud at ``url``, kept in ``folder``. Thread-safe."""

    def __init__(self, folder: Path, url: str) -> None:
        self.path, self._url = folder / LOGIN_FILE, url.rstrip("/")
        self._lock = threading.Lock()
        self._seen: tuple[object, Login | None] | None = None

    def find(self) -> Login | None:
        """Return the login, None when there is none. Asks the keyring only after a login. Raises `BadInput`."""
        with self._lock:
            stamp = self.stamp()
            if self._seen is None or self._seen[0] != stamp:
                row = self._rows().get(self._url)
                self._seen = (stamp, None if row is None else self._login(row))
            return self._seen[1]

    def stamp(self) -> object:
        """Return what changes with every login and logout; None while there is no file."""
        try:
            found = self.path.lstat()
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns)

    def keep(self, login: Login) -> str:
        """Keep ``login`` in place of the one before, and return where it is. Raises `BadInput`."""
        with self._lock:
            rows = self._rows()
            before = rows.get(self._url, {})
            entry = f"{self._url} {secrets.token_hex(4)}"
            in_keyring = _put(entry, login.token)
            where: dict[str, object] = {"keyring": entry} if in_keyring else {"token": login.token.reveal()}
            self._write({**rows, self._url: {**login.told(), **where}})
            _drop(before)
            return self._place(in_keyring=in_keyring)

    def forget(self) -> None:
        """Forget the login; none is as good. Raises `BadInput`."""
        with self._lock:
            rows = self._rows()
            before = rows.pop(self._url, {})
            if before:
                self._write(rows)
                _drop(before)

    def _place(self, *, in_keyring: bool) -> str:
        return "the keyring of this login" if in_keyring else f"{self.path}, which only this login may read"

    def _rows(self) -> dict[str, dict[str, Any]]:
        if not os.path.lexists(self.path):
            return {}
        try:
            check_plain(self.path)
            if self.path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise BadInput(f"{self.path} may be read by other logins of this computer; run: chmod 600 {self.path}")
            rows = json.loads(read_plain(self.path, _MOST_BYTES))
        except OSError as error:
            raise BadInput(f"{self.path} cannot be read ({error.strerror}); check owner and disk") from error
        except ValueError:
            rows = None
        if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
            raise BadInput(f"{self.path} is not as station login writes it; remove it, and {ADVICE}")
        return rows

    def _write(self, rows: Mapping[str, Mapping[str, object]]) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with written_whole(self.path, mode=0o600) as file:
                file.write(json.dumps(rows, indent=1).encode())
        except OSError as error:
            raise BadInput(f"{self.path} cannot be written ({error.strerror}); check owner and disk") from error

    def _login(self, row: Mapping[str, Any]) -> Login:
        entry = str(row.get("keyring", ""))
        text = _get(entry) if entry else row.get("token")
        if not text:
            raise BadInput(f"the keyring of this login does not hold the token any more, or is locked; {ADVICE}")
        try:
            expires = row.get("expires_at")
            return Login(
                ApiToken(str(text)), Kind[str(row.get("kind"))], str(row.get("username", "")),
                None if expires is None else datetime.datetime.fromisoformat(expires), str(row.get("client", "")),
                row.get("is_ours") is True, self._place(in_keyring=bool(entry)),
            )  # fmt: skip
        except (KeyError, ValueError, TypeError):
            raise BadInput(f"{self.path} is not as station login writes it; remove it, and {ADVICE}") from None


def _put(entry: str, token: Secret) -> bool:
    """Return whether the keyring took the token, and gives it back: some take everything and keep nothing."""
    import keyring  # only here: it looks for desktop services when imported
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, entry, token.reveal())
    except (KeyringError, RuntimeError):
        return False
    return _get(entry) == token.reveal()


def _get(entry: str) -> str | None:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, entry)
    except (KeyringError, RuntimeError):
        return None


def _drop(row: Mapping[str, Any]) -> None:
    """Remove a token that is kept no more from the keyring, if it is there."""
    if entry := row.get("keyring"):
        import keyring
        from keyring.errors import KeyringError

        with contextlib.suppress(KeyringError, RuntimeError):
            keyring.delete_password(SERVICE, str(entry))


class TokenSource:
    """The station's token, asked for before every request: a login made meanwhile counts at once. Thread-safe.

    Where the config names no place, a variable of the environment goes before what is kept, unless somebody logged in
    after this program started: the newest word counts.
    """

    def __init__(self, reference: SecretRef, store: LoginStore, secrets: SecretSource) -> None:
        self.store, self._reference, self._secrets = store, reference, secrets
        self._stamp = store.stamp()

    def __call__(self) -> ApiToken:
        """Return the token as configured now; raises `BadInput` when there is none or it is malformed."""
        login = self.login()
        if login is not None:
            return login.token
        if self._reference.scheme != LOGIN:
            return self._secrets.resolve(self._reference, ApiToken)
        if self.variable:
            return self._secrets.resolve(SecretRef("env", self._reference.name), ApiToken)
        also = f", or set {self._reference.name} before the station starts" if self._reference.name else ""
        raise BadInput(f"nobody is logged in on this station; {ADVICE}{also}")

    def login(self) -> Login | None:
        """Return the login that counts; None when the token comes from elsewhere, or there is none."""
        if self._reference.scheme != LOGIN:
            return None
        if self.variable and self.store.stamp() == self._stamp:
            return None
        return self.store.find()

    @property
    def variable(self) -> str:
        """Return the variable of the environment that goes before what is kept, "" if none is set."""
        name = self._reference.name if self._reference.scheme == LOGIN else ""
        return name if name and self._secrets.has_variable(name) else ""

    def __str__(self) -> str:
        """Say where the token is looked for."""
        login = self.login()
        if login is not None:
            return login.place
        return f"env:{self._reference.name}" if self._reference.scheme == LOGIN else str(self._reference)
