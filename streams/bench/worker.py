"""The engine under measurement: `python -m streams.bench.worker SETTINGS.json`; samples go to standard output."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from streams.bench.profiling import Profile
from streams.bench.sampling import Teller
from streams.bench.tally import TallyProjection
from streams.engine import EngineConfig, Progress, Projection
from streams.projection import LedgerProjection
from streams.topics import CHANGES

Work = Literal["tally", "full"]
_TELL_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker under measurement does, the prefix of its topics, the engine's settings, whether it is profiled.

    It tells of what is committed, or of what is `folded`, silently or not; of every step, or now and then (`goes_on`).
    """

    work: Work
    prefix: str
    engine: dict[str, Any]
    profile: bool = False
    folded: bool = False
    goes_on: bool = False

    def factory(self) -> Callable[[int], Projection]:
        """Return what makes the projection of a partition."""
        if self.work == "tally":
            return lambda _: TallyProjection(CHANGES.name(self.prefix))
        return lambda _: LedgerProjection(prefix=self.prefix, partitions=self.engine["partitions"])


@dataclass(slots=True)
class Sent:
    """Bytes of outputs over all partitions; the count of one begins anew with each take-over."""

    total: int = 0
    last: dict[int, int] = field(default_factory=dict)

    def take(self, progress: Progress) -> None:
        """Take in what a partition tells."""
        before = self.last.get(progress.partition, 0)
        now = progress.sent_bytes
        self.total += now - before if now >= before else now
        self.last[progress.partition] = now


def main() -> None:
    """Work until told to stop."""
    from streams.engine import build_app, run  # noqa: PLC0415 -- Faust takes long to import; others want the settings only

    path = Path(sys.argv[1])
    settings = WorkerSettings(**json.loads(path.read_text("utf-8")))
    teller, done, sent = Teller(every_s=_TELL_EVERY_S if settings.goes_on else 0.0), dict[int, int](), Sent()
    teller.tell(done)

    def tell(progress: Progress) -> None:
        sent.take(progress)
        count = (progress.folded if settings.folded else progress.cut) + 1
        if done.get(progress.partition) != count:
            done[progress.partition] = count
            teller.tell(done, sent.total)

    app = build_app(EngineConfig(**settings.engine), settings.factory(), on_progress=tell)
    if not settings.profile:
        run(app)
    profile = Profile()
    profile.start()
    try:
        run(app)
    finally:
        profile.write(path.with_suffix(".profile"))


if __name__ == "__main__":
    main()
