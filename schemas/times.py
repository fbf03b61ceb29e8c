"""When something is said to happen: as printed, with zone and precision.

A day or a month is a window with an earliest and a latest instant; whoever needs one instant must say which end.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, StringConstraints, model_validator

from schemas.shape import Line, Shape

YEAR_MIN = 1900
YEAR_MAX = 2200
RESOLUTION = timedelta(microseconds=1)
"""The shortest time between two instants."""
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ZONES_OF_ONE_MACHINE = frozenset({"Factory", "localtime", "posixrules"})
D = TypeVar("D", date, datetime)


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """Return the zone of that IANA name. Raises ValueError if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"expected an IANA time zone such as America/New_York, got {name!r}") from error


@lru_cache(maxsize=512)
def _known_zone(name: str) -> str:
    if name in _ZONES_OF_ONE_MACHINE or name.startswith(("posix/", "right/")):
        raise ValueError(f"expected an IANA time zone such as America/New_York, got {name!r}, which differs by machine")
    zone(name)
    return name


def _sensible(day: D) -> D:
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise ValueError(f"expected a year from {YEAR_MIN} to {YEAR_MAX}, got {day.year}")
    return day


def _rfc_3339(printed: object) -> object:
    """Read an instant in the one written form; pydantic alone would also take seconds since 1970 in quotes."""
    if isinstance(printed, str):
        return _instant(printed)
    return _sensible(printed) if isinstance(printed, datetime) else printed


@lru_cache(maxsize=8192)
def _instant(printed: str) -> datetime:
    if _RFC_3339.fullmatch(printed) is None:
        raise ValueError("expected an instant such as 2025-10-31T12:00:00-04:00")
    try:
        instant = datetime.fromisoformat(printed)
    except ValueError as error:
        raise ValueError(f"expected an instant such as 2025-10-31T12:00:00-04:00: {error}") from error
    return _sensible(instant)


ZoneName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$"), AfterValidator(_known_zone)]
Instant = Annotated[AwareDatetime, BeforeValidator(_rfc_3339)]
Day = Annotated[date, AfterValidator(_sensible)]
Month = Annotated[str, StringConstraints(pattern=r"^(19|20|21)\d\d-(0[1-9]|1[0-2])$")]
Basis = Literal["stated", "computed", "inferred"]


class Window(NamedTuple):
    """The instants within which something happens: `earliest` ≤ it < `latest`; equal for an instant. UTC."""

    earliest: datetime
    latest: datetime


class When(Shape):
    """An instant (`at`), a day (`on`) or a month (`month`), local to `zone`, as its document prints it."""

    at: Instant | None = None
    on: Day | None = None
    month: Month | None = None
    zone: ZoneName
    as_printed: Line | None = None
    basis: Basis = "stated"

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.at is None) + (self.on is None) + (self.month is None) != 2:  # noqa: PLR2004 -- two of three absent
            given = [name for name in ("at", "on", "month") if getattr(self, name) is not None]
            raise ValueError(f"expected exactly one of at, on, month, got {', '.join(given) or 'none'}")
        return self


def window(when: When) -> Window:
    """Return the instants that a printed time covers, in UTC: [day begins, next day begins) for a day."""
    return _window(when.at, when.on, when.month, when.zone)


def day_window(on: date, zone_name: str) -> Window:
    """Return the instants that a day covers in a zone, in UTC."""
    return _window(None, on, None, zone_name)


@lru_cache(maxsize=8192)
def _window(at: datetime | None, on: date | None, month: str | None, zone_name: str) -> Window:
    if at is not None:
        instant = at.astimezone(UTC)
        return Window(earliest=instant, latest=instant)
    if on is not None:
        return Window(earliest=midnight(on, zone_name), latest=midnight(on + timedelta(days=1), zone_name))
    assert month is not None  # noqa: S101 -- `When` admits exactly one of the three
    first = date(int(month[:4]), int(month[5:]), 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return Window(earliest=midnight(first, zone_name), latest=midnight(following, zone_name))


def midnight(day: date, zone_name: str) -> datetime:
    """Return the instant at which that day begins in that zone, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone(zone_name)).astimezone(UTC)


def local_day(instant: datetime, zone_name: str) -> date:
    """Return the calendar day of an instant in a zone."""
    return instant.astimezone(zone(zone_name)).date()


def instant_text(instant: datetime) -> str:
    """Write an instant as RFC 3339 with offset, in the offset it carries, without needless fractions."""
    return instant.isoformat()


def when_text(when: When) -> str:
    """Write a printed time in its own precision: RFC 3339, a date, or a month."""
    if when.at is not None:
        return instant_text(when.at.astimezone(zone(when.zone)))
    return when.on.isoformat() if when.on is not None else str(when.month)


def parse_instant(text: str) -> datetime:
    """Read RFC 3339 with an offset. Raises ValueError that says what was expected."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"expected an instant such as 2025-10-31T12:00:00-04:00, got {text!r}") from error
    if instant.tzinfo is None or "T" not in text.upper():
        raise ValueError(f"expected an instant with time and offset such as 2025-10-31T12:00:00-04:00, got {text!r}")
    return _sensible(instant)
