"""``python -m simulation.hunt [RULE...] [--seeds N]``: break one rule at a time and count the seeds that notice.

Takes its patches from ``tests/house/mutants.toml``. The tests marked with a rule were written for it; the simulation
was not, so this measures how many such errors it would find on its own.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from house.mutants import Copy, Mutant, mutants

HARDEST = (
    "A2", "A5", "B3", "B5", "C1", "C2", "C3", "D8", "D9", "E3", "E12", "F1", "G1", "H3", "H4", "H9", "H10", "N1",
    "N2", "N6",
)  # fmt: skip
"""Rules whose violation shows only over a whole walk."""


def main() -> int:
    """Return 0 when every patch could be tried; the number of seeds that noticed is only reported."""
    parser = argparse.ArgumentParser(prog="simulation.hunt", description=__doc__)
    parser.add_argument("rules", nargs="*", help="only these (the twenty hardest)")
    parser.add_argument("--seeds", type=int, default=50, help="how many are tried on each patch (%(default)s)")
    options = parser.parse_args()
    wanted = options.rules or HARDEST
    chosen = [mutant for mutant in mutants() if mutant.rule in wanted]
    with tempfile.TemporaryDirectory(prefix="hunt-") as folder:
        copy = Copy(Path(folder))
        for mutant in chosen:
            found = notice(copy, mutant, options.seeds)
            first = f", the first {found[0]}" if found else ""
            sys.stdout.write(f"{mutant.rule:4} {len(found):4} of {options.seeds} seeds{first}: {mutant.breaks}\n")
            sys.stdout.flush()
    return 0 if {mutant.rule for mutant in chosen} >= set(wanted) else 1


def notice(copy: Copy, mutant: Mutant, seeds: int) -> list[int]:
    """Return the seeds, from 1 to ``seeds``, that violate an oracle with the patch applied."""
    before = mutant.apply(copy.root)
    try:
        line = [sys.executable, "-B", "-m", "simulation", "--seeds", str(seeds), "--ledger", str(copy.root / "ledger")]
        where = {**os.environ, "PYTHONPATH": f"{copy.root / 'tests'}:{copy.root}"}
        said = subprocess.run(line, cwd=copy.root, env=where, capture_output=True, text=True, check=False)
    finally:
        (copy.root / mutant.file).write_text(before, encoding="utf-8")
    return sorted(int(number) for number in re.findall(r"^seed (\d+):", said.stdout, re.MULTILINE))


if __name__ == "__main__":
    sys.exit(main())
