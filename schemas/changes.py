"""What the worker writes for others: changes of rows, findings, alerts; and the tables they belong to."""

from typing import Literal

from typing_extensions import TypedDict  # pydantic, which writes their JSON Schema, asks for these before Python 3.12

Table = Literal["measures", "deadlines", "meetings", "metrics"]
TABLES: tuple[Table, ...] = ("measures", "deadlines", "meetings", "metrics")
FOLD_VERSION = "7"
"""Version of the fold and its policy. Another one is a second set of derived topics on the same ledger."""

Json = dict[str, object]


class Cause(TypedDict):
    """The event behind a change, and on whose word it stands."""

    event: str
    type: str
    act: str | None
    source: str
    grade: str | None


class Change(TypedDict):
    """What one event did to one public row: the properties that changed, before and after.

    `kind` is `row`, or `finding` for a reasoned complaint about the event. `sequence` is (partition, offset, ordinal).
    """

    schema: Literal["parley.change/1"]
    id: str
    negotiation: str
    sequence: list[int]
    at: str
    kind: Literal["row", "finding"]
    table: str
    key: str
    before: Json
    after: Json
    cause: Cause


class Alert(TypedDict):
    """A lead time before a deadline has begun. One per (deadline, revision, lead)."""

    schema: Literal["parley.alert/1"]
    id: str
    negotiation: str
    sequence: list[int]
    deadline: str
    revision: int
    lead: str
    what: str
    kind: str
    due: str
    zone: str
    earliest: str
    warn_at: str
    late_by_seconds: int
    on_lapse: str | None
    status: str
    acts: list[str]
