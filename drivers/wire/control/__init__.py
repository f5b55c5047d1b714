"""Control requests: `tables` is shared by both ends, `host` is our end."""
