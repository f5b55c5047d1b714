"""Run seeds of the simulation: ``make simulate SEEDS=N [FROM=K] [ARGS=--bench]``, or replay and shrink one story.

With ``--bench`` the stories are those of hands and scanner (`bench_story`), with ``--outside`` those of a label printer
and a MES (`outside_story`), else whole shifts (`story`).

Every finished seed is a line in a ledger beside the virtual environment, so an interrupted run resumes where it
stopped; a ledger is valid for one state of the code only.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .bench_play import run_bench, run_bench_seed
from .bench_story import BenchStory, draw_bench
from .drawing import draw
from .outside_play import run_outside, run_outside_seed
from .outside_story import OutsideStory, draw_outside
from .shift import Figures, run, run_seed
from .shrink import S, shrink
from .story import Story

ROOT = Path(__file__).resolve().parents[2]


KINDS: Mapping[str, Callable[[int], Figures]] = {
    "shift": run_seed, "bench": run_bench_seed, "outside": run_outside_seed
}  # fmt: skip
"""Kinds of stories, and what plays a seed of one; each but the first is an option."""


def main() -> int:
    """Run as the options say; return 0 when no oracle was violated."""
    options = _options()
    if options.story is not None or options.seed is not None:
        if options.bench:
            bench_story = BenchStory.from_json(options.story) if options.story else draw_bench(options.seed)
            return _replay(bench_story, run_bench, is_shrunk=options.shrink)
        if options.outside:
            outside = OutsideStory.from_json(options.story) if options.story else draw_outside(options.seed)
            return _replay(outside, run_outside, is_shrunk=options.shrink)
        story = Story.from_json(options.story) if options.story else draw(options.seed)
        return _replay(story, run, is_shrunk=options.shrink)
    kind = next((kind for kind in KINDS if getattr(options, kind, False)), "shift")
    ledger = Ledger(Path(options.ledger), kind)
    wanted = range(options.start, options.start + options.seeds)
    todo = [seed for seed in wanted if seed not in ledger.done]
    began = time.monotonic()
    try:
        with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=50) as pool:
            for figures in pool.imap_unordered(KINDS[kind], todo):
                ledger.add(figures)
                if figures.violation:
                    print(f"seed {figures.seed}: {figures.violation}", flush=True)
                    print(f"  {replay_of(figures.seed, kind)}", flush=True)
    except KeyboardInterrupt:
        print("stopped; the ledger keeps what was done", file=sys.stderr)
    rows = [figures for seed, figures in ledger.done.items() if seed in wanted]
    print(report(rows, time.monotonic() - began, len(todo)))
    return 1 if any(row.violation for row in rows) or not rows else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--bench", action="store_true", help="stories of hands and scanner, in place of shifts")
    parser.add_argument("--outside", action="store_true", help="stories of a label printer and a MES")
    parser.add_argument("--seeds", type=int, default=100, help="how many (%(default)s)")
    parser.add_argument("--start", type=int, default=1, help="the first seed (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes side by side (%(default)s)")
    parser.add_argument("--ledger", default=str(ROOT / ".venv" / "simulation"), help="folder of the ledgers")
    parser.add_argument("--seed", type=int, help="run this seed alone and print its story")
    parser.add_argument("--story", help="run this printed story alone")
    parser.add_argument("--shrink", action="store_true", help="leave out what the failure does not need")
    return parser.parse_args()


def replay_of(seed: int, kind: str) -> str:
    """Return the command that plays that seed again. ``kind``: a key of `KINDS`."""
    option = "" if kind == "shift" else f"--{kind} "
    return f"replay: make simulate ARGS='{option}--seed {seed}' (and --shrink)"


def _replay(story: S, run: Callable[[S], Figures], *, is_shrunk: bool) -> int:
    print(story.to_json())
    figures = run(story)
    if figures.violation and is_shrunk:
        story, figures = shrink(story, figures, run, lambda text: print(text, file=sys.stderr))
        print("shrunk to\n" + story.to_json())
    if figures.trace:
        print(figures.trace)
    print(figures.violation or f"good: {dict(figures.verdicts)} in {figures.simulated_s:.0f} simulated seconds")
    return 1 if figures.violation else 0


class Ledger:
    """The finished seeds of one state of the code, a line of JSON each."""

    def __init__(self, folder: Path, kind: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{kind}-{code_digest()}.jsonl"
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        self.done = {figures.seed: figures for figures in map(Figures.from_json, lines)}

    def add(self, figures: Figures) -> None:
        self.done[figures.seed] = figures
        with self._path.open("a") as file:
            file.write(figures.to_json() + "\n")


def code_digest() -> str:
    """Return a digest of all code that a seed's outcome depends on."""
    digest = hashlib.sha256()
    for folder in ("drivers", "station", "tests/simulation", "tests/support"):
        for path in sorted(one for kind in ("*.py", "*.toml") for one in (ROOT / folder).rglob(kind)):
            digest.update(path.read_bytes())
    digest.update((ROOT / "tests" / "line_bench.py").read_bytes())
    return digest.hexdigest()[:16]


def report(rows: Sequence[Figures], wall_s: float, fresh: int) -> str:
    """Format the figures of a run for people."""
    verdicts, causes, units, kinds = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        verdicts.update(row.verdicts)
        causes.update(row.causes)
        units.update(row.units)
        kinds.update([row.kind] if row.kind else [])
    hours, spent = sum(row.simulated_s for row in rows) / 3600, sum(row.wall_s for row in rows)
    attempts = max(1, sum(verdicts.values()))
    shares = ", ".join(f"{name} {n} ({n / attempts:.1%})" for name, n in sorted(verdicts.items()))
    scans, again = sum(row.scans for row in rows), sum(row.scans_again for row in rows)
    return "\n".join([
        f"{len(rows)} seeds ({fresh} run now in {wall_s:.0f} s), {hours:.0f} simulated hours;"
        f" a second and process: {len(rows) / max(spent, 1e-9):.1f} seeds, {hours / max(spent, 1e-9):.2f} such hours",
        f"units: {', '.join(f'{name} {n}' for name, n in sorted(units.items()))}",
        f"attempts of good units: {shares or 'none'}",
        *(f"  {n:5} {cause}" for cause, n in causes.most_common(12)),
        f"scans: {scans}, asked again {again}",
        f"broken oracles: {dict(kinds) or 'none'}",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
