"""Rows of proceedings and commitments: what has come of them, in the shape of a measure that collects nothing."""

from collections.abc import Sequence
from datetime import datetime

from ledger.bounding import InAll, bounded
from ledger.matters import last_commitment, last_proceeding, steps
from ledger.reports import Entry, made_at
from ledger.rows import refs_of, utc_text
from schemas.changes import Json
from schemas.events import ProceedingChanged
from schemas.times import when_text


def proceeding_row(name: str, reports: Sequence[Entry], instant: datetime) -> Json | None:
    """Return the row of an investigation or court case, in the shape of a measure: by itself it collects nothing."""
    found = steps(reports, instant)
    last = last_proceeding(found)
    if last is None:
        return None
    ruled = next((s.lead.event for s in reversed(found) if _is_ruling(s.lead.event)), None)
    in_all = InAll()
    row: Json = {
        "schema": "parley.proceeding/1",
        "component": f"proceeding/{name}",
        "proceeding": name,
        "measure": last.measure,
        "title": last.title,
        "instrument": last.kind,
        "imposer": last.document.issuer,
        "target": None,
        "origins": [],
        "forum": last.forum,
        "force": last.stage,
        "since": utc_text(made_at(last)),
        "since_printed": when_text(last.announced),
        "until": None,
        "until_kind": "none_stated",
        "lawful": False,
        "collected": False,
        "scope": {"goods": None},
        "authority": last.document.ref,
        "refs": refs_of(last.document, in_all),
        "holding": ruled.holding if isinstance(ruled, ProceedingChanged) else None,
        "effect": ruled.effect if isinstance(ruled, ProceedingChanged) else None,
        "on_components": list(last.on_components),
        "rate": None,
        "suspended": None,
        "on_lapse": None,
        "status": found[-1].status,
        "acts": [step.act for step in in_all.last("acts", found)],
    }
    return bounded(row, in_all)


def _is_ruling(event: object) -> bool:
    return isinstance(event, ProceedingChanged) and event.stage == "ruled"


def commitment_row(name: str, reports: Sequence[Entry], instant: datetime) -> Json | None:
    """Return the row of a promise, among the measures."""
    found = steps(reports, instant)
    last = last_commitment(found)
    if last is None:
        return None
    in_all = InAll()
    row: Json = {
        "schema": "parley.commitment/1",
        "component": f"commitment/{name}",
        "commitment": name,
        "title": last.title,
        "instrument": "commitment",
        "imposer": last.promisor,
        "beneficiary": last.beneficiary,
        "force": last.stage,
        "what": last.what,
        "quantity": last.quantity,
        "unit": last.unit,
        "due": when_text(last.due) if last.due is not None else None,
        "rate": None,
        "on_the_word_of": found[-1].lead.event.source.name,
        "status": found[-1].status,
        "acts": [step.act for step in in_all.last("acts", found)],
    }
    return bounded(row, in_all)
