"""What a batch brings about, collected until its transaction; rows go through real Faust tables."""

from collections.abc import Iterable, Mapping

import faust
from faust.types import AppT

from streams.engine.projection import Entry, Headers


class RowTable(faust.Table[bytes, bytes]):
    """A Faust table of one ledger partition whose writes leave in the batch's transaction.

    It is made directly, not by `app.Table`: Faust's recovery never sees it, which would lose events, hang on
    transaction markers, and read everything back at each rebalance. Values are bytes: one that is changed in place
    would never reach the topic. Its content is the batch that is open; what a row is later, the fold knows.
    """

    def __init__(self, app: AppT, name: str, topic: str, partitions: int) -> None:
        super().__init__(app, name=name, key_type=bytes, value_type=bytes, partitions=partitions, store="memory://")
        self.topic = topic
        self._written: dict[bytes, bytes | None] = {}

    def on_key_set(self, key: bytes, value: bytes) -> None:
        """Note the row for the transaction, in place of a changelog message of its own."""
        self._written[key] = value

    def on_key_del(self, key: bytes) -> None:
        """Note the deletion for the transaction."""
        self._written[key] = None

    def drain(self) -> list[Entry]:
        """Return the last write to each row since the last call, and forget them."""
        entries: list[Entry] = [(key, value, ()) for key, value in self._written.items()]
        self._written.clear()
        self.data.clear()
        return entries


class BatchOutputs:
    """The `Outputs` of one ledger partition; drained once a batch."""

    def __init__(self, tables: Mapping[str, RowTable], topics: Iterable[str]) -> None:
        self._tables = tables
        self._appended: dict[str, list[Entry]] = {topic: [] for topic in topics}

    def append(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        """Append one record to an output topic, in order."""
        entries = self._appended.get(topic)
        if entries is None:
            raise KeyError(f"expected an output of the configuration ({', '.join(self._appended)}), got {topic!r}")
        entries.append((key, value, headers))

    def row(self, table: str, key: bytes, value: bytes | None) -> None:
        """Set or (None) delete a row."""
        rows = self._tables.get(table)
        if rows is None:
            raise KeyError(f"expected a table of the configuration ({', '.join(sorted(self._tables))}), got {table!r}")
        if value is None:
            rows.on_key_del(key)
        else:
            rows[key] = value

    def drain(self) -> tuple[dict[str, list[Entry]], dict[str, list[Entry]]]:
        """Return what was appended by topic, and the rows by their topic, and forget both."""
        appended, self._appended = self._appended, {topic: [] for topic in self._appended}
        rows = {table.topic: table.drain() for table in self._tables.values()}
        return _some(appended), _some(rows)


def _some(entries: Mapping[str, list[Entry]]) -> dict[str, list[Entry]]:
    return {topic: of_topic for topic, of_topic in entries.items() if of_topic}
