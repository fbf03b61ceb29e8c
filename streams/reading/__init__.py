"""Reading Parley's topics: up to where they end now, as a table, or on and on."""

from streams.broker_reaching import BrokerUnreachable
from streams.reading.bounds import bounds, end_positions
from streams.reading.cuts import read_as
from streams.reading.faults import HoleInTopic, RecordsGone, StrangeBatch
from streams.reading.following import follow
from streams.reading.log import read_on, read_to_end
from streams.reading.records import Isolation, KafkaRecord, Reader, open_reader
from streams.reading.set_asides import read_set_asides
from streams.reading.table import TableRow, read_table
from streams.topics import TopicMissing

__all__ = [
    "BrokerUnreachable",
    "HoleInTopic",
    "Isolation",
    "KafkaRecord",
    "Reader",
    "RecordsGone",
    "StrangeBatch",
    "TableRow",
    "TopicMissing",
    "bounds",
    "end_positions",
    "follow",
    "open_reader",
    "read_as",
    "read_on",
    "read_set_asides",
    "read_table",
    "read_to_end",
]
