"""Real processes on a real Kafka, killed, paused, cut off and poisoned; plain checkers judge what is left.

`python -m tests.faults --rounds N --seed S` runs trials of every kind and prints one table. A trial writes a history,
one JSON line per operation. Its ledger holds a tally: small enough to be implemented twice, once in the worker and once
in the judge, and rich enough to go wrong: repeats, deadlines with alerts, rows that die, bytes that are no event.
"""
