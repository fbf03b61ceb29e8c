"""The reports of the sources: each confirms its act and asserts nothing more; or confirms that a meeting was held."""

from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from schemas.events import ActReported, MeetingChanged
from schemas.provenance import Published, Source
from schemas.times import When, local_day, window
from streams.demo.convert.corpus import UNSOURCED, ActLine, SourceLine
from streams.demo.convert.gatherings import GATHERINGS
from streams.demo.convert.issuers import document, zone
from streams.demo.convert.meetings import POSTPONED, days
from streams.demo.convert.printed import BEIJING, WASHINGTON, when
from streams.demo.convert.telling import Telling

ZONES: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(
        ("CGTN", "China Daily Brief", "China Securities Journal", "Global Times", "MOFCOM", "RTHK", "SCMP", "Xinhua"),
        BEIJING,
    )
    | dict.fromkeys(
        ("AP", "CBS News", "CNBC", "Federal Register", "NBC News", "NPR", "USTR", "White House", "WSJ"), WASHINGTON
    )
)
"""Where a publisher dates its texts, if not where the act was made."""

HELD: Final[Mapping[tuple[str, int], str]] = MappingProxyType(
    {
        ("A055", 2): "2025-05-12",
        ("A064", 1): "2025-06-10",
        ("A071", 1): "2025-08-11",
        ("A137", 2): "2026-05-13",
        ("A137", 3): "2026-05-13",
    }
)
"""Undated sources whose title tells that a meeting took place, and the first day on which that could be written."""

NEW_DAYS: Final[Mapping[tuple[str, int], tuple[str, str]]] = MappingProxyType(
    {("A133", 2): ("2026-05-14", "2026-05-15")}
)
"""Sources that give the new days of a meeting put off."""


def reports(telling: Telling, act: ActLine) -> Iterator[ActReported | MeetingChanged]:
    """Give one report for each source of an act."""
    for number, line in enumerate(act.sources, start=1):
        if line.title != UNSOURCED:
            yield _report(telling, act, number, line)


def _report(telling: Telling, act: ActLine, number: int, line: SourceLine) -> ActReported | MeetingChanged:
    place = (act.id, number)
    published = published_on(telling, act, line)
    source = Source(
        name=line.publisher or line.title,
        own_id=f"{act.id}/source/{number}",
        url=line.url,
        grade=line.grade,
        basis="cited" if line.cited else "seen",
        published=Published(on=published, zone=_zone(line, act)) if published is not None else None,
    )
    title = line.title if published is not None else None
    told = act.id in GATHERINGS and (place in HELD or place in NEW_DAYS or _during(act, published))
    if not told:
        return ActReported(
            negotiation=telling.negotiation,
            act=telling.act_id(act.id),
            title=title,
            source=source,
            document=document(act),
            announced=telling.announced(act.id),
        )
    one = GATHERINGS[act.id]
    new = NEW_DAYS.get(place)
    return MeetingChanged(
        negotiation=telling.negotiation,
        act=telling.act_id(act.id),
        source=source,
        document=document(act),
        announced=_announced(telling, act, place),
        meeting=one.meeting,
        stage="postponed" if new is not None else "held",
        first_day=when(new[0], one.zone) if new is not None else None,
        last_day=when(new[1], one.zone) if new is not None else None,
    )


def published_on(telling: Telling, act: ActLine, line: SourceLine) -> date | None:
    """Return the day of a source; none if it is not known, or lies before the act and so tells of something else."""
    announced = telling.announced(act.id)
    if line.published is None or line.published < local_day(window(announced).earliest, announced.zone):
        return None
    return line.published


def _zone(line: SourceLine, act: ActLine) -> str | None:
    found = ZONES.get(line.publisher or "")
    return None if found == zone(act) else found


def _during(act: ActLine, published: date | None) -> bool:
    first_day, _ = days(act)
    return published is not None and first_day.on is not None and published >= first_day.on and act.id not in POSTPONED


def _announced(telling: Telling, act: ActLine, place: tuple[str, int]) -> When:
    if place in HELD:
        return when(HELD[place], zone(act), basis="inferred")
    if place in NEW_DAYS:
        return POSTPONED[act.id][1]
    return telling.announced(act.id)
