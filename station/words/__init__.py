"""What the station says to people: keys here (`Say`), their text in one catalogue a language."""
