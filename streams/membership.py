"""Which workers the broker counts in a group, and which partitions of the ledger each of them has."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaConnectionError,
    NodeNotReadyError,
    NotCoordinatorError,
    RequestTimedOutError,
    StaleMetadata,
    for_code,
)

from streams.administering import administering

_WITHIN_S: Final = 10.0
_AGAIN_S: Final = 0.1
_UUID_CHARS: Final = 37
"""The broker makes a member's id of the name that it gives itself, a hyphen and a UUID."""
_COORDINATOR_ELSEWHERE: Final = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError)
_ONE_IS_SILENT: Final = (KafkaConnectionError, NodeNotReadyError, RequestTimedOutError, StaleMetadata)
"""The broker that was asked is gone: others know the coordinator, and another one becomes it."""


class Member(NamedTuple):
    """A worker in the group: its name (`--instance`, else `unnamed`), host, and partitions of the ledger."""

    name: str
    host: str
    partitions: tuple[int, ...]


class Membership(NamedTuple):
    """A group as its coordinator has it: `rebalancing` while partitions change hands; the members by name.

    A worker that was killed is a member until its session times out.
    """

    rebalancing: bool
    members: tuple[Member, ...]


async def membership(bootstrap: str, group: str, ledger: str) -> Membership:
    """Ask for the members of a group, also while a broker is gone that was asked first, or that coordinated it.

    BrokerUnreachable when nobody has told within some seconds; GroupAuthorizationFailedError.
    """
    async with administering(bootstrap, request_s=_WITHIN_S, within_s=_WITHIN_S) as admin:
        while True:
            try:
                found = (await admin.describe_consumer_groups([group]))[0].groups[0]
                _raise_for(found[0])
            except _COORDINATOR_ELSEWHERE:  # also on a broker on which no group has ever been
                await asyncio.sleep(_AGAIN_S)
            except _ONE_IS_SILENT:
                await asyncio.sleep(_AGAIN_S)
                await admin._client.force_metadata_update()  # noqa: SLF001 -- else it asks whom it knew at first
            else:
                return _read(found, ledger)


def _raise_for(code: int) -> None:
    if code:
        raise for_code(code)


def _read(found: Sequence[Any], ledger: str) -> Membership:
    _, _, state, _, _, members, *_ = found
    return Membership(
        rebalancing=state in {"PreparingRebalance", "CompletingRebalance"},
        members=tuple(
            sorted(
                Member(member_id[:-_UUID_CHARS], host.removeprefix("/"), tuple(sorted(_partitions(assigned, ledger))))
                for member_id, _, host, _, assigned in members
            )
        ),
    )


def _partitions(assigned: bytes, ledger: str) -> Iterator[int]:
    if not assigned:  # it waits for the end of a rebalance
        return
    for topic, partitions in ConsumerProtocolMemberAssignment.decode(assigned).assignment:
        if topic == ledger:
            yield from partitions
