"""Prints what a fold makes of some negotiations, for a comparison of processes: `python -m tests.laws.telling`."""

import sys
from hashlib import sha256
from random import Random

from ledger import history
from ledger.reports import Unit
from tests.laws.folding import fingerprint, live, replayed
from tests.laws.negotiations import told

TELLINGS = 15


def tellings(count: int) -> list[str]:
    """Give the digest of everything that a fold puts out, for negotiations that are the same in every process."""
    dice = Random("tellings")  # noqa: S311 -- examples, not secrets
    found = []
    for _ in range(count):
        one = told([dice.getrandbits(32) for _ in range(10)], dice.getrandbits(16), 0, 0)
        found.append(sha256(fingerprint(replayed(one.events)) + fingerprint(live(one.other_order))).hexdigest())
    return found


def _units(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(one, Unit) for one in found)


if __name__ == "__main__":
    if "--planted" in sys.argv:  # the bug that the comparison must catch: units taken as a set has them
        history.sorted = lambda found: list(set(found)) if _units(found) else sorted(found)  # type: ignore[attr-defined]
    sys.stdout.write("\n".join(tellings(TELLINGS)))
