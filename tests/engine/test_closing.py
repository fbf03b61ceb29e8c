"""A cancellation that comes while something is closed is neither lost nor in the way of the closing."""

import asyncio

import pytest

from streams.engine.closing import close_wholly


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancellation_is_raised_when_the_closing_is_over_whatever_became_of_it(*, fails: bool) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def closing() -> None:
        begun.set()
        await asyncio.sleep(0)
        ended.set()
        if fails:
            raise OSError("it cannot be closed")

    task = asyncio.create_task(close_wholly(closing()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_failure_to_close_is_told_where_nobody_cancels() -> None:
    async def closing() -> None:
        raise OSError("it cannot be closed")

    with pytest.raises(OSError, match="it cannot be closed"):
        await close_wholly(closing())


async def test_whoever_cancels_twice_does_not_wait() -> None:
    begun = asyncio.Event()

    async def closing() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(close_wholly(closing()))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
