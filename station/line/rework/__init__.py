"""Rework at the desk: units and SIM cards that are not what a batch can use, mended one by one, without a walk."""
