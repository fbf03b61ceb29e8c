"""The shipped history, replayed: what is in it, and what it answers at twelve moments."""
