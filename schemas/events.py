"""The events of the ledger: a closed, versioned union.

Instrument, stage and force are fields, so a few classes carry the field. Every report names its source, the document it
speaks of and when that was announced. Values that a report does not assert are absent, never guessed.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from schemas.formulas import Formula
from schemas.provenance import Document, EventId, Source
from schemas.rates import ByProduct, Exact, PlainRate, Rate, RateRange, Unit
from schemas.shape import Line, Party, Quote, Reference, Shape, Slug
from schemas.times import Day, Instant, When

Version = Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,2}\.\d{1,3}$")]
Instrument = Literal[
    "tariff",
    "tariff_exclusion",
    "tariff_rule",
    "de_minimis",
    "export_control",
    "entity_list",
    "port_fee",
    "statute",
    "enforcement_delay",
    "agreement",
    "other",
]
Stage = Literal[
    "threatened",
    "proposed",
    "announced",
    "imposed",
    "changed",
    "suspended",
    "extended",
    "exempted",
    "ended",
    "withdrawn",
]
"""What the act does to its component. Only imposed … ended have force; the first three and withdrawn move nothing."""
UntilKind = Literal["none_stated", "stated", "until_condition", "permanent", "unknown"]


RETRY_VERSION = "1.1"
"""The first version that has `retry_of`."""


class LedgerPlace(Shape):
    """One position of one ledger: the broker's id of its topic (the topic's name where the broker tells no id)."""

    ledger: Line
    partition: Annotated[int, Field(ge=0, le=1_000_000)]
    offset: Annotated[int, Field(ge=0, le=2**53 - 1)]


class Fact(Shape):
    """What every event has: its version and the negotiation that it belongs to (the Kafka key).

    `retry_of` names the record that could not be read and that this event replaces (since version 1.1).
    """

    version: Version = "1.0"
    negotiation: Slug
    first_recorded_at: Instant | None = None
    retry_of: LedgerPlace | None = None

    @field_validator("retry_of")
    @classmethod
    def _told_by_the_version(cls, place: LedgerPlace | None, info: ValidationInfo) -> LedgerPlace | None:
        if info.data.get("version") == "1.0" and place is not None:
            raise ValueError(f"expected version {RETRY_VERSION} or later beside retry_of")
        return place


class Report(Fact):
    """One source's statement about one act. `replaces` names an earlier report that the same source corrects."""

    act: Reference
    title: Quote | None = None
    source: Source
    document: Document
    announced: When
    replaces: EventId | None = None


class Goods(Shape):
    """The goods in scope where not all are: words, or headings of the tariff schedule."""

    listed: Line
    hts: Annotated[tuple[Line, ...], Field(max_length=500)] = ()


class Members(Shape):
    """The entries of a list, named or only counted."""

    count: Annotated[int, Field(ge=0, le=100_000)] | None = None
    named: Annotated[tuple[Line, ...], Field(max_length=500)] = ()


class ComponentChanged(Report):
    """An act works on a component: threatens, imposes, changes, suspends, extends, exempts from, or ends it.

    `rate` is what holds from `effective` on, `suspended` the points written but not collected. `until` ends what
    this act set (its kind need not be said then); `on_lapse` is what then holds. `collection: not_stated` says that
    the act names no date for collection, which then runs on until an operational notice.
    """

    type: Literal["component_changed"] = "component_changed"
    component: Slug
    measure: Reference
    instrument: Instrument = "tariff"
    imposer: Party
    origins: Annotated[tuple[Party, ...], Field(max_length=100)] = ()
    goods: Literal["all"] | Goods | None = None
    exceptions: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    share_of_value: Line | None = None
    stage: Stage
    ended_how: Literal["revoked", "terminated", "expired", "voided", "superseded"] | None = None
    rate: Rate | None = None
    suspended: Exact | None = None
    effective: When | None = None
    signed: When | None = None
    published: When | None = None
    retroactive_from: When | None = None
    operational: When | None = None
    collection: Literal["follows_law", "not_stated"] = "follows_law"
    until: When | None = None
    until_kind: UntilKind = "none_stated"
    on_lapse: Rate | None = None
    contingent_on: Quote | None = None
    members: Members | None = None
    authority: Line | None = None
    stacking: Quote | None = None
    supersedes: Annotated[tuple[Reference, ...], Field(max_length=50)] = ()


class DeadlineChanged(Report):
    """A date that an act sets, moves, meets, misses or withdraws, where no component carries it."""

    type: Literal["deadline_changed"] = "deadline_changed"
    deadline: Slug
    kind: Literal["lapse", "start", "threat", "promise", "procedure"]
    stage: Literal["set", "moved", "met", "missed", "withdrawn"]
    due: When | None = None
    what: Quote | None = None
    on_lapse: Quote | None = None
    component: Slug | None = None


class Participant(Shape):
    """Somebody at a meeting: an id that stays, the name and office as told."""

    id: Slug
    name: Line
    office: Line | None = None


class MeetingChanged(Report):
    """A meeting or call is planned, held, postponed or cancelled. Days are local to the place."""

    type: Literal["meeting_changed"] = "meeting_changed"
    meeting: Slug
    stage: Literal["planned", "held", "postponed", "cancelled"]
    format: Literal["in_person", "video", "phone"] | None = None
    kind: Literal["round", "bilateral", "summit", "other"] | None = None
    number: Annotated[int, Field(ge=1, le=10_000)] | None = None
    first_day: When | None = None
    last_day: When | None = None
    place: Line | None = None
    participants: Annotated[tuple[Participant, ...], Field(max_length=100)] = ()


class CommitmentChanged(Report):
    """A promise is made, fulfilled or broken, on somebody's word."""

    type: Literal["commitment_changed"] = "commitment_changed"
    commitment: Slug
    stage: Literal["made", "fulfilled", "broken", "withdrawn"]
    promisor: Party
    beneficiary: Party | None = None
    what: Quote | None = None
    quantity: Exact | None = None
    unit: Line | None = None
    due: When | None = None


class ProceedingChanged(Report):
    """An investigation or a court case takes a step; a ruling may hold components unlawful."""

    type: Literal["proceeding_changed"] = "proceeding_changed"
    proceeding: Slug
    measure: Reference
    kind: Literal["investigation", "court"]
    stage: Literal["opened", "filed", "step", "ruled", "stayed", "suspended", "closed", "promised_end"]
    forum: Line | None = None
    holding: Literal["unlawful", "lawful", "not_on_merits"] | None = None
    effect: Literal["final", "stayed", "parties_only"] | None = None
    on_components: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()
    effective: When | None = None


class StatementMade(Report):
    """Somebody said something that changes nothing by itself."""

    type: Literal["statement_made"] = "statement_made"
    says: Quote
    about: Annotated[tuple[Reference, ...], Field(max_length=50)] = ()


ClaimedProperty = Literal[
    "rate", "suspended", "effective", "until", "signed", "published", "due", "first_day", "last_day"
]


class PropertyClaim(Shape):
    """The value that a report asserts for one property of the act it tells of."""

    subject: Slug
    property: ClaimedProperty
    value: Annotated[When | PlainRate | ByProduct, Field(union_mode="left_to_right")]  # at most one of them fits


class ActReported(Report):
    """A source tells of an act: it confirms it, and asserts only the values listed."""

    type: Literal["act_reported"] = "act_reported"
    claims: Annotated[tuple[PropertyClaim, ...], Field(max_length=20)] = ()


class FigureClaimed(Report):
    """Somebody names a number, a date or a word for something that has a name."""

    type: Literal["figure_claimed"] = "figure_claimed"
    metric: Slug
    value: Exact | RateRange | Line
    unit: Unit
    by: Line
    about: Line | None = None
    acts: Annotated[tuple[Reference, ...], Field(max_length=50)] = ()


class ReportRetracted(Report):
    """A source takes back an earlier report of its own."""

    type: Literal["report_retracted"] = "report_retracted"
    report: EventId
    reason: Quote


class NoneFound(Report):
    """Somebody searched and found nothing: what for, where, through which day. Absent is more than not found."""

    type: Literal["none_found"] = "none_found"
    what: Quote
    searched: Annotated[tuple[Line, ...], Field(max_length=50)]
    through: Day
    result: Literal["absent", "not_found", "partial"]


class MetricDefined(Fact):
    """A number with a published formula."""

    type: Literal["metric_defined"] = "metric_defined"
    metric: Slug
    revision: Annotated[int, Field(ge=1, le=10_000)]
    unit: Unit
    definition: Quote
    formula: Formula


class StackingRuleDefined(Fact):
    """How duties add up, or do not, on one good: told in words, with the components each part names."""

    type: Literal["stacking_rule_defined"] = "stacking_rule_defined"
    rule: Slug
    revision: Annotated[int, Field(ge=1, le=10_000)]
    text: Quote
    adds: Annotated[tuple[Slug, ...], Field(max_length=100)] = ()
    one_of: Annotated[tuple[Slug, ...], Field(max_length=100)] = ()
    not_on: Annotated[tuple[Slug, ...], Field(max_length=100)] = ()


class ClockStruck(Fact):
    """The clock says that an instant which the state asked for has come."""

    type: Literal["clock_struck"] = "clock_struck"
    at: Instant
    mode: Literal["live", "replay"]


class ReplayOpened(Fact):
    """What follows is a replay of a file: the ledger's own time is that of the file."""

    type: Literal["replay_opened"] = "replay_opened"
    begins_at: Instant
    file_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    data_through: Day


AnyReport = (
    ComponentChanged
    | DeadlineChanged
    | MeetingChanged
    | CommitmentChanged
    | ProceedingChanged
    | StatementMade
    | ActReported
    | FigureClaimed
    | ReportRetracted
    | NoneFound
)
Event = AnyReport | MetricDefined | StackingRuleDefined | ClockStruck | ReplayOpened
EVENT_CLASSES: tuple[type[Fact], ...] = (
    ComponentChanged,
    DeadlineChanged,
    MeetingChanged,
    CommitmentChanged,
    ProceedingChanged,
    StatementMade,
    ActReported,
    FigureClaimed,
    ReportRetracted,
    NoneFound,
    MetricDefined,
    StackingRuleDefined,
    ClockStruck,
    ReplayOpened,
)
