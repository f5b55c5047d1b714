"""The Particle Cloud: one client with retries, and pure builders of requests and parsers of answers."""
