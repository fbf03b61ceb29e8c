"""What can be wrong with a topic that is read."""


class HoleInTopic(Exception):  # noqa: N818 - says what was found
    """Offsets that must follow one another do not; nothing after the hole can be trusted."""

    def __init__(self, topic: str, partition: int, expected: int, found: int) -> None:
        super().__init__(
            f"{topic}/{partition}: expected offset {expected}, found {found}. A ledger has no holes: records were"
            " deleted, or something else writes transactions to it. Restore it from an export."
        )
        self.topic, self.partition, self.expected, self.found = topic, partition, expected, found


class StrangeBatch(Exception):  # noqa: N818 - says what was found
    """A topic that only the worker writes holds a batch that it never wrote, and that nobody unpacks."""

    def __init__(self, topic: str, partition: int, offset: int, reason: str) -> None:
        super().__init__(
            f"{topic}/{partition} at offset {offset}: {reason}. Only Parley's worker writes this topic, and it does not"
            " compress: find out what else does, and give Parley topics of its own."
        )
        self.topic, self.partition, self.offset = topic, partition, offset


class RecordsGone(Exception):  # noqa: N818 - says what was found
    """The offset to read from is no longer, or not yet, in the topic: it was cut off, or made anew."""

    def __init__(self, topic: str, asked: dict[int, int]) -> None:
        places = ", ".join(f"offset {offset} of partition {partition}" for partition, offset in sorted(asked.items()))
        super().__init__(
            f"{topic}: asked for {places}, which Kafka does not have. The topic was made anew or records were deleted:"
            " read from the beginning, and compare with an export."
        )
        self.topic, self.asked = topic, asked
