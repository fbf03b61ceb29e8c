"""A decompression bomb on the ledger is one dead letter, in the transaction that passes it, and no state sees it."""

from pathlib import Path

from streams.broker import BrokerAddress
from streams.doors.kafka import read_ledger, read_rows
from streams.reading import read_to_end
from streams.topics import DEAD_LETTERS, EVENTS
from tests.engine.batches import append_batch, gzip_bomb
from tests.first_light.running import complete, played_history, worker, write
from tests.first_light.test_exactness import NEGOTIATION, folded


async def test_a_bomb_between_events_is_one_dead_letter(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    history = played_history()[:40]
    await write(kafka.bootstrap, prefix, history[:20])
    bomb = await append_batch(kafka.bootstrap, EVENTS.name(prefix), gzip_bomb(900 << 20))
    await write(kafka.bootstrap, prefix, history[20:])
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    assert (await read_ledger(kafka.bootstrap, prefix)).unreadable == 1
    assert await read_rows(kafka.bootstrap, prefix, NEGOTIATION) == (await folded(kafka.bootstrap, prefix))[0]
    dead = [one async for records in read_to_end(kafka.bootstrap, DEAD_LETTERS.name(prefix)) for one in records]
    assert [(one.key, one.value) for one in dead] == [(None, None)]
    assert dict(dead[0].headers) == {
        "parley_position": f"0:{bomb}".encode(),
        "parley_code": b"refused_batch",
        "parley_reason": f"offsets {bomb} to {bomb}: a batch that is compressed (gzip): it was not unpacked. "
        "Append through Parley".encode(),
        "parley_pointer": b"",
    }
