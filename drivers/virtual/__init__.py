"""Virtual units behind the real USB and serial interfaces: memories, boot, control requests, console and faults."""
