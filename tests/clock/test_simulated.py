"""Clocks on a simulated ledger: whatever is wrong with machines, nobody is warned early, twice or not at all."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import ReplayOpened
from tests.clock.world import BEGIN, LEADS, Broker, Machine, promise, seconds

HOURS, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def run(broker: Broker, machines: Sequence[Machine], until: timedelta, step: timedelta = MINUTE) -> None:
    while broker.now < BEGIN + until:
        for machine in machines:
            machine.look()
        broker.now += step


def told(broker: Broker) -> list[tuple[str, str, int]]:
    return sorted((alert["deadline"], alert["lead"], alert["late_by_seconds"]) for alert, _ in broker.alerts())


@pytest.mark.parametrize("fast_by", [timedelta(0), HOURS, -HOURS, timedelta(days=400)])
def test_a_clock_that_is_wrong_corrects_itself_with_one_strike(fast_by: timedelta) -> None:
    broker = Broker()
    for number in range(50):
        broker.append(promise("d", BEGIN + 3 * HOURS + number * MINUTE, f"n{number:02}"))
    broker.now = BEGIN + seconds(1)
    run(broker, [Machine(broker, fast_by)], 4 * HOURS, seconds(1))
    assert Counter(lead for _, lead, _ in told(broker)) == {"1h": 50, "2h": 50}
    late = [seconds for _, _, seconds in told(broker)]
    assert max(late) <= 1
    assert broker.early_strikes() == (fast_by > timedelta(0))
    assert sum(broker.strikes().values()) == len(broker.strikes()) + broker.early_strikes()


def test_a_slow_clock_on_a_ledger_where_nothing_happens_is_late_once_and_says_how_late() -> None:
    broker = Broker()
    machine = Machine(broker, -HOURS)
    broker.append(promise("d", BEGIN + 3 * HOURS))
    broker.now += 30 * MINUTE  # the report is old when the clock reads it: its stamp tells little
    run(broker, [machine], 5 * HOURS, seconds(1))
    assert told(broker) == [("d", "1h", 1), ("d", "2h", 30 * 60)]


def test_a_clock_that_was_away_makes_up_for_every_warning_in_order() -> None:
    broker = Broker()
    broker.append(promise("gone", BEGIN + 3 * HOURS))
    broker.append(promise("near", BEGIN + 5 * HOURS))
    broker.now = BEGIN + timedelta(hours=4, minutes=30)
    run(broker, [Machine(broker)], 6 * HOURS, seconds(1))
    assert [(one["deadline"], one["lead"]) for one, _ in broker.alerts()] == [
        ("gone", "2h"),
        ("gone", "1h"),
        ("near", "2h"),
        ("near", "1h"),
    ]
    assert [late // 60 for _, _, late in told(broker)] == [150, 210, 30, 90]


def test_a_brokers_clock_that_is_set_back_brings_one_refused_strike_whatever_else_arrives() -> None:
    broker = Broker(now=BEGIN + HOURS)  # an hour fast, and the machine is right
    machine = Machine(broker, -HOURS)
    for number in range(50):
        broker.append(promise("d", BEGIN + 3 * HOURS + number * MINUTE, f"n{number:02}"))
    run(broker, [machine], HOURS + 30 * MINUTE, seconds(1))
    broker.now -= HOURS
    machine.fast_by, machine.lost = timedelta(0), -HOURS
    for minute in range(4 * 60):
        broker.append(promise("new", BEGIN + 99 * HOURS, f"new-{minute}"))
        run(broker, [machine], broker.now - BEGIN + MINUTE, seconds(1))
    assert broker.early_strikes() == 1
    assert sum(broker.strikes().values()) == len(broker.strikes()) + 1
    assert max(late for _, lead, late in told(broker) if lead == "1h") <= 1


def test_the_clock_leaves_a_replay_alone() -> None:
    broker = Broker()
    day = BEGIN.date()
    broker.append(ReplayOpened(negotiation="n", begins_at=BEGIN, file_sha256="0" * 64, data_through=day))
    broker.append(promise("d", BEGIN + 3 * HOURS))
    broker.append(promise("d", BEGIN + 3 * HOURS, "live"))
    run(broker, [Machine(broker)], 4 * HOURS)
    assert {one.event.negotiation for one in broker.events() if one.event.type == "clock_struck"} == {"live"}


def test_a_strike_that_the_ledger_goes_on_refusing_comes_ever_more_seldom() -> None:
    broker = Broker()
    broker.append(promise("d", BEGIN + 3 * HOURS))
    machine = Machine(broker)
    stuck = BEGIN + seconds(1)
    for second in range(20_000):  # the broker's clock stands still, and every stamp says so
        broker.now = BEGIN + seconds(second)
        if new := broker.log[machine.clock.next_offset :]:
            machine.clock.read(new)
        for strike in machine.clock.strikes():
            broker.now = stuck
            machine.clock.sent(
                strike, broker.append(strike), timedelta(days=-1)
            )  # sent long ago: the stamp tells nothing
            broker.now = BEGIN + seconds(second)
    assert 3 < sum(broker.strikes().values()) <= 15


machines = st.fixed_dictionaries(
    {
        "fast_by": st.sampled_from([0.0, 0.9, 1.1, 3600.0, -3600.0, 40.0]),
        "delay": st.sampled_from([0.001, 0.02, 0.4]),
    }
)
shocks = st.lists(
    st.tuples(
        st.integers(0, 240),
        st.integers(0, 1),
        st.sampled_from(["kill", "set ahead", "set back", "stand still", "away"]),
    ),
    max_size=6,
)


def disturb(machine: Machine, shock: str) -> int:
    """Do something to a machine; return for how many minutes it is away."""
    match shock:
        case "kill":
            machine.start()
        case "set ahead":
            machine.fast_by += HOURS
        case "set back":
            machine.fast_by -= HOURS
        case "stand still":
            machine.lost += 30 * MINUTE
        case _:
            return 45
    return 0


def heal(broker: Broker, running: Sequence[Machine]) -> None:
    """Set every clock right and let all of them run."""
    for machine in running:
        machine.fast_by = max(machine.fast_by, timedelta(0))
        machine.start()
    broker.now += 2 * HOURS
    run(broker, running, broker.now - BEGIN + 10 * MINUTE, seconds(5))


@settings(max_examples=60, deadline=None)
@given(
    dues=st.lists(st.integers(1, 4 * 3600), min_size=1, max_size=5),
    world=st.lists(machines, min_size=1, max_size=2),
    shocks=shocks,
)
def test_nobody_is_warned_early_twice_or_not_at_all(
    dues: list[int], world: list[dict[str, float]], shocks: list[tuple[int, int, str]]
) -> None:
    broker = Broker()
    for number, due in enumerate(dues):
        broker.append(promise(f"d{number}", BEGIN + seconds(due), f"n{number % 2}"))
    running = [Machine(broker, seconds(one["fast_by"]), seconds(one["delay"])) for one in world]
    away = dict.fromkeys(range(len(running)), 0)
    for minute in range(60 * 5):
        for which, shock in ((which % len(running), shock) for at, which, shock in shocks if at == minute):
            away[which] = max(away[which], minute + disturb(running[which], shock))
        for which, machine in enumerate(running):
            if minute >= away[which]:
                machine.look()
        broker.now = max(broker.now, BEGIN + (minute + 1) * MINUTE)
    heal(broker, running)

    warn_at = {
        (f"d{number}", lead): BEGIN + seconds(due) - int(lead[:-1]) * HOURS
        for number, due in enumerate(dues)
        for lead in LEADS
    }
    alerts = [((alert["deadline"], alert["lead"]), at) for alert, at in broker.alerts()]
    assert Counter(name for name, _ in alerts) == {name: 1 for name, at in warn_at.items() if at > BEGIN}
    assert [name for name, at in alerts if at < warn_at[name] - seconds(1)] == []
    assert max(broker.strikes().values(), default=0) <= len(running) * (2 + len(shocks))
