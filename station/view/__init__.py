"""Turn events into the state of a station, and the state into what a user interface shows. Pure."""
