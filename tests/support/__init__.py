"""What the tests share: virtual benches, stories told to the journal and the screen, models and oracles."""
