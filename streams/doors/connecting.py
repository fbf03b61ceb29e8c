"""Where Kafka is: an option, the settings, else the embedded broker that runs."""

from typing import Final

from streams.broker import running_broker
from streams.broker_reaching import BrokerUnreachable, addresses
from streams.reading import end_positions
from streams.settings import Settings
from streams.topics import EVENTS, TOPICS
from streams.topics_on_kafka import TopicError, TopicProblem, TopicsReport, ensure_topics, topics_found


def connect(settings: Settings, brokers: str | None) -> str:
    """Return the bootstrap address. BrokerUnreachable, which says what to do, if there is none; UsageError."""
    named = brokers or settings.brokers
    if named is not None:
        addresses(named)
        return named
    running = running_broker(settings)
    if running is None:
        raise BrokerUnreachable(None, "none is named, and no embedded broker runs")
    return running.bootstrap


async def connect_with_topics(
    settings: Settings, brokers: str | None, partitions: int | None = None
) -> tuple[str, TopicsReport]:
    """Return the bootstrap address and Parley's topics: those missing are made, the others verified.

    A ledger that exists decides how many partitions there are, unless a number is asked for: then a ledger with another
    one is refused. So are topics of which some are gone while others hold something: made anew they would look whole.
    BrokerUnreachable, TopicError, UsageError.
    """
    bootstrap = connect(settings, brokers)
    existing = await topics_found(bootstrap, settings.installation)
    await _refuse_gone(bootstrap, settings.installation, {one.name for one in existing})
    count = next((one.partitions for one in existing if one.name == EVENTS.name(settings.installation)), None)
    return bootstrap, await ensure_topics(
        bootstrap, settings.installation, partitions or count or settings.partitions, settings.replication
    )


async def _refuse_gone(bootstrap: str, installation: str, existing: set[str]) -> None:
    ledger = EVENTS.name(installation)
    derived = [topic.name(installation) for topic in TOPICS if topic.derived]
    gone = [name for name in (ledger, *derived) if name not in existing]
    if not gone or not existing.intersection(derived):
        return
    held = [name for name in derived if name in existing and any((await end_positions(bootstrap, name)).values())]
    if held:
        remedy = _LEDGER_GONE if ledger in gone else _DERIVED_GONE
        raise TopicError(TopicProblem(name, "a topic beside", held[0], "none", remedy) for name in gone)


_LEDGER_GONE: Final = (
    "What followed from it cannot stand beside another one. Restore the ledger from an export, with derived topics of "
    "its own: another PARLEY_PREFIX, or PARLEY_OUTPUTS=NAME."
)
_DERIVED_GONE: Final = (
    "Made anew it would lack everything up to the cut. Let a worker write all derived topics anew under another name: "
    "`parley worker --outputs NAME`, then PARLEY_OUTPUTS=NAME for all; or delete all derived topics of the set."
)
