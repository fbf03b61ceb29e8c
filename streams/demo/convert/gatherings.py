"""Where and how parties met: what the corpus does not spell out of its meetings and calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from streams.demo.convert.printed import WASHINGTON

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
