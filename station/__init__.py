"""The provisioning station: slots, steps, journal, cloud and bench screen."""
