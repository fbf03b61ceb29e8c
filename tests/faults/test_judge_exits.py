"""A process ends as it was asked to, or with a code that belongs to its trial: any other end is found."""

import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from streams.engine import ExitCode
from tests.faults.crew import Command, Crew
from tests.faults.exits import out_of_place
from tests.faults.history import History
from tests.faults.playing import Kind, Stage, played
from tests.faults.trial import Trial

Noted = tuple[str, dict[str, object]]
STARTED: Noted = ("started", {})
TOLD: Noted = ("told", {"partition": 0})
ASKED: Noted = ("signal", {"signal": "SIGTERM"})
KILLED: Noted = ("signal", {"signal": "SIGKILL"})
DOOMED: Noted = ("started", {"stop_at": "after_commit:3"})
CODES = (1, -signal.SIGSEGV, *ExitCode)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.jsonl") as history:
        yield history


@pytest.mark.parametrize(
    ("noted", "code", "explained"),
    [
        ([STARTED, TOLD, ASKED], 0, True),
        ([STARTED, TOLD], 0, False),  # nobody has asked it to
        ([STARTED, TOLD, KILLED], -signal.SIGKILL, True),
        ([STARTED, TOLD], -signal.SIGKILL, False),  # as when memory runs out
        ([STARTED, TOLD, ASKED], -signal.SIGKILL, False),
        ([DOOMED, TOLD], -signal.SIGKILL, True),
        ([DOOMED, TOLD, ASKED], -signal.SIGKILL, True),  # it came by the point as it left
        ([DOOMED, STARTED, TOLD], -signal.SIGKILL, False),  # a stop point is for one start
        ([KILLED, STARTED, TOLD], -signal.SIGKILL, False),
        ([STARTED, ASKED], -signal.SIGTERM, True),  # before it handles signals
        ([STARTED, TOLD, ASKED], -signal.SIGTERM, False),
        ([STARTED, ASKED, TOLD], -signal.SIGTERM, True),
        ([TOLD, STARTED, ASKED], -signal.SIGTERM, True),  # the one before it told of something
        ([STARTED, TOLD], -signal.SIGTERM, False),
        ([STARTED, TOLD, KILLED], -signal.SIGSEGV, False),
        *(([STARTED, TOLD], code, False) for code in CODES),
        *(([STARTED, TOLD, ASKED], code, False) for code in CODES),
    ],
)
def test_an_exit_that_nothing_explains_is_found(
    history: History, noted: Sequence[Noted], code: int, *, explained: bool
) -> None:
    history.note("signal", worker="b", signal="SIGKILL")
    for op, fields in noted:
        history.note(op, worker="a", **fields)
    history.note("exited", worker="a", code=code, why="exit 7x: the reason")
    found = out_of_place(history)
    assert (found is None) == explained, found
    if found is not None:
        assert found == f"a ended with {code}, which nothing in this trial explains: exit 7x: the reason"


@pytest.mark.parametrize("code", ExitCode)
def test_a_code_that_belongs_to_the_trial_is_explained_and_no_other(history: History, code: ExitCode) -> None:
    history.note("started", worker="a")
    history.note("exited", worker="a", code=code, why="")
    assert out_of_place(history, (code,)) is None
    assert out_of_place(history, tuple(set(ExitCode) - {code})) is not None


@pytest.mark.parametrize("code", [0, *CODES])
async def test_the_end_of_a_worker_that_was_told_to_leave_is_judged(
    history: History, code: int, tmp_path: Path
) -> None:
    crew = Crew(history, tmp_path)
    slot = await crew.start("a", {}, command=ends_with(code))
    async with crew.changed:
        await crew.changed.wait_for(lambda: slot.told > 0)
    assert await crew.leave(slot) == code
    assert (out_of_place(history) is None) == (code == 0)


async def test_a_worker_that_is_told_to_leave_while_it_is_started_anew_leaves(history: History, tmp_path: Path) -> None:
    def told_meanwhile(settings: Path) -> Sequence[str]:
        slot.wanted = False
        return ends_with(ExitCode.PRODUCER)(settings)

    crew = Crew(history, tmp_path)
    slot = await crew.start("a", {}, command=ends_with(ExitCode.PRODUCER))
    slot.command = told_meanwhile
    async with crew.changed:
        await crew.changed.wait_for(lambda: slot.told > 0)
    crew.signal(slot, signal.SIGTERM)
    assert await crew.end_of(slot) in {ExitCode.PRODUCER, -signal.SIGTERM}
    assert out_of_place(history, (ExitCode.PRODUCER,)) is None
    assert slot.starts == 2


async def test_a_trial_fails_by_the_end_of_a_worker_that_leaves_last(stage: Stage) -> None:
    async def play(trial: Trial) -> None:
        slot = await trial.crew.start("a", {}, command=ends_with(ExitCode.PROJECTION))
        await trial.until(lambda: slot.told > 0, "it to tell of something")

    verdict = await played(Kind("ends badly", play, partitions=1), stage, 1)
    assert verdict.trouble == "a ended with 71, which nothing in this trial explains: "
    verdict = await played(Kind("ends as it may", play, partitions=1, ends_with=(ExitCode.PROJECTION,)), stage, 1)
    assert verdict.good, verdict.trouble


def ends_with(code: int) -> Command:
    """Return the command of a process that tells of something, and ends so when it is told to leave."""
    end = f"os.kill(os.getpid(), {-code})" if code < 0 else f"os._exit({code})"
    script = (
        f"import os, signal; signal.signal(signal.SIGTERM, lambda *_: {end}); "
        """print('{"partition": 0}', flush=True); signal.pause()"""
    )
    return lambda _: (sys.executable, "-c", script)
