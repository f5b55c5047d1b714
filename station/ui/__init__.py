"""The bench screen: events reduce to a state, a state draws a screen, keys and scans become commands."""
