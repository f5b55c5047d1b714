"""Talk to Particle devices over USB. Knows nothing of stations, profiles or clouds."""
