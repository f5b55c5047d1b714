"""Every look of a tile in places of many sizes, line by line. Renew with ``--snapshot-update``, and look at it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.screen_story import AT
from support.spoken import ENGLISH
from syrupy.assertion import SnapshotAssertion

from station.model import Outcome, SeenBefore, Verdict
from station.view.look import ASCII, UNICODE, Glyphs
from station.view.state import Ask, Held, SlotState, StepLine
from station.view.tile import Line, Place, compose
from station.words.say import Say

SIZES = [(8, 3), (13, 6), (18, 4), (18, 7), (28, 13), (38, 9), (78, 20)]
SLOT = SlotState(3, "1-3", is_present=True, attempt="a", label="P044AB1234567", seconds=21.4, steps=())
SEEN = SeenBefore(Verdict.FAIL, AT, "bench-1", "B0")
DONE = StepLine("identify", outcome=Outcome.DONE)
WRITES = StepLine("device_os", is_running=True, share=0.68, seconds_left=11.0, writing=True, note="system part 1")

LOOKS = {
    "empty": SlotState(12),
    "arrived": SlotState(3, is_present=True),
    "starting": replace(SLOT, is_walking=True, label=""),
    "running": replace(SLOT, is_walking=True, steps=(DONE, WRITES, StepLine("sim")), seen=SEEN),
    "between steps": replace(SLOT, is_walking=True, steps=(DONE, StepLine("sim"))),
    "waits": replace(
        SLOT, is_walking=True, seen=SEEN, steps=(replace(WRITES, writing=False, held=Held(Say("scanner_busy"), 2)),)
    ),
    "hands": replace(SLOT, is_walking=True, asks=(Ask("identify", Say("scan_label", unit="P044AB1234567")),)),
    "hands with a light": replace(
        SLOT, is_walking=True, asks=(Ask("dfu", Say("dfu_by_hand", button="MODE"), "blinking yellow"),)
    ),
    "hands with a dark light": replace(SLOT, is_walking=True, asks=(Ask("dfu", Say("unknown_key"), "off"),)),
    "pass": replace(SLOT, verdict=Verdict.PASS, say=Say("pass"), seconds=75.2, seen=SEEN),
    "set aside": replace(SLOT, verdict=Verdict.PENDING, say=Say("pending")),
    "fail": replace(SLOT, verdict=Verdict.FAIL, say=Say("wrong_sku", found="BRN402", wanted="BRN404")),
    "fail for an unknown reason": replace(SLOT, verdict=Verdict.FAIL, say=Say("?"), reason="module 3002 is missing"),
    "stopped": replace(SLOT, verdict=Verdict.ABORTED, say=Say("unplugged_too_early")),
    "check station": replace(SLOT, verdict=Verdict.ERROR, say=Say("silent")),
}


def drawn(slot: SlotState, glyphs: Glyphs, *, seconds: float = 0.0) -> str:
    """The tile in every size with the texts of its border; ``*`` marks what is bold, ``#`` the colour of a light."""
    pictures = []
    for width, height in SIZES:
        tile = compose(slot, Place(width, height, ENGLISH, glyphs, seconds))
        pictures.append("\n".join([f"--- {width} x {height}: {tile.title}", *map(_line, tile.lines), tile.foot]))
    return "\n".join(pictures)


def _line(line: Line) -> str:
    return f"{'*' if line.is_bold else ' '}{'#' if line.colour else ' '}|{line.text}"


@pytest.mark.parametrize("name", LOOKS)
def test_a_tile_looks_as_it_did(name: str, snapshot: SnapshotAssertion) -> None:
    assert drawn(LOOKS[name], UNICODE) == snapshot


def test_a_light_in_its_dark_half_looks_as_it_did(snapshot: SnapshotAssertion) -> None:
    assert drawn(LOOKS["hands with a light"], UNICODE, seconds=0.5) == snapshot
    still = LOOKS["hands with a dark light"]  # one that does not blink is never in its dark half
    assert drawn(still, UNICODE, seconds=0.5) == drawn(still, UNICODE)


def test_tiles_on_a_terminal_without_unicode_look_as_they_did(snapshot: SnapshotAssertion) -> None:
    told = "\n".join(drawn(slot, ASCII) for slot in LOOKS.values())
    assert told.isascii()
    assert told == snapshot
