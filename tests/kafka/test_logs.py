"""Logs: JSON lines for machines, plain lines in a pipe, no secrets, no flood."""

import io
import logging
from collections.abc import Iterator

import orjson
import pytest

from streams.logs import RepeatFilter, set_up_logs, without_secrets


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root, client = logging.getLogger(), logging.getLogger("aiokafka")
    before = (list(root.handlers), root.level, client.level)
    yield
    root.handlers[:], root.level, client.level = before


def test_a_line_for_machines_is_one_json_object() -> None:
    stream = io.StringIO()
    set_up_logs("json", stream=stream)
    logging.getLogger("parley.worker").warning(
        "behind by %d", 7, extra={"partition": 3, "position": {"topic": "t", "token": "abc"}, "sasl_password": "abc"}
    )
    line = orjson.loads(stream.getvalue())
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "warning",
        "logger": "parley.worker",
        "message": "behind by 7",
        "partition": 3,
        "position": {"topic": "t", "token": "***"},
        "sasl_password": "***",
    }


def test_an_exception_stays_in_its_line_and_keeps_no_secret() -> None:
    stream = io.StringIO()
    set_up_logs("json", stream=stream)
    error = ValueError("cannot reach https://me:hunter2@example.org/path")
    logging.getLogger("parley").error("failed", exc_info=error)
    (text,) = stream.getvalue().splitlines()
    assert orjson.loads(text)["error"].endswith("ValueError: cannot reach https://me:***@example.org/path")


def test_a_line_for_people_in_a_pipe_is_plain() -> None:
    stream = io.StringIO()
    set_up_logs("people", stream=stream)
    logging.getLogger("parley.worker").info("password=%s", "hunter2")
    assert stream.getvalue().endswith(" INFO    parley.worker: password=***\n")
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter2, user=me", "password=***, user=me"),
        ("{'sasl_plain_password': 'hunter 2', 'port': 1}", "{'sasl_plain_password': ***, 'port': 1}"),
        ('"api_key": "abc"', '"api_key": ***'),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("kafka://me:hunter2@host:9092", "kafka://me:***@host:9092"),
        ("http://127.0.0.1:9092/x@y", "http://127.0.0.1:9092/x@y"),
        ("rate 20 → 10, key us-china", "rate 20 → 10, key us-china"),
    ],
)
def test_secrets_are_replaced_and_nothing_else(text: str, expected: str) -> None:
    assert without_secrets(text) == expected


def test_kafkas_client_is_silent_unless_asked_for() -> None:
    stream = io.StringIO()
    set_up_logs("people", stream=stream)
    logging.getLogger("aiokafka.conn").error("Unable to connect")
    logging.getLogger("parley").error("ours")
    assert len(stream.getvalue().splitlines()) == 1


def test_the_same_complaint_passes_once_and_then_with_the_number_held_back() -> None:
    stream = io.StringIO()
    set_up_logs("people", stream=stream, kafka_client=True)
    for node in range(5):
        logging.getLogger("aiokafka.conn").error("Unable to connect to %d", node)
    for _ in range(2):
        logging.getLogger("parley").error("ours")
    assert [line.split(": ", 1)[1] for line in stream.getvalue().splitlines()] == [
        "Unable to connect to 0",
        "ours",
        "ours",
    ]


def test_after_a_while_a_complaint_passes_again() -> None:
    repeats = RepeatFilter("aiokafka", within_s=30)
    passed = []
    for at in (0.0, 10.0, 20.0, 31.0, 32.0):
        record = logging.makeLogRecord({"name": "aiokafka.conn", "msg": "Unable to connect to %d", "args": (at,)})
        record.created = at
        if repeats.filter(record):
            passed.append(record.getMessage())
    assert passed == ["Unable to connect to 0", "Unable to connect to 31 (2 more like this)"]
