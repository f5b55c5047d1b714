"""What several steps use: the unit under work, its cloud record, its firmware, reading and waiting."""
