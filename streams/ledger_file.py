"""A ledger as a file of JSON Lines: an export, or the shipped history. The same events as on Kafka, no broker."""

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

from schemas.codec import EVENT_BYTES_MAX, Undecodable, decode
from schemas.events import Event
from schemas.ids import event_id
from schemas.positions import Recorded

DEMO: Final = "demo"
FILE_BYTES_MAX: Final = 1 << 30
_SHOWN_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a ledger file: the event, or why it is none. Lines count from 1."""

    number: int
    event: Event | Undecodable
    data: bytes


class BadLedgerFile(Exception):  # noqa: N818 -- bad input, not a fault of ours
    """A file cannot be read as a ledger; the message says which lines and why."""


def lines(data: Iterable[bytes], first: int = 1) -> Iterator[Line]:
    """Read events line by line; blank lines are passed over, overlong ones refused without being parsed.

    `first` is the number of the first line; the mark of UTF-8 that some programs begin a file with is passed over.
    """
    for number, raw in enumerate(data, start=first):
        text = raw.removeprefix(BOM_UTF8 if number == 1 else b"").rstrip(b"\r\n")
        if not text.strip():
            continue
        if len(text) > EVENT_BYTES_MAX:
            reason = f"expected at most {EVENT_BYTES_MAX:,} bytes, got more"  # how many more, nobody read
            yield Line(number, Undecodable("too_large", reason), text[:200])
        else:
            yield Line(number, decode(text), text)


def ledger_bytes(name: str) -> bytes:
    """Return the content of a ledger file, or of the shipped history for `demo`."""
    if name == DEMO:
        return files("streams.demo").joinpath("us_china.jsonl").read_bytes()
    path = Path(name)
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise BadLedgerFile(f"{name}: expected a file of at most {FILE_BYTES_MAX:,} bytes")
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise BadLedgerFile(
            f"{name}: {reason}. Give a JSON Lines export, or `demo` for the shipped history."
        ) from error


def events(name: str) -> list[Event]:
    """Read a ledger file whole. Raises BadLedgerFile if a line is no event: a past with holes is no past."""
    found: list[Event] = []
    bad: list[str] = []
    for line in lines(ledger_bytes(name).split(b"\n")):
        if isinstance(line.event, Undecodable):
            bad.append(f"line {line.number}: {line.event.code}: {line.event.reason}")
        else:
            found.append(line.event)
    if bad:
        more = f"\n… and {len(bad) - _SHOWN_MAX} more" if len(bad) > _SHOWN_MAX else ""
        raise BadLedgerFile(f"{name}: {len(bad)} lines are no events.\n" + "\n".join(bad[:_SHOWN_MAX]) + more)
    return found


def recorded(found: Iterable[Event]) -> list[Recorded]:
    """Return events as if on a ledger of one partition."""
    return [Recorded(event, event_id(event), 0, offset, event.first_recorded_at) for offset, event in enumerate(found)]


def digest(name: str) -> str:
    """Return the SHA-256 of a ledger file, in hex."""
    return sha256(ledger_bytes(name)).hexdigest()
