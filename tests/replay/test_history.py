"""What the shipped history holds, and what it must never hold."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.reports import public_at
from schemas.codec import decode, encode
from schemas.events import (
    ActReported,
    AnyReport,
    ComponentChanged,
    FigureClaimed,
    MetricDefined,
    NoneFound,
    Report,
    StackingRuleDefined,
)
from schemas.positions import Recorded
from schemas.times import window
from streams.ledger_file import DEMO, ledger_bytes

LINE_BYTES_MAX = 4096
FORBIDDEN = frozenset({"verdict", "why", "status_after", "outcome", "confidence", "notes"})
ACTS = tuple(f"A{number:03}" for number in range(1, 180))
CLAIMS = tuple(f"C{number:03}" for number in range(1, 158))


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return ledger_bytes(DEMO).splitlines()


@pytest.fixture(scope="module")
def reports(shipped: list[Recorded]) -> list[AnyReport]:
    return [recorded.event for recorded in shipped if isinstance(recorded.event, Report)]


def own_id(report: Report) -> str:
    assert report.source.own_id is not None
    return report.source.own_id


def test_every_act_has_a_report_of_its_issuer_under_its_own_id(reports: list[AnyReport]) -> None:
    own = [report for report in reports if "/own/" in own_id(report)]
    assert sorted({own_id(report).split("/")[0] for report in own}) == sorted(ACTS)
    assert {report.source.speaks_as for report in own} == {"issuer"}
    assert {report.act.split("-")[0] == own_id(report).split("/")[0] for report in own} == {True}


def test_every_claim_is_one_report_with_one_value(reports: list[AnyReport]) -> None:
    claims = [report for report in reports if re.fullmatch(r"C\d{3}", own_id(report))]
    assert sorted(own_id(report) for report in claims) == sorted(CLAIMS)
    assert {type(report) for report in claims} == {ActReported, FigureClaimed}
    assert all(report.claims for report in claims if isinstance(report, ActReported))


def test_every_line_reads_back_to_the_same_bytes(lines: list[bytes]) -> None:
    unlike = [number for number, line in enumerate(lines, start=1) if _again(line) != line]
    assert unlike == []


def _again(line: bytes) -> bytes:
    event = decode(line)
    assert isinstance(event, Report | MetricDefined | StackingRuleDefined), event
    return encode(event)


def test_no_line_is_longer_than_four_kib(lines: list[bytes]) -> None:
    assert max(len(line) for line in lines) <= LINE_BYTES_MAX


def test_no_field_tells_what_was_known_only_later(lines: list[bytes]) -> None:
    found = {name for line in lines for name in _names(json.loads(line))}
    assert found & FORBIDDEN == set()
    assert {"act", "source", "announced"} <= found


def _names(value: Any) -> Iterator[str]:  # noqa: ANN401 -- any JSON value
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def test_definitions_come_first_then_reports_as_they_became_public(shipped: list[Recorded]) -> None:
    kinds = [isinstance(recorded.event, Report) for recorded in shipped]
    assert kinds == sorted(kinds)
    reports = [recorded.event for recorded in shipped if isinstance(recorded.event, Report)]
    keys = [(public_at(report)[0], own_id(report)) for report in reports]
    assert keys == sorted(keys)


def test_no_two_events_have_the_same_id(shipped: list[Recorded], reports: list[AnyReport]) -> None:
    assert [name for name, count in Counter(recorded.id for recorded in shipped).items() if count > 1] == []
    assert [name for name, count in Counter(own_id(report) for report in reports).items() if count > 1] == []


def test_no_report_of_an_issuer_or_a_source_is_public_before_its_act_was_announced(reports: list[AnyReport]) -> None:
    early = [
        own_id(report)
        for report in reports
        if "/" in own_id(report) and public_at(report)[0] < window(report.announced).earliest
    ]
    assert early == []


def test_a_source_without_a_date_lends_no_words_to_the_day_of_its_act(reports: list[AnyReport]) -> None:
    sources = [report for report in reports if "/source/" in own_id(report)]
    undated = [report for report in sources if report.source.published is None]
    assert len(undated) > 200
    assert {report.title for report in undated} == {None}
    assert {report.source.quote for report in sources} == {None}
    assert {report.claims for report in sources if isinstance(report, ActReported)} == {()}


def test_an_issuer_counts_as_seen_only_where_its_own_text_was(reports: list[AnyReport]) -> None:
    seen = {own_id(report).split("/")[0] for report in reports if _seen_issuer(report)}
    assert seen == {"A047", "A056", "A179"}


def _seen_issuer(report: AnyReport) -> bool:
    return report.source.speaks_as == "issuer" and report.source.basis == "seen"


def test_threats_proposals_and_announcements_carry_no_end_to_what_is_in_force(reports: list[AnyReport]) -> None:
    idle = {
        report.component
        for report in reports
        if isinstance(report, ComponentChanged)
        and report.stage in {"threatened", "proposed", "announced", "withdrawn"}
        and report.until is not None
    }
    assert idle == {"kl_truce"}


def test_a_source_that_restates_itself_replaces_what_it_had_said(shipped: list[Recorded]) -> None:
    names = {recorded.id: own_id(recorded.event) for recorded in shipped if isinstance(recorded.event, Report)}
    replaced = {
        own_id(recorded.event): names[recorded.event.replaces]
        for recorded in shipped
        if isinstance(recorded.event, Report) and recorded.event.replaces is not None
    }
    assert replaced == {"C032": "C031", "C145": "C144", "C146": "C145", "C147": "C146"}


def test_the_history_ends_with_the_day_that_it_covers(reports: list[AnyReport]) -> None:
    last = reports[-1]
    assert isinstance(last, NoneFound)
    assert (last.act, last.through.isoformat()) == ("coverage-2026-10-09", "2026-10-09")
    assert public_at(last)[0] == datetime(2026, 10, 10, 4, tzinfo=UTC)
