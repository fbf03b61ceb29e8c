"""Which ports Parley takes on this machine: the embedded broker, and what `parley up` starts."""

import hashlib
import socket
from pathlib import Path
from typing import Final

from streams.broker_installation import BrokerError

HOST: Final = "127.0.0.1"
_FIRST: Final = 20_000
_LAST: Final = 31_999
_ATTEMPTS: Final = 500


def broker_ports(data_dir: Path, wanted: int | None, last: int | None) -> tuple[int, int]:
    """Return the ports for clients and for the controller: the wanted, else the last one, else one that is free.

    Free ones are looked for below those that the system gives to outgoing connections: a client that tries to reach a
    stopped broker could otherwise be given the broker's own port, and keep it.
    """
    if wanted is not None and not is_free(wanted):
        raise BrokerError(
            f"Port {wanted} on {HOST} is taken by another program. Name another one, or none to get a free one."
        )
    port = wanted
    if port is None:
        port = last if last is not None and is_free(last) else free_port(data_dir)
    return port, free_port(data_dir, besides=port)


def is_free(port: int) -> bool:
    """Tell whether a server could listen there."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: connections that ended do not count
        try:
            one.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port(path: Path, *, besides: int | None = None) -> int:
    """Return a port that is free now, for what has this path to itself. BrokerError when there is none.

    Paths begin at different places, so that servers that start at the same time do not compete.
    """
    begin = int.from_bytes(hashlib.sha256(str(path).encode()).digest()[:4], "big")
    count = _LAST - _FIRST + 1
    for attempt in range(_ATTEMPTS):
        port = _FIRST + (begin + attempt) % count
        if port != besides and is_free(port):
            return port
    raise BrokerError(f"No free port among {_ATTEMPTS} on {HOST}. End programs that hold them.")
