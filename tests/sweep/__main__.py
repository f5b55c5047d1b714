"""Disturb the update of a unit of every family once at every single write: ``make sweep [ARGS="--update photon"]``.

With ``--cloud`` the station dies instead at every exchange with the cloud, and around every write of its journal.

One platform of each family is swept whole, the others at writes that the seed draws. Each module is also cut by the
death of the station's process. What is done stands in a ledger and is not done again while the code is the same.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import hashlib
import json
import multiprocessing
import os
import random
import sys
from collections.abc import Callable, Sequence
from multiprocessing.pool import Pool
from pathlib import Path

from . import cloud
from .stories import Story, live, stories, table
from .updates import UPDATES, Ended, measured

ROOT = Path(__file__).resolve().parents[2]
Live = Callable[[Story], tuple[Story, Ended]]
Ending = dict[str, object]
LEDGER = ROOT / ".venv" / "sweep.jsonl"


def main() -> int:
    """Print a table and every problem; return 1 if there is one."""
    parser = argparse.ArgumentParser(prog="sweep", description=__doc__)
    add = parser.add_argument
    add("--update", action="append", metavar="SLUG", help="only those of this platform; repeat for more")
    add("--harm", action="append", metavar="WORD", help="only this harm, as the table names it; repeat for more")
    add("--cloud", action="store_true", help="three units and their cloud, in place of updates")
    add("--whole", action="store_true", help="every update at every write, which takes a day")
    add("--seed", type=int, default=1, help="of what is drawn (%(default)s)")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side (%(default)s)")
    add("--ledger", type=Path, default=LEDGER, help="where what is done is kept (%(default)s)")
    options = parser.parse_args()
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        chosen, tell = _of_the_cloud(pool) if options.cloud else _of_updates(pool, options)
        chosen = [story for story in chosen if not options.harm or story.harm in options.harm]
        rows = _lived(pool, chosen, tell, options)
    sys.stdout.writelines(f"{line}\n" for line in table(chosen, rows))
    return 1 if not chosen or any(rows[str(story)]["problem"] for story in chosen) else 0


def _of_updates(pool: Pool, options: argparse.Namespace) -> tuple[list[Story], Live]:
    updates = [one for one in UPDATES if not options.update or one.slug in options.update]
    lengths = pool.map(measured, updates)
    chosen = [
        story for update, length in zip(updates, lengths, strict=True)
        for story in stories(update, length, options.seed, is_whole=options.whole or update.is_whole)
    ]  # fmt: skip
    return chosen, live


def _of_the_cloud(pool: Pool) -> tuple[list[Story], Live]:
    run = pool.apply(cloud.measured)
    return list(cloud.deaths_of(run)), functools.partial(cloud.live, run.end)


def _lived(pool: Pool, chosen: Sequence[Story], tell: Live, options: argparse.Namespace) -> dict[str, Ending]:
    """Live through the stories that the ledger does not know of this code; return all of them."""
    code = _code()
    rows = _done(options.ledger, code)
    left = [story for story in chosen if str(story) not in rows]
    random.Random(options.seed).shuffle(left)  # a sweep that is stopped has seen something of everything
    sys.stdout.write(f"{len(chosen)} stories, {len(chosen) - len(left)} done before\n")
    sys.stdout.flush()
    options.ledger.parent.mkdir(parents=True, exist_ok=True)
    with options.ledger.open("a", encoding="utf-8") as ledger:
        for story, end in pool.imap_unordered(tell, left):
            rows[str(story)] = row = {"end": end.word, **dataclasses.asdict(end)}
            ledger.write(json.dumps({"code": code, "story": str(story), **row}) + "\n")
            ledger.flush()
    return rows


def _code() -> str:
    """Return a digest of everything a story depends on."""
    files = sorted(path for room in ("drivers", "station", "tests") for path in (ROOT / room).rglob("*.py"))
    files += sorted((ROOT / "drivers").rglob("*.toml"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def _done(ledger: Path, code: str) -> dict[str, Ending]:
    """Return what the ledger holds of this code, by the name of the story."""
    found: dict[str, dict[str, object]] = {}
    lines = ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:  # the program was stopped while it wrote this line
            continue
        if row.pop("code", "") == code:
            found[row.pop("story")] = row
    return found


if __name__ == "__main__":
    sys.exit(main())
