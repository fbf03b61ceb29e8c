"""A small projection for the engine's tests: counts and sums per key, one output and one row per event."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streams.engine import EngineConfig, Outputs, Progress, Record, Refused, Store, build_app, run
from tests.engine.slow import slow_seek, slow_write


@dataclass(slots=True)
class Tally:
    """Count and sum of the numbers per key; every event appends its running sum and sets the key's row.

    In place of the sum it may tell how many records it has folded in silence, or the level of the root logger. To fold
    a record in silence takes it `fold_seconds` longer, to project one `project_seconds`.
    """

    version: str = "1"
    sums: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    output_topic: str = "out"
    stop_before: bytes | None = None
    tells: str = "sums"
    fold_seconds: float = 0.0
    project_seconds: float = 0.0
    folded: int = 0
    store: Store | None = None
    touched: set[bytes] = field(default_factory=set)
    layout: str = "1"

    def attach(self, store: Store) -> None:
        self.store = store

    def draw(self) -> Iterator[None]:
        yield from ()

    def changed(self) -> dict[bytes, bytes | None]:
        touched, self.touched = self.touched, set()
        return {key: b"%d %d" % self.sums[key] for key in touched}

    def fold(self, records: Sequence[Record]) -> None:
        for record in records:
            if not isinstance(record.value, Refused):
                self._add(record)
            self.folded += 1
            if self.fold_seconds:
                threading.Event().wait(self.fold_seconds)

    def project(self, records: Sequence[Record], outputs: Outputs) -> None:
        for record in records:
            if isinstance(record.value, Refused):
                if record.offset == record.value.first:
                    outputs.append(self.output_topic, None, b"%d to %d refused" % (record.offset, record.value.last))
                continue
            key, count, total = self._add(record)
            tally = self._told(b"%d %d %d" % (record.offset, count, total))
            outputs.append(self.output_topic, key, tally)
            outputs.row("sums", key, tally)
            if self.project_seconds:
                threading.Event().wait(self.project_seconds)

    def set_aside(self, record: Record, outputs: Outputs) -> None:
        outputs.append(self.output_topic, record.key, b"%d set aside" % record.offset)

    def _told(self, tally: bytes) -> bytes:
        match self.tells:
            case "folded":
                return b"%d" % self.folded
            case "level":
                return b"%d" % logging.getLogger().getEffectiveLevel()
            case _:
                return tally

    def _add(self, record: Record) -> tuple[bytes, int, int]:
        key = record.key or b""
        if record.value == b"hang":
            threading.Event().wait()
        if record.value == self.stop_before:
            os.kill(os.getpid(), signal.SIGSTOP)
        number = int(record.value or b"0")
        count, total = self.sums[key] if key in self.sums else self._load(key)
        count, total = count + 1, total + number
        self.sums[key] = (count, total)
        self.touched.add(key)
        return key, count, total

    def _load(self, key: bytes) -> tuple[int, int]:
        """Return what the snapshot has of a key; it is asked when the key is first heard of."""
        kept = None if self.store is None else self.store.get(key)
        if kept is None:
            return 0, 0
        count, total = kept.split()
        return int(count), int(total)


def main() -> None:
    """Run a worker: `python -m tests.engine.tally CONFIG.json`; progress goes to stdout, one JSON line each."""
    fields = json.loads(Path(sys.argv[1]).read_text())
    version, output_topic = fields.pop("version"), fields.pop("output_topic")
    stop_before = fields.pop("stop_before", "").encode() or None
    tells = fields.pop("tells", "sums")
    slow = {name: fields.pop(name, 0.0) for name in ("fold_seconds", "project_seconds")}
    seek_seconds, save_seconds = fields.pop("seek_seconds", 0.0), fields.pop("save_seconds", 0.0)
    watcher_raises = fields.pop("watcher_raises", False)

    def show(progress: Progress) -> None:
        line = {
            "partition": progress.partition,
            "folded": progress.folded,
            "cut": progress.cut,
            "resumed": progress.resumed,
            "ready": progress.ready,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        if watcher_raises and progress.cut >= 0:
            raise ValueError("this is not what was expected")

    def tally(_: int) -> Tally:
        return Tally(version, output_topic=output_topic, stop_before=stop_before, tells=tells, **slow)

    app = build_app(EngineConfig(**fields), tally, on_progress=show)
    slow_seek(app, seek_seconds)
    slow_write(save_seconds)
    run(app)


if __name__ == "__main__":
    main()
