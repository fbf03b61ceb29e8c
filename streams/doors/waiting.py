"""Waiting for a position, never for a while: until outputs are complete up to the end of the ledger."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import Final

from streams.engine import Cut, decode_cut, is_set_aside
from streams.reading import end_positions, follow
from streams.topics import ALERTS, CHANGES, CUTS, DEAD_LETTERS, EVENTS, TABLES, Topic

_DECIDED_S: Final = 40.0  # a transaction is open for 10 s at most, and the broker looks for such ones every 10 s
_LOOK_S: Final = 0.05


class NotReached(Exception):  # noqa: N818 -- the state of the worker
    """The worker has not reached the position in time, or is gone; the message says what to look at."""


async def cuts_reaching(
    bootstrap: str,
    prefix: str,
    ends: Mapping[int, int],
    *,
    within_s: float,
) -> dict[int, Cut]:
    """Return each partition's cut once whoever reads what is committed finds the outputs complete up to `ends`.

    `ends` are the offsets after the last record.
    """
    wanted = {partition: end - 1 for partition, end in ends.items() if end > 0}
    cuts: dict[int, Cut] = {}
    try:
        following = follow(bootstrap, CUTS.name(prefix), start=dict.fromkeys(ends, 0))
        async with asyncio.timeout(within_s), aclosing(following):
            async for records in following:
                for record in records:
                    if record.value is not None and not is_set_aside(record.key):
                        cut = decode_cut(record.value)
                        cuts[cut.partition] = cut
                if all(one in cuts and cuts[one].offset >= offset for one, offset in wanted.items()):
                    break
    except TimeoutError as error:
        reached = {one: cut.offset for one, cut in sorted(cuts.items())}
        raise NotReached(
            f"The worker has not reached the end of {EVENTS.name(prefix)} ({wanted}) within {within_s:g} s; "
            f"its cuts: {reached}. Is a worker running? See `parley status`."
        ) from error
    await until_outputs_decided(bootstrap, prefix, (CHANGES, ALERTS, DEAD_LETTERS, *TABLES))
    return cuts


async def until_outputs_decided(
    bootstrap: str, prefix: str, topics: Iterable[Topic], *, within_s: float = _DECIDED_S
) -> None:
    """Wait until what these outputs hold now is committed or aborted. NotReached if a transaction stays open.

    Kafka ends a transaction on one partition after the other: a cut may be seen a moment before what it speaks of.
    """

    async def decided(topic: str) -> None:
        await until_decided(bootstrap, topic, await end_positions(bootstrap, topic), within_s=within_s)

    await asyncio.gather(*(decided(topic.name(prefix)) for topic in topics))


async def until_decided(bootstrap: str, topic: str, ends: Mapping[int, int], *, within_s: float = _DECIDED_S) -> None:
    """Wait until everything before these offsets is committed or aborted. NotReached if a transaction stays open."""
    try:
        async with asyncio.timeout(within_s):
            while not await _decided(bootstrap, topic, ends):  # noqa: ASYNC110 -- the broker decides
                await asyncio.sleep(_LOOK_S)
    except TimeoutError as error:
        raise NotReached(
            f"{topic}: a transaction before the offsets {dict(ends)} is still open after {within_s:g} s. Is the "
            "broker well? Start the worker: it ends what its predecessor left open."
        ) from error


async def _decided(bootstrap: str, topic: str, ends: Mapping[int, int]) -> bool:
    decided = await end_positions(bootstrap, topic, ends, isolation="read_committed")
    return all(decided[one] >= end for one, end in ends.items())
