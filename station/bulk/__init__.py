"""Imports of whole lists: the units of a tray or reel into a product, and SIM cards (C9 C10 C11 G3 G13).

Each observes, acts only on what is missing, and reads back, so that an import that was interrupted is started again
and does nothing twice. Knows no command line.
"""
