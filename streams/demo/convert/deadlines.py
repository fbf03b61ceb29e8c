"""Dates that no component carries: hearings, comments, promises, rises to come. Set, moved, met, withdrawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from schemas.events import DeadlineChanged
from schemas.times import Basis
from streams.demo.convert.corpus import ActLine
from streams.demo.convert.issuers import document, own_source, zone
from streams.demo.convert.printed import when
from streams.demo.convert.telling import Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What an act does to one date."""

    deadline: str
    kind: Literal["lapse", "start", "threat", "promise", "procedure"]
    stage: Literal["set", "moved", "met", "withdrawn"] = "set"
    due: str | None = None
    basis: Basis = "stated"
    what: str | None = None
    on_lapse: str | None = None
    component: str | None = None


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
        "A119": (Due(deadline="soybeans_12mt.due", kind="promise", stage="met"),),
        "A129": (
            _comments("us_301_excesscap.comments", "2026-04-15", "comments on structural excess capacity"),
            _comments("us_301_excesscap.hearing", "2026-05-05", "hearings on structural excess capacity, 5-8 May"),
            Due(
                deadline="us_301_excesscap.conclusion",
                kind="promise",
                due="2026-07-24",
                what="Greer aims to conclude the excess-capacity investigation before 24 July",
            ),
        ),
        "A130": (_comments("us_301_fl.hearing", "2026-04-28", "hearing on forced-labor import bans"),),
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
        ),
        "A141": (
            _comments("us_301_fl.duties_comments", "2026-07-06", "comments on the proposed forced-labor duties"),
            _comments("us_301_fl.duties_hearing", "2026-07-07", "hearing on the proposed forced-labor duties"),
        ),
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
            act=telling.act_id(act.id),
            title=telling.title(act.id),
            source=own_source(act, one.deadline),
            document=document(act),
            announced=telling.announced(act.id),
            deadline=one.deadline,
            kind=one.kind,
            stage=one.stage,
            due=when(one.due, zone(act), basis=one.basis) if one.due is not None else None,
            what=one.what,
            on_lapse=one.on_lapse,
            component=one.component,
        )
