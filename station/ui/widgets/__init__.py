"""The parts of the bench screen. Each draws a pure text of `station.ui` and decides nothing."""
