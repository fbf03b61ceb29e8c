"""The tally on Faust as it is shipped, to show what is cured: `python -m tests.engine.as_shipped CONFIG.json`."""

import json
import sys
from pathlib import Path

import faust
from faust.types import StreamT


def main() -> None:
    """Run a plain Faust worker with one agent and one table."""
    fields = json.loads(Path(sys.argv[1]).read_text())
    app = faust.App(
        fields["group"],
        broker=f"kafka://{fields['bootstrap']}",
        topic_partitions=fields["partitions"],
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        datadir=fields["data_directory"],
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
    )
    sums = app.Table("sums", default=int, partitions=fields["partitions"])
    outputs = app.topic(fields["output_topic"], key_type=bytes, value_type=bytes, partitions=fields["partitions"])

    @app.agent(app.topic(fields["ledger"], key_type=bytes, value_type=bytes, partitions=fields["partitions"]))
    async def tally(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            key = (event.key or b"").decode()
            sums[key] += int(event.value)
            _sent_later = await outputs.send(key=event.key, value=b"%d" % sums[key], partition=event.message.partition)

    faust.Worker(app, loglevel="info", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
