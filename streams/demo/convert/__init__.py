"""Turns the corpus of acts and claims into the shipped history. Pure: the same corpus gives the same bytes."""
