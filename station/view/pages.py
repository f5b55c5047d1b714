"""Compose the help page as lines of styled text. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ..words.catalogue import Words
from ..words.cells import pad, width_of
from .bars import bench_keys
from .details import lamp_spans
from .look import LIGHTS, Glyphs, Look
from .panels import Line, Span, bold, dim, line, padded, plain

_GAP = 4  # cells between two columns


def help_lines(
    words: Words, glyphs: Glyphs, width: int = 0, seconds: float = 0.0, of_page: Sequence[str] = ()
) -> list[Line]:
    """Explain every sign, key and light in one line each, signs beside keys if ``width`` has room for both.

    The lights are as they are ``seconds`` into their rhythm. ``of_page``: the keys of the page it is opened on, each
    as ``[R] retry``; they come first. Without them, those of the bench.
    """
    text = words.text
    signs = [line(bold(text("help-signs"))), *(_sign(look, words, glyphs) for look in Look if look is not Look.EMPTY)]
    named = [one.rpartition("] ") for one in of_page or bench_keys(words)]
    caps = [cap.replace("] [", " ").strip("[") for cap, _, _ in named]
    wide = max(5, *map(width_of, caps)) + 2
    keys = [
        line(bold(text("help-keys"))),
        *(line(f"  {pad(cap, wide)}{what}") for cap, (_, _, what) in zip(caps, named, strict=True)),
    ]
    wide = max(width_of(words.led(name)) for name in LIGHTS)
    lights = [line("  ", *lamp_spans(name, glyphs, words, seconds, wide)) for name in LIGHTS]
    room = max(width_of(plain(one)) for one in signs) + _GAP
    if room + max(width_of(plain(one)) for one in keys) <= width:
        above = [
            (*left, Span(" " * (room - sum(span.width for span in left))), *right)
            for left, right in itertools.zip_longest(signs, keys, fillvalue=())
        ]
    else:
        above = [*keys, (), *signs] if of_page else [*signs, (), *keys]
    return [*above, (), line(bold(text("help-lights"))), *lights, (), line(dim(text("page-close")))]


def _sign(look: Look, words: Words, glyphs: Glyphs) -> Line:
    face = words.face(look.value)
    sign = padded(Span(f" {glyphs.shape(look)} ", look), 7)
    return line("  ", *sign, pad(face.word or words.text("help-its-step"), 15), face.means)
