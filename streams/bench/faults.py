"""What ends a measurement."""


class BenchFailed(Exception):  # noqa: N818 -- says what went wrong
    """A measurement could not be made; the message says where and why."""
