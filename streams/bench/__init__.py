"""Measuring Parley: a named workload, and what the worker makes of it beside what this machine could do at best."""
