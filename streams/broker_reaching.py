"""Whether Kafka can be reached at all, told soon and in words."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiokafka import errors

from streams.settings import UsageError

REACH_S: Final = 5.0
_PORT_DIGITS_MAX: Final = 5
_SILENCES: Final = (
    OSError,
    errors.KafkaConnectionError,
    errors.KafkaTimeoutError,
    errors.LeaderNotAvailableError,
    errors.NodeNotReadyError,
    errors.NotControllerError,
    errors.NotLeaderForPartitionError,
    errors.RequestTimedOutError,
    errors.StaleMetadata,
)


class BrokerUnreachable(Exception):  # noqa: N818 - the state of the broker, not a fault of ours
    """Nothing answers as Kafka at `bootstrap`, or nothing is named; the message says what to do."""

    def __init__(self, bootstrap: str | None, why: str) -> None:
        where = "" if bootstrap is None else f" at {bootstrap}"
        super().__init__(
            f"No Kafka{where}: {why}. Start the embedded broker with `parley broker`, or name your own with"
            " --brokers HOST:PORT or PARLEY_BROKERS."
        )
        self.bootstrap = bootstrap


def addresses(bootstrap: str) -> tuple[tuple[str, int], ...]:
    """Return `host:port[,host:port…]` in parts; UsageError when it cannot be one, as a typing error makes it."""
    if "@" in bootstrap:  # may hold a password: not repeated
        raise UsageError("the address of a Kafka is HOST:PORT, without anything before an @")
    return tuple(_address(part.strip()) for part in bootstrap.split(","))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise UsageError(f"expected the address of a Kafka as HOST:PORT, such as 127.0.0.1:9092, got {text!r}")
    if len(port) > _PORT_DIGITS_MAX or not 0 < int(port) < 1 << 16:
        raise UsageError(f"expected a port from 1 to 65535 in the address of a Kafka, got {text!r}")
    try:
        host.encode("idna")  # what no resolver takes, a label that is empty or too long, is no OSError there
    except UnicodeError as error:
        raise UsageError(f"expected a host's name in the address of a Kafka, got {text!r}") from error
    return host.strip("[]"), int(port)


async def reach(bootstrap: str, within_s: float = REACH_S) -> None:
    """Return when one of the addresses accepts connections; BrokerUnreachable when none does in time. UsageError."""
    whys = []
    places = addresses(bootstrap)
    for host, port in places:
        try:
            async with asyncio.timeout(within_s / len(places)):
                _, writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            whys.append("no answer in time")
        except socket.gaierror as error:  # its numbers are not those of the system
            whys.append(f"no address for the name {host}: {(error.strerror or '').lower()}")
        except OSError as error:
            whys.append(os.strerror(error.errno).lower() if error.errno else str(error))
        else:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            return
    raise BrokerUnreachable(bootstrap, "; ".join(dict.fromkeys(whys)))


@asynccontextmanager
async def reaching(bootstrap: str, within_s: float = REACH_S) -> AsyncIterator[None]:
    """Reach Kafka first, then go on as `answering` does."""
    await reach(bootstrap, within_s)
    async with answering(bootstrap, within_s):
        yield


@asynccontextmanager
async def answering(bootstrap: str, within_s: float) -> AsyncIterator[None]:
    """Bound what happens inside in time, and give its failures to hear from Kafka as BrokerUnreachable."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError as error:
        raise BrokerUnreachable(bootstrap, f"what listens there did not answer within {within_s:g} s") from error
    except (errors.KafkaError, OSError) as error:
        if not _is_silence(error):
            raise
        raise BrokerUnreachable(bootstrap, "what listens there does not answer as Kafka does") from error


def _is_silence(error: Exception) -> bool:
    """Tell whether nobody has answered, or nobody who could; a bare KafkaError is metadata that could not be had."""
    return isinstance(error, _SILENCES) or type(error) is errors.KafkaError
