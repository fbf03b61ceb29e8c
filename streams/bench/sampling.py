"""How far a process is and what it has cost so far: samples, and the steady rate between them.

Start-up is left out by position: the steady part begins when a tenth of the events is done and every process has done
some itself. Until then one that joined late takes partitions over and folds anew what others had done.
"""

import asyncio
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final

import orjson

from streams.bench.faults import BenchFailed

_WARM_SHARE: Final = 0.1
_WARM_SHARE_MAX: Final = 0.5
_PAGE_BYTES: Final = resource.getpagesize()


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a process: events done by partition, its CPU time and memory, bytes it has sent to topics.

    `at` is in seconds of the clock that all processes of a machine share and that never goes back.
    """

    worker: int
    at: float
    done: Mapping[int, int]
    cpu_s: float
    resident_bytes: int
    sent_bytes: int = 0

    @classmethod
    def parse(cls, worker: int, line: bytes) -> "Sample":
        """Read the line that a `Teller` wrote."""
        fields = orjson.loads(line)
        return cls(worker=worker, **{**fields, "done": {int(n): count for n, count in fields["done"].items()}})


class Teller:
    """Writes samples of this process to standard output, a line each, at most one in `every_s` seconds.

    It must cost next to nothing, since it is part of what is measured.
    """

    def __init__(self, stream: IO[str] | None = None, *, every_s: float = 0.0) -> None:
        self._stream = stream or sys.stdout
        self._every_s = every_s
        self._told_at = float("-inf")
        self._soon: asyncio.TimerHandle | None = None
        self._memory = Path("/proc/self/statm").open("rb", buffering=0)  # noqa: SIM115 -- for as long as the process lives

    def tell(self, done: Mapping[int, int], sent_bytes: int = 0, *, at_once: bool = False) -> None:
        """Write a sample; where the last one is too recent, as soon as it is not, of what is `done` by then."""
        at = time.monotonic()
        wait = self._told_at + self._every_s - at
        if wait > 0 and not at_once:
            if self._soon is None:
                loop = asyncio.get_running_loop()
                self._soon = loop.call_later(wait, partial(self.tell, done, sent_bytes, at_once=True))
            return
        self._told_at, self._soon = at, None
        sample = {
            "at": at,
            "done": {str(partition): count for partition, count in done.items()},
            "cpu_s": time.process_time(),
            "resident_bytes": self._resident_bytes(),
            "sent_bytes": sent_bytes,
        }
        self._stream.write(orjson.dumps(sample).decode() + "\n")
        self._stream.flush()

    def _resident_bytes(self) -> int:
        self._memory.seek(0)
        return int(self._memory.read().split()[1]) * _PAGE_BYTES


@dataclass(frozen=True, slots=True)
class Steady:
    """The steady part of a run: events, seconds, CPU seconds of all its processes."""

    events: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU time an event."""
        return self.cpu_s * 1e6 / self.events


def totals(samples: Sequence[Sample]) -> list[int]:
    """Return how many events were done in all after each sample; a partition that changes hands counts once."""
    found, done, total = [], dict[int, int](), 0
    for sample in samples:
        for partition, count in sample.done.items():
            total += max(0, count - done.get(partition, 0))
            done[partition] = max(count, done.get(partition, 0))
        found.append(total)
    return found


def reached_at(samples: Sequence[Sample], ends: Mapping[int, int]) -> float:
    """Return when all events before these offsets were done. BenchFailed when they are not."""
    done: dict[int, int] = {}
    for sample in sorted(samples, key=lambda sample: sample.at):
        done |= {partition: max(count, done.get(partition, 0)) for partition, count in sample.done.items()}
        if all(done.get(partition, 0) >= end for partition, end in ends.items()):
            return sample.at
    raise BenchFailed(f"expected samples up to {dict(ends)}, got {done}")


def steady(samples: Sequence[Sample], workers: int) -> Steady:
    """Return the steady part of a run. BenchFailed where there are no two samples apart."""
    ordered = sorted(samples, key=lambda sample: sample.at)
    counts = totals(ordered)
    total = counts[-1]
    begin = next(place for place, count in enumerate(counts) if count >= total * _WARM_SHARE)
    begun_at = _begun_at(ordered, counts)
    if len(begun_at) == workers:
        begin = max(begin, *begun_at.values())
    if counts[begin] > total * _WARM_SHARE_MAX:  # too short a run to leave something out
        begin = 0
    end = counts.index(total)
    if end <= begin or ordered[end].at <= ordered[begin].at:
        raise BenchFailed(f"expected two samples apart to measure between, got {len(ordered)}: measure more events")
    cpu_s = _cpu_s(ordered[: end + 1], workers) - _cpu_s(ordered[: begin + 1], workers)
    return Steady(total - counts[begin], ordered[end].at - ordered[begin].at, cpu_s)


def _begun_at(samples: Sequence[Sample], counts: Sequence[int]) -> dict[int, int]:
    """Return the place of each process's first sample that tells of events which it did itself."""
    found: dict[int, int] = {}
    before = 0
    for place, (sample, count) in enumerate(zip(samples, counts, strict=True)):
        if count > before:
            found.setdefault(sample.worker, place)
        before = count
    return found


def _cpu_s(samples: Sequence[Sample], workers: int) -> float:
    last = {sample.worker: sample.cpu_s for sample in samples}
    return sum(last.get(worker, 0.0) for worker in range(workers))
