"""Every kind of trial."""

from streams.engine import ExitCode
from tests.faults import (
    brokers,
    clocks,
    damage,
    kills,
    moves,
    nemesis,
    network,
    pauses,
    poison,
    producers,
    replays,
    snapshots,
    torn,
)
from tests.faults.playing import Kind
from tests.faults.proxy import MODES

_AWAY = (ExitCode.PRODUCER,)
"""A worker was overtaken, or its broker did not answer."""

KINDS = (
    Kind("kill -9 at random", kills.at_random),
    Kind("kill -9 at every point", kills.at_points),
    Kind("kill -9 inside an open transaction", kills.inside_an_open_transaction, partitions=1),
    Kind("kill -9 behind a commit", kills.behind_a_commit, partitions=1),
    Kind("zombie", pauses.zombie, ends_with=_AWAY),
    Kind("zombie with a batch in hand", pauses.zombie_with_a_batch_in_hand, partitions=1, ends_with=_AWAY),
    Kind("successor reads the cut early", pauses.successor_reads_the_cut_early, partitions=1, ends_with=_AWAY),
    Kind("transaction torn apart", torn.apart),
    Kind("rebalances 1-3-2-1", moves.one_three_two_one, partitions=6),
    Kind("rolling restart", moves.rolling_restart, partitions=6),
    Kind("SIGTERM under load", moves.asked_to_leave),
    Kind("two producers of the same events", producers.twice_each),
    Kind("newer schema", producers.newer_schema, ends_with=(ExitCode.PROJECTION,)),
    Kind("replay from zero", replays.from_zero),
    Kind("ledger made anew", damage.made_anew, ends_with=(ExitCode.LEDGER,)),
    Kind(
        "ledger made anew under a running worker",
        damage.made_anew_under_a_running_worker,
        ends_with=(ExitCode.LEDGER, ExitCode.PRODUCER),
    ),
    Kind("records deleted", damage.records_deleted, ends_with=(ExitCode.HOLE,)),
    Kind(
        "records deleted under a running worker",
        damage.records_deleted_under_a_running_worker,
        ends_with=(ExitCode.HOLE, ExitCode.LEDGER),
    ),
    Kind("hole in the ledger", damage.hole, ends_with=(ExitCode.HOLE,)),
    Kind("snapshot damaged", snapshots.damaged, ends_with=(ExitCode.SNAPSHOT,)),
    Kind("snapshot of another partition", snapshots.foreign),
    Kind("snapshot drawn ahead", snapshots.drawn_ahead, partitions=1),
    Kind("mixed on workers", nemesis.on_workers, partitions=6, ends_with=_AWAY),
    Kind("poison of eight kinds", poison.between_events),
    Kind("clock an hour fast", clocks.an_hour_fast),
    Kind("clock an hour slow", clocks.an_hour_slow),
    Kind("the only broker killed", brokers.the_only_one, nodes=1, ends_with=_AWAY),
    Kind("disk full", brokers.disk_full, nodes=1, ends_with=_AWAY),
    Kind("retention changed", damage.retention_changed, nodes=1, ends_with=(ExitCode.HOLE,)),
    Kind(
        "retention changed under a running worker",
        damage.retention_changed_under_a_running_worker,
        nodes=1,
        ends_with=(ExitCode.HOLE, ExitCode.LEDGER),
    ),
    *(Kind(f"network: {mode}", network.network(mode), nodes=1, ends_with=_AWAY) for mode in MODES),
    *(
        Kind(f"broker killed: {name}", brokers.killed(role), nodes=3, ends_with=_AWAY)
        for name, role in brokers.ROLES.items()
    ),
    *(
        Kind(f"broker paused: {name}", brokers.paused(role), nodes=3, ends_with=_AWAY)
        for name, role in brokers.ROLES.items()
    ),
    Kind("broker killed: two of three", brokers.two_of_three, nodes=3, ends_with=_AWAY),
    Kind("broker paused: two of three", brokers.two_of_three_paused, nodes=3, ends_with=_AWAY),
    Kind("brokers restarted in turn", brokers.one_after_the_other, nodes=3, ends_with=_AWAY),
    Kind("mixed on everything", nemesis.on_everything, partitions=6, nodes=3, ends_with=_AWAY),
)


def kind_named(name: str) -> Kind:
    """Return a kind by its name."""
    return next(kind for kind in KINDS if kind.name == name)
