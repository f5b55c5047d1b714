"""The widgets of the bench screen. Each draws text composed by `station.view` and decides nothing."""
