"""The rules of the house as tests; each is shown an offence that it must catch."""
