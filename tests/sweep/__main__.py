"""Disturb the update of a unit of every family once at every single write: ``make sweep [ARGS="--update photon"]``.

What is done stands in a ledger and is not done again while the code is the same.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import hashlib
import json
import multiprocessing
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from .cuts import UPDATES, Cut, Ended, Harm, cuts_of, ended

ROOT = Path(__file__).resolve().parents[2]
LEDGER = ROOT / ".venv" / "sweep.jsonl"


def main() -> int:
    """Print a table and every problem; return 1 if there is one."""
    parser = argparse.ArgumentParser(prog="sweep", description=__doc__)
    parser.add_argument(
        "--update", action="append", metavar="SLUG", help="only those of this platform; repeat for more"
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth write (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side (%(default)s)")
    parser.add_argument("--ledger", type=Path, default=LEDGER, help="where what is done is kept (%(default)s)")
    options = parser.parse_args()
    cuts = [
        cut for update in UPDATES if not options.update or update.slug in options.update
        for cut in cuts_of(update, options.every)
    ]  # fmt: skip
    code = _code()
    rows = _done(options.ledger, code)
    left = [cut for cut in cuts if str(cut) not in rows]
    sys.stdout.write(f"{len(cuts)} stories, {len(cuts) - len(left)} done before\n")
    options.ledger.parent.mkdir(parents=True, exist_ok=True)
    with (
        options.ledger.open("a", encoding="utf-8") as ledger,
        multiprocessing.get_context("spawn").Pool(options.jobs) as pool,
    ):
        for one in pool.imap_unordered(ended, left, 4):
            rows[str(one.cut)] = row = _row(one)
            ledger.write(json.dumps({"code": code, "cut": str(one.cut), **row}) + "\n")
            ledger.flush()
    sys.stdout.writelines(f"{line}\n" for line in table(cuts, rows))
    return 1 if not cuts or any(rows[str(cut)]["problem"] for cut in cuts) else 0


def table(cuts: Iterable[Cut], rows: dict[str, dict[str, object]]) -> Iterator[str]:
    """Return a line for each update and harm, then every problem."""
    counts: dict[tuple[str, Harm], collections.Counter[str]] = {}
    for cut in cuts:
        counts.setdefault((str(cut.update), cut.harm), collections.Counter())[str(rows[str(cut)]["end"])] += 1
    yield f"{'update':34} {'harm':10} " + " ".join(f"{end:>8}" for end in ("pass", "hands", "lost", "problem"))
    for (update, harm), ends in counts.items():
        yield f"{update:34} {harm:10} " + " ".join(f"{ends[end]:8}" for end in ("pass", "hands", "lost", "problem"))
    yield "pass: by itself   hands: MODE and RESET, as was said   lost: needs a debugger, as was said before"
    yield from (f"{cut}: {rows[str(cut)]['problem']}" for cut in cuts if rows[str(cut)]["problem"])


def _row(one: Ended) -> dict[str, object]:
    end = "problem" if one.problem else "lost" if one.is_lost else "hands" if one.by_hand else "pass"
    return {"end": end, **{key: value for key, value in dataclasses.asdict(one).items() if key != "cut"}}


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
            found[row.pop("cut")] = row
    return found


if __name__ == "__main__":
    sys.exit(main())
