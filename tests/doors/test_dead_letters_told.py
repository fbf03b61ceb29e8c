"""How a dead letter is read and told: whose headers count, which bytes are text, what a terminal must not obey."""

import io
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from rich.console import Console, RenderableType
from rich.text import Text

from streams.doors import showing
from streams.doors.dead_letters.letters import DeadLetter, read_letter
from streams.doors.dead_letters.telling import SHOWN_BYTES_MAX, next_step, written, written_text
from streams.engine.projection import Headers
from streams.projection import dead_letter_headers
from tests.contract.goldens import GOLDENS

PLAIN = next(golden.value for golden in GOLDENS if golden.name == "statement_made.v1.plain")


@dataclass(frozen=True, slots=True)
class Given:
    """A record as it comes from Kafka."""

    topic: str = "parley.dead-letters.v1"
    partition: int = 2
    offset: int = 7
    timestamp: int = 0
    key: bytes | None = b"us-china"
    value: bytes | None = b"{"
    headers: Headers = field(default_factory=list)


def written_by_a_worker(*headers: tuple[str, bytes]) -> Given:
    record = Given(headers=list(headers))
    return replace(record, offset=3, headers=dead_letter_headers(record, "not_json", "expected one", "/act"))


def read(record: Given) -> DeadLetter | None:
    return read_letter(record)  # type: ignore[arg-type]  # a frozen record will do


def test_headers_that_a_producer_faked_are_its_own() -> None:
    faked = dead_letter_headers(Given(offset=99), "set_aside", "trust me", "")
    letter = read(written_by_a_worker(*faked))
    assert letter is not None
    assert (letter.place, letter.offset, letter.code, letter.pointer) == ((2, 7), 3, "not_json", "/act")
    assert letter.headers == tuple(faked)


@pytest.mark.parametrize("leave_out", range(4))
def test_a_record_without_the_workers_headers_is_no_dead_letter(leave_out: int) -> None:
    record = written_by_a_worker()
    assert read(record) is not None
    assert read(replace(record, headers=[one for n, one in enumerate(record.headers) if n != leave_out])) is None


@pytest.mark.parametrize("place", [b"2", b"2:x", b"3:7", b"", b"\xff"])
def test_a_record_that_names_no_place_of_its_partition_is_no_dead_letter(place: bytes) -> None:
    record = written_by_a_worker()
    assert read(replace(record, headers=[("parley_position", place), *list(record.headers)[1:]])) is None


def test_a_record_whose_headers_are_without_values_is_no_dead_letter() -> None:
    record = written_by_a_worker()
    without: list[Any] = [(name, None) for name, _ in record.headers]
    assert read(replace(record, headers=without)) is None


@pytest.mark.parametrize(
    ("code", "pointer", "value", "says"),
    [
        ("missing_field", "/act", b"{}", "--raw > fixed.json`, mend it at /act, then"),
        ("not_json", "", b"{", "--raw > fixed.json`, mend it, then"),
        ("refused_batch", "", None, "nobody kept its bytes"),
        ("set_aside", "", PLAIN, "a person set it aside"),
        ("invalid_value", "/negotiation", PLAIN, "it did not stand in its place"),
        ("unknown_type", "/type", PLAIN, "the worker that passed it could not"),
    ],
)
def test_what_to_do_next_follows_from_what_is_wrong(code: str, pointer: str, value: bytes | None, says: str) -> None:
    letter = read(written_by_a_worker())
    assert letter is not None
    told = next_step(replace(letter, code=code, pointer=pointer), value, None)
    assert says in told
    assert told.endswith("`parley dead-letters discard 2:7 --reason TEXT`.")


def test_bytes_are_told_as_text_where_they_are_and_no_longer_than_the_limit() -> None:
    assert written(None) is None
    assert written("Böhm".encode()) == {"bytes": 5, "cut_off": False, "text": "Böhm"}
    assert written(b"\xff\x00") == {"bytes": 2, "cut_off": False, "base64": "/wA="}
    long = written("ä".encode() * SHOWN_BYTES_MAX)
    assert long == {"bytes": 2 * SHOWN_BYTES_MAX, "cut_off": True, "text": "ä" * (SHOWN_BYTES_MAX // 2)}
    odd = written(b"x" + "ä".encode() * SHOWN_BYTES_MAX)
    assert odd is not None
    assert odd["text"] == "x" + "ä" * (SHOWN_BYTES_MAX // 2 - 1)
    assert written_text(long).endswith(f"ä… ({2 * SHOWN_BYTES_MAX:,} bytes in all)")


def test_a_terminal_is_shown_what_it_would_obey() -> None:
    text = "\x1b]0;title\x07 \x9b2J \u202egnirts\u200b \r\n\tGrüße, 中文"
    assert showing.escaped(text) == "\\x1b]0;title\\x07 \\x9b2J \\u202egnirts\\u200b \\r\n\tGrüße, 中文"


EVIL = "\x1b[2J evil\x9b\u202e"
CAUSE = {"act": EVIL, "type": "x", "source": EVIL}
PRINTED: dict[str, RenderableType] = {
    "a line": EVIL,
    "a text": Text(EVIL),
    "a table": showing.plain_table(EVIL, [{EVIL: EVIL}]),
    "a change": showing.change_line(
        {
            "at": "2025-11-10T05:01:00+00:00", "table": "metrics", "key": f"n/{EVIL}", "kind": "update",
            "cause": CAUSE, "before": {"value": EVIL}, "after": {"value": EVIL}, "sequence": [0, 1, 0],
        }
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_no_output_hands_on_what_a_terminal_would_obey(name: str) -> None:
    screen = showing.console()
    with screen.capture() as capture:
        screen.print(PRINTED[name])
    assert not {"\x1b", "\x9b", "\u202e"} & set(capture.get())
    assert "\\x1b[2J" in capture.get()


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_for_people_has_a_whole_line_on_each_and_its_reason_below(width: int) -> None:
    line = {
        "position": "2:1841", "dead_letter": "2:7", "at": "2026-11-29T02:13:00+00:00", "state": "open",
        "code": "unknown_field", "pointer": "/colour", "bytes": 812, "reason": "expected no field colour, \x1b " * 3,
    }  # fmt: skip
    screen = Console(width=width, file=io.StringIO(), markup=False, emoji=False, highlight=False)
    with screen.capture() as capture:
        screen.print(
            showing.dead_letters_view([line, {**line, "position": "2:7", "pointer": "", "state": "discarded"}])
        )
    shown = capture.get().splitlines()
    assert [one.rstrip() for one in shown if one[0] != " "] == [
        "2:1841  2026-11-29 02:13:00Z  open       unknown_field at /colour",
        "2:7     2026-11-29 02:13:00Z  discarded  unknown_field",
    ]
    assert len(shown) == (6 if width == 80 else 4)
    assert "\x1b" not in capture.get()
