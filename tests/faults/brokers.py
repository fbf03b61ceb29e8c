"""Brokers that die, stand still and are restarted, while workers and producers go on as well as they can."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence

from tests.faults.cluster import Node
from tests.faults.quorum import controller_of
from tests.faults.trial import PATIENCE_S, Play, Trial

_PAUSED_S = 10.0
_GROUP, _TRANSACTIONS = 0, 1
Role = Callable[[Trial], Awaitable[int]]


async def leader(trial: Trial) -> int:
    """Return the node that leads a partition of the ledger."""
    async with trial.places.admin() as admin:
        return _leaders(await admin.describe_topics(), trial.places.ledger)[trial.random.randrange(4)]


async def controller(trial: Trial) -> int:
    """Return the node that leads the cluster's metadata."""
    async with trial.places.admin() as admin:
        return await controller_of(admin._client)  # noqa: SLF001 -- the admin client cannot ask that itself


async def group_coordinator(trial: Trial) -> int:
    """Return the node that coordinates the workers' group."""
    async with trial.places.admin() as admin:
        return int(await admin.find_coordinator(str(trial.settings()["group"]), _GROUP))


async def transaction_coordinator(trial: Trial) -> int:
    """Return the node that coordinates the transactions of a partition."""
    settings = trial.settings()
    transactional_id = f"{settings['name']}.{settings['group']}.{trial.random.randrange(4)}"
    async with trial.places.admin() as admin:
        return int(await admin.find_coordinator(transactional_id, _TRANSACTIONS))


ROLES: Mapping[str, Role] = {
    "leader": leader,
    "controller": controller,
    "group coordinator": group_coordinator,
    "transaction coordinator": transaction_coordinator,
}


def killed(role: Role) -> Play:
    """Kill -9 the node with this role, go on without it, and bring it back."""

    async def play(trial: Trial) -> None:
        await _under_load(trial)
        node = await _node(trial, role)
        await _kill(trial, node)
        await trial.until_moved(1_000)
        await _revive(trial, node)

    return play


def paused(role: Role) -> Play:
    """Pause the node with this role for longer than its session with the others, and wake it up."""

    async def play(trial: Trial) -> None:
        await _under_load(trial)
        await _pause(trial, [await _node(trial, role)])

    return play


async def two_of_three(trial: Trial) -> None:
    """Kill -9 two of three nodes: nothing can be acknowledged until one of them is back."""
    await _under_load(trial)
    nodes = trial.random.sample(trial.cluster.nodes, 2)
    for node in nodes:
        await _kill(trial, node)
    await asyncio.gather(*(trial.cluster.revive(node) for node in nodes))
    for node in nodes:
        trial.heal("broker killed", f"node {node.number}")


async def two_of_three_paused(trial: Trial) -> None:
    """Pause two of three nodes for longer than their sessions, and wake them up: meanwhile nothing is acknowledged."""
    await _under_load(trial)
    await _pause(trial, trial.random.sample(trial.cluster.nodes, 2))


async def the_only_one(trial: Trial) -> None:
    """Kill -9 the only node and start it anew, twice."""
    await _under_load(trial)
    (node,) = trial.cluster.nodes
    for _ in range(2):
        await _kill(trial, node)
        await _revive(trial, node)
        await trial.until_moved(1_000)


async def disk_full(trial: Trial) -> None:
    """Fill the disk of the only node, under load; make room and start it anew."""
    await _under_load(trial)
    (node,) = trial.cluster.nodes
    trial.cluster.disk.fill(node.pid)
    trial.strike("disk full", f"node {node.number}", means=trial.cluster.disk.means)
    await trial.cluster.gone(node)
    trial.cluster.disk.free()
    await _revive(trial, node, "disk full")


async def one_after_the_other(trial: Trial) -> None:
    """Restart all nodes (SIGTERM) one after the other."""
    await _under_load(trial)
    for node in trial.random.sample(trial.cluster.nodes, 3):
        os.kill(node.pid, signal.SIGTERM)
        trial.strike("broker restarted", f"node {node.number}")
        await trial.cluster.gone(node)
        await _revive(trial, node, "broker restarted")
        await trial.until_moved(500)


async def _under_load(trial: Trial) -> None:
    await trial.preload(2_000)
    trial.load(per_second=400)
    await trial.start("a", instance_id="a")
    await trial.until_moved(500)
    await trial.burst(1_000)


async def _node(trial: Trial, role: Role) -> Node:
    number = await role(trial)
    return next(node for node in trial.cluster.nodes if node.number == number)


async def _pause(trial: Trial, nodes: Sequence[Node]) -> None:
    for node in nodes:
        os.kill(node.pid, signal.SIGSTOP)
        trial.strike("broker paused", f"node {node.number}")
    try:
        await trial.last(_PAUSED_S)
    finally:
        for node in nodes:
            os.kill(node.pid, signal.SIGCONT)
    for node in nodes:
        trial.heal("broker paused", f"node {node.number}")


async def _kill(trial: Trial, node: Node) -> None:
    os.kill(node.pid, signal.SIGKILL)
    trial.strike("broker killed", f"node {node.number}")
    await trial.cluster.gone(node)


async def _revive(trial: Trial, node: Node, fault: str = "broker killed") -> None:
    await trial.cluster.revive(node)
    trial.heal(fault, f"node {node.number}")


async def all_in_sync(trial: Trial) -> None:
    """Wait until every copy of everything is in sync, so that the next trial finds a whole cluster."""
    async with trial.places.admin() as admin, asyncio.timeout(PATIENCE_S):
        while not all(  # noqa: ASYNC110 -- the brokers change it
            len(one["isr"]) == len(one["replicas"])
            for topic in await admin.describe_topics()
            for one in topic["partitions"]
        ):
            await asyncio.sleep(0.2)


def _leaders(topics: list[dict[str, object]], ledger: str) -> dict[int, int]:
    found = next(topic["partitions"] for topic in topics if topic["topic"] == ledger)
    assert isinstance(found, list)
    return {one["partition"]: int(one["leader"]) for one in found}
