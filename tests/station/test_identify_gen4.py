"""``station identify`` on Gen 4 units: every value with its sources."""

from __future__ import annotations

import json

import pytest

from drivers.virtual.factory import make_spec
from station.cli.main import main


def told(capsys: pytest.CaptureFixture[str], *units: str) -> list[dict[str, dict[str, str]]]:
    """For each unit, in the order of its ports: fact -> source -> value."""
    assert main(["identify", "--json", *(word for unit in units for word in ("--virtual", unit))]) == 0
    found = []
    for line in capsys.readouterr().out.splitlines():
        facts: dict[str, dict[str, str]] = {}
        for fact in json.loads(line)["facts"]:
            facts.setdefault(fact["name"], {})[fact["source"]] = fact["value"]
        found.append(facts)
    return found


def test_a_p2_and_an_m_som_tell_all_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    p2, msom = told(capsys, "p2@6.3.4", "msom@6.2.0")
    for facts, spec in ((p2, make_spec("p2", 1, 1)), (msom, make_spec("msom", 1, 2))):
        assert set(facts["device_id"].values()) == {str(spec.device_id)}
        assert set(facts["serial"].values()) == {str(spec.serial)}
        assert facts["mac"] == {"Device ID": str(spec.mac), "request 401": str(spec.mac)}
    assert (p2["platform"], msom["platform"]) == ({"USB product id": "p2"}, {"USB product id": "msom"})
    assert (p2["device_os"], msom["device_os"]) == ({"raw request 30": "6.3.4"}, {"raw request 30": "6.2.0"})
    assert msom["iccid"]["request 554"] == str(make_spec("msom", 1, 2).iccid)
    assert msom["imei"]["request 554"] == str(make_spec("msom", 1, 2).imei)
    assert "console" in p2["serial"], "it listens for want of a network"
    assert "iccid" not in p2


@pytest.mark.parametrize("unit", ["trackerm@5.0.1", "msom@5.5.0"])
def test_before_5_8_the_imei_comes_from_the_console(capsys: pytest.CaptureFixture[str], unit: str) -> None:
    (facts,) = told(capsys, unit)
    assert list(facts["imei"]) == ["console"]


@pytest.mark.parametrize(("unit", "words"), [("p2@6.1.1", "5.0.1"), ("msom@5.3.2", "5.5.0"), ("p2@3.3.1", "5.0.1")])
def test_a_device_os_that_never_existed_for_it_is_refused_with_those_that_did(
    capsys: pytest.CaptureFixture[str], unit: str, words: str
) -> None:
    assert main(["identify", "--virtual", unit]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
