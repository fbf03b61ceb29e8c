"""What Faust as shipped does around the events, and what the engine does instead, side by side."""

import logging
from pathlib import Path

import faust
import pytest

from streams.engine import EngineConfig, build_app
from tests.engine.asking import free_ports, until_shown
from tests.engine.observing import listens_at, topics, values
from tests.engine.tally import Tally
from tests.engine.trial import Trial

AS_SHIPPED = "tests.engine.as_shipped"
Sides = tuple[Trial, Trial]


@pytest.mark.kafka
async def test_the_command_line_opens_a_port_to_everybody_and_fewer_words_mean_more_work(sides: Sides) -> None:
    shipped, cured = sides
    for side in sides:
        await side.append_raw(b"1")
    (port,) = free_ports(1)
    settings = {"web_enabled": False, "web_port": port}
    stock = await shipped.worker(
        AS_SHIPPED,
        group=f"{shipped.prefix}.shipped",
        agent="levels",
        settings=settings,
        command=["worker", "-l", "warn"],
    )
    worker = await cured.worker(tells="level")
    await shipped.until_written("outputs", 1)
    await cured.until_done()
    assert (listens_at(stock), listens_at(worker)) == ({f"0.0.0.0:{port}"}, set())
    levels = [int(written[0]) for (written,) in (await values(shipped, "outputs"), await values(cured, "outputs"))]
    assert levels == [logging.DEBUG, logging.INFO]


@pytest.mark.kafka
async def test_a_status_port_is_open_to_this_machine_alone(trial: Trial) -> None:
    (port,) = free_ports(1)
    worker = await trial.worker(status_port=port)
    await until_shown([port], [{"partition": n, "folded": -1, "cut": -1, "ready": True} for n in range(4)])
    assert listens_at(worker) == {f"127.0.0.1:{port}"}


@pytest.mark.kafka
async def test_a_timer_cannot_write_a_table_and_topics_appear_that_nobody_made(sides: Sides) -> None:
    shipped, cured = sides
    await shipped.worker(AS_SHIPPED, group=f"{shipped.prefix}.shipped", agent="ticking")
    worker = await cured.worker()
    await shipped.until_written("outputs", 1)
    await worker.until_ready(1)
    assert (await values(shipped, "outputs"))[0][0] == (
        b"TypeError('Cannot modify table key from outside of stream iteration')"
    )
    made = {"ledger", "outputs", "rows", "cuts"}
    assert await topics(cured) == made
    assert await topics(shipped) == made | {"shipped-__assignor-__leader", "shipped-ticks-changelog"}


def test_a_dead_worker_is_missed_after_a_minute_unless_told_otherwise(tmp_path: Path) -> None:
    config = EngineConfig(
        "tally", "127.0.0.1:1", "ledger", "cuts", {}, 1, "tally", instance_id="one", data_directory=str(tmp_path)
    )
    shipped, cured = faust.App("shipped", datadir=str(tmp_path)).conf, build_app(config, lambda _: Tally()).conf
    assert (shipped.broker_session_timeout, cured.broker_session_timeout) == (60.0, 8.0)
    assert cured.consumer_group_instance_id == "one"
    assert shipped.consumer_group_instance_id is None
