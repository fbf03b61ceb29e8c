"""Times as the corpus prints them, and the zone of whoever printed them."""

from datetime import date
from typing import Final

from schemas.times import Basis, When, parse_instant

WASHINGTON: Final = "America/New_York"
BEIJING: Final = "Asia/Shanghai"
DATA_THROUGH: Final = date(2026, 10, 9)
"""The last day that the corpus covers."""

_MONTH_CHARACTERS: Final = 7


def when(text: str, zone: str, *, as_printed: str | None = None, basis: Basis = "stated") -> When:
    """Read a day, a month or an instant with offset, local to `zone`."""
    if "T" in text:
        return When(at=parse_instant(text), zone=zone, as_printed=as_printed, basis=basis)
    if len(text) == _MONTH_CHARACTERS:
        return When(month=text, zone=zone, as_printed=as_printed, basis=basis)
    return When(on=date.fromisoformat(text), zone=zone, as_printed=as_printed, basis=basis)


def zone_of(issuer: str) -> str:
    """Return the zone of whoever issues a document: Beijing for the PRC, else Washington, also for joint acts."""
    return BEIJING if issuer == "CN" else WASHINGTON
