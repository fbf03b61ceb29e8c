"""What a campaign says in the end: its table, what keeps it from being called good, and how it ends early."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import pytest

from streams.broker import BrokerAddress, BrokerError
from tests.faults import __main__ as command
from tests.faults import campaign as campaigns
from tests.faults.campaign import Outcome, Plan, staged
from tests.faults.checkers import Wrong
from tests.faults.cluster import Cluster
from tests.faults.judge import Verdict
from tests.faults.kinds import kind_named
from tests.faults.report import line, markdown, shortcomings

WRONG: Counter[Wrong] = Counter({"lost": 2})
IDLE = "was played and never counted: no fault struck while work was waiting"


def outcome(kind: str = "zombie", seed: int = 1, *, landed: int = 1, zombies: int = 1, **verdict: Any) -> Outcome:  # noqa: ANN401 -- of several types
    made = Verdict(Path("trial"), landed=landed, zombies=zombies, **{"kills_in_transaction": 1, **verdict})
    return Outcome(kind, seed, 1.0, made)


def test_a_run_in_which_everything_struck_and_nothing_was_wrong_is_good() -> None:
    assert shortcomings([outcome(), outcome("disk full", zombies=0)]) == []


def test_what_was_wrong_is_said_with_its_kind_and_seed() -> None:
    lost = outcome(seed=7, wrong=WRONG, findings=["lost: ledger/0: x"])
    assert shortcomings([outcome(), lost]) == ["zombie, seed 7: 2 lost; lost: ledger/0: x; trial/history.jsonl"]
    stuck = outcome(seed=8, trouble="Traceback\nTimeoutError")
    assert shortcomings([stuck]) == ["zombie, seed 8: not played to its end; TimeoutError; trial/history.jsonl"]


@pytest.mark.parametrize("every_kind", [True, False])
def test_a_kind_that_was_played_and_never_counted_is_a_shortcoming(*, every_kind: bool) -> None:
    idle = [outcome("disk full", seed, landed=0) for seed in (1, 2)]
    played = [outcome(), outcome(seed=2, landed=0), *idle]
    assert shortcomings(played, every_kind=every_kind) == [f"disk full {IDLE}"]
    assert shortcomings([*played, outcome("disk full", 3)], every_kind=every_kind) == []


def test_a_run_of_every_kind_needs_a_kill_inside_a_transaction_and_a_zombie() -> None:
    no_kill = [outcome(kills_in_transaction=0)]
    assert shortcomings(no_kill) == ["no kill struck inside an open transaction"]
    assert shortcomings([outcome(zombies=0)]) == ["no zombie was fenced"]
    assert shortcomings(no_kill, every_kind=False) == []


def rows(*outcomes: Outcome, wrong: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    """Return the table by kind and column."""
    cells = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in markdown(outcomes, wrong, "command", 60).splitlines()
        if row.startswith("| ")
    ]
    return {row[0]: dict(zip(cells[0], row, strict=True)) for row in cells[1:]}


def test_the_rule_of_three_is_told_only_where_nothing_failed() -> None:
    sound = [outcome("disk full", seed) for seed in range(6)]
    table = rows(*sound, outcome(), outcome(seed=2, wrong=WRONG))
    assert (table["disk full"]["counted"], table["disk full"]["failed"], table["disk full"]["3/n"]) == ("6", "0", "0.5")
    assert (table["zombie"]["counted"], table["zombie"]["failed"], table["zombie"]["3/n"]) == ("1", "1", "-")
    assert (table["zombie"]["**lost**"], table["**all**"]["3/n"]) == ("2", "-")
    assert rows(*sound, outcome(trouble="stuck"))["zombie"]["3/n"] == "-"
    assert rows(outcome(landed=0))["zombie"]["3/n"] == "-"


def test_a_trial_counts_in_the_table_only_if_its_fault_landed_and_it_was_good() -> None:
    table = rows(outcome(), outcome(seed=2, landed=0), outcome(seed=3, landed=4, trouble="stuck"))
    assert {name: table["zombie"][name] for name in ("trials", "counted", "faults", "failed")} == {
        "trials": "3", "counted": "1", "faults": "5", "failed": "1"
    }  # fmt: skip


def test_workers_that_ended_by_themselves_are_counted_and_told_by_code() -> None:
    outcomes = [outcome(exits=Counter({75: 2})), outcome("disk full", exits=Counter({75: 1, 73: 1})), outcome("quiet")]
    assert {name: row["exits"] for name, row in rows(*outcomes).items()} == {
        "zombie": "2", "disk full": "2", "quiet": "0", "**all**": "4"
    }  # fmt: skip
    told = "workers that ended by themselves; "
    assert f"{told}1 with code 73, 3 with code 75\n" in markdown(outcomes, [], "command", 60) + "\n"
    assert f"{told}none\n" in markdown(outcomes[2:], [], "command", 60) + "\n"


def test_records_that_were_refused_are_told() -> None:
    told = markdown([outcome(refused=1_200), outcome("disk full", refused=34)], [], "command", 60)
    assert "\n- records refused: 1,234\n" in told


def test_recoveries_are_told_by_median_and_worst() -> None:
    table = rows(outcome(recoveries_ms=[1_000, 2_000]), outcome(seed=2, recoveries_ms=[9_000]), outcome("disk full"))
    assert [table["zombie"][name] for name in ("recovery p50", "p95", "max")] == ["2.0 s", "8.3 s", "9.0 s"]
    assert table["disk full"]["max"] == "-"


def test_shortcomings_stand_under_the_table() -> None:
    assert "Not good:" not in markdown([outcome()], [], "command", 60)
    assert markdown([outcome()], ["no zombie"], "command", 60).endswith("Not good:\n\n- no zombie")


def test_a_line_tells_of_a_trial_whose_fault_struck_nothing() -> None:
    assert "good; " in line(outcome())
    assert "WRONG; " in line(outcome(wrong=WRONG))
    assert "good, but no fault struck while work was waiting; " in line(outcome(landed=0))


# how it ends

Campaign = Callable[[Plan, Path, Callable[[Outcome], None]], Any]
PLAN = Plan([kind_named("zombie")], 1, 1)


@pytest.fixture(autouse=True)
def _deaf() -> Iterator[None]:
    """See that a SIGTERM which nobody handles ends the test, not the run."""

    def unheard(*_: object) -> None:
        raise AssertionError("nobody handled SIGTERM")

    before = signal.signal(signal.SIGTERM, unheard)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of the next campaign."""
    folder = tmp_path / "campaign"
    folder.mkdir()
    monkeypatch.setattr(command, "new_folder", lambda: folder)
    return folder


def playing(monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome, then: Callable[[], Any]) -> None:
    """Have the next campaign tell of these trials, and then do something."""

    async def campaign(_plan: Plan, _folder: Path, tell: Callable[[Outcome], None]) -> None:
        for one in outcomes:
            tell(one)
        await then()

    monkeypatch.setattr(command, "campaign", campaign)


async def nothing() -> None:
    """Be over."""


async def broken() -> None:
    """Break as a stage does."""
    raise BrokerError("no Kafka")


def test_the_exit_code_is_that_of_the_shortcomings(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    playing(monkeypatch, outcome(), then=nothing)
    assert command.play(PLAN) == 0
    assert not folder.exists()
    playing(monkeypatch, outcome(landed=0), then=nothing)
    assert command.play(PLAN) == 1
    assert f"- zombie {IDLE}" in capsys.readouterr().out
    folder.mkdir()
    playing(monkeypatch, outcome(wrong=WRONG), then=nothing)
    assert command.play(PLAN) == 1
    assert folder.exists()


def test_an_error_of_a_stage_is_raised_after_the_table(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    playing(monkeypatch, outcome(), then=broken)
    with pytest.raises(BrokerError, match="no Kafka"):
        command.play(PLAN)
    assert "| zombie | 1 | 1 | 1 |" in capsys.readouterr().out
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_what_runs_and_leaves_the_table(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    ended: list[str] = []

    async def signalled() -> None:
        os.kill(os.getpid(), number)
        try:
            await asyncio.sleep(30)
        finally:
            if number is signal.SIGTERM:
                os.kill(os.getpid(), number)  # a second one does not disturb
            await asyncio.sleep(0.05)
            ended.append("cleanly")

    playing(monkeypatch, outcome(), then=signalled)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # else deaf where tests run in the background
    try:
        assert command.play(PLAN) == 0
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == ["cleanly"]
    said = capsys.readouterr()
    assert "| zombie | 1 | 1 | 1 |" in said.out
    assert "stopped; the table is of what was played" in said.err
    assert not folder.exists()


def test_a_cancellation_that_nobody_asked_for_is_no_clean_end(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def astray() -> None:
        raise asyncio.CancelledError

    playing(monkeypatch, outcome(), then=astray)
    with pytest.raises(asyncio.CancelledError):
        command.play(PLAN)
    assert "| zombie | 1 | 1 | 1 |" in capsys.readouterr().out
    assert not folder.exists()


# what a stage leaves


def names_in(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


@pytest.mark.parametrize("heeds", [True, False])
async def test_a_broker_that_was_starting_when_all_ended_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, heeds: bool
) -> None:
    did: list[str] = []

    class Starting:
        """A broker that takes its time to start."""

        def __init__(self, place: Path) -> None:
            place.mkdir()

        def start(self, *, over: Event) -> BrokerAddress:
            did.append("starting")
            assert over.wait(10)
            sleep(0.05)
            did.append("started")
            if heeds:
                raise BrokerError("told to stop")
            return BrokerAddress("127.0.0.1", 1)

        def stop(self) -> None:
            did.append("stopped")

    async def play() -> None:
        async with staged(0, tmp_path):
            raise AssertionError("it never started")

    monkeypatch.setattr(campaigns, "EmbeddedBroker", Starting)
    task = asyncio.create_task(play())
    while not did:  # noqa: ASYNC110 -- a thread changes it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert did == ["starting", "started", "stopped"]
    assert names_in(tmp_path) == []


async def test_a_disk_is_taken_away_also_when_a_node_does_not_stop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster = Cluster(tmp_path, 1)
    did: list[str] = []

    class Stubborn:
        """A proxy that does not stop."""

        async def stop(self) -> None:
            raise OSError("no")

    class Node:
        """A node behind it."""

        proxy = Stubborn()

    cluster.nodes.append(Node())  # type: ignore[arg-type]
    monkeypatch.setattr("tests.faults.disk.Disk.unmount", lambda _: did.append("unmounted"))
    with pytest.raises(OSError, match="no"):
        await cluster.stop()
    assert did == ["unmounted"]
