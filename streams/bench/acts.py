"""Acts of the workload: what happens in one negotiation, and how sources tell of it, as JSON documents.

Most acts work on components, four on one as a rule: imposed or threatened, then changed, suspended, extended, ended.
The others set and move deadlines, plan and hold meetings, make and keep promises, name figures, say something.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from schemas.ids import digest

Document = dict[str, Any]
Claim = tuple[str, str, Any, Any]
"""What may be contested of an act: subject, property, the value, another value."""
C = TypeVar("C")

ZONES: Final = {
    "us": "America/New_York", "cn": "Asia/Shanghai", "eu": "Europe/Brussels", "jp": "Asia/Tokyo", "in": "Asia/Kolkata",
    "br": "America/Sao_Paulo", "mx": "America/Mexico_City", "ca": "America/Toronto", "kr": "Asia/Seoul",
    "gb": "Europe/London",
}  # fmt: skip
_INSTRUMENTS: Final = ("tariff", "tariff", "tariff", "export_control", "entity_list", "port_fee")
_RATES: Final = ("2.5", "5", "7.5", "10", "12.5", "15", "20", "25", "30", "34", "50", "84", "100", "125")
_GOODS: Final = ("steel and aluminum", "vehicles and parts", "semiconductors", "soybeans", "ships", "rare earths")
_PLACES: Final = ("Geneva", "London", "Stockholm", "Madrid", "Kuala Lumpur", "Busan")
_WITNESSES: Final = (
    *((f"{place} News Agency", "wire") for place in ("Northern", "Southern", "Eastern", "Western", "Central")),
    *((f"{place} Times", "secondary") for place in ("Coastal", "Island", "Harbour", "River", "Valley")),
    ("Rumours of the Day", "unverified"),
)
_WORDS: Final = (
    "the ministry said on Tuesday that the additional duty on listed goods shall be collected at the border from the"
    " date named in the annex, unless the parties agree otherwise before it, and that exclusions granted earlier stay"
    " as they are until they lapse; importers were told to keep their records and to expect a further notice, officials"
    " added, while talks between the two sides go on and a second round is being prepared for the coming month. "
)
_QUOTES: Final = tuple((_WORDS * 2)[start : start + 300] for start in range(0, len(_WORDS), 7))
_INSTANTS_SHARE: Final = 0.3  # dates that name an hour
_JOINT_SHARE: Final = 0.15  # documents of both sides
_RESTATED_SHARE: Final = 0.4  # witnesses who tell the whole act once more
_AHEAD_SHARE: Final = 0.6  # acts that take effect later
_ENDING_SHARE: Final = 0.3  # impositions that name their end
_DATE_CONTESTED_SHARE: Final = 0.3  # contests of the date, not of the rate
_OPEN_MAX: Final = 50  # so many components of a negotiation are still acted on; the others stay as they are


@dataclass(slots=True)
class Chronicle:
    """One negotiation: what has happened in it so far, as far as later acts depend on it."""

    negotiation: str
    parties: tuple[str, str]
    random: Callable[[], float]
    acts: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    open: dict[str, list[str]] = field(default_factory=dict)

    def pick(self, choices: Sequence[C]) -> C:
        """Return one of the choices."""
        return choices[int(self.random() * len(choices))]

    def thing(self, kind: str, new_share: float) -> tuple[str, bool]:
        """Return the name of a component, deadline, meeting or promise, and whether it is new."""
        known = self.open.setdefault(kind, [])
        if known and self.random() >= new_share:
            return self.pick(known), False
        count = self.counts[kind] = self.counts.get(kind, 0) + 1
        known.append(f"{kind}-{count}")
        del known[:-_OPEN_MAX]
        return known[-1], True

    def definitions(self) -> list[Document]:
        """Return the metrics of the negotiation: the sum of its first components, the count of its rounds."""
        common = {"type": "metric_defined", "negotiation": self.negotiation, "revision": 1}
        terms = [{"component": f"component-{number}"} for number in range(1, 5)]
        formats, group = ["in_person"], "+".join(sorted(self.parties))
        return [
            {
                **common,
                "metric": "additional.collected",
                "unit": "percent",
                "definition": "The duties of the first four components, as collected at the border.",
                "formula": {"kind": "sum_of_rates", "reading": "collected", "terms": terms},
            },
            {
                **common,
                "metric": "meetings.rounds",
                "unit": "count",
                "definition": "Rounds of talks in person that both sides attended.",
                "formula": {
                    "kind": "count_of_meetings",
                    "group": group,
                    "counter": "rounds",
                    "participants": sorted(self.parties),
                    "formats": formats,
                    "kinds": ["round"],
                },
            },
        ]

    def next_act(self, now: datetime) -> "Act":
        """Let the next act happen."""
        self.acts += 1
        issuer = self.pick(self.parties)
        day = {"on": now.date().isoformat(), "zone": ZONES[issuer]}
        common = {
            "negotiation": self.negotiation,
            "act": f"{self.negotiation}.act-{self.acts}",
            "document": {"kind": "instrument", "issuer": self._issuers(issuer), "ref": f"Notice {self.acts}"},
            "announced": day if self.random() >= _INSTANTS_SHARE else {"at": _instant(now), "zone": ZONES[issuer]},
        }
        chance = self.random()
        telling = next(telling for share, telling in _KINDS if chance < share)
        body, claim = telling(self, issuer, now)
        return Act(self, issuer, {**common, **body}, claim)

    def _issuers(self, issuer: str) -> str:
        joint = self.random() < _JOINT_SHARE
        return "+".join(party.upper() for party in self.parties) if joint else issuer.upper()

    def later(self, now: datetime, zone: str, days_min: int, days_max: int) -> Document:
        """Return a day or an instant some days from now."""
        days = days_min + int(self.random() * (days_max - days_min))
        local = now + timedelta(days=days)
        if self.random() < _INSTANTS_SHARE:
            return {"at": _instant(local.replace(hour=5, minute=1)), "zone": zone}
        return {"on": local.date().isoformat(), "zone": zone}


@dataclass(slots=True)
class Act:
    """One act: all that its issuer says of it, and what others may contest."""

    chronicle: Chronicle
    issuer: str
    full: Document
    claim: Claim | None

    def issued(self) -> Document:
        """Return the report that is the issuer's own text."""
        return {**self.full, "source": self._text_of(self.issuer)}

    def witnessed(self) -> Document:
        """Return a report that tells the whole act once more, or only tells of it."""
        if self.chronicle.random() < _RESTATED_SHARE:
            return {**self.full, "source": self._source(*self.chronicle.pick(_WITNESSES))}
        return self.confirmed()

    def confirmed(self) -> Document:
        """Return a report that tells of the act as it was."""
        return self._told(self._source(*self.chronicle.pick(_WITNESSES)), 2)

    def contradicted(self) -> Document:
        """Return a report that has another value; on a joint document it is the other side's own text."""
        if "+" in self.full["document"]["issuer"]:
            return self._told(self._text_of(next(one for one in self.chronicle.parties if one != self.issuer)), 3)
        return self._told(self._source(*self.chronicle.pick(_WITNESSES)), 3)

    def _told(self, source: Document, asserted: int) -> Document:
        report: Document = {name: self.full[name] for name in ("negotiation", "act", "document", "announced")}
        report |= {"type": "act_reported", "source": source}
        if self.claim is not None:
            report["claims"] = [{"subject": self.claim[0], "property": self.claim[1], "value": self.claim[asserted]}]
        return report

    def _text_of(self, party: str) -> Document:
        return {**self._source(f"Government of {party.upper()}", "instrument"), "speaks_as": "issuer"}

    def _source(self, name: str, grade: str) -> Document:
        reports = self.chronicle.counts["report"] = self.chronicle.counts.get("report", 0) + 1
        own_id = f"{self.chronicle.negotiation}.report-{reports}"
        return {"name": name, "grade": grade, "own_id": own_id, "quote": self.chronicle.pick(_QUOTES)}


def report_id(report: Document) -> str:
    """Return the id of a report, as `schemas.ids` has it."""
    return digest("report", report["source"]["name"], report["source"]["own_id"])


def replacement(report: Document) -> Document:
    """Return the report as its source corrects it: in other words."""
    source = report["source"]
    corrected = {**source, "own_id": f"{source['own_id']}/corrected", "quote": source["quote"][::-1]}
    return {**report, "replaces": report_id(report), "source": corrected}


def retraction(report: Document) -> Document:
    """Return how its source takes a report back."""
    source = report["source"]
    taking_back: Document = {name: report[name] for name in ("negotiation", "act", "document", "announced")}
    return {
        **taking_back,
        "type": "report_retracted",
        "report": report_id(report),
        "reason": "an earlier version of this report was wrong",
        "source": {**source, "own_id": f"{source['own_id']}/retracted"},
    }


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _component(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, Claim]:
    name, is_new = story.thing("component", 0.25)
    chance = story.random()
    choices = _FIRST_STAGES if is_new else _LATER_STAGES
    stage = next(stage for share, stage in choices if chance < share)
    zone, rate, other = ZONES[issuer], story.pick(_RATES), story.pick(_RATES)
    number = int(name.removeprefix("component-"))
    body: Document = {
        "type": "component_changed",
        "title": f"{story.negotiation}: {name} {stage}",
        "component": name,
        "measure": f"{issuer.upper()}-ORDER-{number}",
        "imposer": issuer.upper(),
        "origins": [next(party.upper() for party in story.parties if party != issuer)],
        "goods": {"listed": _GOODS[number % len(_GOODS)]} if number % 3 else "all",
        "stage": stage,
        "effective": story.later(now, zone, 1, 60) if story.random() < _AHEAD_SHARE else story.later(now, zone, -5, 0),
        "authority": "Trade Act 1974",
    }
    instrument = _INSTRUMENTS[number % len(_INSTRUMENTS)]
    if instrument != "tariff":
        body["instrument"] = instrument
    if stage == "ended":
        body["ended_how"] = "revoked"
        story.open["component"].remove(name)
    else:
        body["rate"] = rate
    if stage == "suspended":
        body["suspended"] = rate
    if stage in {"suspended", "extended"} or (stage == "imposed" and story.random() < _ENDING_SHARE):
        body |= {"until": story.later(now, zone, 61, 240), "until_kind": "stated"}
    if stage == "ended" or story.random() < _DATE_CONTESTED_SHARE:
        return body, (name, "effective", body["effective"], story.later(now, zone, -5, 60))
    return body, (name, "rate", rate, other)


def _deadline(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, Claim]:
    name, is_new = story.thing("deadline", 0.5)
    stage = "set" if is_new else story.pick(("moved", "moved", "met", "missed", "withdrawn"))
    due, other = (story.later(now, ZONES[issuer], 5, 120) for _ in range(2))
    body = {"type": "deadline_changed", "deadline": name, "kind": "promise", "stage": stage, "what": "purchases end"}
    return body | {"due": due}, (name, "due", due, other)


def _meeting(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, Claim]:
    name, is_new = story.thing("meeting", 0.5)
    number = int(name.removeprefix("meeting-"))
    first_day, other = ({"on": (now + timedelta(days=n)).date().isoformat(), "zone": ZONES[issuer]} for n in (3, 4))
    body: Document = {
        "type": "meeting_changed",
        "meeting": name,
        "stage": "planned" if is_new else story.pick(("held", "held", "postponed", "cancelled")),
        "format": "in_person",
        "kind": ("round", "bilateral", "other")[number % 3],
        "first_day": first_day,
        "place": story.pick(_PLACES),
        "participants": [{"id": party, "name": f"Minister of {party.upper()}"} for party in story.parties],
    }
    return body, (name, "first_day", first_day, other)


def _commitment(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, None]:
    name, is_new = story.thing("commitment", 0.5)
    body: Document = {
        "type": "commitment_changed",
        "commitment": name,
        "stage": "made" if is_new else story.pick(("fulfilled", "broken", "withdrawn")),
        "promisor": issuer.upper(),
        "what": "purchases of soybeans",
        "quantity": "12",
        "unit": "million tonnes",
        "due": story.later(now, ZONES[issuer], 30, 300),
    }
    return body, None


def _figure(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, None]:
    body = {"type": "figure_claimed", "metric": "additional.collected", "value": story.pick(_RATES), "unit": "percent"}
    return body | {"by": f"Office of {issuer.upper()}", "about": now.date().isoformat()}, None


def _statement(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, None]:
    says = f"{issuer.upper()} and the other side of {story.negotiation} spoke on {now.date().isoformat()}"
    return {"type": "statement_made", "says": says}, None


_FIRST_STAGES: Final = ((0.1, "threatened"), (0.2, "announced"), (1.0, "imposed"))
_LATER_STAGES: Final = ((0.5, "changed"), (0.65, "suspended"), (0.8, "extended"), (0.85, "exempted"), (1.0, "ended"))
_Telling = Callable[[Chronicle, str, datetime], tuple[Document, Claim | None]]
_KINDS: Final[tuple[tuple[float, _Telling], ...]] = (
    (0.70, _component),
    (0.78, _deadline),
    (0.85, _meeting),
    (0.92, _commitment),
    (0.97, _figure),
    (1.00, _statement),
)
