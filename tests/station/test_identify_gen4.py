"""``station identify`` on Gen 4 units: every value with its sources."""

from __future__ import annotations

import json
from typing import Any

import pytest

from drivers.virtual.factory import make_spec
from station.cli.main import main


def told(capsys: pytest.CaptureFixture[str], *units: str) -> list[dict[str, Any]]:
    """The document of each unit, in the order of its ports."""
    assert main(["identify", "--json", *(word for unit in units for word in ("--virtual", unit))]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return sorted(found, key=lambda one: str(one["port"]))


def test_a_p2_and_an_m_som_tell_all_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    p2, msom = told(capsys, "p2@6.3.4", "msom@6.2.0")
    assert [(one["platform_id"], one["fault"]) for one in (p2, msom)] == [(32, ""), (35, "")]
    for one, spec in ((p2["values"], make_spec("p2", 1, 1)), (msom["values"], make_spec("msom", 1, 2))):
        assert one["device_id"]["value"] == str(spec.device_id)
        assert one["serial"]["value"] == str(spec.serial)
        assert one["mac"]["value"] == str(spec.mac)
        assert one["mac"]["sources"][:2] == ["Device ID", "request 401"]
        assert "others" not in one["mac"]
    assert [one["values"]["device_os"]["value"] for one in (p2, msom)] == ["6.3.4", "6.2.0"]
    for name in ("iccid", "imei"):
        assert msom["values"][name]["value"] == str(getattr(make_spec("msom", 1, 2), name))
        assert "request 554" in msom["values"][name]["sources"]
        assert (p2["values"][name]["value"], p2["values"][name]["sources"]) == (None, [])
    assert "console i" in p2["values"]["serial"]["sources"], "it listens for want of a network"


@pytest.mark.parametrize("unit", ["trackerm@5.0.1", "msom@5.5.0"])
def test_before_5_8_the_imei_comes_from_the_console(capsys: pytest.CaptureFixture[str], unit: str) -> None:
    (one,) = told(capsys, unit)
    assert one["values"]["imei"]["sources"] == ["console i", "console s"]


@pytest.mark.parametrize(("unit", "words"), [("p2@6.1.1", "5.0.1"), ("msom@5.3.2", "5.5.0"), ("p2@3.3.1", "5.0.1")])
def test_a_device_os_that_never_existed_for_it_is_refused_with_those_that_did(
    capsys: pytest.CaptureFixture[str], unit: str, words: str
) -> None:
    assert main(["identify", "--virtual", unit]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
