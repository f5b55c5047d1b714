"""Live through a shift without internet and report what its owed work costs: ``make shift [ARGS="--units 480"]``.

16 slots, 2,400 Borons in eight hours of simulated time, the cloud away all the while; then it comes back, with its real
limits, and units go on being walked while the outbox works. Takes about a quarter of an hour. Returns 1 if anything
was lost, done twice or refused for too many requests, if it took more than 4 requests a unit, or if the median walk
took a tenth longer than without owed work.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from support.shift import shift

UNITS, HOURS = 2400, 8.0


def main() -> int:
    """Print how the shift goes, and the figures at its end."""
    parser = argparse.ArgumentParser(prog="shift", description=__doc__)
    parser.add_argument("--units", type=int, default=UNITS, help="how many are walked (%(default)s)")
    parser.add_argument("--hours", type=float, default=HOURS, help="in how many hours (%(default)g)")
    options = parser.parse_args()

    def tell(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory() as folder:
        found = shift(Path(folder), options.units, options.hours, tell)
    tell(str(found))
    return 0 if found.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
