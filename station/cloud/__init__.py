"""The Particle Cloud: one client that asks and retries, and pure builders and readers of what it sends and gets."""
