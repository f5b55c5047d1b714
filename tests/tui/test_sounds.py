"""Sounds: what is heard when, and that a computer without a player says so once and works on."""

from __future__ import annotations

import io
import itertools
import os
import sys
import wave
from pathlib import Path

import pytest
from support.screen_pilot import on_loop, picture, press, running, tell
from support.screen_story import AT, Story

from station.engine import events as ev
from station.model import Verdict
from station.tui.sounds import PLAYERS, TONES, Sounds, tone
from station.view.look import Look


def crossings(samples: memoryview) -> int:
    return sum(a < 0 <= b for a, b in itertools.pairwise(samples))


def test_pass_is_one_high_short_tone_fail_two_low_and_your_turn_three() -> None:
    heard = {}
    for look in TONES:
        with wave.open(io.BytesIO(tone(look))) as file:
            rate, frames = file.getframerate(), file.readframes(file.getnframes())
        samples = memoryview(frames).cast("h")
        silences = [part for part in frames.split(b"\0" * 400) if part.strip(b"\0")]
        heard[look] = (len(silences), len(samples) / rate, crossings(samples) / (len(silences) * TONES[look][1]))
    assert {look: times for look, (times, _, _) in heard.items()} == {Look.PASS: 1, Look.FAIL: 2, Look.HANDS: 3}
    assert heard[Look.PASS][1] < 0.2
    assert heard[Look.FAIL][2] < 400 < heard[Look.HANDS][2] < 1000 < heard[Look.PASS][2]


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of the system that writes down what it is asked to play."""
    heard = tmp_path / "heard"
    program = tmp_path / PLAYERS[0][0]
    program.write_text(f'#!{sys.executable}\nimport sys\nopen({str(heard)!r}, "a").write(sys.argv[-1] + "\\n")\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return heard


def test_a_program_of_the_system_plays_the_file_in_a_child_process(player: Path) -> None:
    sounds = Sounds()
    assert sounds.play(Look.FAIL)
    assert sounds._playing is not None
    assert sounds._playing.wait() == 0
    played = Path(player.read_text().strip())
    assert played.name == "fail.wav"
    assert played.read_bytes() == tone(Look.FAIL)
    assert sounds.play(Look.RUNNING), "no tone of its own"
    sounds.close()
    assert not played.exists()


def test_where_nothing_can_play_it_says_so_and_starts_nothing() -> None:
    sounds = Sounds(find=lambda _name: None)
    assert not sounds.play(Look.PASS)
    sounds.close()


def test_a_player_that_cannot_be_started_counts_as_none() -> None:
    sounds = Sounds(find=lambda name: name)  # claims to be there
    sounds._player = ("/nowhere/player",)
    assert not sounds.play(Look.PASS)
    assert not sounds.play(Look.PASS)
    sounds.close()


class Listening(Sounds):
    """Notes what it would play; a deaf one can play nothing."""

    def __init__(self, *, is_deaf: bool = False) -> None:
        super().__init__(find=lambda _name: None)
        self.heard: list[Look] = []
        self._is_deaf = is_deaf

    def play(self, look: Look) -> bool:
        self.heard.append(look)
        return not self._is_deaf


@on_loop
async def test_each_verdict_and_your_turn_is_heard_once_and_the_loudest_of_several() -> None:
    story = Story(4)
    app = story.app()
    async with running(app) as pilot:
        app.sounds = listening = Listening()
        await tell(pilot, app, *story.arrives(1), *story.writes(1))
        assert listening.heard == []
        await tell(pilot, app, story.ends(1))
        await tell(pilot, app, *story.arrives(2), ev.StationNote(at=AT, reason="x"))
        assert listening.heard == [Look.PASS]
        await tell(pilot, app, story.ends(2, Verdict.FAIL, "silent"), *story.arrives(3), *story.asks(3))
        await press(pilot, "2")
        assert listening.heard == [Look.PASS, Look.HANDS]
        listening.close()


@on_loop
async def test_that_nothing_can_play_is_said_once() -> None:
    story = Story(2)
    app = story.app()
    async with running(app) as pilot:
        app.sounds = listening = Listening(is_deaf=True)
        await tell(pilot, app, *story.arrives(1), story.ends(1))
        assert "This computer plays no sound." in picture(app)
        await tell(pilot, app, *story.arrives(2), story.ends(2))
        assert listening.heard == [Look.PASS]
        listening.close()
