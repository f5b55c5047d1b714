"""Compose the help page as lines of text. Pure."""

from __future__ import annotations

from ..words.catalogue import Words
from ..words.cells import pad
from .bars import KEYS
from .look import LIGHTS, Glyphs, Look


def help_lines(words: Words, glyphs: Glyphs) -> list[str]:
    """Explain every sign, key and light in one line each."""
    text = words.text
    faces = [(look, words.face(look.value)) for look in Look if look is not Look.EMPTY]
    signs = [
        f"  {pad(glyphs.shape(look), 5)}{pad(face.word or text('help-its-step'), 15)}{face.means}"
        for look, face in faces
    ]
    more = {"1-9": "help-numbers"}
    keys = [f"  {pad(key, 7)}{text(more.get(key, what))}" for key, what in KEYS]
    lights = [f"  {pad(words.led(name), 21)}{words.led_means(name)}" for name in LIGHTS]
    return [
        text("help-signs"), *signs, "", text("help-keys"), *keys, "", text("help-lights"), *lights, "",
        text("page-close"),
    ]  # fmt: skip
