"""Dates that no component carries: hearings, comments, promises, rises to come. Set, moved, met, withdrawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from schemas.events import DeadlineChanged
from schemas.provenance import DocumentKind, Grade
from schemas.times import Basis, When
from streams.demo.convert.corpus import ActLine
from streams.demo.convert.issuers import document, own_source, zone
from streams.demo.convert.printed import WASHINGTON, when
from streams.demo.convert.telling import Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What an act does to one date.

    act, title, announced: where a record of the corpus tells of one act more
    spoken_in, grade: the kind of its document and how good its witness is, where no source of the record carries it
    """

    deadline: str
    kind: Literal["lapse", "start", "threat", "promise", "procedure"]
    stage: Literal["set", "moved", "met", "missed", "withdrawn"] = "set"
    due: str | None = None
    basis: Basis = "stated"
    what: str | None = None
    on_lapse: str | None = None
    component: str | None = None
    act: str | None = None
    title: str | None = None
    announced: When | None = None
    spoken_in: DocumentKind | None = None
    grade: Grade | None = None


def _outcome(
    deadline: str,
    stage: Literal["met", "missed"],
    *,
    on: str,
    act: str,
    title: str,
    kind: Literal["promise", "procedure"] = "procedure",
) -> Due:
    """Return what became of a date on that very day, in an act of its own: no source carries it."""
    return Due(
        deadline=deadline,
        kind=kind,
        stage=stage,
        act=act,
        title=title,
        announced=when(on, WASHINGTON, basis="inferred"),
        spoken_in="remark",
        grade="unverified",
    )


def _flat_fee(stage: Literal["set", "withdrawn"], dollars: str | None = None) -> Due:
    return Due(
        deadline="de_minimis_postal.flat_fee_rise",
        kind="start",
        stage=stage,
        due="2025-06-01" if dollars else None,
        what=f"flat fee rises to ${dollars} per postal item" if dollars else None,
        component="de_minimis_postal",
    )


def _truce_end() -> Due:
    return Due(
        deadline="kl_truce.end",
        kind="promise",
        due="2027-01-10",
        what="end of the Kuala Lumpur arrangement as extended in words, without an instrument",
        component="kl_truce",
    )


def _comments(deadline: str, due: str, what: str) -> Due:
    return Due(deadline=deadline, kind="procedure", due=due, what=what)


def _soybeans(year: int) -> Due:
    return Due(
        deadline=f"soybeans_25mt_{year}.due",
        kind="promise",
        due=f"{year}-12-31",
        what=f"25 Mt of US soybeans in {year}",
    )


DUES: Final[Mapping[str, tuple[Due, ...]]] = MappingProxyType(
    {
        "A007": (
            Due(
                deadline="s301_l3.rise_to_25",
                kind="start",
                due="2019-01-01",
                what="List 3 rises from 10% to 25%",
                component="s301_l3",
            ),
        ),
        "A009": (
            Due(
                deadline="s301_l3.rise_to_25",
                kind="start",
                stage="moved",
                due="2019-03-01",
                component="s301_l3",
            ),
        ),
        "A010": (
            Due(
                deadline="s301_l3.rise_to_25",
                kind="start",
                stage="met",
                due="2019-05-10",
                component="s301_l3",
            ),
        ),
        "A041": (
            Due(
                deadline="us_reciprocal_50.answer",
                kind="threat",
                due="2025-04-08",
                what="China to withdraw its 34%",
                on_lapse="an extra 50 points on all Chinese goods",
                component="ieepa_reciprocal",
            ),
        ),
        "A042": (Due(deadline="us_reciprocal_50.answer", kind="threat", stage="missed", component="ieepa_reciprocal"),),
        "A048": (_flat_fee("set", "50"),),
        "A050": (_flat_fee("set", "200"),),
        "A059": (_flat_fee("withdrawn"),),
        "A081": (
            Due(
                deadline="cn_ad_analog.end",
                kind="procedure",
                due="2026-09-13",
                basis="computed",
                what="anti-dumping probe of US analog chips runs about one year",
            ),
        ),
        "A096": (
            _comments("us_301_phase1.comments", "2025-12-01", "comments on China's implementation of Phase One"),
            _comments("us_301_phase1.hearing", "2025-12-16", "hearing on China's implementation of Phase One"),
            Due(
                deadline="us_301_phase1.term",
                kind="procedure",
                due="2026-10-24",
                basis="inferred",
                what="twelve months for a determination on China's implementation of Phase One",
            ),
            _outcome(
                "us_301_phase1.comments",
                "met",
                on="2025-12-01",
                act="A096-comments-on-phase-one-closed",
                title="Comments on China's implementation of Phase One closed",
            ),
        ),
        "A100": (
            Due(
                deadline="soybeans_12mt.due",
                kind="promise",
                due="2025-12-31",
                what="12 Mt of US soybeans in the last two months of 2025",
            ),
            *(_soybeans(year) for year in (2026, 2027, 2028)),
        ),
        "A115": (
            Due(
                deadline="s301_semi_2025.rise",
                kind="start",
                due="2027-06-23",
                what="section 301 duty on Chinese legacy chips rises from 0%",
                on_lapse="the rate rises from 0; its level is to be announced at least 30 days before",
                component="s301_semi_2025",
            ),
        ),
        "A119": (Due(deadline="soybeans_12mt.due", kind="promise", stage="missed"),),
        "A129": (
            _comments("us_301_excesscap.comments", "2026-04-15", "comments on structural excess capacity"),
            _comments("us_301_excesscap.hearing", "2026-05-05", "hearings on structural excess capacity, 5-8 May"),
            Due(
                deadline="us_301_excesscap.conclusion",
                kind="promise",
                due="2026-07-24",
                what="Greer aims to conclude the excess-capacity investigation before 24 July",
            ),
            _outcome(
                "us_301_excesscap.conclusion",
                "missed",
                on="2026-07-24",
                act="A129-excess-capacity-investigation-not-concluded",
                title="The excess-capacity investigation is not concluded by 24 July",
                kind="promise",
            ),
        ),
        "A130": (
            _comments("us_301_fl.hearing", "2026-04-28", "hearing on forced-labor import bans"),
            _outcome(
                "us_301_fl.hearing",
                "met",
                on="2026-04-28",
                act="A130-hearing-on-forced-labor-held",
                title="Hearing on forced-labor import bans held",
            ),
        ),
        "A132": (
            Due(
                deadline="cn_tb_2026.term",
                kind="procedure",
                due="2026-09-27",
                basis="computed",
                what="trade-barrier investigations run six months, extendable by three",
            ),
        ),
        "A140": (
            _comments("us_bot.comments", "2026-07-10", "comments on the Board of Trade"),
            _comments("us_bot.rebuttals", "2026-07-27", "rebuttals on the Board of Trade"),
            _outcome(
                "us_bot.comments",
                "met",
                on="2026-07-10",
                act="A140-comments-on-the-board-of-trade-closed",
                title="Comments on the Board of Trade closed",
            ),
        ),
        "A141": (
            _comments("us_301_fl.duties_comments", "2026-07-06", "comments on the proposed forced-labor duties"),
            _comments("us_301_fl.duties_hearing", "2026-07-07", "hearing on the proposed forced-labor duties"),
        ),
        "A145": (Due(deadline="us_301_fl.duties_comments", kind="procedure", stage="met"),),
        "A148": (
            Due(
                deadline="us_rus_secondary.powers",
                kind="start",
                due="2026-10-18",
                what="powers to put tariffs of up to 100% on top buyers of Russian energy become usable",
                component="us_rus_secondary",
            ),
        ),
        "A150": (_truce_end(),),
        "A154": (_truce_end(),),
        "A159": (
            Due(
                deadline="ai_dialogue",
                kind="promise",
                due="2026-11-30",
                what="next AI dialogue to be held before the end of November 2026",
            ),
        ),
    }
)
"""Dates by act."""


def own_reports(telling: Telling, act: ActLine) -> Iterator[DeadlineChanged]:
    """Give the issuer's report of each date that an act sets, moves, meets or withdraws."""
    for one in DUES.get(act.id, ()):
        yield DeadlineChanged(
            negotiation=telling.negotiation,
            act=one.act or telling.act_id(act.id),
            title=one.title or telling.title(act.id),
            source=own_source(act, f"{one.deadline}/{one.stage}" if one.act else one.deadline, grade=one.grade),
            document=document(act, kind=one.spoken_in),
            announced=one.announced or telling.announced(act.id),
            deadline=one.deadline,
            kind=one.kind,
            stage=one.stage,
            due=when(one.due, zone(act), basis=one.basis) if one.due is not None else None,
            what=one.what,
            on_lapse=one.on_lapse,
            component=one.component,
        )
