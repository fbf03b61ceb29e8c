"""On a real broker: partitions go side by side, and what comes while one commits goes into its next transaction."""

from collections import Counter

import pytest

from streams.engine import decode_cut
from tests.engine.holding import LAST
from tests.engine.observing import until_logged, values
from tests.engine.trial import Trial

pytestmark = pytest.mark.kafka
TRANSACTIONS = 3


async def test_partitions_are_taken_over_and_commit_at_the_same_time(trial: Trial) -> None:
    worker = await trial.worker("tests.engine.meeting")
    await worker.until_ready(trial.partitions)
    for number in range(TRANSACTIONS):
        await trial.append(range(number * trial.partitions, (number + 1) * trial.partitions))
        await trial.until_done()
    assert await trial.verdict() == "exact"
    met = Counter(line for line in worker.log.read_text().splitlines() if line.startswith("all in "))
    assert met == {
        "all in raise_fence": 1,
        "all in read_behind_fence": 1,
        "all in send": TRANSACTIONS,
        "all in commit": TRANSACTIONS,
    }


@pytest.mark.parametrize("trial", [1], indirect=True)
async def test_what_arrives_while_a_transaction_is_under_way_leaves_in_one_more(trial: Trial) -> None:
    worker = await trial.worker("tests.engine.holding")
    await worker.until_ready(1)
    for offset in range(LAST + 1):
        await trial.append_raw(b"%d" % offset)
        await until_logged(worker, f"arrived: {offset}\n")
    await trial.until_done()
    assert [decode_cut(cut).offset for cut in (await values(trial, "cuts"))[0]] == [0, LAST]
    assert await trial.verdict() == "exact"
