"""Which negotiations there are, told to whoever asked for one that is not there."""

from streams.doors.kafka import none_of


def test_what_may_be_meant_is_told_first_and_the_others_are_counted() -> None:
    names = ["us-china", *(f"other-{number}" for number in range(20))]
    assert none_of("on the ledger", "us-chian", names) == (
        "There is no negotiation 'us-chian' on the ledger; there is us-china and 20 more."
    )


def test_a_key_that_can_be_no_negotiation_is_not_told() -> None:
    assert none_of("on the ledger", "us", ["x" * 101]).endswith("there is none at all.")
    assert none_of("on the ledger", "us", ["x" * 100]).endswith(f"there is {'x' * 100}.")
