"""Who issues what: the name and zone of an act's issuer, and the document that its reports speak of."""

import re
from collections.abc import Mapping
from typing import Final

from schemas.provenance import Document, DocumentKind, Grade, Source
from streams.demo.convert.corpus import ActLine
from streams.demo.convert.gatherings import GATHERINGS
from streams.demo.convert.printed import zone_of

PARTY_NAMES: Final[Mapping[str, str]] = {
    "US": "United States government",
    "CN": "Government of the PRC",
    "US+CN": "United States and PRC governments",
    "PIIE": "PIIE",
    "NOTE": "public log",
    "PRIVATE": "Plaintiffs at the US Court of International Trade",
}
TRADE_COURT: Final = "US Court of International Trade"
FEDERAL_CIRCUIT: Final = "US Court of Appeals for the Federal Circuit"
SUPREME_COURT: Final = "Supreme Court of the United States"
COURTS: Final[Mapping[str, str]] = {
    "A061": TRADE_COURT,
    "A122": SUPREME_COURT,
    "A135": TRADE_COURT,
    "A136": FEDERAL_CIRCUIT,
    "A166": FEDERAL_CIRCUIT,
}

TOLD_BY_WASHINGTON: Final = frozenset({"A099", "A100", "A119", "A139", "A175"})
"""Chinese promises that are known from American documents."""

KIND_BY_ACT: Final[Mapping[str, DocumentKind]] = {
    "A051": "official-statement",
    "A065": "remark",
    "A069": "official-statement",
    "A070": "official-statement",
    "A082": "official-statement",
    "A096": "official-statement",
    "A098": "remark",
    "A114": "remark",
    "A119": "remark",
    "A120": "official-statement",
    "A124": "operational-notice",
    "A150": "remark",
    "A157": "remark",
    "A170": "official-statement",
    "A174": "official-statement",
    "A175": "official-statement",
    "A178": "remark",
}
KIND_BY_INSTRUMENT: Final[Mapping[str, DocumentKind]] = {
    "agreement": "official-statement",
    "call": "official-statement",
    "commitment": "official-statement",
    "meeting": "official-statement",
    "purchase_commitment": "official-statement",
    "report": "remark",
    "source_correction": "remark",
    "statement": "official-statement",
}

_NUMBER_OF_ORDER: Final = re.compile(r"\bEO \d+")
_NUMBER_OF_NOTICE: Final = re.compile(r" Announcement No\. \d+ of \d{4}")
_NO_AUTHORITY: Final = "none yet"


def issuer_of(act: ActLine) -> str:
    """Return the party whose document an act is known from."""
    if act.id in TOLD_BY_WASHINGTON:
        return "US"
    return act.imposer or "NOTE"


def kind_of(act: ActLine) -> DocumentKind:
    """Return what kind of document an act is known from."""
    if act.id in KIND_BY_ACT:
        return KIND_BY_ACT[act.id]
    if act.event_kind == "announce_threat":
        return "remark"
    return KIND_BY_INSTRUMENT.get(act.instrument_type, "instrument")


def authority_of(act: ActLine) -> str | None:
    """Return the law that an act rests on; a number that no source carries is left out."""
    if act.legal_authority is None or act.legal_authority == _NO_AUTHORITY:
        return None
    if "legal_authority" not in act.unsourced_fields:
        return act.legal_authority
    return _NUMBER_OF_NOTICE.sub(" announcement", _NUMBER_OF_ORDER.sub("executive order", act.legal_authority))


def document(act: ActLine, *, issuer: str | None = None, kind: DocumentKind | None = None) -> Document:
    """Return the document that the reports of an act speak of."""
    refs = () if "instrument_refs" in act.unsourced_fields else act.instrument_refs
    return Document(kind=kind or kind_of(act), issuer=issuer or issuer_of(act), ref=next(iter(refs), None), refs=refs)


def own_source(act: ActLine, of: str, *, issuer: str | None = None, grade: Grade | None = None) -> Source:
    """Return the issuer as witness of its own act. Its text was seen only where a source is that text.

    grade: where it is not that of the act's best source
    """
    party = issuer or issuer_of(act)
    seen = any(source.grade == "instrument" and not source.cited for source in act.sources)
    return Source(
        name=COURTS.get(act.id) or PARTY_NAMES[party],
        own_id=f"{act.id}/own/{of}",
        grade=grade or act.best_grade,
        speaks_as="issuer",
        basis="seen" if seen and grade is None else "assumed",
    )


def zone(act: ActLine) -> str:
    """Return the zone in which an act's document is dated: in that of the place where both meet, once they do."""
    issuer, meeting = issuer_of(act), GATHERINGS.get(act.id)
    if issuer != "US+CN" or meeting is None:
        return zone_of(issuer)
    first_day = meeting.days[0] if meeting.days is not None else act.effective
    return meeting.zone if first_day is not None and act.announced >= first_day else zone_of(issuer)
