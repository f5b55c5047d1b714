"""Firmware module files: `tables` both ends share, `host` reads them for us."""
