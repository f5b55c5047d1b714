"""The parts of the bench screen. Each draws a pure text of `station.view` and decides nothing."""
