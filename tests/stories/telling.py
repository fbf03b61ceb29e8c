# ruff: noqa: ANN401 -- words of a story take any field of the report they make
"""Words to tell small negotiations with: reports as parties and witnesses make them, and what a ledger makes of them.

Sylvania (SY) acts on Freedonia (FR); the duty in question is `duty` unless a story says otherwise. Days are New York's.
"""

from datetime import date, datetime
from typing import Any, Literal

from ledger.answer import Asked, known, state
from ledger.deadlines import Deadline
from ledger.knowledge import Knowledge
from ledger.meetings import Meeting, meeting
from ledger.reports import Unit
from ledger.timeline import Reading, Segment, Track
from ledger.timeline import at as segment_at
from ledger.wakes import deadlines_of
from schemas.changes import Json
from schemas.events import (
    ActReported,
    AnyReport,
    ComponentChanged,
    DeadlineChanged,
    Event,
    MeetingChanged,
    Participant,
    ProceedingChanged,
    PropertyClaim,
    ReportRetracted,
)
from schemas.ids import event_id
from schemas.positions import Recorded
from schemas.provenance import Document, DocumentKind, Grade, Published, Source
from schemas.times import When, parse_instant

NEW_YORK, SHANGHAI, UTC = "America/New_York", "Asia/Shanghai", "UTC"
NEGOTIATION = "sylvania-freedonia"
LONG_AFTER = parse_instant("2100-01-01T00:00:00+00:00")
FIREFLY, TRENTINO = Participant(id="firefly", name="Firefly"), Participant(id="trentino", name="Trentino")


def instant(text: str, zone: str = NEW_YORK) -> When:
    """Give an instant as an act prints it."""
    return When(at=parse_instant(text), zone=zone)


def on(day: str, zone: str = NEW_YORK, **more: Any) -> When:
    """Give a bare day as an act prints it."""
    return When(on=date.fromisoformat(day), zone=zone, **more)


def witness(name: str, grade: Grade, **more: Any) -> Source:
    """Give a source."""
    return Source(name=name, grade=grade, **more)


def published(day: str, zone: str | None = None) -> Published:
    """Give a bare day of publication."""
    return Published(on=date.fromisoformat(day), zone=zone)


def document(kind: DocumentKind, issuer: str = "SY", ref: str | None = None) -> Document:
    """Give the document that a report speaks of."""
    return Document(kind=kind, issuer=issuer, ref=ref)


GAZETTE = witness("Sylvanian Gazette", "instrument", speaks_as="issuer")
WIRE = witness("Wire", "wire")
TRACKER = witness("Tracker", "secondary")
RUMOUR = witness("Somebody", "unverified")
ORDER, NOTICE = document("instrument"), document("operational-notice")
STATEMENT, REMARK = document("official-statement"), document("remark")


def header(act: str, announced: str | When, source: Source, spoken: Document) -> dict[str, Any]:
    """Give what every report has."""
    return {
        "negotiation": NEGOTIATION,
        "act": act,
        "announced": announced if isinstance(announced, When) else on(announced),
        "source": source,
        "document": spoken,
    }


def duty(
    act: str, stage: str, announced: str | When, source: Source = GAZETTE, spoken: Document = ORDER, **more: Any
) -> ComponentChanged:
    """Report that an act works on the duty. With `until` the end is stated."""
    fields: dict[str, Any] = {
        "component": "duty",
        "measure": "SY-1",
        "imposer": "SY",
        "origins": ("FR",),
        "stage": stage,
        **more,
    }
    if "until" in fields:
        fields["until_kind"] = "stated"
    return ComponentChanged(**header(act, announced, source, spoken), **fields)


def ruling(
    act: str, announced: str, effect: Literal["final", "stayed", "parties_only"], **more: Any
) -> ProceedingChanged:
    """Report that a court holds the duty unlawful."""
    return ProceedingChanged(
        **header(act, announced, GAZETTE, document("instrument", "SY-COURT")),
        proceeding="wine-v-crown",
        measure="SY-1",
        kind="court",
        stage="ruled",
        forum="Court of Trade",
        holding="unlawful",
        effect=effect,
        on_components=("duty",),
        **more,
    )


def taken_back(report: AnyReport) -> ReportRetracted:
    """Report that the source of a report takes it back."""
    told = header(report.act, report.announced, report.source.model_copy(update={"own_id": None}), report.document)
    return ReportRetracted(**told, report=event_id(report), reason="wrong")


def tells(act: str, announced: str, claimed: tuple[str, Any], source: Source, spoken: Document = ORDER) -> ActReported:
    """Report of an act by another source, that asserts one value of the duty."""
    name, value = claimed
    claim: dict[str, Any] = {"subject": "duty", "property": name, "value": value}
    return ActReported(**header(act, announced, source, spoken), claims=(PropertyClaim(**claim),))


def talks(act: str, stage: str, announced: str, source: Source = GAZETTE, **more: Any) -> MeetingChanged:
    """Report that talks of the two envoys at the inn are planned, held, postponed or cancelled."""
    fields: dict[str, Any] = {
        "stage": stage,
        "meeting": "inn",
        "kind": "round",
        "format": "in_person",
        "participants": (FIREFLY, TRENTINO),
        **more,
    }
    return MeetingChanged(**header(act, announced, source, STATEMENT), **fields)


def review(act: str, stage: str, announced: str, **more: Any) -> DeadlineChanged:
    """Report of the date by which Sylvania has promised a review."""
    fields: dict[str, Any] = {"stage": stage, "deadline": "review", "kind": "promise", **more}
    return DeadlineChanged(**header(act, announced, GAZETTE, STATEMENT), **fields)


def recorded(*events: Event) -> list[Recorded]:
    """Put events on a ledger in the order given."""
    return [Recorded(event, event_id(event), 0, offset, None) for offset, event in enumerate(events)]


def knowing(*events: Event, by: datetime = LONG_AFTER) -> Knowledge:
    """Give what is known from reports that are public by an instant."""
    return known(recorded(*events), Asked(by, by)).knowledge


def answered(at: str, *events: Event, known_at: str | None = None) -> Json:
    """Ask for the whole state at an instant."""
    asked = Asked(parse_instant(at), LONG_AFTER if known_at is None else parse_instant(known_at))
    return state(NEGOTIATION, recorded(*events), asked)


def listed(answer: Json, name: str) -> list[Json]:
    """Give what an answer, or a row, lists under a name."""
    found = answer[name]
    assert isinstance(found, list)
    return found


def measure(at: str, *events: Event) -> Json:
    """Give the row of the duty at an instant."""
    (row,) = [one for one in listed(answered(at, *events), "measures") if one["component"] == "duty"]
    return row


def track(reading: Reading, *events: Event, product: str = "") -> Track:
    """Give one track of the duty's timeline."""
    timeline = knowing(*events).timeline("duty")
    assert timeline is not None
    return timeline.reading(reading).get(product, ())


def told(segments: Track) -> list[tuple[str, object, str]]:
    """Tell a track in short: from when in UTC, at what rate, in what force."""
    return [(f"{one.from_at:%Y-%m-%dT%H:%MZ}", one.rate, one.force) for one in segments]


def holding(reading: Reading, at: str, *events: Event, product: str = "") -> Segment | None:
    """Give the segment of the duty's timeline that covers an instant."""
    return segment_at(track(reading, *events, product=product), parse_instant(at))


def deadlines(at: str, *events: Event, unit: Unit = Unit("component", "duty")) -> dict[str, Deadline]:  # noqa: B008 -- a value
    """Give the deadlines of the duty, or of another unit, as they stand at an instant."""
    known = knowing(*events)
    return {one.id: one for one in deadlines_of(known, unit, known.unit(unit), parse_instant(at))}


def the_talks(at: str, *events: Event) -> Meeting:
    """Give the talks at the inn as they stand at an instant."""
    known, unit = knowing(*events), Unit("meeting", "inn")
    found = meeting("inn", known.of_unit(unit, known.unit(unit)), parse_instant(at))
    assert found is not None
    return found
