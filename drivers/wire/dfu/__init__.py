"""DFU and DfuSe: `tables` both ends share; `transfers`, `memory_map` and `host` are ours."""
