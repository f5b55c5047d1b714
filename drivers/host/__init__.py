"""What depends on the operating system: device nodes, port paths, terminals, processes, rights, files, locks.

Linux for now. Nothing else in this program uses `/sys`, `/proc`, `/dev` or a POSIX-only module.
"""
