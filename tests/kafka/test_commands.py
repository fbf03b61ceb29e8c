"""Commands without a Kafka: what cannot be is said in words, with the exit code of whose move it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT


def parley(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    places = {"PYTHONPATH": str(ROOT), "PARLEY_STATE_DIRECTORY": str(folder), "COLUMNS": "300"}
    return subprocess.run(
        [sys.executable, "-m", "streams.doors.starting", *words],
        capture_output=True, text=True, env=kept | places | environment, cwd=folder, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "environment", "code", "said"),
    [
        (("status",), {"PARLEY_PARTITIONS": "many"}, 2, "parley: PARLEY_PARTITIONS: Input should be a valid integer"),
        (("worker",), {"PARLEY_LEAD_TIMES": "soon"}, 2, "parley: PARLEY_LEAD_TIMES: a lead time is a number of days"),
        (("broker",), {"PARLEY_PREFIX": "No!"}, 2, "parley: PARLEY_PREFIX: String should match pattern"),
        (("status", "--prefix", "No!"), {}, 2, "parley: --prefix: String should match pattern"),
        (("status",), {}, 4, "parley: No Kafka: none is named, and no embedded broker runs. Start the embedded"),
        (("status", "--brokers", "here"), {}, 2, "parley: expected the address of a Kafka as HOST:PORT, such as"),
        (("worker",), {"PARLEY_BROKERS": "here"}, 2, "parley: expected the address of a Kafka as HOST:PORT, such as"),
        (("status", "--brokers", "me:secret@here:1"), {}, 2, "parley: the address of a Kafka is HOST:PORT, without"),
        (("watch", "--since", "abc"), {}, 2, "parley: expected a cursor PARTITION:OFFSET[:N] such as 3:120"),
        (("watch", "--since", "0:0", "--brokers", "127.0.0.1:1"), {}, 2, "parley: expected --kind changes or --kind"),
        (
            ("state", "us-china", "--ledger", "demo", "--at", "2025-07-10"),
            {},
            2,
            (
                "parley: --at 2025-07-10: a day is not an instant. Say whether you mean its beginning or its end, and "
                "where: 2025-07-10T00:00:00-04:00 is Washington's midnight before that day, "
            ),
        ),
        (
            ("state", "us-china", "--ledger", "demo", "--known-at", "2025-02-30"),
            {},
            2,
            "parley: --known-at: expected an instant such as 2025-10-31T12:00:00-04:00, got '2025-02-30'",
        ),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else None,
)
def test_what_cannot_be_is_said_in_words(
    tmp_path: Path, words: tuple[str, ...], environment: dict[str, str], code: int, said: str
) -> None:
    ended = parley(tmp_path, *words, **environment)
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
    assert ended.stderr.startswith(said)
