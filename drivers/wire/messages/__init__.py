"""Parsers for the replies to control requests, by subject; `tables` is shared by both ends."""
