"""Every kind of trial."""

from tests.faults import clocks, damage, kills, pauses, poison
from tests.faults.playing import Kind

KINDS = (
    Kind("kill -9 at random", kills.at_random),
    Kind("kill -9 at every point", kills.at_points),
    Kind("kill -9 inside an open transaction", kills.inside_an_open_transaction, partitions=1),
    Kind("kill -9 behind a commit", kills.behind_a_commit, partitions=1),
    Kind("zombie", pauses.zombie),
    Kind("zombie with a batch in hand", pauses.zombie_with_a_batch_in_hand, partitions=1),
    Kind("successor reads the cut early", pauses.successor_reads_the_cut_early, partitions=1),
    Kind("hole in the ledger", damage.hole),
    Kind("poison of eight kinds", poison.between_events),
    Kind("clock an hour fast", clocks.an_hour_fast),
    Kind("clock an hour slow", clocks.an_hour_slow),
)


def kind_named(name: str) -> Kind:
    """Return a kind by its name."""
    return next(kind for kind in KINDS if kind.name == name)
