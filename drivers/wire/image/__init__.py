"""Firmware module files: `tables` is shared by both ends, `host` is our parser."""
