"""What units answer to control requests, by subject; `tables` both ends share."""
