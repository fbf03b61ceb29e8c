"""A worker of the tally whose partitions meet in each call that goes to the broker behind the fence.

None of them begins such a call before all are there, and none goes on before all are done: if one waited for another
anywhere, this worker would never commit. The calls themselves are those of the engine. `python -m tests.engine.meeting
CONFIG.json`
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from streams.engine import partition
from streams.engine.behind_fence import read_behind_fence
from streams.engine.fence import FencedProducer
from tests.engine.tally import main


def meeting(call: Callable[..., Awaitable[Any]], partitions: int) -> Callable[..., Awaitable[Any]]:
    """Return the call as so many partitions make it at the same time; it is said on stderr when they have."""
    place = asyncio.Barrier(partitions)

    async def together(*given: object) -> Any:  # noqa: ANN401  what the call returns
        await place.wait()
        found = await call(*given)
        if await place.wait() == 0:
            sys.stderr.write(f"all in {call.__name__}\n")
            sys.stderr.flush()
        return found

    return together


if __name__ == "__main__":
    together = json.loads(Path(sys.argv[1]).read_text())["partitions"]
    vars(partition)["read_behind_fence"] = meeting(read_behind_fence, together)
    for call in (FencedProducer.raise_fence, FencedProducer.send, FencedProducer.commit):
        setattr(FencedProducer, call.__name__, meeting(call, together))
    main()
