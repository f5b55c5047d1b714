"""``station demo --story label``: what comes out of the virtual printer is scanned, and told in the end."""

from __future__ import annotations

import dataclasses

import pytest
from support.demo_run import Listener, run_demo
from support.known_steps import STEPS

from station.cli.main import main
from station.demo import Demo, story
from station.engine.events import AttemptFinished, Event


def test_every_unit_leaves_with_a_label_that_was_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("demo", "--story", "label", "--headless")) == 0
    told = capsys.readouterr().out
    assert told.count("label: done (printed by bench, scanned back)") == 3
    assert "3 of 3 units are exactly what their profiles want" in told


def test_a_unit_whose_label_is_not_there_in_the_end_is_told() -> None:
    told = story("label")
    assert told is not None
    options = told.options(STEPS.rules)

    def losing(demo: Demo) -> Listener:
        def saw(event: Event) -> None:
            if isinstance(event, AttemptFinished):
                demo.printers["bench"].labels.clear()

        return saw

    demo, _ = run_demo(dataclasses.replace(options, arrivals=options.arrivals[-1:], units=1), losing)
    (row,) = demo.reconciliation
    assert row.problems == ("its label reads nothing",)
