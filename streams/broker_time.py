"""What the broker's clock says now, as far as this machine can tell.

The broker's clock is the anchor: it stamps every record of the ledger when it is appended. This machine's own clock may
be wrong, be set, or stand still while the machine sleeps. So the estimate begins with this machine's clock and is moved
as little as the broker's stamps demand: a record that was read was appended before it was read, and one of our own was
appended after it was sent.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from streams.now import elapsed, now

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BrokerTime:
    """An estimate of the broker's clock that the broker's own stamps correct.

    It goes on with two clocks of this machine, the one on the wall and the time since it was started, and follows
    whichever is ahead: a clock that is set back, or that stood still, must make nobody late.
    """

    def __init__(self, wall: Callable[[], datetime] = now, since_start: Callable[[], timedelta] = elapsed) -> None:
        self._wall = wall
        self.since_start = since_start
        here = self._clocks()
        self._added = [here[0] - clock for clock in here]

    def now(self) -> datetime:
        """Return the estimate, in UTC."""
        return max(self._estimates())

    def no_earlier_than(self, at: datetime) -> None:
        """Take in that the broker's clock shows `at` or later."""
        self._added = [added + max(at - one, timedelta(0)) for added, one in self._with_estimates()]

    def no_later_than(self, at: datetime) -> None:
        """Take in that the broker's clock shows `at` or earlier."""
        self._added = [added + min(at - one, timedelta(0)) for added, one in self._with_estimates()]

    @property
    def ahead_of_machine(self) -> timedelta:
        """How far the estimate is ahead of the clock on this machine's wall; negative if that is fast."""
        return self.now() - self._wall()

    def _clocks(self) -> tuple[datetime, datetime]:
        return self._wall(), EPOCH + self.since_start()

    def _estimates(self) -> list[datetime]:
        return [clock + added for clock, added in zip(self._clocks(), self._added, strict=True)]

    def _with_estimates(self) -> list[tuple[timedelta, datetime]]:
        return list(zip(self._added, self._estimates(), strict=True))
