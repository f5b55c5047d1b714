"""The listening-mode console: `tables` is shared by both ends, `host` and `wifi` are our end."""
