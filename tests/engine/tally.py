"""A small projection for the engine's tests: counts and sums per key, one output and one row per event."""

import json
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streams.engine import EngineConfig, Outputs, Progress, Record, build_app, run


@dataclass(slots=True)
class Tally:
    """Count and sum of the numbers per key; every event appends its running sum and sets the key's row."""

    version: str = "1"
    sums: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    output_topic: str = "out"

    def fold(self, records: Sequence[Record]) -> None:
        for record in records:
            self._add(record)

    def project(self, records: Sequence[Record], outputs: Outputs) -> None:
        for record in records:
            key, count, total = self._add(record)
            tally = b"%d %d %d" % (record.offset, count, total)
            outputs.append(self.output_topic, key, tally)
            outputs.row("sums", key, tally)

    def set_aside(self, record: Record, outputs: Outputs) -> None:
        outputs.append(self.output_topic, record.key, b"%d set aside" % record.offset)

    def _add(self, record: Record) -> tuple[bytes, int, int]:
        key = record.key or b""
        if record.value == b"hang":
            threading.Event().wait()
        count, total = self.sums.get(key, (0, 0))
        count, total = count + 1, total + int(record.value or b"0")
        self.sums[key] = (count, total)
        return key, count, total


def main() -> None:
    """Run a worker: `python -m tests.engine.tally CONFIG.json`; progress goes to stdout, one JSON line each."""
    fields = json.loads(Path(sys.argv[1]).read_text())
    version, output_topic = fields.pop("version"), fields.pop("output_topic")

    def show(progress: Progress) -> None:
        line = {
            "partition": progress.partition,
            "folded": progress.folded,
            "cut": progress.cut,
            "ready": progress.ready,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    app = build_app(
        EngineConfig(**fields), lambda _: Tally(version=version, output_topic=output_topic), on_progress=show
    )
    run(app)


if __name__ == "__main__":
    main()
