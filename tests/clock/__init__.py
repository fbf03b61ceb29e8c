"""The clock: what it may strike and when, on a simulated ledger and on a real one."""
