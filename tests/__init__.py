"""Parley's tests; `python -m tests` runs what CI runs."""
