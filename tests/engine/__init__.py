"""The engine: its protocol checked exhaustively, and a tally projection on a real broker under kills and pauses."""
