"""A worker of the tally in whose Kafka client a part ends: the one that the environment variable SEVERED names."""

import os
from typing import Any, NoReturn

from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator

from tests.engine.tally import main

PARTS: dict[str, tuple[type, str]] = {
    "fetches": (Fetcher, "_proc_fetch_request"),
    "looks for leaders": (AIOKafkaClient, "_md_synchronizer"),
    "keeps its place in the group": (GroupCoordinator, "_coordination_routine"),
}


async def _closed(*_: Any) -> NoReturn:  # noqa: ANN401  aiokafka's own
    raise RuntimeError("unable to perform operation on a transport; the handler is closed")


if __name__ == "__main__":
    setattr(*PARTS[os.environ["SEVERED"]], _closed)
    main()
