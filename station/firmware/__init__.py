"""Loads and checks firmware files, and makes the pure plan of what a unit needs of them."""
