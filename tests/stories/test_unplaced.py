"""What finds no place in an answer is told: claims of what an act does not touch, withdrawals of nothing, no dates."""

from schemas.events import Event, MetricDefined
from schemas.formulas import SumOfRates, Term
from schemas.ids import event_id
from tests.stories.telling import (
    GAZETTE,
    NEGOTIATION,
    TRACKER,
    WIRE,
    answered,
    duty,
    listed,
    on,
    tells,
)
from tests.stories.test_findings import taking_back

NOON = "2024-06-01T12:00:00+00:00"
IMPOSED = duty("A1", "imposed", "2024-01-10", rate="20", effective=on("2024-02-01"))


def warned(*events: Event) -> dict[object, object]:
    return {one["code"]: one["count"] for one in listed(answered(NOON, *events), "warnings") if "count" in one}


def test_a_claim_on_what_its_act_does_not_touch_is_listed() -> None:
    unknown_act = tells("A9", "2024-02-01", ("rate", "30"), WIRE)
    no_rate = tells("A1", "2024-02-02", ("rate", on("2024-03-01")), TRACKER)
    fits = tells("A1", "2024-02-03", ("rate", "20"), TRACKER)
    answer = answered(NOON, IMPOSED, unknown_act, no_rate, fits)
    assert [(one["act"], one["property"], one["value"]) for one in listed(answer, "unplaced_claims")] == [
        ("A9", "rate", "30"),
        ("A1", "rate", "2024-03-01"),
    ]
    assert warned(IMPOSED, unknown_act, no_rate, fits)["unplaced_claims"] == 2
    assert "unplaced_claims" not in warned(IMPOSED, fits)


def test_a_correction_that_names_no_report_there_is_is_counted() -> None:
    wrong_id = duty("A1", "imposed", "2024-01-11", rate="25", effective=on("2024-02-01"), replaces="0" * 32)
    assert warned(IMPOSED, wrong_id)["takes_back_no_report"] == 1
    right = wrong_id.model_copy(update={"replaces": event_id(IMPOSED)})
    assert "takes_back_no_report" not in warned(IMPOSED, right)


def test_a_definition_cannot_be_taken_back_and_that_is_counted() -> None:
    formula = SumOfRates(kind="sum_of_rates", reading="lawful", terms=(Term(component="duty"),))
    metric = MetricDefined(
        negotiation=NEGOTIATION, metric="sum", revision=1, unit="percent", definition="The sum.", formula=formula
    )
    told = (metric, taking_back(metric, GAZETTE))
    assert warned(*told)["takes_back_no_report"] == 1
    assert "sum" in str(answered(NOON, *told)["metrics"])


def test_an_act_without_a_date_is_counted() -> None:
    assert warned(IMPOSED, duty("A2", "ended", "2024-04-01"))["acts_without_a_date"] == 1
    assert "acts_without_a_date" not in warned(IMPOSED, duty("A2", "extended", "2024-04-01", until=on("2024-09-01")))
