"""The shipped history as data."""
