"""On whose word: every act that an answer may name, with the document it is and the sources that tell of it."""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from ledger.bounding import SHOWN_MAX, InAll
from ledger.knowledge import Knowledge
from ledger.reports import Entry, by_act, takes_back
from ledger.resolution import rank, witnessed
from ledger.rows import utc_text
from schemas.changes import Json
from schemas.events import ComponentChanged, ReportRetracted
from schemas.provenance import Document
from schemas.times import when_text

ACTS_SHOWN_MAX: Final = 1_000
_OF_A_SOURCE: Final = ("source", "grade", "speaks_as", "basis", "public_at", "public_basis", "url")


def acts_told(
    knowledge: Knowledge, entries: Sequence[Entry], at: datetime, named: Container[object], in_all: InAll
) -> list[Json]:
    """Return the latest acts made by an instant, in the order in which they became public.

    entries: every report there is, in order, also those that were taken back
    named: acts that rows name, also where they were made later and reach back
    in_all: is told of how many acts these are
    """
    made = by_act(entry for entry in entries if entry.made_at <= at or entry.event.act in named)
    by = {(name, one.event.source.name): one for one in entries for name in takes_back(one.event)}
    latest = in_all.last("acts", list(made.items()), ACTS_SHOWN_MAX)
    return [_act(knowledge, name, reports, by) for name, reports in latest]


def _act(knowledge: Knowledge, name: str, reports: Sequence[Entry], by: Mapping[tuple[str, str], Entry]) -> Json:
    standing = [entry for entry in reports if knowledge.stands(entry)]
    witnesses = sorted(standing or reports, key=lambda entry: rank(entry, None), reverse=True)
    lead = witnesses[0].event
    told: Json = {
        "act": name,
        "title": next((one.event.title for one in witnesses if one.event.title), None),
        "announced": when_text(lead.announced),
        "public_at": utc_text(min(entry.public_at for entry in reports)),
        "document": _document(lead.document),
        "status": witnessed(standing) if standing else "taken_back",
        "reports": len(standing),
        "sources": _sources(witnesses) if standing else [],
    }
    if superseded := _superseded(standing):
        told["supersedes"] = superseded
    if back := [_taken_back(one, by[one.id, one.event.source.name]) for one in reports if not knowledge.stands(one)]:
        told["taken_back"] = back[-SHOWN_MAX:]
    return told


def _document(document: Document) -> Json:
    refs = dict.fromkeys([*([document.ref] if document.ref else []), *document.refs])
    return {"kind": document.kind, "issuer": document.issuer, "refs": list(refs)[:SHOWN_MAX]}


def _sources(witnesses: Iterable[Entry]) -> list[Json]:
    """Return the witnesses, the best first; what one has reported in several parts counts once."""
    found: dict[tuple[object, ...], list[str]] = {}
    for entry in witnesses:
        source = entry.event.source
        told = (source.name, source.grade, source.speaks_as, source.basis, utc_text(entry.public_at))
        found.setdefault((*told, entry.public_basis, source.url), []).append(entry.id)
    return [
        {**dict(zip(_OF_A_SOURCE, told, strict=True)), "reports": ids[:SHOWN_MAX]}
        for told, ids in list(found.items())[:SHOWN_MAX]
    ]


def _superseded(reports: Iterable[Entry]) -> list[str]:
    names = [one for entry in reports if isinstance(event := entry.event, ComponentChanged) for one in event.supersedes]
    return list(dict.fromkeys(names))[:SHOWN_MAX]


def _taken_back(entry: Entry, by: Entry) -> Json:
    why = by.event.reason if isinstance(by.event, ReportRetracted) else None
    return {"source": entry.event.source.name, "report": entry.id, "by": by.id, "reason": why}
