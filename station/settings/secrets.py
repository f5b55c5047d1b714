"""Secrets a file names but never holds: ``env:NAME`` or ``keyring:SERVICE/USER``; a token also ``keyring``.

A reference may be shown; what it resolves to lives in a `Secret` and has no way to a log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import Field, PlainValidator

from drivers.identity import Secret

from ..errors import BadInput
from .sections import Mistake, kind_of, refusal

_MAX_LENGTH = 4096
_REFERENCE = re.compile(r"(env):([A-Za-z_][A-Za-z0-9_]{0,99})|(keyring):([^/\s]{1,100})/([^/\s]{1,100})")

_PEM = re.compile(r"(-----BEGIN ([A-Z0-9 ]+)-----\r?\n([!-~ ]{1,254}\r?\n)+-----END \2-----\s*)+")


class WifiPassword(Secret):
    """The pass phrase of the bench's or the product's access point."""

    called = "Wi-Fi password"


class Certificate(Secret):
    """A certificate in PEM format: no secret by itself, but nothing to be shown either."""

    called = "certificate"
    max_bytes = 4095  # what a unit takes


class PrivateKey(Secret):
    """The private key of a certificate, in PEM format."""

    called = "private key"
    max_bytes = 2047


class ApiToken(Secret):
    """The cloud token the station works with."""

    called = "token"


S = TypeVar("S", bound=Secret)
LOGIN = "login"
"""`SecretRef.scheme` of the token that ``station login`` keeps."""
KeyringLookup = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept. ``scheme`` is "env" or "keyring"; ``user`` is used by keyring only.

    "ask", which no file can say: in somebody's head; ``name`` says which. `LOGIN`, for a token only: where
    ``station login`` keeps it, behind the environment variable ``name`` unless that is "".
    """

    scheme: str
    name: str
    user: str = ""

    @classmethod
    def parse(cls, text: str) -> SecretRef | None:
        """The reference ``text`` says, or None if it is none (``text`` may then be a secret: do not repeat it)."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            return None
        if match[1]:
            return cls("env", match[2])
        return cls("keyring", match[4], match[5])

    def __str__(self) -> str:
        if self.scheme == "ask":
            return "what was typed"
        if self.scheme == LOGIN:
            return "keyring"
        return f"{self.scheme}:{self.name}" + (f"/{self.user}" if self.user else "")


def _reference(value: object) -> SecretRef:
    """Anything but a reference is refused without repeating it: it may be the secret itself."""
    if isinstance(value, SecretRef):
        return value
    reference = SecretRef.parse(value) if isinstance(value, str) else None
    if reference is None:
        raise refusal(Mistake(found="something else (not shown)" if isinstance(value, str) else kind_of(value)))
    return reference


SecretField = Annotated[
    SecretRef,
    PlainValidator(_reference, json_schema_input_type=Annotated[str, Field(pattern=f"^({_REFERENCE.pattern})$")]),
]
"""The key of a section that names a secret."""


def _token_reference(value: object) -> SecretRef:
    return SecretRef(LOGIN, "") if value == "keyring" else _reference(value)


TokenField = Annotated[
    SecretRef,
    PlainValidator(
        _token_reference, json_schema_input_type=Annotated[str, Field(pattern=f"^(keyring|{_REFERENCE.pattern})$")]
    ),
]
"""The key of a section that names a token: ``keyring`` is what ``station login`` keeps."""


def system_keyring(service: str, user: str) -> str | None:
    """The keyring of this login; raises `BadInput` when there is none to ask."""
    import keyring  # only here: it looks for desktop services when imported
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(service, user)
    except KeyringError as error:
        raise BadInput(
            f"keyring:{service}/{user}: this login has no keyring that answers ({type(error).__name__}); "
            "use env:NAME instead, or unlock the keyring"
        ) from error


class SecretSource:
    """Looks references up in ``environ`` and in a keyring. ``ask`` asks a person for the secret of a name."""

    def __init__(
        self,
        environ: Mapping[str, str],
        keyring: KeyringLookup = system_keyring,
        ask: Callable[[str], str] | None = None,
    ) -> None:
        self._environ, self._keyring, self._ask = environ, keyring, ask

    def has_variable(self, name: str) -> bool:
        """Return whether the environment has a variable of that name that is not empty."""
        return bool(self._environ.get(name))

    def resolve(self, reference: SecretRef, kind: type[S]) -> S:
        """The secret as a ``kind``, without the line end a pasted one brings along.

        Raises `BadInput`, never with the text, when it is absent, empty, longer than 4096 characters or not printable.
        """
        if reference.scheme == "env":
            text, advice = self._environ.get(reference.name), f"set {reference.name} before the station starts"
        elif reference.scheme == "ask" and self._ask is not None:
            text, advice = self._ask(reference.name), "type it again"
        else:
            text = self._keyring(reference.name, reference.user)
            advice = f"store it with: keyring set {reference.name} {reference.user}"
        text = re.sub(r"(\r\n|\n|\r)\Z", "", text or "")
        if fault := _fault(text, kind):
            raise BadInput(f"{kind.called} from {reference}: it {fault}; {advice}")
        return kind(text)


def _fault(text: str, kind: type[Secret]) -> str:
    """What is wrong with a secret, or "": text no request can carry would come back quoted in some library's error."""
    if not text:
        return "holds nothing"
    if len(text) > _MAX_LENGTH:
        return f"is longer than {_MAX_LENGTH} characters"
    if issubclass(kind, Certificate | PrivateKey):
        return _fault_of_pem(text, kind.max_bytes)
    if issubclass(kind, ApiToken) and not re.fullmatch(r"[!-~]+", text):
        return "holds characters no token has, or blanks"
    return "" if text.isprintable() else "holds characters that cannot be printed"


def _fault_of_pem(text: str, max_bytes: int) -> str:
    if len(text) > max_bytes:
        return f"is longer than the {max_bytes} bytes a unit takes"
    if not _PEM.fullmatch(text):
        return "is no PEM text from -----BEGIN to -----END, in lines of at most 254 characters"
    return ""
