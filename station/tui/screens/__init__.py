"""The screens: the bench screen, and those a key opens on top of it."""
