"""Talk to Particle devices over USB. Independent of stations, profiles and clouds."""
