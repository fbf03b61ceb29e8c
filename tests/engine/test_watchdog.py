"""The watchdog counts what has work and does not move."""

from streams.engine.watchdog import Watchdog


def looks(watchdog: Watchdog, count: int) -> list[str | None]:
    return [watchdog.stalled() for _ in range(count)]


def test_what_stays_the_same_for_ten_ticks_has_stalled() -> None:
    pulse: dict[str, int] = {"a": 1}
    assert looks(Watchdog(10.0, lambda: pulse), 11) == [None] * 10 + ["a"]


def test_what_moves_now_and_then_has_not_stalled() -> None:
    pulse: dict[str, int] = {"a": 1, "b": 1}
    watchdog = Watchdog(10.0, lambda: pulse)
    for step in range(5):
        pulse["a"] = pulse["b"] = step
        assert looks(watchdog, 10) == [None] * 10


def test_what_was_idle_in_between_starts_again() -> None:
    pulse: dict[str, int] = {"a": 1}
    watchdog = Watchdog(10.0, lambda: pulse)
    assert looks(watchdog, 9) == [None] * 9
    del pulse["a"]
    assert looks(watchdog, 1) == [None]
    pulse["a"] = 1
    assert looks(watchdog, 10) == [None] * 10
