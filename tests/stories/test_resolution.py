"""Whose word stands: the authority of the document, then the witness; and from when a report is public."""

import pytest

from ledger.reports import PublicBasis, Unit, public_at
from schemas.events import ComponentChanged, DeadlineChanged, Event, ReportRetracted
from schemas.ids import event_id
from schemas.times import parse_instant
from tests.stories.telling import (
    GAZETTE,
    ORDER,
    REMARK,
    RUMOUR,
    SHANGHAI,
    STATEMENT,
    TRACKER,
    WIRE,
    answered,
    document,
    duty,
    header,
    instant,
    knowing,
    listed,
    measure,
    on,
    published,
    review,
    tells,
    witness,
)

AFTER = "2024-06-01T00:00:00+00:00"
START = on("2024-02-01")


def imposed(rate: str, source: object, spoken: object = ORDER) -> ComponentChanged:
    return duty("A1", "imposed", "2024-01-10", source, spoken, rate=rate, effective=START)  # type: ignore[arg-type]


def resolved(*reports: ComponentChanged) -> tuple[object, str, list[tuple[object, ...]]]:
    """Give the rate of the act, how it is witnessed, and the values in dispute."""
    (act,) = knowing(*reports).acts("duty")
    return act.rate, act.status, [one.values for one in act.disputes]


@pytest.mark.parametrize("relayed_by", [GAZETTE, WIRE, TRACKER, RUMOUR], ids=lambda source: source.name)
def test_an_instrument_outranks_a_remark_whoever_relays_it(relayed_by: object) -> None:
    spoken_by_the_issuer = imposed("50", witness("Ministry", "official-statement", speaks_as="issuer"), REMARK)
    assert resolved(spoken_by_the_issuer, imposed("20", relayed_by))[0] == "20"


def test_a_statement_outranks_a_remark() -> None:
    assert resolved(imposed("20", TRACKER, STATEMENT), imposed("50", WIRE, REMARK))[0] == "20"


def test_the_issuers_own_text_outranks_a_trackers_description_of_it() -> None:
    assert resolved(imposed("20", GAZETTE), imposed("25", TRACKER)) == ("20", "settled", [("20", "25")])


def test_the_issuers_own_document_outranks_another_partys_description() -> None:
    abroad = imposed(
        "25", witness("Freedonian Gazette", "instrument", speaks_as="issuer"), document("instrument", "FR")
    )
    assert resolved(abroad, imposed("20", WIRE))[0] == "20"


def test_the_better_witness_of_the_same_document_stands() -> None:
    rate, _, values = resolved(imposed("20", WIRE), imposed("25", TRACKER))
    assert (rate, values) == ("20", [("20", "25")])


def test_two_equals_that_differ_are_disputed_and_both_stay_visible() -> None:
    other = witness("Other wire", "wire")
    reports = imposed("20", WIRE), imposed("25", other)
    rate, status, values = resolved(*reports)
    assert (status, [set(one) for one in values]) == ("disputed", [{"20", "25"}])
    found = answered(AFTER, *reports)["disputed"]
    assert found == [
        {
            "subject": "duty",
            "property": "rate",
            "values": [rate, "25" if rate == "20" else "20"],
            "reports": [event_id(one) for one in sorted(reports, key=lambda one: one.rate != rate)],
            "sources": ["Wire", "Other wire"],
            "contested": True,
        }
    ]


def test_two_equals_that_agree_settle_it() -> None:
    assert resolved(imposed("20", WIRE), imposed("20", witness("Other wire", "wire"))) == ("20", "settled", [])


def test_one_source_that_says_it_twice_is_one_witness() -> None:
    second = duty("A1", "imposed", "2024-01-10", witness("Wire", "wire", quote="again"), rate="20", effective=START)
    assert resolved(imposed("20", WIRE), second) == ("20", "single-source", [])


def test_a_source_that_restates_itself_says_one_thing_the_later() -> None:
    first = imposed("20", witness("Wire", "wire", published=published("2024-01-10")))
    second = imposed("25", witness("Wire", "wire", published=published("2024-01-12")))
    assert resolved(second, first) == ("25", "single-source", [])


def test_an_assumed_report_is_no_second_witness() -> None:
    assumed = imposed("20", witness("Other wire", "wire", basis="assumed"))
    assert resolved(imposed("20", WIRE), assumed) == ("20", "single-source", [])


def test_unverified_alone_stands_and_is_marked() -> None:
    row = measure(AFTER, imposed("20", RUMOUR))
    assert (row["rate"], row["status"]) == ("20", "unverified")
    assert answered(AFTER, imposed("20", RUMOUR))["warnings"] == [{"code": "rests_on_unverified_reports", "count": 1}]


def test_unverified_beside_a_wire_is_no_second_witness() -> None:
    assert resolved(imposed("20", WIRE), imposed("20", RUMOUR)) == ("20", "single-source", [])


def test_a_day_and_an_instant_within_it_do_not_contradict_each_other() -> None:
    told_the_hour = tells("A1", "2024-01-10", ("effective", instant("2024-02-01T00:01:00-05:00")), WIRE)
    (act,) = knowing(imposed("20", GAZETTE), told_the_hour).acts("duty")
    assert (act.status, act.disputes) == ("settled", ())


def test_a_day_and_the_instant_at_which_it_ends_contradict_each_other() -> None:
    midnight = instant("2024-02-02T00:00:00-05:00")
    on_the_day = duty("A1", "imposed", "2024-01-10", GAZETTE, rate="20", effective=START)
    at_its_end = duty("A1", "imposed", "2024-01-10", WIRE, rate="20", effective=midnight)
    begins_then = duty("A1", "imposed", "2024-01-10", TRACKER, rate="20", effective=on("2024-02-02"))
    assert differing(on_the_day, at_its_end) == ["effective"]
    assert differing(at_its_end, begins_then) == []


def test_equals_that_tell_of_days_next_to_each_other_are_disputed() -> None:
    first = duty("A1", "imposed", "2024-01-10", GAZETTE, rate="20", effective=START)
    next_day = duty(
        "A1",
        "imposed",
        "2024-01-10",
        witness("Court Gazette", "instrument", speaks_as="issuer"),
        rate="20",
        effective=on("2024-02-02"),
    )
    assert differing(first, next_day) == ["effective"]
    assert measure(AFTER, first, next_day)["status"] == "disputed"


def differing(*reports: Event) -> list[str]:
    """Give the properties on which reports differ."""
    return [one.property for act in knowing(*reports).acts("duty") for one in act.disputes]


def test_a_report_of_another_day_is_told_as_a_difference() -> None:
    other_day = tells("A1", "2024-01-10", ("effective", on("2024-02-03")), TRACKER)
    (act,) = knowing(imposed("20", GAZETTE), other_day).acts("duty")
    assert (act.effective, act.status) == (START, "settled")
    assert [(one.property, one.values, one.contested) for one in act.disputes] == [
        ("effective", (START, on("2024-02-03")), False)
    ]


def test_a_retracted_report_no_longer_stands() -> None:
    wrong = imposed("50", GAZETTE)
    back = ReportRetracted(**header("A1", "2024-01-12", GAZETTE, ORDER), report=event_id(wrong), reason="a misprint")
    assert resolved(wrong, imposed("20", WIRE))[0] == "50"
    (act,) = knowing(wrong, imposed("20", WIRE), back).acts("duty")
    assert (act.rate, act.status, act.disputes) == ("20", "single-source", ())


def test_nobody_retracts_the_report_of_another() -> None:
    right = imposed("20", GAZETTE)
    back = ReportRetracted(**header("A1", "2024-01-12", WIRE, ORDER), report=event_id(right), reason="we doubt it")
    (act,) = knowing(right, back).acts("duty")
    assert act.rate == "20"


def test_a_retraction_by_another_does_not_shield_a_report_from_its_own_source() -> None:
    wrong = imposed("50", GAZETTE)
    own = ReportRetracted(**header("A1", "2024-01-12", GAZETTE, ORDER), report=event_id(wrong), reason="a misprint")
    foreign = ReportRetracted(**header("A1", "2024-01-13", WIRE, ORDER), report=event_id(wrong), reason="we doubt it")
    assert knowing(wrong, own, foreign).acts("duty") == ()
    assert knowing(wrong, foreign, own).acts("duty") == ()


def test_a_retraction_that_comes_first_waits_for_its_report() -> None:
    wrong = imposed("50", GAZETTE)
    back = ReportRetracted(**header("A1", "2024-01-12", GAZETTE, ORDER), report=event_id(wrong), reason="a misprint")
    assert knowing(back, wrong).acts("duty") == ()


def test_before_the_retraction_was_public_the_report_stood() -> None:
    wrong = imposed("50", GAZETTE)
    back = ReportRetracted(**header("A1", "2024-01-12", GAZETTE, ORDER), report=event_id(wrong), reason="a misprint")
    rates = [
        len(knowing(wrong, back, by=parse_instant(by)).acts("duty"))
        for by in ("2024-01-13T04:59:59+00:00", "2024-01-13T05:00:00+00:00")
    ]
    assert rates == [1, 0]


def test_a_correction_replaces_what_the_same_source_said() -> None:
    wrong = imposed("50", GAZETTE)
    right = duty("A1", "imposed", "2024-01-10", rate="20", effective=START, replaces=event_id(wrong))
    known = knowing(right, wrong)
    (act,) = known.acts("duty")
    assert (act.rate, [one.id for one in known.of_act("A1", Unit("component", "duty"))]) == ("20", [event_id(right)])


ANNOUNCED_AT = instant("2024-01-10T12:00:00-05:00")


@pytest.mark.parametrize(
    ("report", "public", "basis"),
    [
        pytest.param(
            duty("A1", "imposed", "2024-01-10", effective=START), "2024-01-11T05:00:00+00:00", "announced",
            id="a bare day: when it has ended in the issuer's zone",
        ),
        pytest.param(
            duty("A1", "imposed", on("2024-01-10", SHANGHAI), effective=START), "2024-01-10T16:00:00+00:00",
            "announced", id="a bare day elsewhere: when it has ended there",
        ),
        pytest.param(
            duty("A1", "imposed", "2024-01-10", effective=instant("2024-01-10T12:01:00-05:00")),
            "2024-01-10T17:01:00+00:00", "announced", id="a bare day on which the act takes effect: that instant",
        ),
        pytest.param(
            duty("A1", "imposed", "2024-01-10", effective=instant("2024-01-09T12:01:00-05:00")),
            "2024-01-11T05:00:00+00:00", "announced", id="an effect on the day before: the end of the day",
        ),
        pytest.param(
            duty("A1", "imposed", ANNOUNCED_AT, effective=START), "2024-01-10T17:00:00+00:00", "announced",
            id="an instant: that instant",
        ),
        pytest.param(
            duty("A1", "imposed", "2024-01-10", witness("Wire", "wire", published=published("2024-01-12"))),
            "2024-01-13T05:00:00+00:00", "published", id="published later: that day, in the issuer's zone",
        ),
        pytest.param(
            duty("A1", "imposed", "2024-01-10", witness("Wire", "wire", published=published("2024-01-12", SHANGHAI))),
            "2024-01-12T16:00:00+00:00", "published", id="published with a zone of its own: in that zone",
        ),
    ],
)  # fmt: skip
def test_a_report_is_public_from(report: ComponentChanged, public: str, basis: PublicBasis) -> None:
    assert public_at(report) == (parse_instant(public), basis)


def test_known_at_sees_what_is_public_at_that_very_instant() -> None:
    report = imposed("20", GAZETTE)
    seen = [
        len(knowing(report, by=parse_instant(by)).acts("duty"))
        for by in ("2024-01-11T04:59:59.999999+00:00", "2024-01-11T05:00:00+00:00")
    ]
    assert seen == [0, 1]


def test_dates_of_the_document_that_differ_are_told_and_leave_the_act_as_well_witnessed_as_it_was() -> None:
    order = duty("A1", "imposed", "2024-01-10", GAZETTE, rate="20", effective=START, signed=on("2024-01-09"))
    other = tells("A1", "2024-01-10", ("signed", on("2024-01-05")), TRACKER)
    same = tells("A1", "2024-01-10", ("signed", on("2024-01-09")), WIRE)
    assert (differing(order, other, same), measure(AFTER, order, other)["status"]) == (["signed"], "settled")
    assert differing(order, same) == []


def test_equals_that_tell_of_different_days_for_a_promise_are_disputed() -> None:
    answer = answered(AFTER, review("P1", "set", "2024-01-05", due=on("2024-09-01")), _by_another("2024-09-02"))
    (deadline,), (dispute,) = listed(answer, "deadlines"), listed(answer, "disputed")
    assert deadline["status"] == "disputed"
    assert (dispute["subject"], dispute["property"], dispute["contested"]) == ("review", "due", True)


def test_a_rumour_of_a_later_day_does_not_settle_it() -> None:
    first = review("P1", "set", "2024-01-05", due=on("2024-09-01"))
    moved = review("P2", "moved", "2024-02-05", due=on("2024-10-01")).model_copy(update={"source": RUMOUR})
    (deadline,) = listed(answered(AFTER, first, moved), "deadlines")
    assert (deadline["due"], deadline["status"]) == ("2024-10-01", "unverified")


def _by_another(due: str) -> DeadlineChanged:
    other = witness("Court Gazette", "instrument", speaks_as="issuer")
    return review("P1", "set", "2024-01-05", due=on(due)).model_copy(update={"source": other})
