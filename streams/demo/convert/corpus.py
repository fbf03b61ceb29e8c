"""The corpus as it is read: its fields that may be told, and no others.

What the corpus knew only later (what became of an act, whether a claim was right, why, how sure) has no field here, so
that it cannot be passed on.
"""

from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.provenance import Grade
from schemas.rates import RateRange, Unit

UNSOURCED: Final = "unsourced"
"""The title that stands for "no source"."""


class CorpusLine(BaseModel):
    """One record of the corpus: what is not named here is not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RateLine(CorpusLine):
    """What an act does to the rate of one component, on all its goods or on one product group."""

    component: str
    product_scope: str | None
    after_pct: str | RateRange | None
    suspended_pp: str | None = None
    specific_usd: str | None = None
    proposed_pct: str | None = None
    announced_pct: str | None = None
    announced_specific_usd: str | None = None


class SourceLine(CorpusLine):
    """A publication that tells of an act."""

    title: str
    publisher: str | None
    url: str | None
    grade: Grade
    published: date | None = None
    cited: bool = False


class DateSet(CorpusLine):
    """A date that an act sets."""

    what: str
    due: str = Field(alias="date")


class ActLine(CorpusLine):
    """One act. Times are texts: a day, or an instant with offset."""

    id: str
    announced: str
    effective: str | None
    effective_tz: str | None
    end: str | None
    end_basis: str | None
    title: str
    event_kind: str
    imposer: str | None
    target: str | None
    instrument_type: str
    measure_id: str | None
    legal_authority: str | None
    instrument_refs: tuple[str, ...]
    rate: tuple[RateLine, ...]
    scope: str | None
    stacking: str | None
    contingent_on: str | None
    supersedes: tuple[str, ...]
    deadline_set: DateSet | None
    participants: tuple[str, ...]
    place: str | None
    sources: tuple[SourceLine, ...]
    best_grade: Grade
    unsourced_fields: tuple[str, ...]


class ClaimLine(CorpusLine):
    """One figure, date, count or word that somebody named."""

    id: str
    claim: str
    metric: str
    value: str
    unit: Unit
    by: str
    said_on: str | None
    about: str | None
    grade: Grade
    acts: tuple[str, ...]


class Corpus(CorpusLine):
    """The acts and the claims, by id, in the order of their files."""

    acts: dict[str, ActLine]
    claims: dict[str, ClaimLine]


def read(folder: Path) -> Corpus:
    """Read the corpus from its folder. Raises pydantic's ValidationError that names the field of a bad record."""
    acts = [ActLine.model_validate_json(line) for line in _lines(folder / "acts.jsonl")]
    claims = [ClaimLine.model_validate_json(line) for line in _lines(folder / "claims.jsonl")]
    return Corpus(acts={act.id: act for act in acts}, claims={claim.id: claim for claim in claims})


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
