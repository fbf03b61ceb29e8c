"""Lines of a file, whatever program wrote it: `append` and `state --ledger` read the same events in it."""

from codecs import BOM_UTF8
from pathlib import Path

import pytest

from schemas.codec import EVENT_BYTES_MAX, Undecodable, decode, encode
from schemas.events import ComponentChanged, Event, Goods
from schemas.times import parse_instant
from streams import ledger_file
from streams.doors.arriving import arriving
from streams.doors.judging import judge
from streams.doors.known_events import KnownEvents
from tests.doors.test_known_events import own, report

EVENTS = [own(report(), f"sy-{number}") for number in range(2)]
ONE, TWO = map(encode, EVENTS)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (BOM_UTF8 + ONE + b"\n" + TWO, EVENTS),
        (ONE + b"\r\n\r\n" + TWO + b"\r\n", EVENTS),
        (ONE + b"\n" + BOM_UTF8 + TWO, [EVENTS[0], "not_json"]),
        (ONE + b"\r" + TWO, ["not_json"]),
        (ONE + b"\0\n" + TWO, ["not_json", EVENTS[1]]),
        (b"\0\n\xff\n", ["not_json", "not_utf8"]),
    ],
)
async def test_a_file_and_a_pipe_are_read_alike(content: bytes, expected: list[object], tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(content)
    with path.open("rb") as file:
        arrived = [line for some in [some async for some in arriving(file.fileno())] for line in some]
    found = [line.event for line in ledger_file.lines(arrived)]
    assert [one.code if isinstance(one, Undecodable) else one for one in found] == expected
    if any(isinstance(one, Undecodable) for one in found):
        with pytest.raises(ledger_file.BadLedgerFile):
            ledger_file.events(str(path))
    else:
        assert ledger_file.events(str(path)) == found


@pytest.mark.parametrize("spare", range(48, 53))
async def test_whatever_is_appended_can_be_read_from_an_export(spare: int) -> None:
    event = of_length(EVENT_BYTES_MAX - spare)
    exported = event.model_copy(update={"first_recorded_at": parse_instant("2026-11-30T12:00:00.123456+00:00")})
    judged = await judge(event, KnownEvents("", "", 1))
    if isinstance(decode(encode(exported)), Undecodable):
        assert isinstance(judged, Undecodable)
        assert judged.code == "too_large"
    else:
        assert judged == event


def of_length(length: int) -> Event:
    """Return an event of so many bytes."""

    def filled(lines: list[str]) -> ComponentChanged:
        return report().model_copy(update={"goods": Goods(listed="Annex", hts=tuple(lines))})

    lines = ["字" * 200] * 430
    while (missing := length - len(encode(filled(lines)))) > 0:
        lines.append("x" * min(200, max(missing - 3, 1)))
        if missing in {204, 205, 206}:  # else there is no room left for a last one
            lines[-1] = "x" * 100
    assert missing == 0
    return filled(lines)
