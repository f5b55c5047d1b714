"""Pure protocol code: bytes to events and back, with state tables. No I/O, clock, threads or logging."""
