"""Profiles: what a good one becomes, and the one sentence a bad one gets."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.known_steps import STEPS, load_profile, parse_profile, step_plans, steps_of

from drivers.platforms import platform_by_slug
from station.errors import BadInput
from station.firmware.sections import DeviceOs, Firmware
from station.model import ProfileRef
from station.paths import find_profile, profile_names, shipped_profiles
from station.settings.profile import Kind
from station.settings.secrets import SecretRef
from station.settings.sku import SKU_MINIMUMS, minimum_for_serial, minimum_for_sku
from station.steps.product_add import Product
from station.steps.shared.cloud_sections import Cloud, NameTemplate
from station.steps.shared.wifi_section import Wifi, WifiSecurity

HASH = "ab" * 32
BORON = f'''id = "widget"
revision = 3
kind = "product"
platforms = ["boron"]
[product]
id = 12345
[device_os]
version = "6.3.4"
modules = [{{ file = "boron-system-part1@6.3.4.bin", sha256 = "{HASH}" }}]
[firmware]
file = "app.bin"
sha256 = "{HASH.upper()}"
product_version = 9
'''
ARGON = BORON.replace("boron", "argon") + '[wifi]\nssid = "plant"\npassword = "env:WIFI"\n'
TRICKY = (
    '"',
    "'",
    '"""',
    "[",
    "[[",
    "]",
    "{",
    "}",
    "\n",
    "#",
    "=",
    ".",
    "\\",
    "\r\n",
    "\t",
    "\x00",
    "true",
    "-1",
    "[a]\n",
)
DEVELOPER = """id = "dev"
revision = 1
kind = "developer"
platforms = ["argon", 13]
[cloud]
claim = true
"""


def parsed(text: str):  # type: ignore[no-untyped-def]
    return parse_profile(text.encode(), "p.toml")


def refusal(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        parsed(text)
    return str(caught.value)


def queues(text: str) -> bool:
    profile = parsed(text)
    return profile.section(Cloud).queues(profile.context)


def names(text: str, slug: str | None = None) -> list[str]:
    return [plan.name for plan in steps_of(parsed(text), platform_by_slug(slug) if slug else None)]


# --- what a good profile becomes ---


def test_a_product_profile_becomes_typed_values() -> None:
    profile = parsed(BORON)
    assert profile.ref == ProfileRef("widget", 3, hashlib.sha256(BORON.encode()).hexdigest())
    assert profile.kind is Kind.PRODUCT
    assert [row.id for row in profile.platforms] == [13]
    assert profile.section(Product) == Product(id=12345)
    assert str(profile.section(DeviceOs).version) == "6.3.4"
    assert profile.sections(Firmware)[0].sha256 == HASH  # lower case, however written
    assert queues(BORON)


@pytest.mark.parametrize("file", shipped_profiles(), ids=lambda path: path.stem)
def test_shipped_profiles_are_good(file: Path) -> None:
    profile = load_profile(find_profile(file.stem))
    assert steps_of(profile)[0].name == "identify"
    assert all(steps_of(profile, row) for row in profile.platforms)


@pytest.mark.rule("C8")
def test_a_product_is_named_by_number_or_slug() -> None:
    assert parsed(BORON.replace("id = 12345", 'slug = "widget-v1"')).section(Product) == Product(slug="widget-v1")
    both = parsed(BORON.replace("id = 12345", 'id = 12345\nslug = "widget-v1"')).section(Product)
    assert (both.ref, both.slug) == ("12345", "widget-v1")
    assert "number or slug (C8)" in refusal(BORON.replace("id = 12345", ""))
    assert "from 101" in refusal(BORON.replace("id = 12345", "id = 13"))


@pytest.mark.rule("F3")
def test_names_come_from_the_serial_or_fall_back() -> None:
    profile = parsed(BORON)
    unit = ("boron", "e00fce68000000000012cdef")
    template = profile.section(NameTemplate)
    assert template.render(*unit, "P044AB1234567") == "P044AB1234567"
    assert template.render(*unit, None) == "boron-12cdef"
    other = parsed(BORON + '[name]\ntemplate = "w-{id6}-{serial}"\nfallback = "{id}"\n')
    template = other.section(NameTemplate)
    assert template.render(*unit, "P044") == "w-12cdef-P044"
    assert template.render(*unit, None) == unit[1]


@pytest.mark.parametrize(
    "template",
    ["{Serial}", "{serial.__class__}", "{serial!r}", "{serial:>9}", "{}", "{0}", "same", "{platform}", "{id"],
)
def test_a_name_template_with_other_fields_is_refused(template: str) -> None:
    assert "line 16, [name] template: expected text with the fields {serial}" in refusal(
        BORON + f'\n[name]\ntemplate = "{template}"\n'
    )


# --- steps ---


@pytest.mark.rule("B3")  # no claim, yet membership and SIM
def test_a_product_boron_walks_the_product_graph() -> None:
    assert names(BORON) == [
        "identify", "dfu", "device_os", "firmware", "product_add", "name", "setup_done", "sim", "final_check",
    ]  # fmt: skip


@pytest.mark.rule("H5")
def test_only_an_argon_has_a_wifi_step() -> None:
    assert "wifi" in names(ARGON)
    assert "H5" in refusal(BORON + '[wifi]\nssid = "plant"\npassword = "env:WIFI"\n')
    mixed = DEVELOPER + '[wifi]\nssid = "plant"\npassword = "env:WIFI"\n'
    assert "wifi" in names(mixed, "argon")
    assert "wifi" not in names(mixed, "boron")


@pytest.mark.rule("E4")
def test_a_product_profile_does_not_claim_unless_told_to() -> None:
    assert not parsed(BORON).section(Cloud).claim
    assert "claim" not in names(BORON)


@pytest.mark.rule("E3")
def test_a_claimed_product_unit_is_claimed_before_it_can_go_online() -> None:
    plans = {plan.name: plan for plan in steps_of(parsed(ARGON + "[cloud]\nclaim = true\nonline = true\n"))}
    assert plans["claim"].after == ("name",)
    assert plans["wifi"].after == ("firmware", "claim")
    order = list(plans)
    assert order.index("product_add") < order.index("claim") < order.index("wifi") < order.index("online")


@pytest.mark.rule("E1")
def test_a_developer_profile_without_claim_is_refused() -> None:
    text = refusal(DEVELOPER.replace("claim = true", ""))
    assert "p.toml line 5, [cloud] claim: expected claim = true" in text
    assert "(E1)" in text


@pytest.mark.rule("E2")
def test_a_developer_unit_is_claimed_only_after_it_was_online() -> None:
    plans = {plan.name: plan for plan in steps_of(parsed(DEVELOPER))}
    assert plans["claim"].after == ("online",)
    assert "(E2)" in refusal(DEVELOPER + "online = false\n")
    assert "hold" in refusal(DEVELOPER + 'offline = "queue"\n')
    assert not queues(DEVELOPER)


@pytest.mark.rule("H0")
def test_setup_done_stands_between_wifi_and_the_wait_for_online() -> None:
    order = names(DEVELOPER + '[wifi]\nssid = "plant"\npassword = "env:WIFI"\n')
    assert order.index("wifi") < order.index("setup_done") < order.index("online") < order.index("claim")


@pytest.mark.rule("C1")
def test_membership_and_name_stand_before_the_unit_can_go_online() -> None:
    for text in (BORON, ARGON):
        reach: dict[str, set[str]] = {}
        for plan in steps_of(parsed(text + "[cloud]\nonline = true\n")):
            reach[plan.name] = set(plan.after).union(*(reach[name] for name in plan.after))
        assert {"product_add", "name"} <= reach["online"]
        assert {"product_add", "name"} <= reach["setup_done"]  # after it a cellular unit goes online by itself
        assert "product_add" not in reach["firmware"]  # but not for the USB work before


@pytest.mark.parametrize("kind", list(Kind))
def test_graphs_name_predecessors_before_their_followers(kind: Kind) -> None:
    seen: set[str] = set()
    for plan in step_plans(kind):
        assert set(plan.after) <= seen
        seen.add(plan.name)
    assert seen <= {*STEPS.names}


def test_a_step_switched_off_hands_its_predecessors_on() -> None:
    plans = {plan.name: plan for plan in steps_of(parsed(ARGON + "[steps.name]\nenabled = false\n"))}
    assert "name" not in plans
    assert plans["wifi"].after == ("firmware", "product_add")


def test_time_limits_are_per_step_and_in_seconds() -> None:
    plans = {plan.name: plan for plan in steps_of(parsed(BORON + "[steps.sim]\nlimit_s = 900\n"))}
    assert plans["sim"].limit_s == 900
    assert plans["identify"].limit_s == STEPS.rules["identify"].limit_s


def test_without_firmware_there_is_nothing_to_enter_dfu_for() -> None:
    assert names(DEVELOPER)[:2] == ["identify", "setup_done"]


# --- refusals: file, line, key, expected, what to write ---


@pytest.mark.rule("D1")
@pytest.mark.parametrize("version", [0, 65536, -1])
def test_product_firmware_versions_outside_16_bits_are_refused(version: int) -> None:
    text = refusal(BORON.replace("product_version = 9", f"product_version = {version}"))
    assert (
        f"p.toml line 13, [firmware] product_version: expected a whole number from 1 to 65535, found {version}" in text
    )


@pytest.mark.rule("D1")
@pytest.mark.parametrize("version", [1, 65535])
def test_product_firmware_versions_of_16_bits_are_accepted(version: int) -> None:
    profile = parsed(BORON.replace("product_version = 9", f"product_version = {version}"))
    assert profile.sections(Firmware)[0].product_version == version


@pytest.mark.rule("H4")
@pytest.mark.parametrize("version", ["latest", "6.3", "6.x", ""])
def test_a_version_that_is_not_pinned_is_refused(version: str) -> None:
    text = refusal(BORON.replace('version = "6.3.4"', f'version = "{version}"'))
    assert "line 8, [device_os] version: expected one version" in text


@pytest.mark.rule("H4")
def test_a_downgrade_needs_a_flag() -> None:
    assert not parsed(BORON).section(DeviceOs).allow_downgrade
    assert parsed(BORON.replace('"6.3.4"\n', '"6.3.4"\nallow_downgrade = true\n')).section(DeviceOs).allow_downgrade


@pytest.mark.rule("D9")
@pytest.mark.parametrize(
    ("sku", "version", "minimum"),
    [
        ("BRN404X", "3.3.1", "4.0.1"),
        ("brn404xkit", "4.0.0", "4.0.1"),
        ("BRN404", "3.3.1", None),
        ("BRN404X", "4.0.1", None),
    ],
)
def test_a_device_os_below_the_minimum_of_a_sku_is_refused(sku: str, version: str, minimum: str | None) -> None:
    text = BORON.replace('version = "6.3.4"', f'version = "{version}"').replace(
        "revision", f'skus = ["{sku}"]\nrevision'
    )
    if minimum is None:
        assert parsed(text).skus == (sku.upper(),)
    else:
        assert f"expected {minimum} or later, as {sku.upper()} needs (D9)" in refusal(text)


def test_the_minimum_is_found_by_sku_and_by_serial() -> None:
    assert minimum_for_sku("BRN404XTRAY50") is minimum_for_serial("P044AB1234567") is SKU_MINIMUMS[0]
    assert minimum_for_sku("B404MEA") is minimum_for_serial("P033AB1234567")
    assert minimum_for_sku("ARGNKIT") is minimum_for_serial("ARGH12345") is None


BAD = [
    ('kind = "product"', 'kind = "produkt"', 'line 3, kind: expected one of "product", "dev', 'kind = "product"'),
    ("revision = 3", "revision = 0", "line 2, revision: expected a whole number from 1 to 65535, found 0", "= 1"),
    ("revision = 3", "revision = true", "line 2, revision: expected", "found true or false"),
    ("revision = 3", "revsion = 3", "revision: expected a whole number", "found nothing"),
    (
        '"boron"',
        '"borom"',
        "line 4, platforms: expected platforms among",
        "found 'borom'; write platforms = [\"boron\"]",
    ),
    ('"boron"', '"boron", "argon"', "line 4, platforms: expected one platform", "C3"),
    ("[product]", "[prodct]", "product: expected a section [product]", "write [product]"),
    ("[firmware]", "[[firmware]]\ntimes = 2", "[firmware.1] times: expected only the keys", "remove it"),
    ('file = "app.bin"', 'file = "../app.bin"', "line 11, [firmware] file: expected a file name without a", "../"),
    ('file = "app.bin"', 'file = "/etc/passwd"', "line 11, [firmware] file", "without a folder"),
    ('file = "app.bin"', "file = 7", "line 11, [firmware] file", "a whole number"),
    (HASH.upper(), HASH[:-1], "line 12, [firmware] sha256: expected 64 hexadecimal digits", "sha256sum app.bin"),
    ("modules = [", "module = [", "[device_os] modules: expected the files of the release", "write modules"),
    ("product_version", "product_vesion", "line 13, [firmware] product_vesion: expected only", "write product_version"),
    ('"6.3.4"', '"6.3.4', "p.toml: this is not TOML", "line 8"),
]


@pytest.mark.parametrize(("old", "new", "where", "advice"), BAD, ids=[row[1][:20] for row in BAD])
def test_a_bad_key_is_refused_with_line_and_advice(old: str, new: str, where: str, advice: str) -> None:
    assert old in BORON
    text = refusal(BORON.replace(old, new, 1))
    assert text.startswith("p.toml")
    assert where in text
    assert advice in text
    assert "\n" not in text


@pytest.mark.parametrize("step", ["identify", "product_add", "setup_done", "wifi"])
def test_a_step_the_rules_demand_cannot_be_switched_off(step: str) -> None:
    text = refusal(BORON + f"[steps.{step}]\nenabled = false\n")
    assert f"line 15, [steps.{step}] enabled: expected true: only name, sim may be switched off" in text


def test_an_unknown_step_is_refused_with_the_nearest_name() -> None:
    assert "write product_add" in refusal(BORON + "[steps.productadd]\nlimit_s = 9\n")


@pytest.mark.rule("N5")
def test_a_password_in_the_file_is_refused_and_not_repeated() -> None:
    text = refusal(ARGON.replace("env:WIFI", "hunter2-hunter2"))
    assert "line 16, [wifi] password: expected a reference to the password, never the password itself" in text
    assert '"env:WIFI_PASSWORD"' in text
    assert "hunter2" not in text


def test_an_open_network_has_no_password() -> None:
    open_network = ARGON.replace('password = "env:WIFI"', 'security = "open"')
    assert parsed(open_network).sections(Wifi)[0].password is None
    assert "no password" in refusal(open_network + 'password = "env:WIFI"\n')
    assert parsed(ARGON).sections(Wifi)[0].security is WifiSecurity.WPA2
    assert parsed(ARGON).sections(Wifi)[0].password == SecretRef("env", "WIFI")


def test_a_network_name_is_counted_in_bytes() -> None:
    assert "1 to 32 bytes" in refusal(ARGON.replace('"plant"', '"' + "ü" * 17 + '"'))


@given(st.integers(0, len(ARGON)), st.integers(0, 12), st.text(max_size=8) | st.sampled_from(TRICKY))
def test_no_damage_to_a_profile_raises_anything_but_a_refusal(at: int, length: int, what: str) -> None:
    damaged = ARGON[:at] + what + ARGON[at + length :]
    with contextlib.suppress(BadInput):
        assert steps_of(parse_profile(damaged.encode("utf-8", "surrogatepass"), "p.toml"))


@pytest.mark.parametrize("value", ["9" * 5000, "0x" + "f" * 5000, "[" * 3000, "nan", "1e400", "true", '"\\u0000"'])
@pytest.mark.parametrize("key", ["revision", "platforms", "id", "skus", "kind"])
def test_absurd_values_are_refused(key: str, value: str) -> None:
    lines = [f"{key} = {value}" if line.startswith(key) else line for line in BORON.splitlines()]
    text = refusal("\n".join(lines if key != "skus" else [f"skus = {value}", *lines]))
    assert len(text) < 400


@pytest.mark.parametrize(
    ("raw", "what"), [(b"\xff\xfe", "UTF-8"), (b"\xef\xbb\xbfid = 1", "without BOM"), (b"#" * 300_000, "at most")]
)
def test_a_file_that_is_no_text_is_refused(raw: bytes, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        parse_profile(raw, "p.toml")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load_profile(tmp_path / "none.toml")
    with pytest.raises(BadInput, match="shipped: argon-customer, argon-product, boron-labelled, boron-product"):
        find_profile("none")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ARGON + '[cloud]\noffline = "queue"\n', "C2"),
        (BORON + '[cloud]\nonline = true\noffline = "queue"\n', "unplugged"),
    ],
    ids=["joins a network", "must come online"],
)
def test_a_unit_that_goes_online_at_the_bench_is_never_set_aside(text: str, why: str) -> None:
    told = refusal(text)
    assert "hold" in told
    assert why in told
    assert not queues(text.replace('offline = "queue"', ""))


def test_a_loaded_profile_is_offered_once_and_not_by_the_name_of_its_file_as_well() -> None:
    shipped = tuple(path.stem for path in shipped_profiles())
    assert profile_names({}) == shipped
    loaded = load_profile(find_profile("boron-product"))
    assert profile_names({loaded.id: loaded.sha256}) == (loaded.id, *(one for one in shipped if one != "boron-product"))
    assert profile_names({loaded.id: "0" * 64}) == (loaded.id, *shipped), "another text under the same id"
