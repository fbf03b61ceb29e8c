"""Setting a record aside, with the fence raised: no worker can pass the record meanwhile without knowing of it."""

import asyncio
from contextlib import suppress
from typing import Final

from aiokafka.errors import KafkaError

from streams.engine.behind_fence import OpenTransactionError, OvertakenError, read_behind_fence
from streams.engine.config import EngineConfig
from streams.engine.fence import FencedProducer
from streams.engine.set_asides import SetAside
from streams.engine.torn import StrangeOutputsError

_STOP_WITHIN_S: Final = 5.0


class NotSetAside(Exception):  # noqa: N818 -- says what became of the wish
    """Nothing was set aside; the message says why and what to do."""

    @classmethod
    def committed(cls, place: str, offset: int, cut: int) -> "NotSetAside":
        """Say that the outputs of the record at `offset` are complete: the cut is at `cut`."""
        return cls(
            f"expected an offset of {place} behind the cut, which is at {cut}, got {offset}: its outputs are committed "
            "already, so it did not make the projection raise. See the worker's log."
        )


async def set_aside(config: EngineConfig, partition: int, offset: int, reason: str) -> SetAside:
    """Set one record of the ledger aside; returns when it is committed.

    It takes the partition over for a moment, as a worker would: a worker that holds it is fenced, leaves with exit code
    75, and knows of the set-aside when it has started anew. NotSetAside if the record's outputs are committed already,
    if there is no such record, if another worker took the partition over meanwhile, or if nobody answers.
    """
    place = f"{config.ledger}/{partition}"
    producer = FencedProducer(config, partition)
    try:
        async with asyncio.timeout(config.request_timeout):
            await producer.raise_fence()
            topic_id = await producer.topic_id(config.ledger)
            behind = await read_behind_fence(config, partition, {config.ledger: topic_id})
            if offset <= behind.committed:
                raise NotSetAside.committed(place, offset, behind.committed)
            ledger = behind.read.ledger
            if not ledger.begin <= offset < ledger.end:
                raise NotSetAside(
                    f"expected an offset of {place} between {ledger.begin} and {ledger.end - 1}, got "
                    f"{offset}: there is no such record."
                )
            wanted = SetAside(config.ledger, topic_id, partition, offset, reason)
            await producer.send({config.cuts: [(wanted.key, wanted.encode(), ())]})
            await producer.commit()
    except OvertakenError as error:
        raise NotSetAside(f"{error}: a worker took the partition over meanwhile. Stop it and try again.") from error
    except OpenTransactionError as error:
        raise NotSetAside(f"{error}. Try again; if it stays so, ask `kafka-transactions.sh find-hanging`.") from error
    except StrangeOutputsError as error:
        raise NotSetAside(f"{error}. The worker needs derived topics of its own before anything else.") from error
    except TimeoutError as error:
        raise NotSetAside(f"{place}: no answer within {config.request_timeout:g} s. Is the broker up?") from error
    except KafkaError as error:
        raise NotSetAside(
            f"{place}: {error!r}. Probably a worker took the partition over meanwhile; it is known after the next "
            "start whether the record is set aside. Stop the worker and try again."
        ) from error
    finally:
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(_STOP_WITHIN_S):
                await producer.stop()
    return wanted
