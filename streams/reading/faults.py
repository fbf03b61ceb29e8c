"""What can be wrong with a topic that is read."""


class HoleInTopic(Exception):  # noqa: N818 - says what was found
    """Offsets that must follow one another do not; nothing after the hole can be trusted."""

    def __init__(self, topic: str, partition: int, expected: int, found: int) -> None:
        super().__init__(
            f"{topic}/{partition}: expected offset {expected}, found {found}. A ledger has no holes: records were"
            " deleted, or something else writes transactions to it. Restore it from an export."
        )
        self.topic, self.partition, self.expected, self.found = topic, partition, expected, found


class RecordsGone(Exception):  # noqa: N818 - says what was found
    """The offset to read from is no longer, or not yet, in the topic: it was cut off, or made anew."""

    def __init__(self, topic: str, asked: dict[int, int]) -> None:
        places = ", ".join(f"offset {offset} of partition {partition}" for partition, offset in sorted(asked.items()))
        super().__init__(
            f"{topic}: asked for {places}, which Kafka does not have. The topic was made anew or records were deleted:"
            " read from the beginning, and compare with an export."
        )
        self.topic, self.asked = topic, asked
