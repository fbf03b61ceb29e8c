"""The core, pure: reports in, the state of a negotiation out, at any two times."""
