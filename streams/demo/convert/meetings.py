"""Meetings and calls: where, when, who, and which of them a counter may count."""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from schemas.events import MeetingChanged, Participant
from schemas.times import When
from streams.demo.convert.corpus import ActLine
from streams.demo.convert.gatherings import GATHERINGS
from streams.demo.convert.issuers import document, own_source
from streams.demo.convert.printed import WASHINGTON, when
from streams.demo.convert.telling import Telling

POSTPONED: Final[Mapping[str, tuple[str, When]]] = MappingProxyType(
    {
        "A133": (
            "Trump's Beijing visit postponed to 14-15 May citing Iran",
            when("2026-03", WASHINGTON, basis="inferred"),
        )
    }
)
"""Acts that also put their meeting off: what that is called, and when it became known."""

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cai Qi": "cai-qi",
        "David Perdue": "perdue",
        "Donald Trump": "trump",
        "He Lifeng": "he-lifeng",
        "Howard Lutnick": "lutnick",
        "Jamieson Greer": "greer",
        "Li Chenggang": "li-chenggang",
        "Liao Min": "liao-min",
        "Marco Rubio": "rubio",
        "Scott Bessent": "bessent",
        "Susie Wiles": "wiles",
        "Wang Wentao": "wang-wentao",
        "Wang Yi": "wang-yi",
        "Xi Jinping": "xi",
        "Zheng Shanjie": "zheng-shanjie",
    }
)
"""Ids of people, by the names that the corpus gives them."""


def own_reports(telling: Telling, act: ActLine) -> Iterator[MeetingChanged]:
    """Give the issuer's report of a meeting: planned if told before its first day, else held; and if it is put off."""
    if act.id not in GATHERINGS:
        return
    one = GATHERINGS[act.id]
    first_day, last_day = days(act)
    planned = one.planned or (first_day.on is not None and date.fromisoformat(act.announced) < first_day.on)
    yield MeetingChanged(
        negotiation=telling.negotiation,
        act=telling.act_id(act.id),
        title=telling.title(act.id),
        source=own_source(act, one.meeting),
        document=document(act),
        announced=telling.announced(act.id),
        meeting=one.meeting,
        stage="planned" if planned else "held",
        format=one.format,
        kind=one.kind,
        number=one.number,
        first_day=first_day,
        last_day=last_day,
        place=one.place or (act.place if one.format == "in_person" else None),
        participants=_participants(one.participants if one.participants is not None else act.participants),
    )
    if act.id in POSTPONED:
        title, announced = POSTPONED[act.id]
        yield MeetingChanged(
            negotiation=telling.negotiation,
            act=telling.act_id(act.id),
            title=title,
            source=own_source(act, f"{one.meeting}/postponed"),
            document=document(act),
            announced=announced,
            meeting=one.meeting,
            stage="postponed",
        )


def days(act: ActLine) -> tuple[When, When]:
    """Return the first and the last day of the meeting that an act tells of, local to its place."""
    one = GATHERINGS[act.id]
    first, last = one.days or (act.effective, act.end if act.instrument_type == "meeting" else None)
    if first is None:
        raise ValueError(f"{act.id}: expected a first day of the meeting {one.meeting}, got none")
    return when(first, one.zone), when(last or first, one.zone)


def _participants(told: tuple[str, ...]) -> tuple[Participant, ...]:
    people = (entry.partition(", ") for entry in told)
    return tuple(Participant(id=NAMES[name], name=name, office=office or None) for name, _, office in people)
