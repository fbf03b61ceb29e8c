"""What Faust keeps: the app runs under Faust's own `worker` command too, and sensors see what passes.

As a program, `python -m tests.engine.test_worker_command CONFIG.json`, it is that worker, with a sensor.
"""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import faust
import pytest
from faust.types import TP, EventT, Message, StreamT

from streams.engine import EngineConfig, build_app, run
from streams.engine.consumer import LedgerBatch
from tests.engine.observing import listens_at
from tests.engine.tally import Tally
from tests.engine.trial import Trial

HERE = "tests.engine.test_worker_command"
EVENTS = 600


class Seeing(faust.Sensor):
    """Writes a line of each batch that goes into the stream and comes out of it, and of whatever Faust acknowledges."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("a")

    def on_stream_event_in(self, tp: TP, offset: int, _: StreamT[Any], event: EventT[Any]) -> dict[str, int]:
        """Note which records go in, and leave with the event how many they are."""
        assert isinstance(event.message, LedgerBatch)
        records = event.message.records
        self._note("in", tp, records[0].offset, offset)
        return {"records": len(records)}

    def on_stream_event_out(
        self, tp: TP, offset: int, _: StreamT[Any], __: EventT[Any], state: dict[str, int] | None = None
    ) -> None:
        """Note which come out, by what was left with the event."""
        assert state is not None
        self._note("out", tp, offset - state["records"] + 1, offset)

    def on_message_in(self, tp: TP, offset: int, _: Message) -> None:
        """Note what Faust waits to have acknowledged."""
        self._note("waits", tp, offset, offset)

    def on_message_out(self, tp: TP, offset: int, _: Message) -> None:
        """Note what Faust would commit."""
        self._note("acknowledged", tp, offset, offset)

    def _note(self, what: str, tp: TP, first: int, last: int) -> None:
        self._file.write(json.dumps([what, tp.partition, first, last]) + "\n")
        self._file.flush()


@pytest.mark.kafka
@pytest.mark.parametrize("way", ["worker", "run"])
async def test_the_app_runs_under_fausts_worker_command_and_its_sensors_see_every_batch(way: str, trial: Trial) -> None:
    seen = trial.directory / "seen"
    await trial.append(range(EVENTS // 2))
    worker = await trial.worker(HERE, way=way, seen=str(seen))
    await trial.until_done()
    await trial.append(range(EVENTS // 2, EVENTS))
    await trial.until_done()
    assert listens_at(worker) == set()
    assert await worker.end(signal.SIGTERM) == 0
    assert await trial.verdict() == "exact"
    noted = [json.loads(line) for line in seen.read_text().splitlines()]
    ledger = {n: len(records) for n, records in (await trial.read("ledger")).items()}
    assert sum(ledger.values()) == EVENTS
    for what in ("in", "out"):
        assert records_of(what, noted) == {n: [*range(count)] for n, count in ledger.items()}
    assert len(noted) < EVENTS  # a message is a batch
    assert {what for what, *_ in noted} == {"in", "out"}  # the cut alone says what is done


def records_of(what: str, noted: list[tuple[str, int, int, int]]) -> dict[int, list[int]]:
    """Return the offsets that a sensor has noted, by partition, in order."""
    found: dict[int, list[int]] = {}
    for its, partition, first, last in noted:
        if its == what:
            found.setdefault(partition, []).extend(range(first, last + 1))
    return found


def main() -> None:
    """Run a tally with a sensor, by Faust's `worker` command or by the engine's `run`."""
    fields = json.loads(Path(sys.argv[1]).read_text())
    version, output_topic = fields.pop("version"), fields.pop("output_topic")
    way, seen = fields.pop("way"), fields.pop("seen")
    app = build_app(EngineConfig(**fields), lambda _: Tally(version, output_topic=output_topic))
    app.sensors.add(Seeing(Path(seen)))
    sys.stdout = sys.stderr  # the command has a banner, and the trial reads what is told on standard output
    if way == "run":
        run(app)
    sys.argv = ["faust", "worker", "--without-web", "--loglevel", "info"]
    app.main()


if __name__ == "__main__":
    main()
