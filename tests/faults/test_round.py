"""A short round of trials, each of a kind that no planted bug needs already."""

from pathlib import Path

import pytest

from tests.faults.campaign import staged
from tests.faults.kinds import kind_named
from tests.faults.playing import Stage, played

SHORT = (
    "kill -9 at random",
    "kill -9 at every point",
    "zombie",
    "rebalances 1-3-2-1",
    "poison of eight kinds",
    "newer schema",
    "replay from zero",
    "mixed on workers",
    "ledger made anew under a running worker",
    "records deleted under a running worker",
)


@pytest.mark.parametrize("kind", SHORT)
async def test_a_trial_of_each_kind_finds_nothing_wrong(kind: str, stage: Stage) -> None:
    verdict = await played(kind_named(kind), stage, 1)
    assert verdict.good, (verdict.trouble, verdict.findings)
    assert verdict.counts


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("nodes", "kinds"),
    [(1, ("the only broker killed", "disk full", "network: replies lost")), (3, ("broker killed: leader",))],
)
async def test_brokers_and_connections_that_are_hurt_cost_nothing(
    nodes: int, kinds: tuple[str, ...], tmp_path: Path
) -> None:
    async with staged(nodes, tmp_path) as stage:
        for kind in kinds:
            verdict = await played(kind_named(kind), stage, 1)
            assert verdict.good, (kind, verdict.trouble, verdict.findings)
            assert verdict.counts
