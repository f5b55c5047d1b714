"""The screens: the bench, and what a key opens on top of it."""
