"""DFU and DfuSe: `tables` is shared by both ends; `transfers`, `memory_map` and `host` are our end."""
