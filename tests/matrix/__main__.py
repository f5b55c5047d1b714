"""Walk every platform with every Device OS line it had from every mode: ``make matrix [ARGS="--platform p2"]``."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterable, Iterator

from .cells import Start, Walked, all_cells, walk


def main() -> int:
    """Print the table; return 1 if some cell failed."""
    parser = argparse.ArgumentParser(prog="matrix", description=__doc__)
    parser.add_argument("--platform", action="append", help="only this one; repeat for more")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side (%(default)s)")
    options = parser.parse_args()
    cells = [cell for cell in all_cells() if not options.platform or cell.slug in options.platform]
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        walked = sorted(pool.imap_unordered(walk, cells, 8), key=lambda one: cells.index(one.cell))
    sys.stdout.writelines(f"{line}\n" for line in table(walked))
    return 1 if not walked or any(one.failure for one in walked) else 0


def table(walked: Iterable[Walked]) -> Iterator[str]:
    """Return a line for each platform and Device OS, a column for each start, then every reason once."""
    signs: dict[tuple[str, str], dict[Start, str]] = {}
    reasons: dict[str, list[str]] = {}
    hands: dict[str, int] = {}
    counts: dict[str, int] = {}
    for one in walked:
        cell = one.cell
        signs.setdefault((cell.slug, cell.device_os), {})[cell.start] = one.sign
        counts[one.sign] = counts.get(one.sign, 0) + 1
        if told := one.failure or one.refused:
            reasons.setdefault(f"{one.sign}  {told}", []).append(f"{cell.slug}@{cell.device_os} from {cell.start}")
        for leg in one.by_hand:
            hands[leg] = hands.get(leg, 0) + 1
    yield f"{'platform':10} {'Device OS':12} " + " ".join(f"{start:>9}" for start in Start)
    for (slug, device_os), row in signs.items():
        yield f"{slug:10} {device_os:12} " + " ".join(f"{row.get(start, ' '):>9}" for start in Start)
    yield "+ passed   h passed with hands on its buttons   r refused, as the reference says   X failed"
    yield "   ".join(f"{counts.get(sign, 0)} {sign}" for sign in "+hrX")
    yield from (f"by hand, as no request does it: {leg}, {count} times" for leg, count in sorted(hands.items()))
    for reason, where in sorted(reasons.items()):
        yield f"{reason}  ({len(where)}: {', '.join(where[:6])}{' ...' if len(where) > 6 else ''})"


if __name__ == "__main__":
    sys.exit(main())
