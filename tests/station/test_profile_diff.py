"""`station profile diff`: in words what another profile changes for a unit, secrets by their places only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.known_steps import load_profile

from station.cli.main import main
from station.paths import find_profile, shipped_profiles
from station.settings.differences import differences


def told(old: str, new: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Compare two texts; return the exit status and the lines below the headline."""
    for name, text in (("old", old), ("new", new)):
        (folder / name).write_text(text, encoding="utf-8")
    status = main(["profile", "diff", str(folder / "old"), str(folder / "new")])
    return status, capsys.readouterr().out.splitlines()[1:]


CHANGES = {
    "boron-product": [
        ("title", 'title = "WIDGET-BORON"', 'title = "OTHER"', 'title: "WIDGET-BORON" -> "OTHER"'),
        ("sku", 'skus = ["BRN404X"]', "", 'skus: "BRN404X" -> nothing'),
        ("product", "id = 12345", "id = 12399", "[product] id: 12345 -> 12399"),
        ("downgrade", "allow_downgrade = false", "allow_downgrade = true",
         "[device_os] allow_downgrade: a newer Device OS is taken back to this one (H4)"),
        ("app", "product_version = 7", "product_version = 8", "[firmware] product_version: 7 -> 8"),
        ("offline", 'offline = "queue"', 'offline = "hold"', "[cloud] offline: queue -> hold"),
        ("claim", "claim = false", "claim = true", "[cloud] claim: claim the unit"),
        ("name", 'template = "{serial}"', 'template = "w-{id6}"', '[name] template: "{serial}" -> "w-{id6}"'),
        ("label", "expect = true", "expect = false", "[label] expect: no longer: "),
        ("limit", "limit_s = 600", "limit_s = 700", "[steps.sim] limit_s: 600 -> 700"),
    ],
    "argon-product": [
        ("ssid", 'ssid = "station-demo"', 'ssid = "lab"', '[wifi] ssid: "station-demo" -> "lab"'),
        ("place", "env:STATION_WIFI_PASSWORD", "keyring:line/wifi",
         "[wifi] password: env:STATION_WIFI_PASSWORD -> keyring:line/wifi"),
    ],
    "boron-labelled": [
        ("printer", 'printer = "bench"', 'printer = "hall-2"', '[print] printer: "bench" -> "hall-2"'),
        ("read back", "verify = true", "verify = false", "[print] verify: no longer: "),
    ],
    "boron-tested": [
        ("measured", "min = 3.6", "min = 3.7", '[app_test "selftest".limits.vbat] min: 3.6 -> 3.7'),
        ("text", 'text = "ok"', 'text = "fine"', '[app_test "selftest".limits.accel] text: "ok" -> "fine"'),
        ("program", "parallel = false", "parallel = true", "[tests] parallel: several slots may run it"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "old", "new", "said"),
    [pytest.param(name, *row[1:], id=row[0]) for name, rows in CHANGES.items() for row in rows],
)
def test_one_change_is_one_line(
    profile: str, old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = find_profile(profile).read_text("utf-8")
    assert old in text
    status, lines = told(text, text.replace(old, new, 1), tmp_path, capsys)
    assert status == 1
    (line,) = (line for line in lines if not line.startswith("steps of"))
    assert line.startswith(said)


def test_a_whole_release_is_told_by_its_files_and_a_step_that_is_off_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = find_profile("boron-product").read_text("utf-8")
    developer = find_profile("developer").read_text("utf-8")
    older = re.search(r"modules = \[\n.*?\n\]", developer, re.DOTALL)
    assert older is not None
    modules = "\n".join(line for line in older[0].splitlines() if "argon" not in line)
    before = re.sub(r"modules = \[\n.*?\n\]", modules, text, flags=re.DOTALL)
    before = before.replace('version = "6.3.4"', 'version = "5.8.0"').replace(
        "[steps.sim]", "[steps.sim]\nenabled = false"
    )
    _, lines = told(before, text, tmp_path, capsys)
    assert lines[0] == "steps of Boron, more: sim"
    assert any(line.startswith("[device_os] version: 5.8.0 -> 6.3.4") for line in lines)
    parts = [line for line in lines if line.startswith("[device_os.modules ")]
    assert len(parts) == 3
    assert all("@5.8.0" in line and "@6.3.4" in line for line in parts)


def test_networks_are_known_by_their_names_and_may_change_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head, _, rest = find_profile("argon-product").read_text("utf-8").partition("[wifi]")
    tail = rest.partition("[cloud]")[2]
    rows = {name: f'[[wifi]]\nssid = "{name}"\npassword = "env:{name.upper()}"\n' for name in "abc"}

    def profile(names: str) -> str:
        return head + "".join(map(rows.__getitem__, names)) + "[cloud]" + tail

    assert told(profile("ab"), profile("ba"), tmp_path, capsys) == (1, ["[wifi] order: now b, a"])
    assert told(profile("ab"), profile("abc"), tmp_path, capsys) == (1, ['[wifi] new: ssid "c", password env:C'])
    assert told(profile("abc"), profile("ac"), tmp_path, capsys) == (1, ['[wifi] no longer: ssid "b", password env:B'])


@pytest.mark.parametrize(("pattern", "instead"), [("^", ""), ("\\Z", "# a remark\n"), ("revision = 1", "revision = 2")])
def test_no_difference_is_said_and_ends_with_0(
    pattern: str, instead: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = find_profile("developer").read_text("utf-8")
    status, lines = told(text, re.sub(pattern, instead, text, count=1), tmp_path, capsys)
    assert status == 0
    assert lines[0].startswith("no difference for a unit")


@pytest.mark.parametrize("other", shipped_profiles(), ids=lambda path: path.stem)
@pytest.mark.parametrize("one", shipped_profiles(), ids=lambda path: path.stem)
def test_any_two_profiles_can_be_compared_in_lines_of_words(one: Path, other: Path) -> None:
    lines = list(differences(load_profile(one), load_profile(other)))
    assert bool(lines) == (one != other)
    assert not [line for line in lines if re.search(r"\w+\(|<|object at", line)]
