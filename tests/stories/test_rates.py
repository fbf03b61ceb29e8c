"""What holds, what was put aside, what comes back: the duty of Sylvania on Freedonian goods."""

from decimal import Decimal

import pytest

from ledger.rate_sums import amount_at
from schemas.events import ComponentChanged
from schemas.rates import ByProduct, RateRange
from schemas.times import When, parse_instant
from tests.stories.telling import (
    NEW_YORK,
    NOTICE,
    REMARK,
    RUMOUR,
    WIRE,
    answered,
    duty,
    holding,
    instant,
    knowing,
    listed,
    measure,
    on,
    ruling,
    talks,
    told,
    track,
    witness,
)

TWENTY = duty("A1", "imposed", "2024-01-10", rate="20", effective=instant("2024-02-01T00:01:00-05:00"))
TRUCE = duty(
    "A2",
    "suspended",
    "2024-03-01",
    rate="10",
    suspended="24",
    effective=instant("2024-03-10T00:01:00-05:00"),
    until=instant("2024-06-10T00:01:00-04:00"),
)


def test_a_duty_holds_from_the_minute_its_order_names() -> None:
    assert told(track("lawful", TWENTY)) == [("2024-02-01T05:01Z", "20", "in_force")]
    assert holding("lawful", "2024-02-01T05:00:59+00:00", TWENTY) is None
    assert holding("lawful", "2024-02-01T05:01:00+00:00", TWENTY) is not None


@pytest.mark.parametrize("stage", ["threatened", "proposed", "announced", "withdrawn"])
def test_a_threat_never_moves_a_rate(stage: str) -> None:
    threat = duty("A9", stage, "2024-02-10", WIRE, REMARK, rate="100", effective=on("2024-03-01"))
    assert track("lawful", TWENTY, threat) == track("lawful", TWENTY)
    assert track("collected", TWENTY, threat) == track("collected", TWENTY)
    row = measure("2024-04-01T00:00:00+00:00", TWENTY, threat)
    assert row["rate"] == "20"
    assert row["not_in_force"] == [{"stage": stage, "rate": "100", "act": "A9", "status": "single-source"}]


def test_suspended_points_come_back_when_the_truce_lapses_unconfirmed_and_with_bounds() -> None:
    assert told(track("lawful", TWENTY, TRUCE)) == [
        ("2024-02-01T05:01Z", "20", "in_force"),
        ("2024-03-10T05:01Z", "10", "in_force"),
        ("2024-06-10T04:01Z", "34", "in_force"),
    ]
    before = measure("2024-06-10T04:00:00+00:00", TWENTY, TRUCE)
    assert (before["rate"], before["suspended"], before["status"]) == ("10", "24", "settled")
    assert before["on_lapse"] == {
        "from": "10",
        "to": "34",
        "force": "in_force",
        "at": "2024-06-10T04:01:00+00:00",
        "authority": "A2",
    }
    after = measure("2024-06-10T04:01:00+00:00", TWENTY, TRUCE)
    assert (after["rate"], after["low"], after["high"]) == ("34", "10", "34")
    assert after["status"] == "lapsed_unconfirmed"


def test_an_extension_in_time_keeps_the_truce() -> None:
    longer = duty(
        "A3",
        "extended",
        "2024-06-01",
        effective=instant("2024-06-01T00:00:00-04:00"),
        until=instant("2024-09-10T00:01:00-04:00"),
    )
    assert told(track("lawful", TWENTY, TRUCE, longer))[2:] == [
        ("2024-06-01T04:00Z", "10", "in_force"),
        ("2024-09-10T04:01Z", "34", "in_force"),
    ]


def test_a_suspension_that_names_no_rate_puts_the_whole_rate_aside_and_its_lapse_brings_it_back() -> None:
    pause = duty("A2", "suspended", "2024-03-01", effective=on("2024-03-10"), until=on("2024-06-10"))
    assert [(one.rate, one.suspended, one.force) for one in track("lawful", TWENTY, pause)] == [
        ("20", None, "in_force"),
        ("0", "20", "suspended"),
        ("20", None, "in_force"),
    ]


def test_an_order_without_a_collection_date_leaves_collection_running_until_the_customs_notice() -> None:
    end = duty("A4", "ended", "2024-04-01", ended_how="revoked", effective=on("2024-04-01"), collection="not_stated")
    notice = duty(
        "A5",
        "ended",
        "2024-04-05",
        spoken=NOTICE,
        ended_how="revoked",
        operational=instant("2024-04-08T00:00:00-04:00"),
    )
    assert [one.rate for one in track("lawful", TWENTY, end, notice)] == ["20", "0"]
    in_between = "2024-04-03T12:00:00+00:00"
    lawful, collected = (holding(reading, in_between, TWENTY, end, notice) for reading in ("lawful", "collected"))
    assert lawful is not None
    assert collected is not None
    assert (lawful.rate, lawful.force, collected.rate) == ("0", "revoked", "20")
    row = measure(in_between, TWENTY, end, notice)
    assert (row["rate"], row["lawful"], row["collected"]) == ("20", False, True)
    row = measure("2024-04-08T04:00:00+00:00", TWENTY, end, notice)
    assert (row["lawful"], row["collected"], row["force"]) == (False, False, "revoked")


def test_customs_tell_when_collection_ended_even_where_the_order_and_others_say_another_day() -> None:
    end = duty(
        "A4", "ended", "2024-04-01", ended_how="revoked", effective=on("2024-04-01"), operational=on("2024-04-01")
    )
    customs = witness("Customs", "operational", speaks_as="issuer")
    notice = duty("A4", "ended", "2024-04-01", customs, NOTICE, ended_how="revoked", operational=on("2024-04-08"))
    collected = [("2024-02-01T05:01Z", "20", "in_force"), ("2024-04-08T04:00Z", "0", "revoked")]
    assert told(track("collected", TWENTY, end, notice)) == collected
    assert [one.force for one in track("lawful", TWENTY, end, notice)] == ["in_force", "revoked"]


@pytest.mark.parametrize("effect", ["stayed", "parties_only"])
def test_a_ruling_that_is_stayed_or_binds_the_parties_only_ends_nothing(effect: str) -> None:
    held = ruling("R1", "2024-03-20", effect)  # type: ignore[arg-type]
    assert track("lawful", TWENTY, held) == track("lawful", TWENTY)
    row = measure("2024-04-01T00:00:00+00:00", TWENTY, held)
    assert (row["rate"], row["lawful"]) == ("20", True)
    assert row["rulings"] == [
        {"court": "Court of Trade", "stage": "ruled", "holding": "unlawful", "effect": effect, "act": "R1"}
    ]


def test_a_final_ruling_ends_what_is_lawful_from_its_own_date_and_writes_nothing_back() -> None:
    held = ruling("R1", "2024-03-20", "final")
    assert told(track("lawful", TWENTY, held)) == [
        ("2024-02-01T05:01Z", "20", "in_force"),
        ("2024-03-20T04:00Z", "0", "voided"),
    ]
    assert told(track("collected", TWENTY, held)) == [("2024-02-01T05:01Z", "20", "in_force")]


def test_an_exemption_for_some_products_touches_those_products_only() -> None:
    spared = duty(
        "A6", "exempted", "2024-03-01", rate=ByProduct(by_product={"clocks": "0"}), effective=on("2024-03-05")
    )
    assert track("lawful", TWENTY, spared) == track("lawful", TWENTY)
    assert told(track("lawful", TWENTY, spared, product="clocks")) == [("2024-03-05T05:00Z", "0", "in_force")]
    row = measure("2024-03-06T00:00:00+00:00", TWENTY, spared)
    assert (row["rate"], row["by_product"]) == ("20", {"clocks": "0"})


def test_an_exemption_that_names_neither_rate_nor_product_moves_nothing() -> None:
    vague = duty("A6", "exempted", "2024-03-01", effective=on("2024-03-05"))
    assert track("lawful", TWENTY, vague) == track("lawful", TWENTY)


def test_a_retroactive_act_holds_from_the_day_it_reaches_back_to() -> None:
    refund = duty(
        "A7", "changed", "2024-03-15", rate="5", effective=on("2024-03-15"), retroactive_from=on("2024-02-15")
    )
    assert told(track("lawful", TWENTY, refund)) == [
        ("2024-02-01T05:01Z", "20", "in_force"),
        ("2024-02-15T05:00Z", "5", "in_force"),
    ]


def test_known_before_it_was_announced_the_retroactive_act_is_not_there() -> None:
    refund = duty(
        "A7", "changed", "2024-03-15", rate="5", effective=on("2024-03-15"), retroactive_from=on("2024-02-15")
    )
    at = "2024-02-20T00:00:00+00:00"
    rows = [answered(at, TWENTY, refund, known_at=known)["measures"] for known in (at, "2024-03-17T00:00:00+00:00")]
    assert [row[0]["rate"] for row in rows if isinstance(row, list)] == ["20", "5"]


def test_an_act_that_says_only_a_month_is_open_within_it() -> None:
    vague = duty("A8", "changed", "2024-02-10", rate="30", effective=When(month="2024-04", zone=NEW_YORK))
    (_, segment) = track("lawful", TWENTY, vague)
    assert (f"{segment.from_at:%Y-%m-%dT%H:%MZ}", f"{segment.from_latest:%Y-%m-%dT%H:%MZ}") == (
        "2024-04-01T04:00Z",
        "2024-05-01T04:00Z",
    )


def test_a_meeting_moves_no_rate() -> None:
    held = talks("M1", "held", "2024-03-01", first_day=on("2024-02-28"))
    assert measure("2024-03-02T00:00:00+00:00", TWENTY, held) == measure("2024-03-02T00:00:00+00:00", TWENTY)


WRITTEN_END = instant("2024-06-10T23:59:00-04:00")
EXTENDED = duty(
    "A3",
    "extended",
    "2024-06-01",
    effective=instant("2024-06-11T00:00:00-04:00"),
    until=instant("2024-09-10T00:01:00-04:00"),
)


@pytest.mark.parametrize(
    ("first", "rate", "suspended"),
    [
        (duty("A1", "imposed", "2024-01-10", rate="10", effective=on("2024-02-01"), until=WRITTEN_END), "10", None),
        (TRUCE.model_copy(update={"until": WRITTEN_END}), "10", "24"),
    ],
)
def test_an_extension_public_in_time_that_begins_a_minute_after_the_end_leaves_no_gap(
    first: ComponentChanged, rate: str, suspended: str | None
) -> None:
    (before, after, lapse) = track("lawful", first, EXTENDED)
    assert before.to_at == after.from_at == parse_instant("2024-06-11T03:59:00+00:00")
    assert (after.rate, after.suspended, after.lapsed, after.force) == (rate, suspended, False, "in_force")
    assert lapse.lapsed
    assert measure("2024-06-10T23:59:30-04:00", first, EXTENDED)["status"] == "settled"


def test_an_extension_that_comes_late_brings_back_what_it_extends_and_not_what_the_lapse_had_left() -> None:
    first = duty("A1", "imposed", "2024-01-10", rate="10", effective=on("2024-02-01"), until=WRITTEN_END)
    late = duty("A3", "extended", "2024-07-01", effective=on("2024-07-01"), until=on("2024-09-10"))
    assert [(one.rate, one.force) for one in track("lawful", first, late)][:3] == [
        ("10", "in_force"),
        ("0", "expired"),
        ("10", "in_force"),
    ]


BY_PRODUCT = duty(
    "A1", "imposed", "2024-01-10", rate=ByProduct(by_product={"clocks": "10", "wine": "15"}), effective=on("2024-02-01")
)


def test_a_suspension_that_names_no_rate_works_on_every_product_group() -> None:
    pause = duty("A2", "suspended", "2024-03-01", effective=on("2024-03-10"))
    for product, rate in (("clocks", "10"), ("wine", "15")):
        last = track("lawful", BY_PRODUCT, pause, product=product)[-1]
        assert (last.rate, last.suspended, last.force) == ("0", rate, "suspended")
    assert not measure("2024-03-12T00:00:00+00:00", BY_PRODUCT, pause)["collected"]


def test_an_extension_that_names_no_rate_works_on_every_product_group() -> None:
    until = BY_PRODUCT.model_copy(update={"until": WRITTEN_END, "until_kind": "stated"})
    row = measure("2024-07-01T00:00:00+00:00", until, EXTENDED)
    assert (row["by_product"], row["status"]) == ({"clocks": "10", "wine": "15"}, "settled")


def test_an_exemption_that_has_lapsed_leaves_the_goods_to_what_holds_for_all_others() -> None:
    spared = duty(
        "A6",
        "exempted",
        "2024-03-01",
        rate=ByProduct(by_product={"clocks": "0"}),
        effective=on("2024-03-05"),
        until=on("2024-06-01"),
    )
    timeline = knowing(TWENTY, spared).timeline("duty")
    at = [parse_instant(f"2024-{day}T12:00:00+00:00") for day in ("04-01", "07-01")]
    assert [amount_at("duty", timeline, "lawful", "clocks", one).amount.value for one in at] == [0, 20]


def test_what_is_imposed_on_all_goods_holds_for_those_whose_own_rate_was_ended() -> None:
    spared = duty(
        "A6", "exempted", "2024-03-01", rate=ByProduct(by_product={"clocks": "0"}), effective=on("2024-03-05")
    )
    end = duty("A7", "ended", "2024-04-01", ended_how="terminated", effective=on("2024-04-01"))
    anew = duty("A8", "imposed", "2024-05-01", rate="30", effective=on("2024-05-01"))
    timeline = knowing(TWENTY, spared, end, anew).timeline("duty")
    at = parse_instant("2024-06-01T12:00:00+00:00")
    assert amount_at("duty", timeline, "lawful", "clocks", at).amount.value == 30
    timeline = knowing(TWENTY, spared, anew).timeline("duty")
    assert amount_at("duty", timeline, "lawful", "clocks", at).amount.value == 0


def test_a_component_with_rates_by_product_alone_cannot_be_added_and_says_between_what() -> None:
    timeline = knowing(BY_PRODUCT).timeline("duty")
    amount = amount_at("duty", timeline, "lawful", None, parse_instant("2024-03-01T00:00:00+00:00")).amount
    assert amount.value is None
    assert (amount.low, amount.high) == (Decimal(10), Decimal(15))
    assert amount.reason == "its rate differs by product"


def test_what_is_suspended_beside_a_range_comes_back_on_both_of_its_ends() -> None:
    truce = TRUCE.model_copy(update={"rate": RateRange(low="10", high="15")})
    assert track("lawful", TWENTY, truce)[-1].rate == RateRange(low="34", high="39")


def test_a_final_ruling_before_a_duty_begins_leaves_nothing_to_begin() -> None:
    later = duty("A1", "imposed", "2024-01-10", rate="20", effective=on("2024-04-01"))
    held = ruling("R1", "2024-03-20", "final")
    assert told(track("lawful", later, held)) == [("2024-04-01T04:00Z", "0", "voided")]


def test_what_a_court_has_ruled_is_told_by_its_best_witness() -> None:
    stayed = ruling("R1", "2024-03-20", "stayed")
    rumour = ruling("R1", "2024-03-20", "final").model_copy(update={"source": RUMOUR})
    assert track("lawful", TWENTY, stayed, rumour) == track("lawful", TWENTY)
    (told_once,) = listed(measure("2024-04-01T00:00:00+00:00", TWENTY, stayed, rumour), "rulings")
    assert told_once["effect"] == "stayed"


def test_a_duty_that_held_before_it_was_announced_is_shown_to_who_knows_of_it() -> None:
    secret = duty("A1", "imposed", "2024-01-20", rate="20", effective=on("2024-01-10"), signed=on("2024-01-15"))
    for day in ("2024-01-12", "2024-01-16"):
        row = measure(f"{day}T12:00:00-05:00", secret)
        assert (row["rate"], row["lawful"], row["collected"]) == ("20", True, True)


def test_a_duty_signed_and_not_yet_announced_is_made() -> None:
    secret = duty("A1", "imposed", "2024-01-20", rate="20", effective=on("2024-02-10"), signed=on("2024-01-15"))
    assert measure("2024-01-16T12:00:00-05:00", secret)["force"] == "signed"


def test_a_fee_that_is_suspended_is_not_collected() -> None:
    pause = duty("A2", "suspended", "2024-03-01", effective=on("2024-03-10"))
    row = measure("2024-03-12T00:00:00+00:00", TWENTY, pause)
    assert (row["force"], row["collected"]) == ("suspended", False)


def test_a_duty_on_some_products_shows_the_act_that_holds_and_what_comes_next() -> None:
    clocks = duty(
        "A1",
        "imposed",
        "2024-01-10",
        rate=ByProduct(by_product={"clocks": "10"}),
        effective=on("2024-02-01"),
        title="On",
    )
    more = duty(
        "A2",
        "changed",
        "2024-02-10",
        rate=ByProduct(by_product={"clocks": "15"}),
        effective=on("2024-03-10"),
        title="More",
    )
    before = measure("2024-01-20T00:00:00+00:00", clocks, more)
    assert before["next"] == {
        "rate": None,
        "by_product": {"clocks": "10"},
        "suspended": None,
        "force": "in_force",
        "from": "2024-02-01T05:00:00+00:00",
        "act": "A1",
    }
    row = measure("2024-03-01T00:00:00+00:00", clocks, more)
    assert (row["title"], row["since_printed"], row["by_product"]) == ("On", "2024-02-01", {"clocks": "10"})
    assert isinstance(row["next"], dict)
    assert (row["next"]["by_product"], row["next"]["act"]) == ({"clocks": "15"}, "A2")
    assert measure("2024-04-01T00:00:00+00:00", clocks, more)["title"] == "More"


def test_before_it_holds_a_signed_order_is_shown_whatever_is_threatened_since() -> None:
    order = duty("A1", "imposed", "2024-01-10", rate="10", effective=on("2024-02-10"), until=on("2024-07-10"))
    threat = duty("A2", "threatened", "2024-01-12", WIRE, REMARK, rate="15")
    row = measure("2024-01-20T12:00:00+00:00", order, threat)
    assert (row["force"], row["until"], row["rate"]) == ("announced", "2024-07-10", None)
    assert [one["act"] for one in listed(row, "not_in_force")] == ["A2"]
    called_off = duty("A3", "withdrawn", "2024-01-15")
    assert measure("2024-01-20T12:00:00+00:00", order, threat, called_off)["force"] in {"announced", "withdrawn"}
