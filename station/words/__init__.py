"""Say things to people: rooms hand over keys (`Say`), one catalogue per language has their text."""
