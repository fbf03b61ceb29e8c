"""A worker of the tally that finds no coordinator of its group, as on a broker that cannot keep its own topics."""

from typing import Any

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import GroupCoordinatorNotAvailableError

from tests.engine.tally import main

_lookup = AIOKafkaClient.coordinator_lookup


async def _lookup_without_groups(client: AIOKafkaClient, kind: int, key: str) -> Any:  # noqa: ANN401  aiokafka's own
    if kind == CoordinationType.GROUP:
        raise GroupCoordinatorNotAvailableError
    return await _lookup(client, kind, key)


if __name__ == "__main__":
    AIOKafkaClient.coordinator_lookup = _lookup_without_groups
    main()
