"""The terminal user interface: draws what `station.view` composes, and turns keys and scans into commands."""
