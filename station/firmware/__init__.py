"""Firmware files, checked and loaded, and the pure plan that says what of them a unit needs."""
