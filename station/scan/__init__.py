"""What a scanner reads: printed codes, the grammar of labels, and what a scan says of the unit at the bench."""
