"""The tally as a user of Faust writes it: one agent, one table, one output topic."""

import faust
from faust.types import StreamT

from streams.bench.tally import NONE_YET, told
from tests.peers.settings import settings
from tests.peers.telling import keep_telling


def main() -> None:
    """Work until told to stop."""
    wanted = settings()
    app = faust.App(
        wanted.group,
        broker=f"kafka://{wanted.bootstrap}",
        topic_partitions=wanted.partitions,
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        datadir=wanted.folder,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
    )
    counts = app.Table("counts", default=lambda: NONE_YET, key_type=bytes, partitions=wanted.partitions)
    ledger = app.topic(wanted.ledger, key_type=bytes, value_type=bytes, partitions=wanted.partitions)
    outputs = app.topic(wanted.outputs, key_type=bytes, value_type=bytes, partitions=wanted.partitions)
    done: dict[int, int] = {}
    keep_telling(done)

    @app.agent(ledger)
    async def tally(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            place, key = event.message, event.key or b""
            counts[key], row = told(place.partition, place.offset, event.value, counts[key])
            _sent_later = await outputs.send(key=key, value=row, partition=place.partition)
            done[place.partition] = place.offset + 1

    faust.Worker(app, loglevel="info", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
