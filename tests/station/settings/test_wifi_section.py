"""The sections [wifi] of a profile: what they may say, how a mistake is told, and what becomes of their secrets."""

from __future__ import annotations

import re
import tomllib

import jsonschema
import pytest
from support.known_steps import STEPS, parse_profile

from drivers.wire.messages.tables import EapType, WifiSecurity
from station.errors import BadInput
from station.paths import shipped_profiles
from station.settings.profile import profile_schema
from station.settings.secrets import SecretSource
from station.steps.shared.wifi_networks import WifiGoal
from station.steps.shared.wifi_section import Wifi

VALIDATOR = jsonschema.Draft202012Validator(profile_schema(STEPS.rules))
PLAIN = 'ssid = "plant"\npassword = "env:WIFI"'
PEAP = (
    'ssid = "campus"\nsecurity = "wpa2-enterprise"\neap = "peap"\nusername = "line"\npassword = "env:WIFI"\n'
    'outer_identity = "anonymous"\nroot_ca = "env:CA"'
)
TLS = 'ssid = "campus"\nsecurity = "wpa-enterprise"\neap = "tls"\ncertificate = "env:CA"\nprivate_key = "env:KEY"'
CA = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----"
KEY = "-----BEGIN PRIVATE KEY-----\r\nREVG\r\n-----END PRIVATE KEY-----\r\n"
SECRETS = {"WIFI": "hunter2hunter2", "CA": CA, "KEY": KEY}


def text(*sections: str, platform: str = "photon") -> str:
    head = f'id = "w"\nrevision = 1\nkind = "product"\nplatforms = ["{platform}"]\n[product]\nid = 12345\n'
    return head + "".join(f"[[wifi]]\n{one}\n" for one in sections)


def goals(*sections: str, platform: str = "photon", **secrets: str) -> list[WifiGoal]:
    profile = parse_profile(text(*sections, platform=platform).encode())
    return [one.goal(SecretSource(SECRETS | secrets)) for one in profile.sections(Wifi)]


def refusal(*sections: str, platform: str = "photon") -> str:
    """All sentences about a profile that is refused."""
    with pytest.raises(BadInput) as caught:
        parse_profile(text(*sections, platform=platform).encode())
    return "\n".join(caught.value.sentences)


def test_every_key_is_shown_and_explained_in_a_shipped_profile() -> None:
    shipped = "".join(path.read_text(encoding="utf-8") for path in shipped_profiles())
    for name, field in Wifi.model_fields.items():
        assert re.search(rf"^(# )?{field.alias or name} = \S.* # \S", shipped, re.MULTILINE), name


def test_a_plain_section_is_the_only_network() -> None:
    profile = parse_profile(text().encode() + f"[wifi]\n{PLAIN}\n".encode())
    (one,) = profile.sections(Wifi)
    assert (one.ssid, one.is_joined, one.is_kept, one.min_signal, one.is_hidden) == ("plant", True, True, None, False)


@pytest.mark.parametrize("name", ["n", "n" * 32, "工場　網", "\U0001f3ed\U0001f469‍\U0001f527", "a b", "\u202ex"])
def test_a_network_may_have_any_name_of_32_bytes(name: str) -> None:
    (goal,) = goals(PLAIN.replace("plant", name))
    assert goal.network.ssid == name
    assert not list(VALIDATOR.iter_errors(tomllib.loads(text(PLAIN.replace("plant", name)))))


@pytest.mark.parametrize("name", ["", "n" * 33, "工場工場工場工場工場工", "a\\nb", "a\\u001bb", "a\\u007fb"])
def test_no_network_has_another_name(name: str) -> None:
    assert "ssid" in refusal(PLAIN.replace("plant", name)) or "cannot be shown" in refusal(PLAIN.replace("plant", name))


@pytest.mark.parametrize(
    ("security", "good", "bad"),
    [
        ("wpa2", ["x" * 8, "x" * 63, "0123456789abcDEF" * 4, "gruß aus köln"], ["x" * 7, "x" * 64, "0" * 65]),
        ("wpa", ["x" * 8], ["short"]),
        ("wpa3", ["x" * 8], ["x" * 7]),
        ("wep", ["abcde", "x" * 13, "0123456789", "0" * 26], ["abcdef", "0123456789abc!"[:12]]),
    ],
)
def test_a_password_no_such_network_has_is_refused_without_showing_it(
    security: str, good: list[str], bad: list[str]
) -> None:
    section = f'{PLAIN}\nsecurity = "{security}"'
    for password in good:
        (goal,) = goals(section, WIFI=password)
        assert goal.network.password is not None
        assert goal.network.password.reveal() == password
    for password in bad:
        with pytest.raises(BadInput, match=f'characters, expected .* for security = "{security}"') as caught:
            goals(section, WIFI=password)
        assert password not in str(caught.value)


def test_an_enterprise_network_gets_its_user() -> None:
    (peap,) = goals(PEAP)
    (tls,) = goals(TLS)
    assert (peap.network.security, peap.network.password) == (WifiSecurity.WPA2_ENTERPRISE, None)
    assert peap.network.enterprise is not None
    assert tls.network.enterprise is not None
    assert (peap.network.enterprise.type, peap.network.enterprise.username) == (EapType.PEAP, "line")
    assert (peap.network.enterprise.root_ca, tls.network.enterprise.certificate) == (CA, CA)
    assert tls.network.enterprise.private_key is not None
    shown = repr(tls) + repr(peap)
    assert not any(secret in shown for secret in ("hunter2", "REVG"))


@pytest.mark.parametrize("key", ["no key", KEY.replace("END", "FIN"), KEY.replace("REVG", "R" * 255), KEY + "x" * 2048])
def test_a_key_no_unit_reads_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(BadInput, match="private key from env:KEY") as caught:
        goals(TLS, KEY=key)
    assert key[:20] not in str(caught.value)


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ([PLAIN, PLAIN], "every network once"),
        ([PLAIN.replace("plant", f"n{n}") for n in range(6)], "1 to 5 of them"),
        ([PLAIN + '\nsecurity = "open"'], 'no password for security = "open"'),
        (['ssid = "plant"'], "[wifi.1] password: expected"),
        ([PLAIN + "\nmin_signal = -70\njoin = false"], "no signal to measure"),
        ([PLAIN + "\nmin_signal = -96"], "dBm from -95 to -10"),
        ([PLAIN + "\nmin_signal = 70"], "dBm from -95 to -10"),
        ([PLAIN + '\nusername = "line"'], "username only with an enterprise network"),
        ([PEAP.replace('eap = "peap"\n', "")], 'eap: expected one of "peap", "tls"'),
        ([PEAP.replace('username = "line"\n', "")], "username: expected a user name"),
        ([PEAP + '\nprivate_key = "env:KEY"'], 'no private_key with eap = "peap"'),
        ([TLS.replace('certificate = "env:CA"\n', "")], "certificate: expected a reference"),
        ([TLS.replace("env:KEY", KEY.split()[0])], "(not shown)"),
    ],
)
def test_a_mistake_is_told_and_marked_in_an_editor(sections: list[str], told: str) -> None:
    assert told in refusal(*sections)
    is_marked = bool(list(VALIDATOR.iter_errors(tomllib.loads(text(*sections)))))
    assert is_marked != (told in ("every network once", "1 to 5 of them")), (
        "a schema cannot compare names, nor count here"
    )


@pytest.mark.parametrize("section", [PLAIN, PEAP, TLS, PLAIN + "\nkeep = false\nhidden = true\nmin_signal = -70"])
def test_what_is_taken_is_marked_nowhere(section: str) -> None:
    goals(section)
    assert not list(VALIDATOR.iter_errors(tomllib.loads(text(section))))


@pytest.mark.parametrize(("platform", "is_taken"), [("photon", True), ("p1", True), ("argon", False), ("p2", False)])
def test_only_photon_and_p1_join_enterprise_networks(platform: str, is_taken: bool) -> None:
    if is_taken:
        goals(PEAP, platform=platform)
    else:
        assert "only Photon and P1 join one" in refusal(PEAP, platform=platform)
