"""Runs profiles on units: a pure walk, a runner per slot, the line that binds them to ports."""
