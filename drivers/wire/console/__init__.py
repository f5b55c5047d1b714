"""The listening-mode console: `tables` both ends share, `host` for ours."""
