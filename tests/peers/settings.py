"""What a peer needs to know: `python -m tests.peers.NAME SETTINGS.json`; samples go to standard output."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """Where the ledger is, where the tallies go, and what the peer may call its own."""

    bootstrap: str
    ledger: str
    outputs: str
    partitions: int
    group: str
    folder: str
    guarantee: str = "at-least-once"


def settings() -> PeerSettings:
    """Read the file that the command line names."""
    return PeerSettings(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
