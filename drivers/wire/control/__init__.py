"""Control requests: `tables` both ends share, `host` for ours."""
