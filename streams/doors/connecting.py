"""Where Kafka is: an option, the settings, else the embedded broker that runs."""

from streams.broker import running_broker
from streams.broker_reaching import BrokerUnreachable
from streams.settings import Settings


def connect(settings: Settings, brokers: str | None) -> str:
    """Return the bootstrap address. Raises BrokerUnreachable, which says what to do, if there is none."""
    named = brokers or settings.brokers
    if named is not None:
        return named
    running = running_broker(settings)
    if running is None:
        raise BrokerUnreachable("(none named)", "no embedded broker is running either")
    return running.bootstrap
