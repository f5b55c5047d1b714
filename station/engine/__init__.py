"""Runs profiles on units: the pure walk, one runner per slot, and the events and commands between rooms."""
