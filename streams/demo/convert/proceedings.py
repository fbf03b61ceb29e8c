"""Investigations and court cases: opened, filed, ruled, stayed, suspended; and promises to end them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from schemas.events import ProceedingChanged
from schemas.provenance import Grade
from schemas.times import When
from streams.demo.convert.corpus import ActLine
from streams.demo.convert.issuers import COURTS, FEDERAL_CIRCUIT, TRADE_COURT, document, own_source, zone
from streams.demo.convert.printed import BEIJING, when
from streams.demo.convert.telling import Telling

IEEPA_DUTIES: Final = ("ieepa_fentanyl", "ieepa_reciprocal")
CHIP_PROBES: Final = ("cn_aml_qualcomm", "cn_aml_nvidia", "cn_ad_analog", "cn_antidisc_chips")
"""The Chinese investigations of US chip firms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of one proceeding. What is not set is as the corpus gives it for the act.

    act: its id, where a record of the corpus tells of one act more
    suffix: tells its report from another one of the same record
    grade: how good its witness is, where no source of the record carries it
    """

    proceeding: str
    stage: Literal["opened", "filed", "step", "ruled", "stayed", "suspended", "promised_end"]
    measure: str | None = None
    kind: Literal["investigation", "court"] = "investigation"
    title: str | None = None
    announced: When | None = None
    act: str | None = None
    suffix: str = ""
    grade: Grade | None = None
    forum: str | None = None
    holding: Literal["unlawful", "lawful", "not_on_merits"] | None = None
    effect: Literal["final", "stayed", "parties_only"] | None = None
    on_components: tuple[str, ...] = ()
    takes_effect: bool = False


def _ruled(proceeding: str, effect: Literal["final", "stayed", "parties_only"], *components: str) -> Step:
    return Step(
        proceeding=proceeding,
        stage="ruled",
        kind="court",
        holding="unlawful",
        effect=effect,
        on_components=components,
        takes_effect=True,
    )


def _opened(proceeding: str, measure: str | None = None, title: str | None = None) -> Step:
    return Step(proceeding=proceeding, stage="opened", measure=measure, title=title)


STEPS: Final[Mapping[str, tuple[Step, ...]]] = MappingProxyType(
    {
        "A001": (
            Step(
                proceeding="us_301_tech_transfer",
                stage="ruled",
                measure="US-301-TECH-TRANSFER",
                title="USTR acts in its section 301 investigation of technology transfer: List 1",
            ),
        ),
        "A022": (_opened("us_301_semi"),),
        "A028": (_opened("cn_aml_google", "CN-AML-GOOGLE", "China opens antitrust probe of Google"),),
        "A040": (
            _opened("cn_aml_dupont", "CN-AML-DUPONT", "China opens antitrust probe of DuPont"),
            _opened("cn_ad_ct_tubes", "CN-AD-CT-TUBES", "China opens anti-dumping probe of medical CT X-ray tubes"),
        ),
        "A061": (_ruled("lit_ieepa", "stayed", *IEEPA_DUTIES),),
        "A070": (Step(proceeding="cn_aml_dupont", stage="suspended"),),
        "A081": (
            _opened("cn_ad_analog"),
            _opened("cn_antidisc_chips", "CN-ANTIDISC-CHIPS"),
        ),
        "A082": (
            Step(
                proceeding="cn_aml_nvidia",
                stage="opened",
                title="China opens antitrust probe of Nvidia",
                announced=when("2024-12", BEIJING, basis="inferred"),
                act="A082-china-opens-antitrust-probe-of-nvidia",
                suffix="opened",
                grade="unverified",
            ),
            Step(proceeding="cn_aml_nvidia", stage="step"),
        ),
        "A090": (
            Step(
                proceeding="cn_aml_qualcomm",
                stage="opened",
                measure="CN-AML-QUALCOMM",
                title="China opens antitrust probe of Qualcomm over Autotalks",
                announced=when("2025-10-10", BEIJING, basis="inferred"),
            ),
        ),
        "A096": (_opened("us_301_phase1"),),
        "A115": (Step(proceeding="us_301_semi", stage="ruled"),),
        "A122": (_ruled("lit_ieepa", "final", *IEEPA_DUTIES),),
        "A129": (_opened("us_301_excesscap"),),
        "A130": (_opened("us_301_fl"),),
        "A132": (
            _opened("cn_tb_2026_supply_chains"),
            _opened("cn_tb_2026_green_products"),
        ),
        "A135": (_ruled("lit_122", "parties_only", "s122"),),
        "A136": (
            Step(
                proceeding="lit_122",
                stage="stayed",
                kind="court",
                effect="stayed",
                on_components=("s122",),
                takes_effect=True,
            ),
        ),
        "A145": (Step(proceeding="us_301_fl", stage="ruled"),),
        "A166": (_ruled("lit_ieepa", "stayed", *IEEPA_DUTIES),),
        "A170": (
            Step(
                proceeding="lit_301fl",
                stage="filed",
                kind="court",
                forum=TRADE_COURT,
                on_components=("s301_forced_labor",),
            ),
        ),
        "A174": (Step(proceeding="lit_ieepa_refund", stage="filed", kind="court", forum=FEDERAL_CIRCUIT),),
        "A175": tuple(Step(proceeding=name, stage="promised_end") for name in CHIP_PROBES),
    }
)
"""Steps by act."""


def own_reports(telling: Telling, act: ActLine) -> Iterator[ProceedingChanged]:
    """Give the issuer's report of each step that an act takes."""
    for one in STEPS.get(act.id, ()):
        dated = one.takes_effect and act.effective is not None and "effective" not in act.unsourced_fields
        yield ProceedingChanged(
            negotiation=telling.negotiation,
            act=one.act or telling.act_id(act.id),
            title=one.title or telling.title(act.id),
            source=own_source(act, f"{one.proceeding}{'/' if one.suffix else ''}{one.suffix}", grade=one.grade),
            document=document(act),
            announced=one.announced or telling.announced(act.id),
            proceeding=one.proceeding,
            measure=one.measure or act.measure_id or "",
            kind=one.kind,
            stage=one.stage,
            forum=one.forum or COURTS.get(act.id),
            holding=one.holding,
            effect=one.effect,
            on_components=one.on_components,
            effective=when(act.effective, zone(act)) if dated and act.effective is not None else None,
        )
