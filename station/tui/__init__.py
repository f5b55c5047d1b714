"""The bench screen: draws what `station.view` says, and turns keys and scans into commands."""
