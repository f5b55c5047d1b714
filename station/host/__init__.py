"""All that depends on the operating system and is not a device: terminals, plain files, keys at rest."""
