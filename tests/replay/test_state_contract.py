"""What tools rely on in `state --json`: the same fields in the same shapes, whenever it is asked."""

import copy
import json
from typing import Any

import pytest
from pydantic import ValidationError

from ledger.answer import Asked, state
from schemas.positions import Recorded
from schemas.times import parse_instant
from tests.replay.asking import NEGOTIATION, checkpoints
from tests.replay.contract import State

KNOWN_LATER = parse_instant("2026-11-01T00:00:00+00:00")
TIMES = (
    *(one.asked for one in checkpoints()),
    Asked(parse_instant("2017-01-01T00:00:00+00:00"), KNOWN_LATER),
    Asked(parse_instant("2025-11-10T12:00:00-05:00"), parse_instant("2025-10-31T00:00:00-04:00")),
    Asked(parse_instant("2030-01-01T00:00:00+00:00"), KNOWN_LATER),
)


def answered(shipped: list[Recorded], asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(state(NEGOTIATION, shipped, asked)))
    return found


@pytest.mark.parametrize("asked", TIMES, ids=lambda asked: asked.at.isoformat())
def test_every_field_that_tools_rely_on_is_there(shipped: list[Recorded], asked: Asked) -> None:
    found = State.model_validate_json(json.dumps(answered(shipped, asked)))
    assert (found.at, found.known_at) == (asked.at, asked.known_at)
    assert "he-lifeng+bessent" in found.meetings
    assert {
        "us_on_cn.additional_since_2025.collected",
        "us_on_cn.additional_since_2025.lawful",
        "us_on_cn.additional_since_2025_plus_s301_25.collected",
        "cn_on_us.additional_since_2025.collected",
    } <= found.metrics.keys()


def test_a_field_that_is_missing_in_one_measure_is_seen(shipped: list[Recorded]) -> None:
    planted = copy.deepcopy(answered(shipped, checkpoints()[-1].asked))
    del planted["measures"][-1]["lawful"]
    with pytest.raises(ValidationError, match=r"measures\.\d+\.lawful"):
        State.model_validate_json(json.dumps(planted))


def test_investigations_and_cases_stand_among_the_measures_and_collect_nothing(shipped: list[Recorded]) -> None:
    found = State.model_validate_json(json.dumps(answered(shipped, checkpoints()[-1].asked)))
    proceedings = [one for one in found.measures if one.component.startswith("proceeding/")]
    assert {one.instrument for one in proceedings} == {"investigation", "court"}
    assert {(one.rate, one.suspended, one.lawful, one.collected) for one in proceedings} == {(None, None, False, False)}
    assert None not in {one.since for one in proceedings}


@pytest.mark.parametrize("asked", TIMES, ids=lambda asked: asked.at.isoformat())
def test_every_act_that_a_row_names_is_told_with_its_sources(shipped: list[Recorded], asked: Asked) -> None:
    answer = answered(shipped, asked)
    known = {act["act"] for act in answer["acts"]}
    meetings = [row for group in (*answer["meetings"].values(), answer["other_meetings"]) for row in _meetings(group)]
    rows = [*answer["measures"], *answer["deadlines"], *answer["commitments"], *meetings]
    assert {act for row in rows for act in row["acts"]} <= known
    assert {row["next"]["act"] for row in answer["measures"] if row.get("next")} <= known
    assert all(act["sources"] for act in answer["acts"])


def _meetings(group: dict[str, Any]) -> list[dict[str, Any]]:
    return [*group["list"], *group["calls"], *group["planned"]]
