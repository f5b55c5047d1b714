"""``station``: the command line. Declares the verbs, turns refusals into one sentence and an exit status.

Exit status: 0 all PASS, 1 some unit not PASS, 2 bad usage or configuration, 3 the station itself failed.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from drivers.errors import DriverError

from .errors import BadInput, StationError
from .verbs import batch, demo, doctor, identify, log, profile, run, udev

VERBS = (demo, run, identify, log, batch, profile, udev, doctor)


def parser() -> argparse.ArgumentParser:
    """The whole command line, one sub-parser a verb."""
    top = argparse.ArgumentParser(prog="station", description="A USB provisioning station for Particle devices.")
    top.add_argument("--log", choices=("debug", "info", "warning"), default="warning", help="how much to log to stderr")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        verb.add(verbs)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status."""
    parsed = parser().parse_args(arguments)
    logging.basicConfig(level=parsed.log.upper(), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        return int(parsed.run(parsed))
    except BadInput as error:
        print(f"station: {error}", file=sys.stderr)
        return 2
    except (StationError, DriverError, OSError) as error:
        print(f"station: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 1
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
