"""What an issuer says that changes nothing by itself, and what somebody searched for and did not find."""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from schemas.events import NoneFound, StatementMade
from schemas.provenance import Document, Published, Source
from streams.demo.convert.corpus import ActLine
from streams.demo.convert.issuers import document, own_source
from streams.demo.convert.printed import DATA_THROUGH, WASHINGTON, when
from streams.demo.convert.telling import Telling

STATEMENTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "A051": (),
        "A065": (),
        "A098": (),
        "A127": ("CN-T-2025-4",),
        "A144": ("AGR-30-30",),
        "A153": ("TRUCE-KL",),
        "A157": ("AGR-30-30",),
        "A172": (),
        "A173": ("CN-EC-55-62-2025",),
    }
)
"""Acts that only say something, with the measures that they speak about."""

SEARCHED: Final = "A156"
COVERAGE_ACT: Final = f"coverage-{DATA_THROUGH.isoformat()}"


def own_reports(telling: Telling, act: ActLine) -> Iterator[StatementMade | NoneFound]:
    """Give the issuer's statement, or the report of the search."""
    if act.id in STATEMENTS:
        yield StatementMade(
            negotiation=telling.negotiation,
            act=telling.act_id(act.id),
            title=telling.title(act.id),
            source=own_source(act, "statement"),
            document=document(act),
            announced=telling.announced(act.id),
            says=telling.title(act.id),
            about=STATEMENTS[act.id],
        )
    if act.id == SEARCHED:
        yield NoneFound(
            negotiation=telling.negotiation,
            act=telling.act_id(act.id),
            title=telling.title(act.id),
            source=own_source(act, "search"),
            document=document(act),
            announced=telling.announced(act.id),
            what="a US or MOFCOM instrument that extends the truce past 10 November 2026",
            searched=(
                "Federal Register",
                "White House",
                "MOFCOM",
                "State Council Tariff Commission: its site did not answer",
            ),
            through=date(2026, 9, 30),
            result="partial",
        )


def coverage(telling: Telling) -> NoneFound:
    """Return the last event of the history: where it ends, and that nothing later is in it."""
    return NoneFound(
        negotiation=telling.negotiation,
        act=COVERAGE_ACT,
        title="The shipped history ends here: acts after this day are not in it",
        source=Source(
            name="Parley, shipped history",
            own_id=COVERAGE_ACT,
            grade="secondary",
            published=Published(on=DATA_THROUGH, zone=WASHINGTON),
        ),
        document=Document(kind="remark", issuer="PARLEY"),
        announced=when(DATA_THROUGH.isoformat(), WASHINGTON),
        what="acts after this day are not in this history",
        searched=(
            "acts of both governments, their courts and agencies, 2018 to 9 October 2026",
            "claims that others made about them, in the press, by law firms, trackers and public notes",
        ),
        through=DATA_THROUGH,
        result="not_found",
    )
