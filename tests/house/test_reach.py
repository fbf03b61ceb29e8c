"""Time, chance, ids and the environment are arguments in the core, and have one file each in `streams`."""

import pytest

from tests.house.reach import offences
from tests.house.tree import PACKAGES, Source, report, sources


def test_no_module_reaches_beyond_its_arguments() -> None:
    read = sources(*PACKAGES, suffix=".py")
    assert {source.path.split("/")[0] for source in read} == set(PACKAGES)
    found = [offence for source in read for offence in offences(source)]
    assert not found, report(found)


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("from datetime import datetime\nat = datetime.now()\n", [(2, "datetime.datetime.now")]),
        ("import datetime as d\nat = d.datetime.utcnow()\n", [(2, "datetime.datetime.utcnow")]),
        ("from datetime import date as day\non = day.today()\n", [(2, "datetime.date.today")]),
        ("import time\nat = time.time()\n", [(2, "time.time")]),
        ("from time import monotonic\n", [(1, "time.monotonic")]),
        ("from uuid import uuid4\nclass A:\n    id: str = str(uuid4())\n", [(1, "uuid.uuid4"), (3, "uuid.uuid4")]),
        ("import random\nx = random.random()\n", [(2, "random.random")]),
        ("import os\nx = os.environ['HOME']\n", [(2, "os.environ")]),
        ("import os\nx = os.environ.get('HOME')\n", [(2, "os.environ.get")]),
        ("from pathlib import Path\nx = Path('x').read_text()\n", [(1, "pathlib.Path"), (2, "pathlib.Path")]),
        ("def f(path: str) -> str:\n    with open(path) as file:\n        return file.read()\n", [(2, "open")]),
        ("def key(x: str) -> int:\n    return hash(x) % 4\n", [(2, "hash")]),
        ("clock = __import__('time')\n", [(1, "__import__")]),
        ("def f() -> None:\n    from time import time\n    time()\n", [(2, "time.time"), (3, "time.time")]),
    ],
)
@pytest.mark.parametrize("package", ["schemas", "ledger"])
def test_a_reach_in_the_core_is_caught(package: str, code: str, caught: list[tuple[int, str]]) -> None:
    found = offences(Source(f"{package}/planted.py", code))
    assert [(offence.line, offence.what) for offence in found] == caught


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import datetime\ndef later(now: datetime) -> datetime:\n    return now.replace(hour=now.hour)\n",
        "class Asked:\n    time: str\n    id: str\ndef f(asked: Asked, id: str) -> bool:\n    return asked.time < id\n",
        "class Frozen:\n    def __hash__(self) -> int:\n        return hash(self.items)\n",
        "from ledger import time\nx = time.parse('2025-11-10')\n",
    ],
)
def test_what_was_handed_in_is_no_reach(code: str) -> None:
    assert list(offences(Source("ledger/planted.py", code))) == []


@pytest.mark.parametrize(
    ("code", "home"),
    [
        ("from datetime import UTC, datetime\nx = datetime.now(UTC)\n", "streams/now.py"),
        ("import time\nx = time.time()\n", "streams/now.py"),
        ("import uuid\nx = uuid.uuid4()\n", "streams/uuids.py"),
        ("import random\nx = random.random()\n", "streams/uuids.py"),
        ("import os\nx = os.environ['HOME']\n", "streams/settings.py"),
        ("import os\nx = os.getenv('HOME')\n", "streams/settings.py"),
    ],
)
def test_in_streams_each_reach_has_one_file(code: str, home: str) -> None:
    everywhere = (
        "streams/now.py",
        "streams/uuids.py",
        "streams/settings.py",
        "streams/worker.py",
        "streams/engine/x.py",
    )
    caught = [(path, offence.line) for path in everywhere for offence in offences(Source(path, code))]
    assert caught == [(path, 2) for path in everywhere if path != home]


def test_streams_may_measure_how_long_a_thing_takes_and_draw_from_a_seed() -> None:
    code = "import random\nimport time\nx = time.monotonic()\ny = random.Random(7).random()\n"
    assert list(offences(Source("streams/broker.py", code))) == []
