"""Connections that are cut, swallowed, held back, slow, or whose replies are lost."""

from tests.faults.proxy import Mode
from tests.faults.trial import Play, Trial

_HELD_S = 4.0


def network(mode: Mode) -> Play:
    """Treat every connection between clients and brokers so for longer than a session, twice."""

    async def play(trial: Trial) -> None:
        await trial.preload(2_000)
        trial.load(per_second=400)
        await trial.start("a", instance_id="a")
        for _ in range(2):
            await trial.until_moved(500)
            await trial.burst(1_000)
            for node in trial.cluster.nodes:
                node.proxy.become(mode)
            trial.strike(f"network {mode}", "all connections")
            await trial.last(_HELD_S)
            for node in trial.cluster.nodes:
                node.proxy.become("open")
            trial.heal(f"network {mode}", "all connections")

    return play
