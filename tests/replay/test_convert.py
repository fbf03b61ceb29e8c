"""The converter, on a corpus of two acts and a claim."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from streams.demo.convert.corpus import read
from streams.demo.convert.history import history

ROOT = Path(__file__).resolve().parents[2]
ACT = {
    "id": "A101",
    "announced": "2025-11-04",
    "effective": "2025-11-10T00:01:00-05:00",
    "effective_tz": "12:01 a.m. EST",
    "end": None,
    "end_basis": None,
    "title": "US halves fentanyl tariff to 10%",
    "event_kind": "decrease",
    "imposer": "US",
    "target": "CN+HK",
    "instrument_type": "tariff",
    "measure_id": "US-IEEPA-FENT-CN",
    "legal_authority": "IEEPA, EO 14357",
    "instrument_refs": ["EO 14357"],
    "rate": [{"component": "ieepa_fentanyl", "product_scope": None, "before_pct": "20", "after_pct": "10"}],
    "scope": "all goods",
    "stacking": None,
    "contingent_on": "PRC implements fentanyl commitments",
    "supersedes": [],
    "status_after": "HINDSIGHT",
    "deadline_set": {"what": "a date", "date": "2025-11-10", "outcome": "HINDSIGHT"},
    "participants": [],
    "place": None,
    "claims": [{"claim": "a claim", "by": "somebody", "verdict": "HINDSIGHT"}],
    "sources": [
        {"title": "Dated", "publisher": "EY", "url": "https://example.org/1", "grade": "secondary",
         "published": "2025-11-07"},
        {"title": "Undated, and telling HINDSIGHT", "publisher": "LegisTrack", "url": None, "grade": "secondary"},
        {"title": "unsourced", "publisher": None, "url": None, "grade": "unverified"},
    ],
    "best_grade": "secondary",
    "confidence": "HINDSIGHT",
    "unsourced_fields": [],
    "notes": "HINDSIGHT",
}  # fmt: skip
STATEMENT = ACT | {
    "id": "A098",
    "announced": "2025-10-30",
    "effective": "2025-10-30",
    "effective_tz": None,
    "title": "Trump: tariffs on China go from 57% to 47%, 'effective immediately'",
    "event_kind": "claim",
    "target": "CN",
    "instrument_type": "claim",
    "measure_id": None,
    "legal_authority": None,
    "instrument_refs": [],
    "rate": [],
    "contingent_on": None,
    "sources": [],
}
CLAIM = {
    "id": "C021",
    "claim": "The White House fact sheet counted the Busan cut as 20% to 10%.",
    "metric": "us_on_cn.fentanyl",
    "value": "10",
    "unit": "percent",
    "by": "White House fact sheet",
    "said_on": "2025-11-01",
    "about": "2025-11-10T00:01:00-05:00",
    "grade": "official-statement",
    "verdict": "HINDSIGHT",
    "why": "HINDSIGHT",
    "acts": ["A098", "A101"],
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "acts.jsonl").write_text("".join(json.dumps(act) + "\n" for act in (STATEMENT, ACT)))
    (tmp_path / "claims.jsonl").write_text(json.dumps(CLAIM) + "\n")
    return tmp_path


def reports(corpus: Path) -> dict[str, dict[str, object]]:
    events = [json.loads(line) for line in history(read(corpus)).splitlines()]
    return {event["source"]["own_id"]: event for event in events if "source" in event}


def test_two_processes_give_the_same_bytes_whatever_their_hash_seed(corpus: Path) -> None:
    written = []
    for seed in ("1", "2"):
        output = corpus / f"history-{seed}.jsonl"
        command = (sys.executable, "-m", "streams.demo.convert", str(corpus), "--output", str(output))
        subprocess.run(command, check=True, cwd=ROOT, env={"PYTHONHASHSEED": seed}, timeout=60)
        written.append(output.read_bytes())
    assert written == [history(read(corpus))] * 2


def test_hindsight_is_never_read(corpus: Path) -> None:
    assert "HINDSIGHT" in (corpus / "acts.jsonl").read_text()
    assert b"HINDSIGHT" not in history(read(corpus))


def test_an_act_becomes_its_issuers_report_and_one_for_each_source_that_there_is(corpus: Path) -> None:
    assert sorted(reports(corpus)) == [
        "A098/own/statement",
        "A101/own/ieepa_fentanyl",
        "A101/source/1",
        "A101/source/2",
        "C021",
        "coverage-2026-10-09",
    ]


def test_the_issuers_report_carries_every_value_of_the_act(corpus: Path) -> None:
    assert reports(corpus)["A101/own/ieepa_fentanyl"] == {
        "act": "A101-us-halves-fentanyl-tariff",
        "announced": {"on": "2025-11-04", "zone": "America/New_York"},
        "authority": "IEEPA, EO 14357",
        "component": "ieepa_fentanyl",
        "contingent_on": "PRC implements fentanyl commitments",
        "document": {"issuer": "US", "kind": "instrument", "ref": "EO 14357", "refs": ["EO 14357"]},
        "effective": {
            "as_printed": "12:01 a.m. EST",
            "at": "2025-11-10T00:01:00-05:00",
            "zone": "America/New_York",
        },
        "goods": "all",
        "imposer": "US",
        "measure": "US-IEEPA-FENT-CN",
        "negotiation": "us-china",
        "origins": ["CN", "HK"],
        "rate": "10",
        "source": {
            "basis": "assumed",
            "grade": "secondary",
            "name": "United States government",
            "own_id": "A101/own/ieepa_fentanyl",
            "speaks_as": "issuer",
        },
        "stage": "changed",
        "title": "US halves fentanyl tariff to 10%",
        "type": "component_changed",
    }


def test_a_source_confirms_the_act_and_asserts_nothing(corpus: Path) -> None:
    assert reports(corpus)["A101/source/1"] == {
        "act": "A101-us-halves-fentanyl-tariff",
        "announced": {"on": "2025-11-04", "zone": "America/New_York"},
        "document": {"issuer": "US", "kind": "instrument", "ref": "EO 14357", "refs": ["EO 14357"]},
        "negotiation": "us-china",
        "source": {
            "grade": "secondary",
            "name": "EY",
            "own_id": "A101/source/1",
            "published": {"on": "2025-11-07"},
            "url": "https://example.org/1",
        },
        "title": "Dated",
        "type": "act_reported",
    }


def test_a_claim_names_only_acts_that_were_known_when_it_was_made(corpus: Path) -> None:
    claim = reports(corpus)["C021"]
    assert (claim["act"], claim["acts"]) == ("A098-trump-tariffs-on-china-go", ["A098-trump-tariffs-on-china-go"])


def test_a_number_that_no_source_carries_is_dropped_and_the_act_stays(corpus: Path) -> None:
    unsourced = ACT | {"unsourced_fields": ["legal_authority", "instrument_refs", "effective"]}
    (corpus / "acts.jsonl").write_text("".join(json.dumps(act) + "\n" for act in (STATEMENT, unsourced)))
    report = reports(corpus)["A101/own/ieepa_fentanyl"]
    assert report["authority"] == "IEEPA, executive order"
    assert report["document"] == {"issuer": "US", "kind": "instrument"}
    assert "effective" not in report
    assert b"14357" not in history(read(corpus))


def test_a_day_of_announcement_that_no_source_carries_is_told_as_inferred(corpus: Path) -> None:
    unsourced = ACT | {"unsourced_fields": ["announced"]}
    (corpus / "acts.jsonl").write_text("".join(json.dumps(act) + "\n" for act in (STATEMENT, unsourced)))
    announced = {"basis": "inferred", "on": "2025-11-04", "zone": "America/New_York"}
    assert reports(corpus)["A101/own/ieepa_fentanyl"]["announced"] == announced


def test_an_act_that_no_table_knows_is_named_instead_of_lost(corpus: Path) -> None:
    unknown = STATEMENT | {"id": "A999", "event_kind": "something new"}
    (corpus / "acts.jsonl").write_text("".join(json.dumps(act) + "\n" for act in (STATEMENT, ACT, unknown)))
    with pytest.raises(ValueError, match="A999: expected a report of its issuer, got none"):
        history(read(corpus))
