"""Turn events into the state of a bench, and the state into what a face shows. Pure."""
