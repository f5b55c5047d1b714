"""Pure protocol code: bytes to events and back, with tables of states. No I/O, clock, thread or log."""
