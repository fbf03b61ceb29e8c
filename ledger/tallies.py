"""Counters of meetings as they stand.

Each meeting is looked at when a report touches it or its day comes, not at every count.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from ledger.meetings import Meeting
from ledger.resolution import Status, worst
from schemas.formulas import CountOfMeetings


class Counted(NamedTuple):
    """A meeting that is counted: its place among the others (first day, id), whether somebody reported it as held."""

    day: str
    id: str
    confirmed: bool
    status: Status


@dataclass(slots=True)
class Tally:
    """One counter at an instant. `open` names the meetings that a later instant may count without a further report."""

    at: datetime
    counted: dict[str, Counted] = field(default_factory=dict)
    in_order: list[Counted] = field(default_factory=list)
    confirmed: int = 0
    statuses: Counter[Status] = field(default_factory=Counter)
    open: dict[str, None] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """Return how well the least certain of the counted meetings is witnessed."""
        return worst([status for status, count in self.statuses.items() if count])

    def look_at(self, name: str, found: Meeting | None, formula: CountOfMeetings, *, settled: bool) -> None:
        """Count a meeting or not, as it stands; `settled` tells whether time alone cannot change what is told of it."""
        before = self.counted.pop(name, None)
        if before is not None:
            del self.in_order[bisect_left(self.in_order, before)]
            self.confirmed -= before.confirmed
            self.statuses[before.status] -= 1
        begun = found is not None and found.begun(self.at)
        if found is not None and begun and found.counts_in(formula):
            counted = Counted(found.day, found.id, found.confirmed, found.status)
            self.counted[name] = counted
            insort(self.in_order, counted)
            self.confirmed += counted.confirmed
            self.statuses[counted.status] += 1
        if settled and found is not None and (found.stage == "cancelled" or begun):
            self.open.pop(name, None)
        else:
            self.open[name] = None

    def put_away(self, name: str) -> list[Any]:
        """Return what has become of a meeting, as JSON."""
        counted = self.counted.get(name)
        rest = [counted.day, counted.confirmed, counted.status] if counted is not None else []
        return [name in self.open, *rest]

    def take_out(self, name: str, is_open: bool, *counted: Any) -> None:  # noqa: ANN401, FBT001 -- as it was put away
        """Bring back what has become of a meeting; the caller puts all of them in order."""
        if is_open:
            self.open[name] = None
        if counted:
            day, confirmed, status = counted
            self.counted[name] = one = Counted(day, name, confirmed, status)
            self.in_order.append(one)
            self.confirmed += confirmed
            self.statuses[status] += 1


@dataclass(slots=True)
class Tallies:
    """The tallies of a negotiation's counters, and the meetings that each has to look at anew.

    `looked_at` are the meetings that some tally has looked at, until somebody who saves them forgets them.
    """

    of_metric: dict[str, tuple[Tally, dict[str, None]]] = field(default_factory=dict)
    looked_at: dict[str, None] = field(default_factory=dict)

    def touch(self, meeting: str) -> None:
        """Note that a report touched a meeting."""
        for _, touched in self.of_metric.values():
            touched[meeting] = None

    def forget(self, metric: str) -> None:
        """Forget a counter: its definition is another one now."""
        self.of_metric.pop(metric, None)

    def at(
        self,
        metric: str,
        formula: CountOfMeetings,
        at: datetime,
        names: Iterable[str],
        meeting: Callable[[str, datetime], tuple[Meeting | None, bool]],
    ) -> Tally:
        """Return a counter at an instant; `meeting` tells of one, and whether time alone can change what is told."""
        known = self.of_metric.get(metric)
        if known is None or known[0].at > at:
            known = self.of_metric[metric] = (Tally(at), dict.fromkeys(names))
        tally, touched = known
        tally.at = at
        for name in (*touched, *(one for one in tally.open if one not in touched)):
            found, settled = meeting(name, at)
            tally.look_at(name, found, formula, settled=settled)
            self.looked_at[name] = None
        touched.clear()
        return tally
