"""Tones for those who do not look: generated here, played by a program of the system in a child process.

A sound never holds the screen and never fails it: where nothing can play, `Sounds.play` says so and that is all.
"""

from __future__ import annotations

import array
import io
import math
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable
from pathlib import Path

from ..view.look import Look
from ..view.state import BenchState

RATE = 22_050  # samples a second, 16 bits
FADE_S = 0.01  # at both ends of a tone: without it a loudspeaker clicks
GAP_S = 0.08
TONES: dict[Look, tuple[int, float, int]] = {
    Look.PASS: (1320, 0.12, 1),  # Hz, seconds, how many: one high short,
    Look.FAIL: (330, 0.24, 2),  # two low,
    Look.HANDS: (880, 0.12, 3),  # three
}
PLAYERS = (("pw-play",), ("paplay",), ("aplay", "-q"), ("afplay",), ("play", "-q"))
"""Programs that play a WAV file: PipeWire, PulseAudio, ALSA, macOS, SoX."""


def tone(look: Look) -> bytes:
    """Return the sound of ``look`` as a WAV file."""
    hertz, seconds, times = TONES[look]
    count = round(RATE * seconds)
    one = array.array("h")
    for at in range(count):
        fade = min(1.0, at / (RATE * FADE_S), (count - 1 - at) / (RATE * FADE_S))
        one.append(round(16_000 * fade * math.sin(2 * math.pi * hertz * at / RATE)))
    gap = array.array("h", [0] * round(RATE * GAP_S))
    samples = one + (gap + one) * (times - 1)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return file.getvalue()


class Sounds:
    """Plays the sound of a look. ``find`` returns the path of a program, None if there is none.

    One sound at a time: what comes while one plays is not played, so that a bench of 32 does not howl.
    """

    def __init__(self, find: Callable[[str], str | None] = shutil.which) -> None:
        self._player = next((player for player in PLAYERS if find(player[0])), None)
        self._folder = tempfile.TemporaryDirectory(prefix="station-sounds-")
        for look in TONES if self._player else ():
            self._file(look).write_bytes(tone(look))
        self._playing: subprocess.Popen[bytes] | None = None

    def play(self, look: Look) -> bool:
        """Start the sound of ``look``, if it has one; returns False if this computer can play none."""
        if self._player is None:
            return False
        if look in TONES and (self._playing is None or self._playing.poll() is not None):
            quiet = subprocess.DEVNULL
            try:
                self._playing = subprocess.Popen(
                    [*self._player, str(self._file(look))], stdin=quiet, stdout=quiet, stderr=quiet,
                    start_new_session=True,
                )  # fmt: skip
            except OSError:
                self._player = None
                return False
        return True

    def hear(self, before: BenchState, after: BenchState) -> bool:
        """Play what became of a slot, the loudest if of several; returns False if this computer can play nothing."""
        known = {slot.number: slot.look for slot in before.slots}
        changed = {slot.look for slot in after.slots if known.get(slot.number) is not slot.look}
        loudest = next((look for look in (Look.HANDS, Look.FAIL, Look.PASS) if look in changed), None)
        return loudest is None or self.play(loudest)

    def close(self) -> None:
        """Stop what plays, and remove the files."""
        if self._playing is not None:
            self._playing.kill()
            self._playing.wait()
        self._folder.cleanup()

    def _file(self, look: Look) -> Path:
        return Path(self._folder.name) / f"{look.value}.wav"
