"""Draw words in block letters as large as the space allows, to be read from three metres.

The letters are drawn on five rows of pixels. A terminal cell is about twice as high as wide, so
a pixel is counted in columns across and in *half* rows down; half blocks draw odd halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROWS = 5  # pixels of every letter, top to bottom

_LETTERS = {
    "A": ".#./#.#/###/#.#/#.#",
    "B": "##./#.#/##./#.#/##.",
    "C": ".##/#../#../#../.##",
    "D": "##./#.#/#.#/#.#/##.",
    "E": "###/#../##./#../###",
    "F": "###/#../##./#../#..",
    "G": ".##/#../#.#/#.#/.##",
    "H": "#.#/#.#/###/#.#/#.#",
    "I": "#/#/#/#/#",
    "J": "..#/..#/..#/#.#/.#.",
    "K": "#.#/#.#/##./#.#/#.#",
    "L": "#../#../#../#../###",
    "M": "#...#/##.##/#.#.#/#...#/#...#",
    "N": "#..#/##.#/#.##/#..#/#..#",
    "O": "###/#.#/#.#/#.#/###",
    "P": "###/#.#/###/#../#..",
    "Q": "###/#.#/#.#/###/..#",
    "R": "##./#.#/##./#.#/#.#",
    "S": "###/#../###/..#/###",
    "T": "###/.#./.#./.#./.#.",
    "U": "#.#/#.#/#.#/#.#/###",
    "V": "#.#/#.#/#.#/#.#/.#.",
    "W": "#...#/#...#/#.#.#/##.##/#...#",
    "X": "#.#/#.#/.#./#.#/#.#",
    "Y": "#.#/#.#/.#./.#./.#.",
    "Z": "###/..#/.#./#../###",
    "Ä": "#.#/.#./#.#/###/#.#",
    "Ö": "#.#/.../###/#.#/###",
    "Ü": "#.#/.../#.#/#.#/###",
    "0": "###/#.#/#.#/#.#/###",
    "1": ".#./##./.#./.#./###",
    "2": "##./..#/.#./#../###",
    "3": "##./..#/.#./..#/##.",
    "4": "#.#/#.#/###/..#/..#",
    "5": "###/#../##./..#/##.",
    "6": ".##/#../###/#.#/###",
    "7": "###/..#/.#./.#./.#.",
    "8": "###/#.#/###/#.#/###",
    "9": "###/#.#/###/..#/##.",
    "-": ".../.../###/.../...",
    "%": "#..#/..#./.##./.#../#..#",
    " ": "../../../../..",
    "✔": "......#/.....##/#...##./##.##../.###...",
    "✖": "##.##/.###./..#../.###./##.##",
    "▶": "#..../###../#####/###../#....",
    "☞": ".##..../#######/#####../.####../..###..",
    "◷": ".####./#.#..#/#.##.#/#....#/.####.",
    "◌": ".#.#./#...#/...../#...#/.#.#.",
    "⚠": "...#.../..#.#../..#.#../.#...#./###.###",
    "●": ".###./#####/#####/#####/.###.",
}

_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


@dataclass(frozen=True, slots=True)
class Big:
    """Drawn lines, all of the same width, and the size of one pixel (columns, half rows)."""

    lines: tuple[str, ...]
    pixel: tuple[int, int]

    @property
    def area(self) -> int:
        return self.pixel[0] * self.pixel[1]


def can_draw(text: str) -> bool:
    return bool(text) and all(letter in _LETTERS for letter in text)


def draw(arrangements: Sequence[Sequence[str]], width: int, height: int, *, ascii_only: bool = False) -> Big | None:
    """Draw the arrangement (one or more lines of words) that is largest in ``width`` x ``height`` cells.

    Returns None if not even the smallest letters fit, or a character has no glyph.
    """
    drawn = [_draw(lines, width, height, ascii_only) for lines in arrangements if all(map(can_draw, lines))]
    return max((big for big in drawn if big), key=lambda big: big.area, default=None)


def _draw(lines: Sequence[str], width: int, height: int, ascii_only: bool) -> Big | None:
    bitmap = _stack([_line(line) for line in lines])
    pixel = _pixel(len(bitmap[0]), len(bitmap), width, height, ascii_only)
    if pixel is None:
        return None
    across, down = pixel
    halves = [[dot for dot in row for _ in range(across)] for row in bitmap for _ in range(down)]
    if len(halves) % 2:
        halves.append([False] * len(halves[0]))
    pairs = zip(halves[::2], halves[1::2], strict=True)
    marks = {k: ("#" if any(k) else " ") for k in _BLOCKS} if ascii_only else _BLOCKS
    return Big(tuple("".join(marks[pair] for pair in zip(top, low, strict=True)) for top, low in pairs), pixel)


def _pixel(wide: int, high: int, width: int, height: int, ascii_only: bool) -> tuple[int, int] | None:
    """Return the largest pixel that fits, between half and twice as wide as a square one."""
    across, down = width // wide, 2 * height // high
    if ascii_only:
        down -= down % 2  # ASCII has no half blocks
    down = min(down, 2 * across)
    across = min(across, 2 * down)
    return (across, down) if across and down else None


def _line(text: str) -> list[list[bool]]:
    rows: list[list[bool]] = [[] for _ in range(ROWS)]
    for letter in text:
        for row, pixels in zip(rows, _LETTERS[letter].split("/"), strict=True):
            row.extend(([False] if row else []) + [pixel == "#" for pixel in pixels])
    return rows


def _stack(lines: list[list[list[bool]]]) -> list[list[bool]]:
    """Stack lines, each centred, with one empty pixel row between."""
    wide = max(len(line[0]) for line in lines)
    rows: list[list[bool]] = []
    for line in lines:
        left = (wide - len(line[0])) // 2
        rows += [[False] * wide] if rows else []
        rows += [[False] * left + row + [False] * (wide - left - len(row)) for row in line]
    return rows
