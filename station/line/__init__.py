"""Runs the bench: slots and scans, batches, sessions with units, owed cloud work."""
