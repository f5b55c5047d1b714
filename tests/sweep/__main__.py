"""Disturb the update of a unit of every family once at every single write: ``make sweep [ARGS="--update photon"]``.

One platform of each family is swept whole, the others at writes that the seed draws. Each module is also cut by the
death of the station's process. What is done stands in a ledger and is not done again while the code is the same.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import multiprocessing
import os
import random
import sys
from pathlib import Path

from .stories import live, stories, table
from .updates import UPDATES, measured

ROOT = Path(__file__).resolve().parents[2]
LEDGER = ROOT / ".venv" / "sweep.jsonl"


def main() -> int:
    """Print a table and every problem; return 1 if there is one."""
    parser = argparse.ArgumentParser(prog="sweep", description=__doc__)
    add = parser.add_argument
    add("--update", action="append", metavar="SLUG", help="only those of this platform; repeat for more")
    add("--harm", action="append", metavar="WORD", help="only this harm, as the table names it; repeat for more")
    add("--whole", action="store_true", help="every update at every write, which takes a day")
    add("--seed", type=int, default=1, help="of what is drawn (%(default)s)")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side (%(default)s)")
    add("--ledger", type=Path, default=LEDGER, help="where what is done is kept (%(default)s)")
    options = parser.parse_args()
    updates = [one for one in UPDATES if not options.update or one.slug in options.update]
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        lengths = pool.map(measured, updates)
        chosen = [
            story for update, length in zip(updates, lengths, strict=True)
            for story in stories(update, length, options.seed, is_whole=options.whole or update.is_whole)
            if not options.harm or story.harm in options.harm
        ]  # fmt: skip
        code = _code()
        rows = _done(options.ledger, code)
        left = [story for story in chosen if str(story) not in rows]
        random.Random(options.seed).shuffle(left)  # a sweep that is stopped has seen something of everything
        sys.stdout.write(f"{len(chosen)} stories, {len(chosen) - len(left)} done before\n")
        sys.stdout.flush()
        options.ledger.parent.mkdir(parents=True, exist_ok=True)
        with options.ledger.open("a", encoding="utf-8") as ledger:
            for story, end in pool.imap_unordered(live, left):
                rows[str(story)] = row = {"end": end.word, **dataclasses.asdict(end)}
                ledger.write(json.dumps({"code": code, "story": str(story), **row}) + "\n")
                ledger.flush()
    sys.stdout.writelines(f"{line}\n" for line in table(chosen, rows))
    return 1 if not chosen or any(rows[str(story)]["problem"] for story in chosen) else 0


def _code() -> str:
    """Return a digest of everything a story depends on."""
    files = sorted(path for room in ("drivers", "station", "tests") for path in (ROOT / room).rglob("*.py"))
    files += sorted((ROOT / "drivers").rglob("*.toml"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def _done(ledger: Path, code: str) -> dict[str, dict[str, object]]:
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
