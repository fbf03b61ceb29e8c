"""The answer of `state --json` as a tool reads it: the fields that it may rely on. More may be there."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Exact = Annotated[str, StringConstraints(pattern=r"^(0|-?(0\.\d*[1-9]|[1-9]\d*(\.\d*[1-9])?))$")]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]
Due = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d(-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?)?$")]


class Read(BaseModel):
    """A part of the answer, read strictly; unknown fields are passed over."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Warned(Read):
    """What to know before relying on the answer."""

    code: str


class Metric(Read):
    """A number by its definition, with its bounds."""

    value: Exact | None
    low: Exact | None
    high: Exact | None
    status: str
    unit: str
    definition: str
    version: int


class Range(Read):
    """The lowest and the highest rate on the listed goods."""

    low: Exact
    high: Exact


class Otherwise(Read):
    """A rate that is no plain percentage: specific, either of two, by product, or unknown."""


AnyRate = Exact | Range | Otherwise | None


class Lapse(Read):
    """What a lapse brings back."""

    from_: AnyRate = Field(alias="from")
    to: AnyRate


class Scope(Read):
    """What the measure covers."""

    goods: str | dict[str, object] | None


class Measure(Read):
    """One measure: what holds, since when, until when, on whose authority."""

    measure: str
    title: str
    imposer: str
    target: str | None
    origins: list[str]
    instrument: str
    component: str
    rate: AnyRate
    suspended: AnyRate
    on_lapse: Lapse | None
    force: str
    since: AwareDatetime | None
    until: Due | None
    until_kind: Literal["none_stated", "stated", "until_condition", "permanent", "unknown"]
    lawful: bool
    collected: bool
    status: str
    scope: Scope
    authority: str | None
    refs: list[str]
    acts: list[str]


class Deadline(Read):
    """One deadline with its window and its state."""

    deadline: str
    kind: Literal["lapse", "start", "threat", "promise", "procedure"]
    what: str
    due: Due
    earliest: AwareDatetime
    latest: AwareDatetime
    zone: str
    as_printed: str | None
    basis: Literal["stated", "computed", "inferred"]
    on_lapse: str | None
    state: Literal["pending", "moved", "met", "lapsed", "lapsed_unconfirmed", "withdrawn", "moot"]
    trail: list[dict[str, object]]


class Meeting(Read):
    """One meeting, on the days of its place."""

    meeting: str
    place: str | None
    from_: Day | None = Field(alias="from")
    to: Day | None
    format: str
    number: int | None
    counted_in: list[str]


class Group(Read):
    """The meetings of a pair, and how many there were by each definition."""

    numbered_rounds: int
    in_person: int
    in_person_with_summits: int
    held: list[Meeting] = Field(alias="list")
    calls: list[dict[str, object]]
    planned: list[dict[str, object]]


class Dispute(Read):
    """A property on which reports differ."""

    subject: str
    property: str
    values: list[object]
    reports: list[str]


class Told(Read):
    """Who tells of an act, how good a witness that is, and where."""

    source: str
    grade: str
    public_at: AwareDatetime
    url: str | None
    reports: list[str]


class Act(Read):
    """An act that the answer may name: the document it is, and its sources."""

    act: str
    title: str | None
    announced: Due
    public_at: AwareDatetime
    document: dict[str, object]
    status: str
    sources: list[Told]


class State(Read):
    """The whole answer."""

    schema_: Literal["parley.state/1"] = Field(alias="schema")
    negotiation: str
    at: AwareDatetime
    known_at: AwareDatetime
    data_through: Day
    position: dict[str, int]
    policy: Literal["1"]
    digest: str
    warnings: list[Warned]
    metrics: dict[str, Metric]
    measures: list[Measure]
    deadlines: list[Deadline]
    meetings: dict[str, Group]
    commitments: list[dict[str, object]]
    disputed: list[Dispute]
    acts: list[Act]
