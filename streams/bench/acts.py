"""Negotiations of the workload and how sources tell of the acts in them, as JSON documents."""

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
_OPEN_MAX: Final = 50  # so many components of a negotiation are still acted on; the others stay as they are


def instant_text(moment: datetime) -> str:
    """Write an instant as canonical bytes have it."""
    return moment.isoformat().replace("+00:00", "Z")


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

    def issuers(self, issuer: str) -> str:
        """Return who issues a document: one party, or both."""
        joint = self.random() < _JOINT_SHARE
        return "+".join(party.upper() for party in self.parties) if joint else issuer.upper()

    def later(self, now: datetime, zone: str, days_min: int, days_max: int) -> Document:
        """Return a day or an instant some days from now."""
        days = days_min + int(self.random() * (days_max - days_min))
        local = now + timedelta(days=days)
        if self.random() < _INSTANTS_SHARE:
            return {"at": instant_text(local.replace(hour=5, minute=1)), "zone": zone}
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
