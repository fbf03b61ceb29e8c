"""Settings: defaults, the environment, and words for what cannot be."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from streams.settings import LeadTime, Settings


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PARLEY_{name.upper()}", raising=False)
    return monkeypatch


@pytest.mark.usefixtures("bare")
def test_without_an_environment_everything_has_a_default() -> None:
    settings = Settings()
    assert settings.model_dump(exclude={"state_directory", "cache_directory"}) == {
        "brokers": None,
        "prefix": "parley",
        "outputs": "",
        "partitions": 4,
        "replication": 1,
        "maven_repository": None,
        "log_format": "people",
        "lead_times": (LeadTime(30, "d"), LeadTime(7, "d"), LeadTime(24, "h"), LeadTime(1, "h")),
    }
    assert settings.state_directory.is_absolute()
    assert settings.broker_directory == settings.state_directory / "broker"


def test_the_environment_sets_and_an_empty_value_does_not(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("PARLEY_BROKERS", "")
    bare.setenv("PARLEY_PARTITIONS", "12")
    bare.setenv("PARLEY_LOG_FORMAT", "json")
    bare.setenv("PARLEY_STATE_DIRECTORY", "somewhere")
    bare.setenv("PARLEY_LEAD_TIMES", "3d, 1h")
    settings = Settings()
    assert (settings.brokers, settings.partitions, settings.log_format) == (None, 12, "json")
    assert settings.state_directory == Path("somewhere")
    assert [str(lead) for lead in settings.lead_times] == ["3d", "1h"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PARTITIONS", "0", "greater than or equal to 1"),
        ("PREFIX", "Not a topic", "should match pattern"),
        ("LOG_FORMAT", "xml", "'people' or 'json'"),
        ("LEAD_TIMES", "a week", "a lead time is a number of days or hours such as 30d or 24h, not 'a week'"),
        ("LEAD_TIMES", ",".join(["1d"] * 17), "at most 16 lead times, got 17"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    bare: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    bare.setenv(f"PARLEY_{name}", value)
    with pytest.raises(ValidationError, match=reason):
        Settings()
