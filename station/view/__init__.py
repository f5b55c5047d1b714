"""Pure: events become the state of a bench, and the state what a face shows."""
