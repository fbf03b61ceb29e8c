"""Where Kafka is: an option, the settings, else the embedded broker that runs."""

from streams.broker import running_broker
from streams.broker_reaching import BrokerUnreachable
from streams.settings import Settings
from streams.topics import EVENTS
from streams.topics_on_kafka import TopicsReport, ensure_topics, topics_found


def connect(settings: Settings, brokers: str | None) -> str:
    """Return the bootstrap address. Raises BrokerUnreachable, which says what to do, if there is none."""
    named = brokers or settings.brokers
    if named is not None:
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
    one is refused. BrokerUnreachable, TopicError.
    """
    bootstrap = connect(settings, brokers)
    existing = await topics_found(bootstrap, settings.installation)
    count = next((one.partitions for one in existing if one.name == EVENTS.name(settings.installation)), None)
    return bootstrap, await ensure_topics(
        bootstrap, settings.installation, partitions or count or settings.partitions, settings.replication
    )
