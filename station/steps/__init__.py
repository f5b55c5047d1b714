"""The steps: one file each with its `SPEC`; `station.steps.table` finds them and puts them in order."""
