"""The section [customer] of a profile and the key claim_by: what they may say, and how a mistake is told."""

from __future__ import annotations

import tomllib

import jsonschema
import pytest
from support.known_steps import STEPS, parse_profile, steps_of

from drivers.platforms import platform_by_slug
from station.errors import BadInput
from station.settings.differences import differences
from station.settings.profile import Profile, profile_schema
from station.steps.shared.cloud_sections import Cloud
from station.steps.shared.customer_section import Customer

VALIDATOR = jsonschema.Draft202012Validator(profile_schema(STEPS.rules))
WIFI = '[wifi]\nssid = "plant"\npassword = "env:WIFI"\n'
EACH = "unit-{id}@customers.example.com"


def text(*lines: str, email: str = EACH, cloud: str = "", platform: str = "boron", more: str = "") -> str:
    """A product profile with a section [customer]; ``lines``: further ones of it."""
    head = f'id = "c"\nrevision = 1\nkind = "product"\nplatforms = ["{platform}"]\n[product]\nid = 12345\n'
    customer = "\n".join(
        ["[customer]", f'email = "{email}"', 'client_id = "shop-1"', 'client_secret = "env:S"', *lines]
    )
    return f"{head}[cloud]\n{cloud}\n{more}{customer}\n"


def developer(cloud: str, more: str = WIFI) -> str:
    head = 'id = "d"\nrevision = 1\nkind = "developer"\nplatforms = ["argon"]\n'
    return f"{head}[cloud]\nclaim = true\n{cloud}\n{more}"


def read(profile: str) -> Profile:
    assert not list(VALIDATOR.iter_errors(tomllib.loads(profile))), "the schema marks what the reader takes"
    return parse_profile(profile.encode())


def steps(profile: Profile) -> list[str]:
    return [plan.name for plan in steps_of(profile)]


@pytest.mark.parametrize(
    ("email", "wanted"),
    [
        (EACH, "unit-e00fce680000000000000001@customers.example.com"),
        ("{platform}.{serial}@a.example.com", "boron.p044ab1234567@a.example.com"),
        ("fleet+eu@customers.example.com", "fleet+eu@customers.example.com"),
    ],
)
def test_an_address_is_one_for_all_or_made_of_what_a_unit_is_called(email: str, wanted: str) -> None:
    customer = read(text(email=email)).section(Customer)
    assert customer is not None
    assert customer.address("boron", "e00fce680000000000000001", "P044AB1234567") == wanted
    assert customer.is_one_for_all is ("{" not in email)
    untold = customer.address("boron", "e00fce680000000000000001", None)
    assert untold == ("" if "serial" in email else wanted)


def test_a_unit_for_a_customer_comes_online_here_and_waits_while_the_cloud_is_away() -> None:
    profile = read(text())
    assert profile.section(Cloud).is_awaited(profile.context)
    assert not profile.section(Cloud).queues(profile.context)
    order = steps(profile)
    assert order.index("product_add") < order.index("online") < order.index("customer") < order.index("final_check")
    assert "claim_code" not in order


def test_a_claim_code_is_put_in_before_the_network_and_behind_the_product() -> None:
    order = steps(read(text('claim_by = "code"', platform="argon", more=WIFI)))
    assert order.index("product_add") < order.index("claim_code") < order.index("wifi") < order.index("customer")
    order = steps(read(developer('claim_by = "code"')))
    assert order.index("claim_code") < order.index("wifi") < order.index("online") < order.index("claim")


def test_a_modem_hands_a_code_in_without_wifi() -> None:
    for platform in ("boron", "electron", "msom"):
        assert "claim_code" in steps(read(text('claim_by = "code"', platform=platform))), platform_by_slug(platform)


REFUSED = [
    (text(email="someone"), "[customer] email: expected an e-mail address, with fields {id}, {serial}, {platform}"),
    (text(email="unit-{imei}@a.example.com"), "[customer] email: expected an e-mail address"),
    (text(email="{serial}@a.example.com", platform="photon"), "{id} in place of {serial}: a Photon may have none (A4)"),
    (text('claim_by = "token"'), '[customer] claim_by: expected one of "id", "code"'),
    (text('claim_by = "code"', platform="argon"), "or a section [wifi]: Argon hands a claim code in only where"),
    (text('unclaim_from = ["somebody"]'), "[customer] unclaim_from"),
    (
        text('unclaim_from = ["Fleet@a.example.com"]', email="fleet@a.example.com"),
        "other accounts than the customer's: which of the two owns a unit could not be told (E14)",
    ),
    (text(cloud="claim = true"), "claim = false: the customer is to own the unit (K7)"),
    (text(cloud="online = false"), "online = true: a customer's unit is claimed online"),
    (text(cloud='offline = "queue"'), "a unit that must come online here cannot be unplugged before"),
    (text(cloud='claim_by = "code"'), "a product gives claim codes to its customers only (K5)"),
    (text().replace("client_secret", "# "), "[customer] client_secret"),
    (text().replace("env:S", "hunter2hunter2hunter2"), "[customer] client_secret: expected env:NAME or keyring:"),
    (developer("", WIFI + text().partition("[cloud]\n\n")[2]), "only in a product profile: customers are those of a"),
    (developer('claim_by = "code"', ""), "or a section [wifi]: Argon hands a claim code in only where"),
]


@pytest.mark.rule("K4", "K5", "K7")
@pytest.mark.parametrize(("profile", "said"), REFUSED, ids=[said[:40] for _, said in REFUSED])
def test_what_makes_no_customer_is_refused_in_one_sentence(profile: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_profile(profile.encode())
    (sentence,) = caught.value.sentences
    assert said in sentence
    assert "hunter2" not in sentence


def test_an_editor_marks_what_contradicts_a_customer() -> None:
    for cloud in ("claim = true", "online = false", 'offline = "queue"', 'claim_by = "code"'):
        assert list(VALIDATOR.iter_errors(tomllib.loads(text(cloud=cloud)))), cloud
    assert list(VALIDATOR.iter_errors(tomllib.loads(developer("", text().partition("[cloud]\n\n")[2]))))


def test_what_another_customer_changes_is_told_in_words_and_never_the_secret() -> None:
    old, new = read(text()), read(text('claim_by = "code"', email="fleet@a.example.com"))
    assert list(differences(old, new)) == [
        '[customer] email: "unit-{id}@customers.example.com" -> "fleet@a.example.com" (whose unit it is: one address'
        " for all, or with fields one for each. Who is none yet becomes one)",
        "[customer] claim_by: id -> code (id: claimed by its Device ID once it is online. code: a claim code is put"
        " into it over USB (K4))",
    ]
    (gone,) = differences(old, read(text().partition("[customer]")[0]))
    assert gone.startswith('[customer] no longer: email "unit-{id}@customers.example.com", client_id "shop-1"')
