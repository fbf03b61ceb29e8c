"""A prefix is no other installation's: what would share its topics is refused, at each door."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from streams.client import Parley
from streams.doors.commanding import USAGE
from streams.settings import Settings
from streams.topics import TOPICS
from tests.first_light.running import parley


def names(settings: Settings) -> set[str]:
    return {topic.name(settings.installation) for topic in TOPICS}


def test_no_two_installations_share_a_derived_topic() -> None:
    derived = {topic.name("a+b") for topic in TOPICS if topic.derived}
    for refuses in (lambda: Settings(prefix="a.b"), lambda: Parley(prefix="a.b")):
        with pytest.raises(ValidationError, match="expected no dot"):
            refuses()
    assert derived <= names(Settings(prefix="a", outputs="b"))
    assert derived.isdisjoint(names(Settings(prefix="a-b")) | names(Settings(prefix="a")))


def test_a_prefix_with_a_dot_is_refused_with_the_reason(tmp_path: Path) -> None:
    for words, named in ((("--prefix", "a.b"), "--prefix"), ((), "PARLEY_PREFIX")):
        done = parley(tmp_path, "status", *words, settings={} if words else {"prefix": "a.b"})
        assert (done.returncode, done.stdout) == (USAGE, b"")
        said = " ".join(done.stderr.decode().split())
        assert said.startswith(f"parley: {named}: expected no dot: parley.blue.changes.v1 is of the prefix parley")
        assert said.endswith("got 'a.b'")
