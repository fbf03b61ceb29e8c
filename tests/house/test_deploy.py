"""What is shipped for running Parley says what the code says; nothing here starts a container."""

import re
import tomllib
from typing import get_args

import pytest

from schemas.codec import EVENT_BYTES_MAX, VALUES_MAX, Code
from streams.broker_installation import KAFKA_VERSION
from streams.doors import cli, commanding
from streams.doors.dead_letters.letters import REFUSED_BATCH, SET_ASIDE
from streams.doors.supervising import PAUSE_S_FIRST, PAUSE_S_MAX, STARTS_ANEW
from streams.engine import ExitCode
from streams.settings import Settings
from streams.topics import TOPICS
from streams.worker import engine_config
from tests.house.compose import Node, NotRead, read
from tests.house.deployed import (
    environment,
    loose_bases,
    loose_images,
    mapping,
    open_ports,
    policy_rows,
    table_rows,
    texts,
    topic_rows,
    unit_lines,
    wrong_commands,
)
from tests.house.examples import tree_of
from tests.house.tree import ROOT

MENDS_ITSELF = {commanding.UNREACHABLE, ExitCode.SNAPSHOT, ExitCode.STALLED, ExitCode.PRODUCER}
NEEDS_A_PERSON = ({commanding.USAGE, commanding.BAD_INPUT} | set(ExitCode)) - MENDS_ITSELF
UNITS = ("parley-worker.service", "parley-clock.service")
PLANTED = """\
services:
  broker:
    image: apache/kafka:latest
    ports:
      - "9092:9092"
  worker:
    image: parley-ledger:0.1
"""


def page(name: str) -> str:
    return (ROOT / "deploy" / name).read_text(encoding="utf-8")


def services() -> dict[str, Node]:
    return mapping(read(page("compose.yaml"))["services"])


def test_up_starts_anew_what_the_units_start_anew() -> None:
    assert {0} | MENDS_ITSELF == STARTS_ANEW


def test_every_image_has_a_full_version_and_every_port_stays_on_this_machine() -> None:
    found = services()
    assert [*loose_images(found), *loose_bases(page("Dockerfile")), *open_ports(found)] == []


def test_a_loose_image_and_an_open_port_are_caught() -> None:
    found = mapping(read(PLANTED)["services"])
    assert [*loose_images(found), *loose_bases("FROM python:3\n"), *open_ports(found)] == [
        "broker: pin the image to a full version, not apache/kafka:latest",
        "worker: pin the image to a full version, not parley-ledger:0.1",
        "pin the image to a full version, not python:3",
        "broker: publish it on 127.0.0.1, not as 9092:9092",
    ]


def test_the_images_have_the_versions_of_the_embedded_broker_and_of_parley() -> None:
    found = services()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert {name: mapping(service)["image"] for name, service in found.items()} == {
        "broker": f"apache/kafka:{KAFKA_VERSION}",
        "topics": f"parley-ledger:{version}",
        "worker": f"parley-ledger:{version}",
        "clock": f"parley-ledger:{version}",
    }


def test_the_broker_makes_no_topics_and_keeps_one_copy_as_the_topics_ask() -> None:
    found = services()
    broker = environment(found, "broker")
    copies = {broker[name] for name in broker if name.endswith(("REPLICATION_FACTOR", "_MIN_ISR"))}
    asked = {environment(found, name)["PARLEY_REPLICATION"] for name in ("topics", "worker", "clock")}
    assert (broker["KAFKA_AUTO_CREATE_TOPICS_ENABLE"], copies, asked) == ("false", {"1"}, {"1"})


def test_the_settings_of_topics_are_left_to_the_topics() -> None:
    found = services()
    own = {f"KAFKA_LOG_{name.upper().replace('.', '_')}" for one in TOPICS for name in one.settings(1)}
    assert own & environment(found, "broker").keys() == set()


def test_the_commands_are_ones_that_parley_takes() -> None:
    found = services()
    composed = [texts(mapping(found[name])["command"]) for name in ("topics", "worker", "clock")]
    units = [line.split() for name in UNITS for line in unit_lines(page(name), "ExecStart")]
    assert ([command[1] for command in composed + units], list(wrong_commands(composed + units))) == (
        ["topics", "worker", "clock", "worker", "clock"],
        [],
    )


def test_a_command_that_parley_refuses_is_caught() -> None:
    planted = (["parley", "serve"], ["parley", "worker", "--port", "1"], ["faust", "worker"])
    assert [complaint[:30] for complaint in wrong_commands(planted)] == [
        "parley serve: no such command",
        "parley worker --port 1: No suc",
        "expected a parley command, got",
    ]


def test_every_variable_is_a_setting() -> None:
    told = "".join(page(name) for name in (*UNITS, "compose.yaml", "topics.md", "runbook.md"))
    settings = {f"PARLEY_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bPARLEY_[A-Z_]+", told)) - settings == set()


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_stays_down_where_starting_anew_cannot_help(name: str) -> None:
    unit = page(name)
    codes = {int(code) for line in unit_lines(unit, "RestartPreventExitStatus") for code in line.split()}
    assert (unit_lines(unit, "Restart"), codes) == (["always"], {int(code) for code in NEEDS_A_PERSON})


def test_the_runbook_tells_every_exit_code() -> None:
    told = {row[0]: row[1] for row in table_rows(page("runbook.md"), "code")}
    own = {"0": "", "2": "USAGE", "3": "BAD_INPUT", "4": "UNREACHABLE", "137": ""}
    assert told == own | {str(int(code)): code.name for code in ExitCode}


def test_the_runbook_tells_every_code_of_a_dead_letter() -> None:
    told = {code for row in table_rows(page("runbook.md"), "dead letter") for code in re.findall(r"\w+", row[0])}
    ends_the_worker = {"unknown_major"}
    assert told - {"at", "negotiation"} == set(get_args(Code)) - ends_the_worker | {REFUSED_BATCH, SET_ASIDE}


def test_the_runbook_tells_the_numbers_of_the_code() -> None:
    config = engine_config(Settings(), "127.0.0.1:9092", 4)
    told = page("runbook.md")
    numbers = (
        f"at most {config.batch_max:,}, makes changes",
        f"else the broker does after {config.transaction_timeout:g} s",
        f"dies without a word is missed after {config.session_timeout:g} s",
        f"nothing moved for {config.stall_timeout:g} s",
        f"would take {config.snapshot_work:g} s",
        f"with the first batch after {config.snapshot_within:g} s",
        f"a pause of {PAUSE_S_FIRST:g} s that doubles up to {PAUSE_S_MAX:g} s",
        f"more than {EVENT_BYTES_MAX} bytes, or more than {VALUES_MAX} values",
    )
    assert [number for number in numbers if number not in told] == []


def test_the_table_of_topics_is_the_one_of_the_code() -> None:
    written = page("topics.md")
    assert (table_rows(written, "topic"), sorted(table_rows(written, "setting"))) == (topic_rows(), policy_rows())


def test_a_topic_that_is_told_otherwise_is_caught() -> None:
    planted = page("topics.md").replace("LogAppendTime | 1048576", "CreateTime | 1048576")
    assert table_rows(planted, "topic") != topic_rows()


def test_the_readme_lists_the_commands_and_the_settings() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = [[row[0] for row in table_rows(readme, heading)] for heading in ("command", "variable")]
    commands = [f"parley {name}" for name in getattr(tree_of(cli.app), "commands", {})]
    assert listed == [commands, [f"PARLEY_{name.upper()}" for name in Settings.model_fields]]


def test_access_is_told_for_every_topic() -> None:
    told = "".join(row[1] for row in table_rows(page("acls.md"), "who"))
    assert [one.name("parley") for one in TOPICS if one.name("parley") not in told] == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: &anchor b\n", "line 1: expected plain text"),
        ("a: |\n  text\n", "line 1: expected plain text"),
        ("a: b\na: c\n", "line 2: expected `key: value` with a new key"),
        ("a: [1, 2]\n", 'line 1: expected plain text, "text" or'),
        ("a: b\n  c: d\n", "line 2: expected 2 spaces to be fewer"),
        ("- a\n", "expected a mapping at the top"),
    ],
)
def test_what_the_reader_does_not_know_it_refuses(text: str, complaint: str) -> None:
    with pytest.raises(NotRead, match=re.escape(complaint)):
        read(text)


def test_the_reader_reads_mappings_lists_and_text() -> None:
    assert read('a:\n  b: "1"\n  c:\n    - x\n    - "y z"\n# no\nd: ["e", "f"]\ng:\n') == {
        "a": {"b": "1", "c": ["x", "y z"]},
        "d": ["e", "f"],
        "g": "",
    }
