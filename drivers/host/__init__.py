"""All that depends on the operating system: device nodes, port paths, terminals, processes, rights, files, locks.

Linux now. Nothing else in this program names `/sys`, `/proc`, `/dev` or a module that only POSIX has.
"""
