"""What ``station VERB`` does: one file a verb, each with ``add(parsers)`` and a ``run`` for the exit status."""
