"""What the clock sees when it looks at the ledger from outside, and when that stops it: the ledger is made up here."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn, Self

import pytest

from streams import clock_process
from streams.clock_process import ClockProcess
from streams.engine import ExitCode
from streams.engine.faults import Fault
from streams.engine.held import Held
from streams.now import now
from streams.reading import StrangeBatch
from streams.settings import Settings
from streams.topics import EVENTS
from streams.topics_on_kafka import TopicFound
from tests.clock.world import Broker, Stamped, promise
from tests.first_light.running import PATIENCE_S

PREFIX = "looks"
EVENTS_MAX = 6
BEGINS_WITH = 4
LOOKS = 4


class HaltedError(Exception):
    """The clock has halted."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.code = fault.code


class Writer:
    """Appends nothing: nothing is due."""

    def __init__(self, *_: object) -> None:
        pass

    async def __aenter__(self) -> Self:
        """Connect to nobody."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""


class Ledger:
    """A ledger of one partition: what arrives of it, and what a look from outside shows."""

    def __init__(self) -> None:
        broker = Broker(now=now())
        for number in range(2 * EVENTS_MAX):
            broker.append(promise(f"d{number}", broker.now + timedelta(days=90), f"n{number}"))
        self.records: Sequence[Stamped] = broker.log
        self.arrives = self.end = BEGINS_WITH
        self.one_a_look = False
        self.topic_id: str | None = "first"
        self.aside: frozenset[tuple[int, int]] = frozenset()
        self.looks = 0

    async def ends(self, *_: object) -> dict[int, int]:
        """Return where it ends."""
        self.looks += 1
        if self.one_a_look and self.arrives < self.end:
            self.arrives += 1
        return {0: self.end}

    async def topics(self, *_: object) -> list[TopicFound]:
        """Return which topic it is."""
        return [TopicFound(EVENTS.name(PREFIX), self.topic_id, 1, created=False)]

    async def set_asides(self, *_: object) -> frozenset[tuple[int, int]]:
        """Return what is set aside."""
        return self.aside

    async def follow(self, *_: object, start: dict[int, int], **__: object) -> AsyncGenerator[Sequence[Stamped], None]:
        """Give what arrives, and then nothing again and again."""
        given = start[0]
        while True:
            arrived = self.records[given : self.arrives]
            given += len(arrived)
            yield arrived
            await asyncio.sleep(0)


class Course:
    """A clock on such a ledger, from its start on."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self.clock = ClockProcess(Settings(prefix=PREFIX, state_directory=folder), "nowhere:1", 1)
        self.running = asyncio.create_task(self.clock.run())

    async def until(self, folded: int) -> dict[str, Any]:
        """Wait until it is ready and has folded up to an offset; return its status."""
        return await self._until(lambda ready, shown: ready and shown["folded"] == folded)

    async def looked(self) -> dict[str, Any]:
        """Wait until it has taken in what the ledger is now, or has halted over it; return its status."""
        enough = self.ledger.looks + LOOKS
        return await self._until(lambda *_: self.ledger.looks >= enough or self.running.done())

    async def leave(self) -> None:
        """Let it leave; whatever halted it is raised."""
        self.clock.stop()
        await asyncio.wait_for(self.running, PATIENCE_S)

    async def _until(self, holds: Callable[[bool, dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                ready, (shown,) = self.clock.status()
                if holds(ready, shown):
                    return shown
                await asyncio.sleep(0)


@pytest.fixture
async def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    def halt(fault: Fault) -> NoReturn:
        raise HaltedError(fault)

    ledger = Ledger()
    monkeypatch.setattr(clock_process, "end_positions", ledger.ends)
    monkeypatch.setattr(clock_process, "topics_found", ledger.topics)
    monkeypatch.setattr(clock_process, "read_set_asides", ledger.set_asides)
    monkeypatch.setattr(clock_process, "follow", ledger.follow)
    monkeypatch.setattr(clock_process, "LedgerWriter", Writer)
    monkeypatch.setattr(clock_process, "halt", halt)
    monkeypatch.setattr(clock_process, "_LOOK_S", -1.0)  # it looks again and again
    return Course(ledger, tmp_path)


async def test_a_ledger_that_grows_and_arrives_stops_nobody(course: Course) -> None:
    await course.until(BEGINS_WITH - 1)
    course.ledger.arrives = course.ledger.end = EVENTS_MAX
    await course.until(EVENTS_MAX - 1)
    assert (await course.looked())["waiting"] == EVENTS_MAX
    await course.leave()


async def test_events_that_are_there_and_do_not_arrive_are_a_stall(course: Course) -> None:
    await course.until(BEGINS_WITH - 1)
    course.ledger.end += 1
    await course.looked()
    with pytest.raises(HaltedError, match="has events that did not arrive") as halted:
        await course.leave()
    assert halted.value.code == ExitCode.STALLED


async def test_a_backlog_that_takes_longer_than_a_look_is_no_stall(course: Course) -> None:
    await course.until(BEGINS_WITH - 1)
    course.ledger.end, course.ledger.one_a_look = len(course.ledger.records), True
    await course.until(len(course.ledger.records) - 1)
    await course.looked()
    await course.leave()


async def test_a_reader_that_stands_still_while_the_ledger_is_folded_is_a_stall(course: Course) -> None:
    course.ledger.arrives = 1
    await course.looked()
    with pytest.raises(HaltedError, match="has events that did not arrive") as halted:
        await course.leave()
    assert halted.value.code == ExitCode.STALLED


async def test_a_look_that_is_told_no_id_stops_nobody_and_forgets_none(course: Course) -> None:
    await course.until(BEGINS_WITH - 1)
    course.ledger.topic_id = None
    await course.looked()
    assert not course.running.done()
    course.ledger.topic_id = "second"
    await course.looked()
    with pytest.raises(HaltedError, match=r"was made anew \(first → second\)"):
        await course.leave()


async def test_what_is_set_aside_may_not_be_compressed(course: Course) -> None:
    strange = StrangeBatch("parley.cuts.v1", 0, 7, "a batch that is compressed")
    fault = clock_process._fault(strange, course.clock)  # noqa: SLF001 -- else a broker of its own
    assert fault.code == ExitCode.VERSION
    await course.leave()


async def test_what_comes_is_saved_gently_and_soon_once_nothing_comes(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[tuple[int, str]]()

    def save_if_due(_: object, folded: int, *, idle: bool = False, live: bool = False) -> None:
        asked.append((folded, "idle" if idle else "live" if live else "behind"))

    monkeypatch.setattr(Held, "save_if_due", save_if_due)
    await course.until(BEGINS_WITH - 1)
    await course.looked()
    course.ledger.arrives = course.ledger.end = EVENTS_MAX
    await course.until(EVENTS_MAX - 1)
    await course.looked()
    await course.leave()
    assert list(dict.fromkeys(asked)) == [
        (BEGINS_WITH - 1, "behind"),
        (BEGINS_WITH - 1, "idle"),
        (EVENTS_MAX - 1, "live"),
        (EVENTS_MAX - 1, "idle"),
    ]


@pytest.mark.parametrize("end", [1, BEGINS_WITH, EVENTS_MAX])
async def test_a_ledger_made_anew_is_another_one_however_long_it_is(course: Course, end: int) -> None:
    await course.until(BEGINS_WITH - 1)
    course.ledger.topic_id, course.ledger.end = "second", end
    await course.looked()
    with pytest.raises(HaltedError, match="was made anew") as halted:
        await course.leave()
    assert halted.value.code == ExitCode.LEDGER


async def test_a_set_aside_of_what_is_folded_asks_for_a_new_start(course: Course) -> None:
    await course.until(BEGINS_WITH - 1)
    course.ledger.aside = frozenset({(0, BEGINS_WITH - 1)})
    await course.looked()
    with pytest.raises(HaltedError, match="what was folded is set aside now") as halted:
        await course.leave()
    assert halted.value.code == ExitCode.PRODUCER


async def test_a_set_aside_that_is_gone_with_the_cuts_asks_for_a_new_start_that_folds_the_record(
    course: Course, tmp_path: Path
) -> None:
    await course.leave()
    course.ledger.aside = frozenset({(0, BEGINS_WITH - 1)})
    without = Course(course.ledger, tmp_path)
    assert (await without.until(BEGINS_WITH - 1))["waiting"] == BEGINS_WITH - 1
    course.ledger.aside = frozenset()  # the derived topics were made anew
    await without.looked()
    with pytest.raises(HaltedError, match="the other way about") as halted:
        await without.leave()
    assert halted.value.code == ExitCode.PRODUCER
    again = Course(course.ledger, tmp_path)
    assert (await again.until(BEGINS_WITH - 1))["waiting"] == BEGINS_WITH
    await again.leave()


async def test_what_is_set_aside_before_it_arrives_is_left_out(course: Course) -> None:
    await course.until(BEGINS_WITH - 1)
    course.ledger.aside = frozenset({(0, BEGINS_WITH)})
    await course.looked()
    course.ledger.arrives = course.ledger.end = EVENTS_MAX
    assert (await course.until(EVENTS_MAX - 1))["waiting"] == EVENTS_MAX - 1
    await course.looked()
    await course.leave()
