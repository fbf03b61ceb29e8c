"""A report as the fold keeps it: with the instant from which it is public."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from schemas.events import AnyReport, ComponentChanged, ProceedingChanged
from schemas.times import When, Window, window

PublicBasis = Literal["published", "announced"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One report: its id, when it became public and on what basis, and its place on the ledger."""

    id: str
    event: AnyReport
    public_at: datetime
    public_basis: PublicBasis
    partition: int
    offset: int
    heard_at: datetime

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Return the place of the report in the order that truth depends on: (public_at, source, id)."""
        return self.public_at, self.event.source.name, self.id


def public_at(report: AnyReport) -> tuple[datetime, PublicBasis]:
    """Return when a report is public: published, else announced.

    A bare day is public when it ends in the zone of the document's issuer, or at the act's effective instant if that
    falls within the day.
    """
    published = report.source.published
    if published is None:
        return _end_or_effect(report, window(report.announced), report.announced.at is not None), "announced"
    if published.at is not None:
        return published.at.astimezone(UTC), "published"
    day = When(on=published.on, zone=published.zone or report.announced.zone)
    return _end_or_effect(report, window(day), is_instant=False), "published"


def _end_or_effect(report: AnyReport, said: Window, is_instant: bool) -> datetime:  # noqa: FBT001 -- private, two callers
    if not is_instant and isinstance(report, ComponentChanged | ProceedingChanged):
        effective = report.effective
        if effective is not None and effective.at is not None and said.earliest <= effective.at < said.latest:
            return effective.at.astimezone(UTC)
    return said.latest


def made_at(report: AnyReport) -> datetime:
    """Return the earliest instant at which the act can have been made."""
    return window(report.announced).earliest
