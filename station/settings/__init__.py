"""What people write for a station: profiles, its config, secrets by reference; each refused with one sentence."""
