"""The bench and its batches: slots, the work on a unit, owed cloud work."""
