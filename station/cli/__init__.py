"""Implements the command line: one file per verb, with ``add(parsers)`` and a ``run`` that returns the exit status."""
