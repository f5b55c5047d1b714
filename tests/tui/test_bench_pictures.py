"""Pictures of the program, for eyes: every state, and chosen others, reached by replaying recorded events.

Behaviour is tested elsewhere. Renew with ``--snapshot-update``, and look at each (`make pictures`).
"""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest
from support.pictures import PICTURES, Picture, drawn
from support.recorded import kept, read
from support.spoken import ENGLISH
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from station.model import Verdict
from station.view.look import Look
from station.view.reduce import replay
from station.view.state import BenchState, SlotState


class Svg(SingleFileSnapshotExtension):
    """One file a picture, which a browser shows."""

    _write_mode = WriteMode.TEXT
    _file_extension = "svg"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_the_program_looks_as_it_did(picture: Picture, snapshot: SnapshotAssertion, tmp_path: Path) -> None:
    assert asyncio.run(drawn(picture, tmp_path)).replace("<rect", "\n<rect") == snapshot(extension_class=Svg)


def test_the_recorded_states_are_every_look_but_an_empty_and_an_off_slot() -> None:
    state = replay(BenchState(tuple(SlotState(n) for n in range(1, 9)), ENGLISH), read("states"))
    assert {slot.look for slot in state.slots} == set(Look) - {Look.EMPTY, Look.OFF}
    assert {slot.verdict for slot in state.slots} == {None, *Verdict}


def test_a_recorded_file_holds_its_events_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = read("states")
    assert all(dataclasses.is_dataclass(event) for event in told)
    monkeypatch.setattr("support.recorded.FOLDER", tmp_path)
    kept(told, tmp_path / "again.jsonl")
    assert read("again") == told
