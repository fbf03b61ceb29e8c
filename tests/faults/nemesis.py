"""The nemesis: faults of many kinds, one after the other and over each other, as the seed wants it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from random import Random
from typing import Any

from tests.faults.clocks import start_clock, stop_clock
from tests.faults.cluster import Node
from tests.faults.crew import Slot
from tests.faults.door import append_through_the_door
from tests.faults.events import HOUR_MS
from tests.faults.poison import Poisoner
from tests.faults.producers import append_twice_each
from tests.faults.proxy import MODES
from tests.faults.trial import Trial

Lane = Callable[[Trial, Random, int], Coroutine[Any, Any, None]]

_PAUSED_S_MAX = 6.0
_HURT_S = (0.5, 7.0)
_KEPT_SHARE = 0.75
_NAMES = ("a", "b", "c")


async def on_workers(trial: Trial) -> None:
    """Have three workers killed, paused, restarted and asked to leave, eight times.

    Meanwhile others come: poison, producers that repeat each other, a worker that joins and leaves, good and bad lines
    at Parley's own door, a wrong clock.
    """
    await _begin(trial, per_second=800)
    await _lanes(trial, {_workers: 8, _guests: 4, _wrong_clock: 1})


async def on_everything(trial: Trial) -> None:
    """Do the same, without a clock, and meanwhile have the brokers and the connections to them hurt, three times."""
    await _begin(trial, per_second=400)
    await _lanes(trial, {_workers: 5, _guests: 4, _brokers: 3})


async def _lanes(trial: Trial, lanes: Mapping[Lane, int]) -> None:
    async with asyncio.TaskGroup() as side_by_side:
        for lane, times in lanes.items():
            dice = Random(f"{lane.__name__}/{trial.seed}")  # noqa: S311 -- a plan, not a secret
            _task = side_by_side.create_task(lane(trial, dice, times))


async def _begin(trial: Trial, per_second: float) -> None:
    await trial.places.create_cuts_of_the_doors()
    await trial.preload(2_000)
    trial.load(per_second=per_second)
    for name in _NAMES:
        await _start(trial, name, trial.random)
    await trial.until_moved(500)


async def _start(trial: Trial, name: str, dice: Random, **changes: object) -> Slot:
    """Start a worker that goes on from a snapshot of its own if it has one, new or old, and now and then from none."""
    return await trial.start(name, instance_id=name, kept=dice.random() < _KEPT_SHARE, **changes)


async def _workers(trial: Trial, dice: Random, times: int) -> None:
    for _ in range(times):
        hurt = dice.choice((_kill, _kill, _pause, _pause, _die_at_a_point, _restart))
        name = dice.choice(_NAMES)
        await trial.last(dice.uniform(0.1, 1.5))
        await trial.until(lambda name=name: trial.crew.slots[name].process is not None, f"{name} to be there")  # type: ignore[misc]
        await hurt(trial, trial.crew.slots[name], dice)


async def _kill(trial: Trial, slot: Slot, _dice: Random) -> None:
    await trial.kill(slot)


async def _pause(trial: Trial, slot: Slot, dice: Random) -> None:
    await trial.pause(slot)
    await trial.last(dice.uniform(0.2, _PAUSED_S_MAX))
    trial.wake(slot)


async def _die_at_a_point(trial: Trial, slot: Slot, dice: Random) -> None:
    """Restart a worker that then kills itself at a point of the protocol, if it comes by there."""
    point = dice.choice(("after_fence", "after_cut_read", "after_project", "after_send_before_commit", "after_commit"))
    await trial.crew.leave(slot)
    doomed = await _start(trial, slot.name, dice, stop_at=f"{point}:{dice.randint(1, 5)}")
    await trial.last(dice.uniform(1.0, 4.0))
    if -signal.SIGKILL in doomed.codes:
        trial.strike(f"kill -9 {point}", slot.name, at_ms=trial.crew.died_ms(doomed))


async def _restart(trial: Trial, slot: Slot, dice: Random) -> None:
    await trial.crew.leave(slot)
    trial.strike("restart", slot.name)
    await _start(trial, slot.name, dice)


async def _guests(trial: Trial, dice: Random, times: int) -> None:
    guests = dice.sample((_poison, _twins, _joins_and_leaves, _at_the_door), 4)
    for number in range(times):
        await trial.last(dice.uniform(0.1, 2.0))
        await guests[number % len(guests)](trial, number, dice)


async def _poison(trial: Trial, number: int, _dice: Random) -> None:
    poisoner = Poisoner(f"poison {number}", trial.seed, trial.places.partitions)
    await trial.producer(poisoner.name, poisoner.draft).run(chunk=4, count=16)
    trial.strike("poison", trial.places.ledger)


async def _twins(trial: Trial, number: int, _dice: Random) -> None:
    await append_twice_each(trial, f"twin {number}", 600)
    trial.strike("the same events twice", trial.places.ledger)


async def _at_the_door(trial: Trial, number: int, _dice: Random) -> None:
    await append_through_the_door(trial, f"door {number}", 400)
    trial.strike("good and bad lines", trial.places.ledger)


async def _joins_and_leaves(trial: Trial, number: int, dice: Random) -> None:
    name = f"guest {number}"
    slot = await _start(trial, name, dice)
    await trial.last(dice.uniform(1.0, 6.0))
    trial.strike("rebalance", name)
    await trial.crew.leave(slot)


async def _wrong_clock(trial: Trial, dice: Random, times: int) -> None:
    for _ in range(times):
        clock = await start_clock(trial, dice.choice((HOUR_MS, -HOUR_MS)))
        await trial.last(dice.uniform(3.0, 8.0))
        await stop_clock(trial, clock)


async def _brokers(trial: Trial, dice: Random, times: int) -> None:
    for _ in range(times):
        hurt = dice.choice(tuple(_HURT_BROKERS))
        await trial.last(dice.uniform(0.1, 2.0))
        await _HURT_BROKERS[hurt](trial, dice.choice(trial.cluster.nodes), dice)


async def _broker_killed(trial: Trial, node: Node, dice: Random) -> None:
    os.kill(node.pid, signal.SIGKILL)
    trial.strike("broker killed", f"node {node.number}")
    await trial.cluster.gone(node)
    await trial.last(dice.uniform(*_HURT_S))
    await trial.cluster.revive(node)
    trial.heal("broker killed", f"node {node.number}")


async def _broker_paused(trial: Trial, node: Node, dice: Random) -> None:
    os.kill(node.pid, signal.SIGSTOP)
    trial.strike("broker paused", f"node {node.number}")
    await trial.last(dice.uniform(*_HURT_S))
    os.kill(node.pid, signal.SIGCONT)
    trial.heal("broker paused", f"node {node.number}")


async def _connections(trial: Trial, node: Node, dice: Random) -> None:
    nodes = [node] if dice.random() < 0.5 else trial.cluster.nodes
    target = f"{len(nodes)} of {len(trial.cluster.nodes)} nodes, from {node.number}"
    mode = dice.choice(MODES)
    for one in nodes:
        one.proxy.become(mode)
    trial.strike(f"network {mode}", target)
    await trial.last(dice.uniform(*_HURT_S))
    for one in nodes:
        one.proxy.become("open")
    trial.heal(f"network {mode}", target)


_HURT_BROKERS: Mapping[str, Callable[[Trial, Node, Random], Awaitable[None]]] = {
    "killed": _broker_killed,
    "paused": _broker_paused,
    "connections": _connections,
}
