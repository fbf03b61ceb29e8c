"""The command line as a person uses it, against a real Kafka."""

import asyncio
import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams import ledger_file
from streams.broker import BrokerAddress
from streams.client import Parley
from streams.doors.kafka import UnreadableOutput
from streams.producing import LedgerWriter
from streams.topics import CHANGES, MEASURES, Topic, partition_of
from streams.topics_on_kafka import ensure_topics
from tests.deleting import delete_records
from tests.first_light.running import PARTITIONS, complete, parley, worker

SYLVANIA = Path(__file__).parents[1] / "stories" / "sylvania_freedonia.jsonl"
PARTITION = partition_of(b"us-china", PARTITIONS)
GOOD = json.loads(SYLVANIA.read_text("utf-8").splitlines()[2])
BAD = {
    "not JSON": (b"{rate: 10}", "not_json", ""),
    "unknown type": ({**GOOD, "type": "tariff_tripled"}, "unknown_type", "/type"),
    "rate abc": ({**GOOD, "rate": "abc"}, "invalid_value", "/rate"),
    "no such date": (
        {**GOOD, "announced": {"on": "2025-02-30", "zone": "Europe/Vienna"}},
        "invalid_value",
        "/announced/on",
    ),
    "an offset that its zone has not": (
        {**GOOD, "announced": {"at": "2025-11-10T00:01:00-04:00", "zone": "America/New_York"}},
        "invalid_value",
        "/announced/at",
    ),
    "1 MiB": (b'{"type":"' + b"x" * (1 << 20) + b'"}', "too_large", ""),
    "missing source": ({k: v for k, v in GOOD.items() if k != "source"}, "missing_field", "/source"),
}


def as_line(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


async def test_the_history_appended_twice_changes_nothing_and_says_so(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    history = ledger_file.ledger_bytes(ledger_file.DEMO)
    count = len(history.splitlines())
    first = await asyncio.to_thread(parley, tmp_path, "append", "-", *to, given=history)
    again = await asyncio.to_thread(parley, tmp_path, "append", "-", *to, given=history)
    assert json.loads(first.stdout) == {"accepted": count, "duplicates": 0, "refused": []}
    assert json.loads(again.stdout) == {"accepted": 0, "duplicates": count, "refused": []}
    assert (first.returncode, again.returncode) == (0, 0)

    times = ("--at", "2025-10-31T12:00:00-04:00", "--known-at", "2026-10-11T00:00:00-04:00")
    asked = await asyncio.to_thread(parley, tmp_path, "state", "us-china", *times, *to)
    from_file = await asyncio.to_thread(parley, tmp_path, "state", "us-china", *times, "--ledger", "demo")
    by_kafka, by_file = json.loads(asked.stdout), json.loads(from_file.stdout)
    assert by_kafka.pop("position") != by_file.pop("position")
    assert by_kafka == by_file

    exported = await asyncio.to_thread(parley, tmp_path, "export", *to)
    (tmp_path / "export.jsonl").write_bytes(exported.stdout)
    moved = await asyncio.to_thread(parley, tmp_path, "state", "us-china", *times, "--ledger", "export.jsonl")
    by_export = json.loads(moved.stdout)
    by_export.pop("position")
    assert by_export == by_file


async def test_bad_lines_are_refused_with_line_code_and_reason_and_the_good_ones_land(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    lines = [as_line(document) for document, _, _ in BAD.values()]
    given = SYLVANIA.read_bytes() + b"\n".join(lines) + b"\n"
    good = len(SYLVANIA.read_bytes().splitlines())
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    done = await asyncio.to_thread(parley, tmp_path, "append", "-", *to, given=given)
    report = json.loads(done.stdout)
    assert done.returncode == 3
    assert (report["accepted"], report["duplicates"]) == (good, 0)
    told = [(one["line"], one["code"], one["pointer"]) for one in report["refused"]]
    assert told == [(good + n, code, pointer) for n, (_, code, pointer) in enumerate(BAD.values(), start=1)]
    assert all("expected" in one["reason"] or "equired" in one["reason"] for one in report["refused"])


async def test_an_invented_negotiation_goes_through_without_code_of_its_own(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    await asyncio.to_thread(parley, tmp_path, "append", str(SYLVANIA), *to)
    async with worker(tmp_path, kafka.bootstrap, prefix):
        await complete(kafka.bootstrap, prefix)
    shown = await asyncio.to_thread(parley, tmp_path, "tables", "sylvania-freedonia", *to)
    tables = json.loads(shown.stdout)
    assert tables["metrics"]["sy_on_fr.total.collected"]["value"] == "12.5"
    assert tables["metrics"]["meetings.ambassadors.in_person"]["value"] == "1"
    assert set(tables["measures"]) == {"sy_all_goods", "sy_emergency"}
    status = json.loads((await asyncio.to_thread(parley, tmp_path, "status", *to)).stdout)
    assert status["complete"] is True
    watched = await asyncio.to_thread(parley, tmp_path, "watch", "--since", "0", "--no-follow", *to)
    assert {json.loads(line)["negotiation"] for line in watched.stdout.splitlines()} == {"sylvania-freedonia"}


async def test_a_worker_writes_nothing_but_lines_of_its_log(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    await asyncio.to_thread(parley, tmp_path, "append", str(SYLVANIA), *to)
    async with worker(tmp_path, kafka.bootstrap, prefix, settings={"log_format": "json"}):
        await complete(kafka.bootstrap, prefix)
    lines = (tmp_path / "worker.log").read_text("utf-8").splitlines()
    assert lines
    assert {"at", "level", "logger", "message"} <= set.intersection(*(set(json.loads(line)) for line in lines))


async def test_rows_are_shown_with_a_word_on_a_transaction_that_stays_open(
    kafka: BrokerAddress, prefix: str, tmp_path: Path
) -> None:
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=prefix)
    async with producer, producer.transaction():
        await producer.send_and_wait(MEASURES.name(prefix), b"{}", b"us-china/open", partition=PARTITION)
        shown = await asyncio.to_thread(parley, tmp_path, "tables", "us-china", *to)
    assert (shown.returncode, json.loads(shown.stdout)["measures"]) == (0, {})
    assert "A transaction of a worker has been open for 2 s" in shown.stderr.decode()
    shown = await asyncio.to_thread(parley, tmp_path, "tables", "us-china", *to)
    assert (json.loads(shown.stdout)["measures"], shown.stderr) == ({"open": {}}, b"")


async def with_something_foreign(
    kafka: BrokerAddress, prefix: str, topic: Topic, partition: int, record: tuple[bytes, bytes]
) -> str:
    """Create the topics, with a record on one of them that no worker wrote; give the name of that one."""
    await ensure_topics(kafka.bootstrap, prefix, PARTITIONS)
    async with LedgerWriter(kafka.bootstrap, topic.name(prefix)) as writer:
        await writer.append(*record, (), partition=partition)
    return topic.name(prefix)


@pytest.mark.parametrize("value", [b"rubbish", b"[]"])
async def test_a_row_that_is_none_is_named_with_what_to_do(
    kafka: BrokerAddress, prefix: str, tmp_path: Path, value: bytes
) -> None:
    name = await with_something_foreign(kafka, prefix, MEASURES, PARTITION, (b"us-china/foreign", value))
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    shown = await asyncio.to_thread(parley, tmp_path, "tables", "us-china", *to)
    assert (shown.returncode, shown.stdout) == (3, b"")
    told = " ".join(shown.stderr.decode().split())
    assert f"{name}, key 'us-china/foreign': expected a row, a JSON object, got {value!r}." in told
    assert "`parley fsck`" in told
    others = await asyncio.to_thread(parley, tmp_path, "tables", "us-china", "deadlines", *to)
    assert (others.returncode, json.loads(others.stdout)["deadlines"]) == (0, {})
    with pytest.raises(UnreadableOutput, match="us-china/foreign"):
        await Parley(kafka.bootstrap, prefix=prefix).rows("us-china")


@pytest.mark.parametrize("value", [b"rubbish", b"[]", b'{"schema":"parley.alert/1","negotiation":"us-china"}'])
async def test_what_is_no_change_is_named_to_its_watchers(
    kafka: BrokerAddress, prefix: str, tmp_path: Path, value: bytes
) -> None:
    name = await with_something_foreign(kafka, prefix, CHANGES, 1, (b"us-china", value))
    to = ("--brokers", kafka.bootstrap, "--prefix", prefix)
    for words in (("--since", "0"), ("--since", "0", "--no-follow")):
        shown = await asyncio.to_thread(parley, tmp_path, "watch", *words, *to)
        assert (shown.returncode, shown.stdout) == (3, b"")
        told = " ".join(shown.stderr.decode().split())
        assert f"{name}/1, offset 0: expected parley.change/1, got {value!r}." in told
    with pytest.raises(UnreadableOutput, match="offset 0"):
        await anext(Parley(kafka.bootstrap, prefix=prefix).watch(since="0"))
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_changes_that_were_deleted_are_told_in_words(kafka: BrokerAddress, prefix: str, tmp_path: Path) -> None:
    name = await with_something_foreign(kafka, prefix, CHANGES, 1, (b"us-china", b"{}"))
    await delete_records(kafka.bootstrap, name, 1, 1)
    shown = await asyncio.to_thread(
        parley, tmp_path, "watch", "--since", "0", "--brokers", kafka.bootstrap, "--prefix", prefix
    )
    assert (shown.returncode, shown.stdout) == (4, b"")
    assert f"{name}: asked for offset 0 of partition 1, which Kafka does not have" in shown.stderr.decode()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("state", "us-china", "--ledger", "demo", "--known-at", "2025-10-31"), 2, "a day is not an instant"),
        (("state", "us-china", "--ledger", "demo", "--at", "soon"), 2, "expected an instant"),
        (("state", "us-china", "--ledger", "demo", "--recorded-by", "2025-01-01T00:00:00Z"), 2, "--known-at"),
        (("state", "us-chian", "--ledger", "demo"), 3, "there is us-china."),
        (("state", "us-china", "--ledger", "nowhere.jsonl"), 3, "No such file"),
        (("state", "us-china"), 4, "parley broker"),
        (("status", "--brokers", "127.0.0.1:1"), 4, "No Kafka at 127.0.0.1:1"),
        (("tables", "us-china", "tariffs"), 2, "expected one of measures"),
    ],
)
def test_what_cannot_be_answered_says_what_to_do(words: tuple[str, ...], code: int, says: str, tmp_path: Path) -> None:
    done = parley(tmp_path, *words)
    assert (done.returncode, done.stdout) == (code, b"")
    assert says in done.stderr.decode()
