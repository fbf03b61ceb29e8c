"""Whether a fault struck while work was waiting, and how long it then took: from the history and the cuts' own times.

A cut record bears the time at which its batch was sent, which is before it counted. So what was acknowledged before a
fault, and is covered only by cuts that were sent after it, was waiting when the fault struck.
"""

from collections.abc import Iterable, Mapping, Sequence

from tests.faults.history import Operation

Cuts = Mapping[int, Sequence[tuple[int, int]]]
"""By ledger partition: the time (milliseconds) and the offset of each committed cut, in order."""


def waiting_at(at_ms: int, operations: Iterable[Operation], cuts: Cuts) -> dict[int, int]:
    """Return how many acknowledged events were waiting in each partition at an instant; idle ones are left out."""
    acknowledged: dict[int, int] = {}
    for one in operations:
        if one["op"] == "append" and one["outcome"] == "acked" and one["at_ms"] <= at_ms:
            acknowledged[one["partition"]] = max(one["offset"], acknowledged.get(one["partition"], -1))
    waiting = {partition: last - _covered(cuts.get(partition, ()), at_ms) for partition, last in acknowledged.items()}
    return {partition: count for partition, count in waiting.items() if count > 0}


def recovered_ms(at_ms: int, healed_ms: int, partitions: Iterable[int], cuts: Cuts) -> int | None:
    """Return how long it took until each of these partitions moved again; None if one never did.

    It counts from the fault, or from its healing where a partition did not move before.
    """
    taken: list[int] = []
    for partition in partitions:
        told = cuts.get(partition, ())
        covered = _covered(told, at_ms)
        # a cut that is gone back to moves nobody
        later = [sent_ms for sent_ms, offset in told if sent_ms > at_ms and offset > covered]
        if not later:
            return None
        moved_ms = min(later)
        taken.append(moved_ms - (at_ms if moved_ms < healed_ms else healed_ms))
    return max(taken, default=0)


def _covered(told: Sequence[tuple[int, int]], at_ms: int) -> int:
    return max((offset for sent_ms, offset in told if sent_ms <= at_ms), default=-1)
