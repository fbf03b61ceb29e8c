"""What reports say in words and numbers without moving anything: figures, statements, quotations, searches.

Each is told with whose word it is and how good a witness that is; original wordings stand beside their translations.
"""

from collections.abc import Sequence
from typing import Final

from ledger.bounding import InAll
from ledger.reports import Entry
from ledger.rows import claimed_value
from schemas.changes import Json
from schemas.events import FigureClaimed, NoneFound, Report, StatementMade
from schemas.times import when_text

SAID_SHOWN_MAX: Final = 100


def figures(entries: Sequence[Entry]) -> list[Json]:
    """Return the numbers that somebody claims."""
    return [
        {
            "metric": event.metric,
            "value": claimed_value(event.value),
            "unit": event.unit,
            "by": event.by,
            "about": event.about,
            "acts": list(dict.fromkeys([event.act, *event.acts])),
            "grade": event.source.grade,
            "report": entry.id,
        }
        for entry in entries
        if isinstance(event := entry.event, FigureClaimed)
    ]


def said(entries: Sequence[Entry], in_all: InAll) -> Json:
    """Return the latest statements, quotations and searches; `in_all` is told of how many these are."""
    statements = [entry for entry in entries if isinstance(entry.event, StatementMade)]
    quoted = [entry for entry in entries if entry.event.source.quote or entry.event.source.original]
    searches = [entry for entry in entries if isinstance(entry.event, NoneFound)]
    return {
        "statements": [_statement(one) for one in in_all.last("statements", statements, SAID_SHOWN_MAX)],
        "quotes": [_said_by(one) | _worded(one.event) for one in in_all.last("quotes", quoted, SAID_SHOWN_MAX)],
        "searches": [_search(one) for one in in_all.last("searches", searches, SAID_SHOWN_MAX)],
    }


def _said_by(entry: Entry) -> Json:
    event = entry.event
    return {
        "act": event.act,
        "announced": when_text(event.announced),
        "issuer": event.document.issuer,
        "source": event.source.name,
        "grade": event.source.grade,
        "report": entry.id,
    }


def _worded(event: Report) -> Json:
    source = event.source
    return {
        "quote": source.quote,
        "lang": source.lang,
        "original": source.original,
        "translator": source.translator,
    }


def _statement(entry: Entry) -> Json:
    event = entry.event
    assert isinstance(event, StatementMade)  # noqa: S101 -- chosen so
    return {"says": event.says, "about": list(event.about)} | _said_by(entry) | _worded(event)


def _search(entry: Entry) -> Json:
    event = entry.event
    assert isinstance(event, NoneFound)  # noqa: S101 -- chosen so
    told: Json = {"what": event.what, "searched": list(event.searched), "through": event.through.isoformat()}
    return told | {"result": event.result} | _said_by(entry)
