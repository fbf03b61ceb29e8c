"""Batches of records as no client of Parley writes them: compressed, and made by hand."""

import gzip
import struct
import time
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

_HEADER = struct.Struct(">qiibIhiqqqhii")
_NONE, _GZIP, _ZSTD = 0, 1, 4
_BLOCK_BYTES_MAX = 128 << 10
Header = tuple[bytes, bytes]


def _varint(number: int) -> bytes:
    zigzag, found = number << 1 if number >= 0 else ~(number << 1), bytearray()
    while zigzag > 0x7F:
        found.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes([*found, zigzag])


def _record(delta: int, value_bytes: int, headers: Sequence[Header] = ()) -> tuple[bytes, bytes]:
    """Return what stands before and behind a value of that many bytes in a record without a key."""
    before = b"\x00" + _varint(0) + _varint(delta) + _varint(-1) + _varint(value_bytes)
    behind = _varint(len(headers))
    for name, value in headers:
        behind += _varint(len(name)) + name + _varint(len(value)) + value
    return _varint(len(before) + value_bytes + len(behind)) + before, behind


def _batch(codec: int, count: int, payload: bytes, *, span: int | None = None) -> bytes:
    now_ms = int(time.time() * 1000)
    last = (count if span is None else span) - 1
    counted = struct.pack(">hiqqqhii", codec, last, now_ms, now_ms, -1, -1, -1, count) + payload
    after_length = struct.pack(">ibI", 0, 2, calc_crc32c(counted)) + counted
    return struct.pack(">qi", 0, len(after_length)) + after_length


def plain(values: Iterable[bytes], headers: Sequence[Header] = ()) -> bytes:
    """Return a batch of these values that is not compressed; each record has these headers, whose names are bytes."""
    return _batch(_NONE, *_records(values, headers))


def compacted(values: Iterable[bytes], span: int) -> bytes:
    """Return a batch of which compaction has left only these values, the first ones of so many."""
    return _batch(_NONE, *_records(values, ()), span=span)


def gzipped(values: Iterable[bytes]) -> bytes:
    """Return a batch of these values as a client that compresses sends it."""
    count, payload = _records(values, ())
    return _batch(_GZIP, count, gzip.compress(payload))


def _records(values: Iterable[bytes], headers: Sequence[Header]) -> tuple[int, bytes]:
    records = []
    for delta, value in enumerate(values):
        before, behind = _record(delta, len(value), headers)
        records.append(before + value + behind)
    return len(records), b"".join(records)


def gzip_bomb(value_bytes: int) -> bytes:
    """Return a batch of one record whose value is that many zeros: a thousandth of them on the wire."""
    before, behind = _record(0, value_bytes)
    zeros = gzip.compress(bytes(_BLOCK_BYTES_MAX * 64))
    whole, rest = divmod(value_bytes, _BLOCK_BYTES_MAX * 64)
    return _batch(_GZIP, 1, gzip.compress(before) + zeros * whole + gzip.compress(bytes(rest) + behind))


def zstd_bomb(value_bytes: int) -> bytes:
    """Return the same in zstd: blocks that say "so many zeros"; 32 KiB hold a gigabyte."""
    before, behind = _record(0, value_bytes)
    blocks = [_zstd_block(before, 0)]
    whole, rest = divmod(value_bytes, _BLOCK_BYTES_MAX)
    blocks += [_zstd_block(b"\0", 1, repeats=_BLOCK_BYTES_MAX)] * whole
    blocks += [_zstd_block(b"\0", 1, repeats=rest)] if rest else []
    blocks.append(_zstd_block(behind, 0, last=True))
    # a window of 128 KiB, no checksum, no size
    return _batch(_ZSTD, 1, b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([7 << 3]) + b"".join(blocks))


def many_records_zipped(count: int) -> bytes:
    """Return a gzip batch of that many empty records."""
    head, tail = _varint(0), b"\x01\x01\x00"
    payload = bytearray()
    for delta in range(count):
        body = b"\x00" + head + _varint(delta) + tail
        payload += _varint(len(body)) + body
    return _batch(_GZIP, count, gzip.compress(bytes(payload)))


def _zstd_block(content: bytes, kind: int, *, repeats: int | None = None, last: bool = False) -> bytes:
    size = len(content) if repeats is None else repeats
    return (int(last) | kind << 1 | size << 3).to_bytes(3, "little") + content


async def append_batch(bootstrap: str, topic: str, batch: bytes, count: int = 1) -> int:
    """Append a batch to partition 0 of a topic, as it is; return the offset of its first record."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=2 << 20, request_timeout_ms=120_000)
    await producer.start()
    try:
        builder = producer.create_batch()
        builder.close()
        builder._buffer, builder._relative_offset = batch, count  # noqa: SLF001  aiokafka's own would build another
        return int((await (await producer.send_batch(builder, topic, partition=0))).offset)
    finally:
        await producer.stop()
