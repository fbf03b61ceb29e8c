"""The estimate of the broker's clock is moved by the broker's stamps, as little as they demand."""

from datetime import datetime, timedelta

from streams.broker_time import BrokerTime
from tests.clock.world import BEGIN, seconds


class Clocks:
    """The two clocks of a machine, to be set by hand."""

    def __init__(self) -> None:
        self.wall = BEGIN
        self.since_start = timedelta(0)
        self.time = BrokerTime(lambda: self.wall, lambda: self.since_start)

    def go(self, wall: float, since_start: float) -> datetime:
        self.wall += seconds(wall)
        self.since_start += seconds(since_start)
        return self.time.now()


def test_without_stamps_it_is_the_clock_of_the_machine() -> None:
    assert Clocks().go(10, 10) == BEGIN + seconds(10)


def test_a_stamp_ahead_of_it_corrects_a_slow_machine_and_one_behind_it_says_nothing() -> None:
    clocks = Clocks()
    clocks.time.no_earlier_than(BEGIN + seconds(3600))
    clocks.time.no_earlier_than(BEGIN + seconds(5))
    assert clocks.go(1, 1) == BEGIN + seconds(3601)
    assert clocks.time.ahead_of_machine == seconds(3600)


def test_the_stamp_of_a_strike_of_its_own_corrects_a_fast_machine_and_leaves_a_right_one_alone() -> None:
    clocks = Clocks()
    clocks.time.no_later_than(BEGIN + seconds(1))
    assert clocks.time.now() == BEGIN
    clocks.time.no_later_than(BEGIN - seconds(3600))
    assert clocks.go(1, 1) == BEGIN - seconds(3599)


def test_a_clock_that_is_set_back_makes_nobody_late() -> None:
    clocks = Clocks()
    clocks.go(100, 100)
    assert clocks.go(-3600, 1) == BEGIN + seconds(101)


def test_a_machine_that_stood_still_follows_its_wall_clock_once_that_is_set() -> None:
    clocks = Clocks()
    assert clocks.go(3600, 1) == BEGIN + seconds(3600)


def test_a_clock_that_is_set_ahead_is_corrected_by_the_next_stamp() -> None:
    clocks = Clocks()
    clocks.go(3600, 1)
    clocks.time.no_later_than(BEGIN + seconds(2))
    assert clocks.go(1, 1) == BEGIN + seconds(3)
