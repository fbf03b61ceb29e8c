"""The tally as a user of Quix Streams writes it: a stateful function between two topics.

It runs in an environment of its own, which has Quix Streams and not Parley's dependencies.
"""

from quixstreams import Application, State, message_context

from streams.bench.tally import NONE_YET, told
from tests.peers.settings import settings
from tests.peers.telling import keep_telling


def main() -> None:
    """Work until told to stop."""
    wanted = settings()
    app = Application(
        broker_address=wanted.bootstrap,
        consumer_group=wanted.group,
        auto_offset_reset="earliest",
        state_dir=wanted.folder,
        processing_guarantee=wanted.guarantee,
        loglevel="WARNING",
    )
    ledger = app.topic(wanted.ledger, key_deserializer="bytes", value_deserializer="bytes")
    outputs = app.topic(wanted.outputs, key_serializer="bytes", value_serializer="bytes")
    done: dict[int, int] = {}
    keep_telling(done)

    def tally(value: bytes, state: State) -> bytes:
        place = message_context()
        before = state.get("counts", NONE_YET)
        counts, row = told(place.partition, place.offset, value, (before[0], before[1]))
        state.set("counts", counts)
        done[place.partition] = place.offset + 1
        return row

    app.dataframe(ledger).apply(tally, stateful=True).to_topic(outputs)
    app.run()


if __name__ == "__main__":
    main()
