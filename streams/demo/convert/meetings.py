"""Meetings and calls: where, when, who, and which of them a counter may count."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Literal

from schemas.events import MeetingChanged, Participant
from schemas.times import When
from streams.demo.convert.corpus import ActLine
from streams.demo.convert.issuers import document, own_source
from streams.demo.convert.printed import WASHINGTON, when
from streams.demo.convert.telling import Telling

Format = Literal["in_person", "video", "phone"]
Kind = Literal["round", "bilateral", "summit", "other"]
SEOUL: Final = "Asia/Seoul"
CHINA: Final = "Asia/Shanghai"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """What the corpus does not spell out of a meeting: its id, the zone of its place, how it is counted."""

    meeting: str
    zone: str = WASHINGTON
    format: Format = "in_person"
    kind: Kind = "other"
    number: int | None = None
    days: tuple[str, str] | None = None
    participants: tuple[str, ...] | None = None
    place: str | None = None
    planned: bool = False


def _round(number: int, meeting: str, zone: str) -> Gathering:
    return Gathering(meeting=meeting, zone=zone, kind="round", number=number)


def _call(meeting: str, how: Format) -> Gathering:
    return Gathering(meeting=meeting, format=how)


BUSAN: Final = "busan-2025-10"
BEIJING_SUMMIT: Final = "beijing-2026-05"
GATHERINGS: Final[Mapping[str, Gathering]] = MappingProxyType(
    {
        "A009": Gathering(meeting="buenos-aires-2018-12", zone="America/Argentina/Buenos_Aires", kind="summit"),
        "A029": _call("call-2025-02-21", "video"),
        "A055": _round(1, "geneva-2025-05", "Europe/Zurich"),
        "A063": _call("call-2025-06-05", "phone"),
        "A064": _round(2, "london-2025-06", "Europe/London"),
        "A071": _round(3, "stockholm-2025-07", "Europe/Stockholm"),
        "A077": Gathering(meeting="washington-2025-08"),
        "A083": _round(4, "madrid-2025-09", "Europe/Madrid"),
        "A085": _call("call-2025-09-19", "phone"),
        "A094": _call("call-2025-10-17", "video"),
        "A095": _round(5, "kuala-lumpur-2025-10", "Asia/Kuala_Lumpur"),
        "A097": Gathering(meeting=BUSAN, zone=SEOUL, kind="summit"),
        "A112": _call("call-2025-11-24", "phone"),
        "A113": Gathering(meeting="call-2025-12", format="video", days=("2025-12", "2025-12"), planned=False),
        "A118": Gathering(meeting="davos-2026-01", zone="Europe/Zurich", kind="bilateral"),
        "A121": _call("call-2026-02-04", "phone"),
        "A131": _round(6, "paris-2026-03", "Europe/Paris"),
        "A133": Gathering(
            meeting=BEIJING_SUMMIT,
            zone=CHINA,
            kind="summit",
            days=("2026-03-31", "2026-04-02"),
            participants=("Donald Trump, US President",),
            place="Beijing, China",
            planned=True,
        ),
        "A137": _round(7, "seoul-2026-05", SEOUL),
        "A138": Gathering(meeting=BEIJING_SUMMIT, zone=CHINA, kind="summit"),
        "A149": _round(8, "new-york-2026-09", WASHINGTON),
        "A152": Gathering(meeting="washington-2026-09", kind="summit"),
        "A159": Gathering(
            meeting="apec-shenzhen-2026-11",
            zone=CHINA,
            days=("2026-11-18", "2026-11-19"),
            place="Shenzhen, China",
            planned=True,
        ),
        "A176": Gathering(meeting=BUSAN, zone=SEOUL, kind="summit", days=("2025-10-30", "2025-10-30"), planned=True),
    }
)
"""Meetings and calls by act."""

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
