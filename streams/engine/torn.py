"""A transaction that the cluster has torn apart: seen when its partition is taken over, and made whole.

Kafka commits a transaction topic by topic, on the word of one coordinator. A coordinator that dies with its word
unheard, and comes back before it is missed, may have some topics committed where the next one has the others aborted
(seen with 4.2.1, when two of three nodes were killed). Then outputs are there without the cut, or the cut without some
of them. The cut's spans show it, and since outputs are a function of the ledger it can be mended: everybody goes on
from the cut before that transaction, and leaves out what is there already. Where that is not the last cut any more it
is committed again first, alone: one topic cannot be torn.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from streams.engine.cut import Cut, Span
from streams.engine.projection import Entry

_UNTOUCHED = Span(0, 0, 0, 0)


class StrangeOutputsError(Exception):
    """An output topic lacks what earlier cuts speak of, or has what the fold does not bring about; a person decides."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The cut to go on from, and how many records from behind it each topic that is appended to has already.

    back: it is the one before the last committed cut; that has to be committed before anything else, for what is sent
        next may be torn as well, and must not be taken for what the last one lacks
    torn: what is there without the rest of its transaction, in words; empty if nothing is
    """

    cut: Cut | None
    ahead: Mapping[str, int]
    back: bool = False
    torn: str = ""


def spans_of(cut: Cut | None, topics: Iterable[str]) -> dict[str, Span]:
    """Return what a cut says of these topics; without any cut nothing may be there, and some it may not know."""
    known = {} if cut is None else dict(cut.spans)
    return {topic: _UNTOUCHED if cut is None else known[topic] for topic in topics if cut is None or topic in known}


def settle(
    cut: Cut | None, found: Mapping[str, int], tables: Collection[str], place: str, *, lasting_only: bool = False
) -> Settled:
    """Compare the last committed cut of `place` with the records `found` from each span's start on.

    `lasting_only`: deletions may be gone by now, so that they are not missed. Rows that are there too early are no
    harm: they are written once more. StrangeOutputsError if there are fewer records than the cut before knew of.
    """
    spans = spans_of(cut, found)
    for topic, span in spans.items():
        if found[topic] < span.before:
            raise StrangeOutputsError(
                f"{place}: expected at least {span.before} records of {topic} from offset {span.start} on, found "
                f"{found[topic]}: it was made anew, or has lost its last records"
            )
    expected = {
        topic: span.before + span.lasting if lasting_only and topic in tables else span.after
        for topic, span in spans.items()
    }
    back = cut is not None and any(found[topic] < n for topic, n in expected.items())
    base = {topic: span.before if back else span.after for topic, span in spans.items()}
    ahead = {topic: found[topic] - n for topic, n in base.items() if topic not in tables and found[topic] > n}
    torn = [
        f"{topic} has {found[topic]} records from offset {spans[topic].start} on, expected {n}"
        for topic, n in expected.items()
        if found[topic] < n or (topic in ahead and not back)
    ]
    if back and cut is not None:
        own = {topic: span.after - span.before for topic, span in cut.spans}
        counts = tuple(sorted((topic, n - own.get(topic, 0)) for topic, n in cut.counts if n > own.get(topic, 0)))
        cut = replace(cut, offset=cut.previous, counts=counts)
    return Settled(cut, ahead, back, "; ".join(torn))


@dataclass(slots=True)
class Trail:
    """What a partition's transactions leave in each output topic, from one take-over to the release.

    counted: from which offset on how many records are accounted for
    ahead: digests of what is there already though no cut covers it, in order; empty but behind a torn transaction
    """

    place: str
    counted: dict[str, tuple[int, int]]
    ahead: dict[str, deque[bytes]] = field(default_factory=dict)

    def left_to_send(self, appended: Mapping[str, Sequence[Entry]]) -> dict[str, Sequence[Entry]]:
        """Return what a batch appends without what is there already.

        StrangeOutputsError if that is something else than what the batch appends.
        """
        left: dict[str, Sequence[Entry]] = dict(appended)
        for topic in self.ahead.keys() & left.keys():
            digests, entries = self.ahead[topic], left[topic]
            there = min(len(digests), len(entries))
            for key, value, headers in entries[:there]:
                if digest(key, value, headers) != digests.popleft():
                    raise StrangeOutputsError(
                        f"{self.place}: {topic} has a record that no cut covers, in place of the one with key {key!r} "
                        "that the fold brings about. Somebody else wrote there, another version did, or a record was "
                        "set aside since"
                    )
            left[topic] = entries[there:]
            if not digests:
                del self.ahead[topic]
        return {topic: entries for topic, entries in left.items() if entries}

    def spans(
        self, appended: Mapping[str, Sequence[Entry]], rows: Mapping[str, Sequence[Entry]]
    ) -> tuple[tuple[str, Span], ...]:
        """Return the spans of the cut that covers these entries too, whether they are sent or there already."""
        added = {topic: (len(entries), len(entries)) for topic, entries in appended.items()}
        added |= {
            topic: (len(entries), sum(value is not None for _, value, _ in entries)) for topic, entries in rows.items()
        }
        spans: list[tuple[str, Span]] = []
        for topic, (start, n) in sorted(self.counted.items()):
            more, lasting = added.get(topic, (0, 0))
            spans.append((topic, Span(start, n, n + more, lasting)))
        return tuple(spans)

    def sent(self, spans: Iterable[tuple[str, Span]], ends: Mapping[str, int]) -> None:
        """Note that the transaction with these spans has been acknowledged, and where in each topic it ends.

        StrangeOutputsError if that is before where it ends at least: the topic was made anew since.
        """
        for topic, span in spans:
            if topic in ends and ends[topic] < span.start + span.after:
                raise StrangeOutputsError(
                    f"{self.place}: expected {topic} to end at offset {span.start + span.after} or later, it ends at "
                    f"{ends[topic]}: it was made anew, or has lost its last records, under this worker"
                )
            whole = topic in ends and topic not in self.ahead
            self.counted[topic] = (ends[topic], 0) if whole else (span.start, span.after)


def digest(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> bytes:
    """Return 16 bytes that tell one record from another."""
    said = (key, value, tuple(map(tuple, headers)))
    return blake2b(repr(said).encode(), digest_size=16).digest()
