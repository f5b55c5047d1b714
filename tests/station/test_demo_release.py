"""``station demo --story release``: units are flashed one version and leave with another, by both ends' word."""

from __future__ import annotations

import pytest

from station.cli.main import main


@pytest.mark.rule("D2")
@pytest.mark.rule("D3")
def test_the_release_ends_with_what_cloud_and_unit_say_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--story", "release", "--headless"]) == 0
    told = capsys.readouterr().out
    assert told.count("the cloud wants version 9, the profile flashes version 7: it comes over the air") == 2
    assert told.count("release: done (cloud and unit show version 9") == 4
    assert "4 of 4 units are exactly what their profiles want" in told
