"""The metrics of the history: numbers with published formulas, in plain words."""

from collections.abc import Iterator
from typing import Final, Literal

from schemas.events import MetricDefined
from schemas.formulas import CountOfMeetings, SumOfRates, Term

US_SINCE_2025: Final = ("ieepa_fentanyl", "ieepa_reciprocal", "s122", "s301_forced_labor")
LIST_3: Final = "s301_l3"
PAIR: Final = "he-lifeng+bessent"
PARTICIPANTS: Final = ("he-lifeng", "bessent")

Reading = Literal["collected", "lawful"]
Kind = Literal["round", "bilateral", "summit", "other"]
_READINGS: Final[tuple[tuple[Reading, str], ...]] = (
    ("collected", "as collected at the border"),
    ("lawful", "as held lawful at that moment"),
)


def definitions(negotiation: str) -> Iterator[MetricDefined]:
    """Give the definitions in the order in which they are listed."""
    for reading, how in _READINGS:
        yield _sum(
            negotiation,
            f"us_on_cn.additional_since_2025.{reading}",
            reading,
            US_SINCE_2025,
            f"US duties of 2025 and later on all Chinese goods, {how}: fentanyl, reciprocal, section 122 and "
            "section 301 forced labor. Without MFN duties, older section 301 duties and section 232.",
        )
        yield _sum(
            negotiation,
            f"us_on_cn.additional_since_2025_plus_s301_25.{reading}",
            reading,
            (*US_SINCE_2025, LIST_3),
            f"The US duties of 2025 and later on all Chinese goods plus the section 301 duty of List 3, {how}: "
            "what was called 55% in June 2025.",
        )
        yield _sum(
            negotiation,
            f"cn_on_us.additional_since_2025.{reading}",
            reading,
            ("cn_all_goods",),
            f"China's duty of 2025 on all US goods, {how}. Without MFN duties, the retaliation of 2018-19 and "
            "the duties of February and March 2025 on listed goods.",
        )
    yield _sum(
        negotiation,
        "us_on_cn.fentanyl.collected",
        "collected",
        ("ieepa_fentanyl",),
        "The fentanyl duty on all goods of China and Hong Kong, as collected at the border.",
    )
    yield _sum(
        negotiation,
        "us_on_cn.list3_additional.collected",
        "collected",
        (LIST_3, *US_SINCE_2025),
        "What a List 3 good of China pays on top of the MFN duty, as collected: section 301 plus the duties on all "
        "goods. Without section 232 and anti-dumping duties.",
    )
    yield _count(
        negotiation,
        "numbered_rounds",
        ("round",),
        "Rounds of trade talks that He Lifeng and Scott Bessent led and that were given a number. Calls and "
        "meetings beside other events have none.",
        numbered=True,
    )
    yield _count(
        negotiation,
        "in_person",
        ("round", "bilateral"),
        "Meetings in person of He Lifeng and Scott Bessent: the numbered rounds and bilateral meetings beside other "
        "events. Calls and leaders' summits do not count.",
    )
    yield _count(
        negotiation,
        "in_person_with_summits",
        ("round", "bilateral", "summit"),
        "Meetings in person of He Lifeng and Scott Bessent, with the leaders' summits that both attended. Calls do "
        "not count.",
    )


def _sum(negotiation: str, metric: str, reading: Reading, components: tuple[str, ...], words: str) -> MetricDefined:
    terms = tuple(Term(component=component) for component in components)
    return MetricDefined(
        negotiation=negotiation,
        metric=metric,
        revision=1,
        unit="percent",
        definition=words,
        formula=SumOfRates(kind="sum_of_rates", reading=reading, terms=terms),
    )


def _count(
    negotiation: str, counter: str, kinds: tuple[Kind, ...], words: str, *, numbered: bool = False
) -> MetricDefined:
    return MetricDefined(
        negotiation=negotiation,
        metric=f"meetings.{PAIR}.{counter}",
        revision=1,
        unit="count",
        definition=words,
        formula=CountOfMeetings(
            kind="count_of_meetings",
            group=PAIR,
            counter=counter,
            participants=PARTICIPANTS,
            formats=("in_person",),
            kinds=kinds,
            numbered=numbered,
        ),
    )
