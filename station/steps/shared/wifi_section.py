"""What a profile says of Wi-Fi: its sections [wifi], one for each network."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from drivers.devices.wifi import WifiNetwork
from drivers.identity import Secret
from drivers.platforms import Platform, platforms
from drivers.platforms.capabilities import Kind
from drivers.wire.messages.network import Enterprise
from drivers.wire.messages.tables import ENTERPRISE, EapType
from drivers.wire.messages.tables import WifiSecurity as WireSecurity

from ...errors import BadInput
from ...settings.profile_sections import Context, ProfileSection, where
from ...settings.secrets import Certificate, PrivateKey, SecretField, SecretRef, SecretSource, WifiPassword
from ...settings.sections import ABSENT, Mistake, refusal, tables
from .wifi_networks import WifiGoal

MAX_NETWORKS = 5
"""What every platform can store (reference usb-and-serial 4.8 and 9.9)."""


class WifiSecurity(enum.StrEnum):
    """How the access point is protected. The values are what a profile may say."""

    OPEN = "open"  # no password
    WEP = "wep"  # obsolete, still found
    WPA = "wpa"  # WPA-PSK
    WPA2 = "wpa2"  # WPA2-PSK
    WPA_WPA2 = "wpa/wpa2"  # mixed mode
    WPA3 = "wpa3"
    WPA2_WPA3 = "wpa2/wpa3"
    WPA_ENTERPRISE = "wpa-enterprise"  # a user of its own for every unit, or for all
    WPA2_ENTERPRISE = "wpa2-enterprise"


class Eap(enum.StrEnum):
    """How an enterprise network recognises a user. The values are what a profile may say."""

    PEAP = "peap"  # by name and password (MSCHAPv2)
    TLS = "tls"  # by a certificate


_SECURITY = {
    WifiSecurity.OPEN: WireSecurity.NONE,
    WifiSecurity.WEP: WireSecurity.WEP,
    WifiSecurity.WPA: WireSecurity.WPA_PSK,
    WifiSecurity.WPA2: WireSecurity.WPA2_PSK,
    WifiSecurity.WPA_WPA2: WireSecurity.WPA_WPA2_PSK,
    WifiSecurity.WPA3: WireSecurity.WPA3_PSK,
    WifiSecurity.WPA2_WPA3: WireSecurity.WPA2_WPA3_PSK,
    WifiSecurity.WPA_ENTERPRISE: WireSecurity.WPA_ENTERPRISE,
    WifiSecurity.WPA2_ENTERPRISE: WireSecurity.WPA2_ENTERPRISE,
}
"""What a profile calls a network's protection, as the wire's messages number it."""
_EAP = {Eap.PEAP: EapType.PEAP, Eap.TLS: EapType.TLS}
_BY_USER = tuple(one for one, wire in _SECURITY.items() if wire in ENTERPRISE)
_OF_PEAP, _OF_TLS = ("username", "password"), ("certificate", "private_key")
_OF_USERS = ("eap", "username", "outer_identity", "certificate", "private_key", "root_ca")
_WEP_KEY = r"[!-~ ]{5}|[!-~ ]{13}|[0-9A-Fa-f]{10}|[0-9A-Fa-f]{26}"
_KEYS = {WifiSecurity.WEP: (_WEP_KEY, "5 or 13 characters, or 10 or 26 hex digits")}
_WPA_KEY = (r"[0-9A-Fa-f]{64}", "8 to 63 characters, or 64 hex digits")


def _in_32_bytes(ssid: str) -> str:
    if len(ssid.encode()) > 32:
        raise refusal(Mistake(found=f"{len(ssid.encode())}"))
    return ssid


def _secret(title: str, example: str, description: str) -> Any:
    return Field(
        default=None, title=f"a reference to the {title}, never the {title} itself",
        examples=[f"env:{example}", f"keyring:station/{example.lower()}"], description=description,
    )  # fmt: skip


def _ruled(*values: str) -> dict[str, Any]:
    return {"properties": {"security": {"enum": list(values)}}, "required": ["security"]}


class Wifi(
    ProfileSection,
    json_schema_extra={
        "allOf": [
            {"if": _ruled(WifiSecurity.OPEN.value), "then": {"properties": {"password": ABSENT}}},
            {"if": {"not": _ruled(WifiSecurity.OPEN.value, *(one.value for one in _BY_USER))},
             "then": {"required": ["password"]}},
            {"if": _ruled(*(one.value for one in _BY_USER)), "then": {"required": ["eap"]},
             "else": {"properties": dict.fromkeys(_OF_USERS, ABSENT)}},
            {"if": {"properties": {"eap": {"const": Eap.PEAP.value}}, "required": ["eap"]},
             "then": {"required": list(_OF_PEAP), "properties": dict.fromkeys(_OF_TLS, ABSENT)}},
            {"if": {"properties": {"eap": {"const": Eap.TLS.value}}, "required": ["eap"]},
             "then": {"required": list(_OF_TLS), "properties": dict.fromkeys(_OF_PEAP, ABSENT)}},
            {"if": {"properties": {"join": {"const": False}}, "required": ["join"]},
             "then": {"properties": {"min_signal": ABSENT}}},
        ],
    },
):  # fmt: skip
    """A network the unit joins, or knows. The file says where the password is kept, never the password."""

    ssid: Annotated[str, AfterValidator(_in_32_bytes)] = Field(
        min_length=1, title="a network name of 1 to 32 bytes", examples=["factory"], description="Name of the network."
    )
    security: WifiSecurity = Field(default=WifiSecurity.WPA2, strict=False, description="How the network is protected.")
    is_hidden: bool = Field(default=False, alias="hidden", description="true: the network does not tell its name.")
    password: SecretField | None = _secret(
        "password", "WIFI_PASSWORD", "Where the password is kept: an environment variable or a keyring entry."
    )
    is_joined: bool = Field(
        default=True, alias="join", description="false: store it untried, for a network that is not here."
    )
    is_kept: bool = Field(
        default=True, alias="keep", description="false: the unit forgets it again before it leaves the bench."
    )
    min_signal: int | None = Field(
        default=None, ge=-95, le=-10, title="dBm from -95 to -10", examples=[-70],
        description="The weakest good signal in dBm: the unit's antenna is tested with it.",
    )  # fmt: skip
    eap: Eap | None = Field(
        default=None, strict=False,
        description="How an enterprise network recognises the unit: peap by name and password, tls by certificate.",
    )  # fmt: skip
    username: str = Field(
        default="", min_length=1, max_length=64, title="a user name of at most 64 characters", examples=["line"],
        description="The user a unit logs in as (peap).",
    )  # fmt: skip
    outer_identity: str = Field(
        default="", min_length=1, max_length=64, title="a name of at most 64 characters", examples=["anonymous"],
        description="The name an enterprise network is told in clear.",
    )  # fmt: skip
    certificate: SecretField | None = _secret("certificate", "WIFI_CERTIFICATE", "The unit's certificate, PEM (tls).")
    private_key: SecretField | None = _secret("private key", "WIFI_KEY", "The key of that certificate, PEM (tls).")
    root_ca: SecretField | None = _secret(
        "certificate", "WIFI_CA", "Whose certificates the unit believes, PEM; without it, everybody's."
    )

    @classmethod
    def field(cls) -> tuple[Any, Any]:
        """Let a profile name several networks, ``[[wifi]]``, or the only one plainly, ``[wifi]``."""
        return Annotated[tuple[Wifi, ...], tables(Wifi), AfterValidator(_distinct)], Field(
            default=(), strict=False, min_length=1, max_length=MAX_NETWORKS, title="a network",
            examples=[[{"ssid": "factory", "password": "env:WIFI_PASSWORD"}]], validate_default=False,
            description="Networks the unit joins or knows, in the order it is given them.",
        )  # fmt: skip

    @classmethod
    def schema_rules(cls) -> Iterator[dict[str, Any]]:
        others = [name for row in platforms() if not row.sets_wifi_in_listening_mode for name in (row.slug, row.id)]
        only_others = {"items": {"enum": others}, "minItems": 1}
        yield where({"properties": {"platforms": only_others}, "required": ["platforms"]}, wifi=ABSENT)

    @classmethod
    def check_presence(cls, context: Context, _is_there: bool) -> Iterator[Mistake]:
        if "wifi" in context.written and not any(row.sets_wifi_in_listening_mode for row in context.platforms):
            names = ", ".join(row.name for row in context.platforms)
            takers = ", ".join(row.name for row in platforms() if row.sets_wifi_in_listening_mode)
            yield Mistake((), f"no [wifi] for {names}: only {takers} take credentials (H5)", "remove [wifi]")

    def check(self, context: Context) -> Iterator[Mistake]:
        """Yield keys that contradict each other, or that this kind of security does not have."""
        is_by_user = self.security in _BY_USER
        if self.security is WifiSecurity.OPEN and self.password is not None:
            yield Mistake("password", 'no password for security = "open"', "remove it, or name the security")
        if self.security is not WifiSecurity.OPEN and self.password is None and not is_by_user:
            yield Mistake("password", found="nothing")
        if self.min_signal is not None and not self.is_joined:
            yield Mistake("min_signal", "no signal to measure with join = false", "remove one of them")
        yield from self._check_user(context) if is_by_user else self._check_no_user()

    def _check_no_user(self) -> Iterator[Mistake]:
        for key in _OF_USERS:
            if key in self.model_fields_set:
                expected = f"{key} only with an enterprise network"
                yield Mistake(key, expected, 'remove it, or write security = "wpa2-enterprise"')

    def _check_user(self, context: Context) -> Iterator[Mistake]:
        if not any(map(_knows_users, context.platforms)):
            takers = " and ".join(row.name for row in platforms() if _knows_users(row))
            names = ", ".join(row.name for row in context.platforms)
            yield Mistake("security", f"no enterprise network for {names}: only {takers} join one", found="one")
        if self.eap is None:
            yield Mistake("eap", found="nothing")
            return
        wanted, others = (_OF_PEAP, _OF_TLS) if self.eap is Eap.PEAP else (_OF_TLS, _OF_PEAP)
        for key in wanted:
            if not getattr(self, key):
                yield Mistake(key, found="nothing")
        for key in others:
            if key in self.model_fields_set:
                yield Mistake(key, f'no {key} with eap = "{self.eap.value}"', "remove it")

    def goal(self, secrets: SecretSource) -> WifiGoal:
        """Return the network with its secrets; raises `BadInput` where one is not kept there, or cannot be good."""
        password = self._looked_up(secrets, self.password, WifiPassword)
        login = None
        if self.eap is not None:
            ca = self._looked_up(secrets, self.root_ca, Certificate)
            certificate = self._looked_up(secrets, self.certificate, Certificate)
            login = Enterprise(
                _EAP[self.eap], self.username, password, self.outer_identity,
                certificate.reveal() if certificate else "",
                self._looked_up(secrets, self.private_key, PrivateKey), ca.reveal() if ca else "",
            )  # fmt: skip
            password = None
        elif password is not None and self.password is not None:
            self._check_key(password, self.password)
        network = WifiNetwork(self.ssid, _SECURITY[self.security], password, self.is_hidden, login)
        return WifiGoal(network, self.is_joined, self.is_kept, self.min_signal)

    @staticmethod
    def _looked_up(secrets: SecretSource, ref: SecretRef | None, kind: type[Secret]) -> Secret | None:
        return secrets.resolve(ref, kind) if ref is not None else None

    def _check_key(self, password: Secret, ref: SecretRef) -> None:
        """Refuse a password no such network can have: it would look like a bad access point."""
        text = password.reveal()
        pattern, expected = _KEYS.get(self.security, _WPA_KEY)
        is_phrase = self.security not in _KEYS and 8 <= len(text.encode()) <= 63
        if not is_phrase and not re.fullmatch(pattern, text):
            raise BadInput(
                f"{password.called} from {ref}: it has {len(text.encode())} characters, expected {expected} for "
                f'security = "{self.security.value}"; store the right one'
            )


def _knows_users(row: Platform) -> bool:
    """Return whether some Device OS of the platform joins enterprise networks."""
    return row.has_wifi and row.capabilities.ever(Kind.FIELD, "w.enterprise")


def _distinct(rows: tuple[Wifi, ...]) -> tuple[Wifi, ...]:
    seen: set[str] = set()
    for at, row in enumerate(rows):
        if row.ssid in seen:
            raise refusal(Mistake((at, "ssid"), "every network once", "remove one of them", "it twice"))
        seen.add(row.ssid)
    return rows
