"""What `parley fsck` shows a person of the first difference: JSON, as it stands on the topic."""

import pytest

import streams.doors.cli  # noqa: F401 -- commands are registered in the order of the help
from streams.doors.commands.fsck import _show
from streams.doors.fsck.differences import Difference, Differences


def test_the_first_difference_is_shown_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    differences = Differences()
    differences.add(Difference("t", 0, "key 'x'", b'{"until":null,"lawful":true,"what":"it\'s"}', None))
    _show([], differences)
    told = capsys.readouterr().out
    assert """  expected {"until":null,"lawful":true,"what":"it's"}\n""" in told
    assert "  found    null\n" in told
