"""Whoever reads an answer finds each act in it: which document it is, and who tells of it where."""

from ledger import provenance
from schemas.events import FigureClaimed, StackingRuleDefined
from schemas.ids import event_id
from schemas.provenance import Document
from tests.stories.telling import (
    GAZETTE,
    ORDER,
    REMARK,
    TRACKER,
    WIRE,
    answered,
    duty,
    header,
    listed,
    on,
    published,
    taken_back,
    tells,
    witness,
)

NOON = "2024-06-01T12:00:00+00:00"
NEWS = witness("News", "wire", url="https://news.example/1", published=published("2024-01-12"))
IMPOSED = duty(
    "A1", "imposed", "2024-01-10", GAZETTE, Document(kind="instrument", issuer="SY", ref="SY 1", refs=("SY 1", "SY 2")),
    title="Sylvania imposes 20%", rate="20", effective=on("2024-02-01"), supersedes=("A0",),
)  # fmt: skip


def test_an_act_is_told_with_its_document_and_its_sources_the_best_first() -> None:
    more = tells("A1", "2024-01-10", ("rate", "20"), NEWS)
    (act,) = listed(answered(NOON, more, IMPOSED), "acts")
    assert act == {
        "act": "A1",
        "title": "Sylvania imposes 20%",
        "announced": "2024-01-10",
        "public_at": "2024-01-11T05:00:00+00:00",
        "document": {"kind": "instrument", "issuer": "SY", "refs": ["SY 1", "SY 2"]},
        "status": "settled",
        "reports": 2,
        "sources": [
            {
                "source": "Sylvanian Gazette", "grade": "instrument", "speaks_as": "issuer", "basis": "seen",
                "public_at": "2024-01-11T05:00:00+00:00", "public_basis": "announced", "url": None,
                "reports": [event_id(IMPOSED)],
            },
            {
                "source": "News", "grade": "wire", "speaks_as": "reporter", "basis": "seen",
                "public_at": "2024-01-13T05:00:00+00:00", "public_basis": "published", "url": "https://news.example/1",
                "reports": [event_id(more)],
            },
        ],
        "supersedes": ["A0"],
    }  # fmt: skip


def test_an_act_is_told_once_it_was_made_and_by_those_who_had_told_of_it_by_then() -> None:
    more = tells("A1", "2024-01-10", ("rate", "20"), NEWS)
    assert listed(answered("2024-01-09T12:00:00+00:00", IMPOSED), "acts") == []
    (act,) = listed(answered(NOON, IMPOSED, more, known_at="2024-01-12T12:00:00+00:00"), "acts")
    assert [one["source"] for one in listed(act, "sources")] == ["Sylvanian Gazette"]


def test_an_act_that_reaches_back_is_told_where_a_row_names_it() -> None:
    later = duty(
        "A9", "imposed", "2024-03-10", rate="20", effective=on("2024-03-12"), retroactive_from=on("2024-02-01")
    )
    answer = answered("2024-02-10T12:00:00+00:00", later)
    assert (listed(answer, "measures")[0]["acts"], [one["act"] for one in listed(answer, "acts")]) == (["A9"], ["A9"])


def test_what_was_taken_back_is_told_with_the_reason_and_is_no_source() -> None:
    wrong = tells("A1", "2024-01-10", ("rate", "30"), TRACKER)
    back = taken_back(wrong)
    (act,) = listed(answered(NOON, IMPOSED, wrong, back), "acts")
    assert "Tracker" in {one["source"] for one in listed(act, "sources")}  # it tells of the act, in taking that back
    assert act["taken_back"] == [
        {"source": "Tracker", "report": event_id(wrong), "by": event_id(back), "reason": "wrong"}
    ]
    restated = tells("A1", "2024-01-10", ("rate", "20"), TRACKER).model_copy(update={"replaces": event_id(wrong)})
    (act,) = listed(answered(NOON, IMPOSED, wrong, restated), "acts")
    assert act["taken_back"] == [
        {"source": "Tracker", "report": event_id(wrong), "by": event_id(restated), "reason": None}
    ]


def test_several_parts_of_one_report_are_one_source() -> None:
    parts = [duty("A1", "imposed", "2024-01-10", WIRE, component=name, rate="20") for name in ("duty", "fee")]
    (act,) = listed(answered(NOON, *parts), "acts")
    (source,) = listed(act, "sources")
    assert (act["reports"], source["reports"]) == (2, sorted(map(event_id, parts)))


def test_of_many_acts_the_latest_are_told_and_how_many_there_are() -> None:
    count = provenance.ACTS_SHOWN_MAX + 1
    acts = [duty(f"A{n}", "announced", "2024-01-10", TRACKER, ORDER) for n in range(count)]
    answer = answered(NOON, *acts)
    assert (len(listed(answer, "acts")), answer["in_all"]) == (count - 1, {"acts": count})


def test_a_figure_names_its_acts_and_a_rule_its_parts() -> None:
    figure = FigureClaimed(
        **header("F1", "2024-03-01", WIRE, REMARK), metric="paid", value="5", unit="usd_billion", by="Wire",
        acts=("A1",),
    )  # fmt: skip
    rule = StackingRuleDefined(
        negotiation="sylvania-freedonia", rule="all", revision=1, text="They add up.", adds=("duty", "fee"),
        one_of=("a",), not_on=("b",),
    )  # fmt: skip
    answer = answered(NOON, IMPOSED, figure, rule)
    assert listed(answer, "figures")[0]["acts"] == ["F1", "A1"]
    assert listed(answer, "stacking_rules") == [
        {"rule": "all", "text": "They add up.", "adds": ["duty", "fee"], "one_of": ["a"], "not_on": ["b"]}
    ]
